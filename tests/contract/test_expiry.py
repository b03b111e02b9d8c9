"""What expires is denied from that instant, with nothing running (G8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument
from rescind.store import open_store
from tests.contract.world import FUTURE, PAST, WORLD
from tests.sql import ours
from tests.state import may

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def at(database: str) -> Iterator[Callable[[datetime], Authority]]:
    """An authority on one database at a given time."""
    store = open_store(database)
    yield lambda moment: Authority(store, organization="acme", clock=lambda: moment)
    store.close()


EXPIRING = {
    "a place in a group": changes.AddMembers(group="eng", members=("user:cyd",), expires_at=NOON),
    "an assignment": changes.Assign(role="writer", to="user:cyd", on="folder:a", expires_at=NOON),
    "an assignment to a group": changes.Assign(
        role="writer", to="group:idle", on="folder:a", expires_at=NOON
    ),
}


@pytest.mark.parametrize("case", EXPIRING)
def test_what_expires_is_denied_from_that_instant(
    at: Callable[[datetime], Authority], case: str
) -> None:
    """Allowed up to the microsecond before, denied at it and after, with nothing running: checks by
    both decision points, lists and explanations.
    """
    at(NOON - timedelta(days=1)).apply(
        [*WORLD, changes.AddMembers(group="idle", members=("user:cyd",)), EXPIRING[case]]
    )
    question = ("user:cyd", "write", "doc:1")
    assert may(at(NOON - INSTANT), *question)
    (chain,) = at(NOON - INSTANT).explain(*question).explanation.chains
    assert chain.expires_at == NOON
    for moment in (NOON, NOON + INSTANT, NOON + timedelta(days=9_000)):
        assert not may(at(moment), *question)
    (obstacle,) = at(NOON).explain(*question).explanation.obstacles
    assert "expired 2030-01-01T12:00:00+00:00" in obstacle


def test_of_two_paths_the_longer_counts(at: Callable[[datetime], Authority]) -> None:
    """Until the last path of group memberships has expired, and the assignment itself has not."""
    at(NOON - timedelta(days=1)).apply(
        [
            *WORLD,
            changes.AddMembers(group="eng", members=("user:cyd",), expires_at=NOON),
            changes.AddMembers(group="staff", members=("user:cyd",), expires_at=NOON + INSTANT),
            changes.Assign(role="owner", to="group:staff", expires_at=NOON),
        ]
    )
    assert may(at(NOON), "user:cyd", "read")
    assert not may(at(NOON), "user:cyd", "purge")
    assert not may(at(NOON + INSTANT), "user:cyd", "read")


def test_a_time_names_an_instant(acme: Authority) -> None:
    """Any offset is taken; a time without one is refused."""
    naive = datetime(2030, 1, 1)
    with pytest.raises(InvalidArgument, match="offset"):
        acme.apply([changes.Assign(role="reader", to="user:cyd", expires_at=naive)])


VIEW = "SELECT subject, permission, resource FROM rescind.effective_permission WHERE organization = 'acme'"


def test_the_view_answers_like_checks(acme: Authority) -> None:
    """Each row is a check that is allowed by the database's clock, and each such check is a row."""
    acme.apply(WORLD, organization="other")
    acme.apply(
        [
            changes.Assign(role="writer", to="user:cyd", on="doc:1", expires_at=FUTURE),
            changes.Assign(role="owner", to="user:cyd", on="doc:2", expires_at=PAST),
            changes.AddMembers(group="eng", members=("user:bob",), expires_at=PAST),
            changes.AddMembers(group="idle", members=("user:cyd",), expires_at=FUTURE),
            changes.Assign(role="owner", to="group:idle", on="folder:b"),
            changes.Assign(role="owner", to="group:staff", on="folder:b"),
            changes.DeactivateMembership(subject="user:ada"),
        ]
    )
    for mode in ("multiple", "single"):
        acme.apply([changes.SetRoleMode(mode=mode), changes.SetDefaultRole(role="unused")])
        assert _rows(acme) == _allowed(acme)


def _rows(authority: Authority) -> set[tuple[str, str, str]]:
    authority.store.queries["view"] = ours(authority, VIEW)
    rows = authority.store.fetch("view", {})
    assert len(rows) == len(set(rows))
    return set(rows)


def _allowed(authority: Authority) -> set[tuple[str, str, str]]:
    everything = [
        (subject, permission, resource)
        for subject in ("user:ada", "user:bob", "user:cyd", "agent:bot")
        for permission in ("read", "write", "purge", "spare")
        for resource in ("organization", "folder:a", "folder:b", "doc:1", "doc:2")
    ]
    answers = authority.check_many(everything)
    return {question for question, answer in zip(everything, answers, strict=True) if answer}
