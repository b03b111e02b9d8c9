"""The limit of facts: a larger organization's past is refused before it takes the memory, never half told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.directory.catching_up import write_events
from rescind.errors import PastTooLarge
from rescind.history.snapshots import LOOK_SECONDS, SnapshotWriter
from rescind.history.states import state_at
from rescind.model import OrganizationId
from rescind.semantics.state import count_rows
from rescind.semantics.state_bytes import TooManyFacts, organization_from_bytes, to_bytes
from rescind.settings import Settings
from tests.clock import SettableClock
from tests.conftest import ENGINES
from tests.sql import ours

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=99)
LAST = 11
"""The newest revision of both."""
LARGE, SMALL = OrganizationId("large"), OrganizationId("small")


@pytest.fixture(scope="module", params=ENGINES)
def authority(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Authority]:
    """Two organizations of as many changes, one with three times the people; old enough to be pruned."""
    clock = SettableClock()
    with Authority.open(new_shared_database(request.param), clock=clock) as opened:
        for name, at_once in ((SMALL, 1), (LARGE, 3)):
            clock.now = START
            opened.apply([changes.CreateOrganization()], organization=name)
            defined = [
                changes.DefinePermission(permission="doc:read"),
                changes.DefineRole(role="reader", permissions=("doc:read",)),
                changes.AddMembership(subject="user:0"),
                changes.Assign(role="reader", to="user:0"),
            ]
            opened.apply(defined, organization=name)
            for change in range(LAST - 2):
                people = (f"user:{change}-{number}" for number in range(at_once))
                opened.apply(
                    [changes.AddMembership(subject=each) for each in people], organization=name
                )
            clock.now = NOW
        opened.start_review("Q1", organization=LARGE)
        yield opened


def limited(authority: Authority, most: int) -> Authority:
    """The same database, with a limit."""
    return Authority(authority.store, settings=Settings(past_most_facts=most), clock=lambda: NOW)


def size(authority: Authority) -> int:
    """Facts of the large organization, now."""
    return count_rows(state_at(authority.store, LARGE, LAST)[0])


ASKING: dict[str, Callable[[Authority], Any]] = {
    "check": lambda a: a.check("user:0", "doc:read", organization=LARGE, at=LAST),
    "list": lambda a: a.who_can("doc:read", organization=LARGE, at=NOW),
    "history": lambda a: a.access_history("user:0", organization=LARGE),
    "history since": lambda a: a.access_history("user:0", organization=LARGE, since=NOW),
    "review": lambda a: list(a.review_lines("Q1", organization=LARGE)),
    "count": lambda a: a.count_review("Q1", organization=LARGE),
    "decisions": lambda a: a.apply_review("Q1", [], organization=LARGE),
    "prune": lambda a: (write_events(a, LARGE), a.prune_log(LAST, organization=LARGE)),
}


@pytest.mark.parametrize("asking", ASKING)
def test_more_facts_than_the_limit_are_refused(authority: Authority, asking: str) -> None:
    """With the limit and what to do. Control: as many as the limit are answered, and any without one."""
    ask, facts = ASKING[asking], size(authority)
    if asking != "prune":
        for most in (0, facts):
            ask(limited(authority, most))
    most = 15 if asking == "prune" else facts - 1
    with pytest.raises(
        PastTooLarge, match=f"most {most}. Ask with the command line, .* `past_most_facts`"
    ):
        ask(limited(authority, most))
    assert len(list(authority.log(organization=LARGE))) == LAST, "nothing was pruned"


def test_what_was_smaller_then_can_be_asked(authority: Authority) -> None:
    """What counts is the organization of that time."""
    asked = limited(authority, size(authority) - 1)
    assert asked.check("user:0", "doc:read", organization=LARGE, at=LAST - 1)


def test_the_size_of_a_snapshot_is_read_before_its_facts(authority: Authority) -> None:
    """At every size of table that has a form of its own."""
    state, _, _ = state_at(authority.store, LARGE, LAST)
    person = state.memberships["user:0"]
    for people in (0, 15, 16, 65_535, 65_536):
        state.memberships = {str(number): person for number in range(people)}
        body, facts = to_bytes(state), count_rows(state)
        assert count_rows(organization_from_bytes(body, most_facts=facts)) == facts
        if facts > 1:
            with pytest.raises(TooManyFacts):
                organization_from_bytes(body, most_facts=facts - 1)


def test_no_snapshot_is_kept_of_a_larger_one(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning says so, once; the others get theirs. One that was kept before is not read either."""
    settings = Settings(snapshot_changes=8, past_most_facts=15)
    writer = SnapshotWriter(authority.store, settings)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            _keep_snapshots(writer)
    warnings = [each.message for each in caplog.records if "no snapshot is kept" in each.message]
    assert len(warnings) == 1
    assert "large" in warnings[0]
    assert _snapshots(authority) == {"small"}
    _keep_snapshots(SnapshotWriter(authority.store, Settings(snapshot_changes=8)))
    assert _snapshots(authority) == {"large", "small"}
    with pytest.raises(PastTooLarge):
        limited(authority, 3).check("user:0", "doc:read", organization=LARGE, at=LAST)


def test_an_audit_by_replay_says_what_it_left_out(authority: Authority) -> None:
    """It is not said to be clean of what was not looked at."""
    report = limited(authority, 15).audit_replay()
    left_out = {
        each.organization: each.unaudited for each in report.organizations if each.unaudited
    }
    assert list(left_out) == ["large"]
    assert "more than 15 facts" in left_out["large"]
    assert not any(each.unaudited for each in authority.audit_replay().organizations)


def _keep_snapshots(writer: SnapshotWriter) -> None:
    while writer.step() != LOOK_SECONDS:
        pass


def _snapshots(authority: Authority) -> set[str]:
    sql = (
        "SELECT DISTINCT o.slug FROM rescind.snapshot AS s"
        " JOIN rescind.organization AS o ON o.id = s.organization WHERE o.id <> 0"
    )
    store: Any = authority.store
    with store.connection() as connection:
        return {row[0] for row in connection.execute(ours(store, sql)).fetchall()}
