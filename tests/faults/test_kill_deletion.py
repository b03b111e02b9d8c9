"""Who clears away a deleted organization is killed at each statement in turn, or meets a job that goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from rescind import Authority, changes
from rescind.propagation import organization_removal as deletion
from rescind.store.postgres import store
from tests.faults import tasks
from tests.faults.children import Child
from tests.faults.conftest import Way
from tests.faults.small import FACTS, opened, prepare, rows
from tests.sql import ours

NAME, OTHER = "acme", "other"
DELETE = [changes.DeleteOrganization(cascade=True)]
KEPT = {"organization", "change"}
JOB = [changes.Assign(role="writer", to="group:team", on="doc:1")]


def _left(authority: Authority) -> set[str]:
    """The tables that have anything of the deleted organization."""
    return {table for table, found in rows(authority, NAME).items() if found}


def _delete(database: str) -> None:
    with opened(database, NAME) as authority:
        for name in (NAME, OTHER):
            authority.apply(FACTS, organization=name, route="inline")
        authority.apply(DELETE, route="background")


def test_killed_anywhere(way: Way) -> None:
    """The next one goes on; in the end nothing is left of it, and another organization is as it was."""
    prepare(way.database)
    _delete(way.database)
    with opened(way.database, OTHER) as authority:
        before = rows(authority, OTHER)
        for at in count(step=7):
            child = Child(tasks.clear, way.database, 5, at=at, one_by_one=way.one_by_one)
            if child.wait() == 0:
                break
            assert child.wait() == -SIGKILL
            assert rows(authority, OTHER) == before
        assert at > 0
        assert _left(authority) == KEPT
        assert rows(authority, OTHER) == before
        assert not authority.pending()


def test_taken_off_the_list_first(way: Way) -> None:
    """Control: were the deletion forgotten before the rest is gone, a kill would leave the rest for ever."""
    prepare(way.database)
    _delete(way.database)
    with opened(way.database, OTHER) as authority:
        authority.store.queries["forget"] = ours(authority, "DELETE FROM rescind.deletion")  # type: ignore[attr-defined]
        authority.store.transact(lambda tx: tx.run("forget"))
        assert Child(tasks.clear, way.database, 5, one_by_one=way.one_by_one).wait() == 0
        assert _left(authority) > KEPT


@pytest.mark.parametrize("is_last", [True, False])
def test_a_job_under_way(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, is_last: bool
) -> None:
    """A chunk that made effective roles when the organization was deleted, and commits them later, leaves
    none behind. Control: it would, if they were cleared away before its groups.
    """
    monkeypatch.setattr(store, "YIELDING_LOCK_SECONDS", 60)
    if not is_last:
        first = (
            "clear_effective_roles",
            *(c for c in deletion.CLEARING if c != "clear_effective_roles"),
        )
        monkeypatch.setattr(deletion, "CLEARING", first)
    database = new_database("postgres")
    prepare(database)
    with opened(database, NAME) as authority, ThreadPoolExecutor(1) as pool:
        authority.apply(FACTS, route="inline")
        authority.apply(JOB, route="background")
        child = Child(
            tasks.settle,
            database,
            NAME,
            "team",
            1_000,
            at="read_held",
            by=SIGSTOP,
            one_by_one=True,
        )
        child.wait_until_at("read_held")
        authority.apply(DELETE, route="background")
        clearing = pool.submit(deletion.clear, authority.store)
        while not authority.store.waiting():
            assert not clearing.done()
        child.send(SIGCONT)
        child.wait()
        assert clearing.result()
        while deletion.clear(authority.store):
            pass
        assert _left(authority) == (KEPT if is_last else KEPT | {"effective_role"})
