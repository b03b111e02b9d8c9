"""The log by what it is about: who did it, what it names, and when it was recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import Authority, changelog, changes
from rescind.errors import InvalidArgument, MalformedId
from tests.clock import SettableClock
from tests.contract.world import WORLD
from tests.sql import ours

START = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

BATCHES: list[tuple[str, list[changes.Change]]] = [
    ("setup", WORLD),
    ("user:root by key:1 (ci)", [changes.AddMembers(group="eng", members=("bob", "user:cyd"))]),
    ("sync", [changes.ReplaceMembers(group="idle", members=("agent:bot",))]),
    ("grace", [changes.Assign(role="reader", to="group:idle", on="folder:a")]),
    ("grace", [changes.Unassign(role="reader", to="group:staff")]),
    ("ops", [changes.NestGroup(group="idle", into="staff")]),
    ("ops", [changes.CreateResource(resource="doc:9", parent="folder:b")]),
    ("ops", [changes.EditRole(role="writer", priority=7)]),
    (
        "sync",
        [
            changes.ReplaceAssignments(
                to="cyd", assignments=(changes.Given(role="owner", on="doc:1"),)
            )
        ],
    ),
    ("ops", [changes.RemoveMembership(subject="bob")]),
]
ABOUT: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ({"subject": "bob"}, [1, 2, 10]),
    ({"subject": "user:cyd"}, [1, 2, 9]),
    ({"subject": "agent:bot"}, [1, 3]),
    ({"subject": "o"}, []),
    ({"group": "idle"}, [1, 3, 4, 6]),
    ({"group": "staff"}, [1, 5, 6]),
    ({"role": "reader"}, [1, 4, 5]),
    ({"role": "writer"}, [1, 8]),
    ({"role": "owner"}, [1, 9]),
    ({"resource": "folder:b"}, [1, 7]),
    ({"resource": "organization"}, [1, 5]),
    ({"resource": "doc:1"}, [1, 9]),
    ({"actor": "user:root"}, [2]),
    ({"actor": "ops", "role": "writer"}, [8]),
    ({"group": "idle", "role": "reader"}, [1, 4]),
    ({"since": START + 2 * HOUR, "until": START + 4 * HOUR}, [3, 4]),
    ({"until": START}, []),
    ({"since": START + 9 * HOUR, "subject": "bob"}, [10]),
]


@pytest.fixture
def acme(authority: Authority, clock: SettableClock) -> Authority:
    """A batch an hour."""
    for hour, (actor, batch) in enumerate(BATCHES):
        clock.now = START + hour * HOUR
        authority.apply(batch, actor=actor)
    return authority


def found(authority: Authority, **about: Any) -> list[int]:
    return [entry.revision for entry in authority.log(**about)]


def paged(authority: Authority, limit: int, **about: Any) -> tuple[list[int], int]:
    """All revisions page by page, and how many pages that took."""
    after, revisions, pages = 0, [], 0
    while True:
        page = authority.log_page(after=after, limit=limit, **about)
        assert len(page.items) <= limit
        revisions += [entry.revision for entry in page.items]
        pages += 1
        if page.next_after is None:
            return revisions, pages
        assert page.next_after > after
        after = page.next_after


def test_what_changes_are_about(acme: Authority) -> None:
    """By each thing that they name, whatever the spelling; the pages agree with the whole."""
    for about, expected in ABOUT:
        assert found(acme, **about) == expected, about
        for limit in (1, 3):
            assert paged(acme, limit, **about)[0] == expected, (about, limit)
    assert found(acme, subject="bob", limit=2) == [1, 2]
    assert found(acme, subject="bob", after=2) == [10]


def test_a_page_looks_at_so_many_changes(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few of them are meant: then it is short, and says where to go on."""
    monkeypatch.setattr(changelog, "LOOKED_AT", 2)
    monkeypatch.setattr(changelog, "MOST_LOOKS", 1)
    revisions, pages = paged(acme, 100, subject="bob")
    assert (revisions, pages) == ([1, 2, 10], 5)
    assert acme.log_page(after=2, subject="bob") == ((), 4)


@pytest.mark.parametrize("skew", [True, False])
def test_clocks_may_differ(
    authority: Authority, clock: SettableClock, monkeypatch: pytest.MonkeyPatch, skew: bool
) -> None:
    """Of what is recorded in a time nothing is missed, though some stands among later changes. (Control:
    without room for that, it is.)
    """
    if not skew:
        monkeypatch.setattr(changelog, "SKEW", 0)
    clock.now = START
    authority.apply([changes.CreateOrganization()])
    for number in range(1, 64):
        late = 12 * HOUR if number % 9 == 0 else timedelta()
        clock.now = START + number * HOUR - late
        authority.apply([changes.CreateGroup(group=f"g{number}")])
    times = {entry.revision: entry.recorded_at for entry in authority.log()}
    agree = True
    for hour in range(0, 64, 3):
        since, until = START + hour * HOUR, START + (hour + 5) * HOUR
        expected = [revision for revision, at in times.items() if since <= at < until]
        agree &= found(authority, since=since, until=until) == expected
    assert agree is skew


def test_a_log_that_was_cleared(acme: Authority) -> None:
    """What is left of it is found, with gaps before and in it."""
    with acme.store.connection() as connection:
        cleared = ours(acme, "DELETE FROM rescind.change WHERE revision IN (1, 2, 4, 7)")
        connection.execute(cleared)  # type: ignore[attr-defined]
    assert found(acme, since=START + 2 * HOUR, until=START + 8 * HOUR) == [3, 5, 6, 8]
    assert found(acme, group="idle") == [3, 6]
    assert found(acme, since=START + 20 * HOUR) == []


def test_bad_names_and_times(acme: Authority) -> None:
    """As for any question."""
    with pytest.raises(MalformedId):
        found(acme, resource="x")
    with pytest.raises(InvalidArgument):
        found(acme, since=datetime(2030, 1, 1))
