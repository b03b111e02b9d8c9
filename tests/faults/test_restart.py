"""PostgreSQL is ended at once and started again: what returned is there, and what was under way goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rescind import Authority, changes
from rescind.propagation.audit import audit
from rescind.propagation.jobs import Progress
from rescind.propagation.worker import Workers
from rescind.settings import Settings
from tests.faults.server import Server, running, until_answered

WAIT_SECONDS = 120
MEMBERS = tuple(f"user:{n}" for n in range(1_000))
ROLES = tuple(f"role-{n}" for n in range(25))
PLACES = tuple(f"doc:{n}" for n in range(40))
PAIRS = len(MEMBERS) * len(ROLES) * len(PLACES)
GIVEN = tuple(changes.Given(role=role, on=place) for role in ROLES for place in PLACES)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server to crash."""
    with running() as started:
        yield started


@pytest.fixture
def acme(server: Server) -> Iterator[Authority]:
    """A group of 1,000 that holds nothing yet."""
    with Authority.open(server.new_database(), organization="acme") as authority:
        authority.apply(
            [
                changes.CreateOrganization(),
                changes.DefinePermission(permission="read"),
                *(changes.DefineRole(role=role, permissions=("read",)) for role in ROLES),
                changes.DefineResourceType(type="doc"),
                *(changes.CreateResource(resource=place) for place in PLACES),
                *(changes.AddMembership(subject=member) for member in MEMBERS),
                changes.CreateGroup(group="all"),
                changes.AddMembers(group="all", members=MEMBERS),
            ]
        )
        yield authority


class Watched:
    """Workers, and events for when they have come so far."""

    def __init__(self, authority: Authority, chunks: int) -> None:
        self.is_under_way, self.is_done = threading.Event(), threading.Event()
        self._left, self._authority = chunks, authority
        settings = Settings(backoff_seconds=0.1, most_backoff_seconds=1.0)
        self.workers = Workers(authority.store, settings, on_progress=self._on_progress)

    def _on_progress(self, _: object, done: Progress) -> None:
        self._left -= 1
        if self._left == 0:
            self.is_under_way.set()
        if done.is_settled:
            self.is_done.set()


def _crash_in_the_middle(server: Server, authority: Authority, chunks: int) -> None:
    """Crash the server in the middle of a job, and have the same workers finish it."""
    watched = Watched(authority, chunks)
    with watched.workers:
        assert watched.is_under_way.wait(WAIT_SECONDS)
        server.crash()
        assert not watched.is_done.is_set(), "it was done before the server crashed"
        server.start()
        done = [work.done for work in until_answered(authority.pending)]
        assert done
        assert done[0] > 0
        assert watched.is_done.wait(WAIT_SECONDS)
    assert authority.pending() == []


def test_in_the_middle_of_a_large_job(server: Server, acme: Authority) -> None:
    """Workers go on with a job of a million pairs where they were, and what it takes is denied meanwhile."""
    given = changes.ReplaceAssignments(to="group:all", assignments=GIVEN)
    acme.apply([given], route="background")
    _crash_in_the_middle(server, acme, 5)
    report = audit(acme.store, "acme")
    assert report.is_clean
    assert report.effective_roles == PAIRS
    taken = changes.ReplaceAssignments(to="group:all", assignments=())
    acme.apply([taken], route="background")
    server.crash()
    server.start()
    asked = [(member, "read", PLACES[0]) for member in MEMBERS]
    assert not any(until_answered(lambda: acme.check_many(asked)))


def test_what_returned_is_there(server: Server, acme: Authority) -> None:
    """A crash directly after a change returned loses nothing of it (G3), by either route."""
    for number, route in enumerate(("inline", "background")):
        batch = [changes.Assign(role=ROLES[number], to="group:all", on=PLACES[number])]
        key = str(number)
        receipt = until_answered(
            lambda: acme.apply(batch, idempotency_key=key, route=route)  # noqa: B023
        )
        server.crash()
        server.start()
        again = until_answered(lambda: acme.apply(batch, idempotency_key=key, route=route))  # noqa: B023
        assert (again.token, again.route) == (receipt.token, receipt.route)
        assert acme.check(MEMBERS[-1], "read", PLACES[number], at_least=receipt.token)
