"""When a change was enforced is kept as long as the change is in the log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rescind import Authority
from tests.sql import ours


def run(authority: Authority, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement of the test's own on acme."""
    ((o, *_),) = authority.store.fetch("plan", {"organization": "acme"})
    with authority.store.connection() as connection:
        driver: Any = connection
        cursor = driver.execute(ours(authority, sql.replace("$o", str(o))))
        return list(cursor.fetchall()) if cursor.description else []


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "control"])
def test_what_is_cleared_of_the_log_leaves_nothing(acme: Authority, is_guarded: bool) -> None:
    """Whoever clears it; nor does a note that comes late. Control: without the trigger it stays."""
    engine = acme.store.engine
    ((o, *_),) = acme.store.fetch("plan", {"organization": "acme"})
    notes = json.dumps([{"o": o, "revision": 1, "at": 5}, {"o": o, "revision": 99, "at": 5}])
    acme.store.execute_alone("record_enforced", {"notes": notes})
    noted = "SELECT revision FROM rescind.enforcement WHERE organization = $o"
    assert run(acme, noted) == [(1,)]
    if not is_guarded:
        drop = {
            "sqlite": "DROP TRIGGER rescind_change_gone",
            "postgres": "DROP TRIGGER change_gone ON rescind.change",
        }
        run(acme, drop[engine])
    run(acme, "DELETE FROM rescind.change WHERE organization = $o")
    assert (run(acme, noted) == []) == is_guarded
    acme.store.execute_alone("record_enforced", {"notes": notes})
    assert (run(acme, noted) == []) == is_guarded
