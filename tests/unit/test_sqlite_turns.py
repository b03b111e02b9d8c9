"""Background work on SQLite does not keep the write lock from other processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rescind import Authority, changes
from rescind.store.sqlite import turns


@pytest.mark.parametrize("gives_way", [True, False])
def test_who_gives_way_leaves_a_gap(
    gives_way: bool, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each of its transactions there is a time in which another store can write, longer than it
    takes others to ask again. Control: one that does not give way leaves none.
    """
    url = new_database("sqlite")
    seen: list[str] = []
    with Authority.open(url, organization="acme") as other, Authority.open(url) as mine:

        def gap(seconds: float) -> None:
            assert seconds > turns.TURN_SECONDS
            assert other.apply([changes.CreateGroup(group=f"g{len(seen)}")]).changed
            seen.append("other")

        other.apply([changes.CreateOrganization()])
        monkeypatch.setattr(turns.time, "sleep", gap)
        for _ in range(3):
            mine.store.transact(lambda _: seen.append("mine"), gives_way=gives_way)
    assert seen == (["other", "mine"] if gives_way else ["mine"]) * 3
