"""A job that fails and fails is parked: what it fences stays denied, it is seen, and it can be retried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rescind import Authority, changes
from rescind.propagation.worker import Worker
from tests.faults.small import FACTS, MEMBERS, PLACES, opened, prepare, require_settled, settle
from tests.probe import probe_of
from tests.sql import ours
from tests.state import may

NAME = "acme"
ATTEMPTS = 3
JOBS = {
    "member": ("read", changes.RemoveMembers(group="team", members=MEMBERS[:1])),
    "assignment": ("read", changes.Unassign(role="reader", to="group:team", on=PLACES[0])),
    "whole": ("write", changes.UnnestGroup(group="team", out_of="all")),
}
"""For each kind of pending work, a change that leaves it, and what `user:0` then has no more on `doc:0`."""
VIEW = """
SELECT permission FROM rescind.effective_permission
WHERE organization = 'acme' AND subject = 'user:0' AND resource = 'doc:0'
"""


class Broken(Exception):
    """Stands for whatever is wrong in the store."""


@pytest.fixture
def acme(database: str) -> Iterator[Authority]:
    """The small organization, where a job is parked after three attempts that follow at once."""
    prepare(database)
    settings = {"attempts_before_parking": ATTEMPTS, "backoff_seconds": 0.0}
    with opened(database, NAME, **settings) as authority:
        authority.apply(FACTS, route="inline")
        yield authority


def _break(name: str) -> None:
    if name.startswith("unmake_"):
        raise Broken("the disk is full")


@pytest.mark.parametrize("kind", JOBS)
def test_parked(acme: Authority, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Parked work denies what was revoked by every decision point, until it is retried and settles."""
    permission, change = JOBS[kind]
    acme.apply([change], route="background")
    probe_of(acme).before = _break
    worker = Worker(acme.store, acme.settings)
    for attempt in range(1, ATTEMPTS + 1):
        assert worker.work_once()
        (work,) = acme.pending()
        assert (work.kind, work.attempts) == (kind, attempt)
        assert work.last_error == "Broken: the disk is full"
        assert work.is_parked == (attempt == ATTEMPTS)
    assert not worker.work_once()
    assert not acme.has_due_work()
    assert len(caplog.records) == ATTEMPTS
    probe_of(acme).before = None
    settle(acme)
    assert acme.pending()[0].is_parked
    _is_denied(acme, permission)
    assert acme.retry(work)
    assert not acme.retry(work)
    _is_denied(acme, permission)
    settle(acme)
    require_settled(acme, NAME)
    _is_denied(acme, permission)


def test_others_are_done(acme: Authority, caplog: pytest.LogCaptureFixture) -> None:
    """Work that fails does not keep a worker from the rest."""
    acme.apply([JOBS["member"][1]], route="background")
    acme.apply([changes.Assign(role="reader", to="group:other")], route="background")
    probe_of(acme).before = _break
    settle(acme)
    assert [work.group for work in acme.pending()] == ["team"]
    assert len(caplog.records) == ATTEMPTS


def test_a_change_wakes_what_is_parked(acme: Authority) -> None:
    """A newer change to the same thing makes its parked work due again."""
    acme.apply([JOBS["member"][1]], route="background")
    (work,) = acme.pending()
    assert acme.park(work)
    assert not acme.has_due_work()
    acme.apply([changes.AddMembers(group="team", members=MEMBERS[:1])], route="background")
    settle(acme)
    require_settled(acme, NAME)
    assert may(acme, MEMBERS[0], "read", PLACES[0])


def test_control_settled_without_being_done(acme: Authority) -> None:
    """Control: if failing work were dropped rather than parked, access that was taken away would stay."""
    acme.apply([JOBS["member"][1]], route="background")
    acme.store.queries["drop"] = ours(acme, "DELETE FROM rescind.pending")
    acme.store.transact(lambda tx: tx.run("drop"))
    assert acme.check(MEMBERS[0], "read", PLACES[0])


def _is_denied(authority: Authority, permission: str) -> None:
    """By checks, lists, explanations and the view."""
    assert not may(authority, MEMBERS[0], permission, PLACES[0])
    authority.store.queries["view"] = ours(authority, VIEW)
    assert (permission,) not in authority.store.fetch("view", {})
