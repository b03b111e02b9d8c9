"""Any sequence of changes, by any route, with background work done, undone and left at any point."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from rescind import Authority, Route, changes
from rescind.propagation.pace import Pace
from rescind.propagation.tombstones import purge
from rescind.propagation.work import Work
from rescind.semantics.access import Assignment
from rescind.store import open_store
from tests.jobs import due_jobs
from tests.probe import Probe, probe_of
from tests.property import oracle
from tests.property.rows import effective_roles
from tests.property.test_machine import Machine, Make, one_change
from tests.sql import ours

TRUSTED = """
SELECT s.subject, COALESCE('group:' || g.slug, h.subject), q.slug, x.slug, e.expires_at
FROM rescind.effective_role AS e JOIN rescind.organization AS o ON o.id = e.organization
JOIN rescind.membership AS s ON s.organization = o.id AND s.id = e.membership
JOIN rescind.assignment AS a ON a.organization = o.id AND a.id = e.assignment AND a.ended IS NULL
JOIN rescind.role AS q ON q.id = a.role
JOIN rescind.resource AS x ON x.organization = o.id AND x.id = a.resource
LEFT JOIN rescind.membership AS h ON h.organization = o.id AND h.id = a.holder
LEFT JOIN rescind."group" AS g ON g.organization = o.id AND g.id = a.holder
WHERE e.organization = :o AND NOT EXISTS (
    SELECT 1 FROM rescind.pending AS f
    WHERE f.organization = o.id AND (f.fence IN (0, s.id) OR o.role_mode = 'single'))
"""
TOMBSTONES = """
SELECT (SELECT count(*) FROM rescind.assignment WHERE organization = :o AND ended IS NOT NULL),
       (SELECT count(*) FROM rescind.recorded_nesting WHERE organization = :o AND ended IS NOT NULL),
       (SELECT count(*) FROM rescind."group" WHERE organization = :o AND ended IS NOT NULL)
"""
NEVER = 2**63 - 1


class Killed(Exception):
    """Stands for a process that dies at a statement."""


class Propagation(Machine):
    """The machine of `test_machine`, with routes and with work in small chunks."""

    def __init__(self) -> None:
        super().__init__()
        self.works: dict[str, dict[tuple[int, int, str, int], Work]] = {}

    @rule(route=st.sampled_from((None, Route.INLINE, Route.BACKGROUND, Route.BACKGROUND)))
    def choose_route(self, route: Route | None) -> None:
        self.route = route

    @rule(change=one_change)
    def change_in_background(self, change: changes.Change) -> None:
        before, self.route = self.route, Route.BACKGROUND
        self.apply_batch([change])
        self.route = before

    @rule(
        place=st.integers(0, 20),
        pairs=st.integers(1, 4),
        die_at=st.sampled_from((None, 0, 2, 4, 6, 8)),
        goes_on=st.booleans(),
    )
    def work(self, place: int, pairs: int, die_at: int | None, goes_on: bool) -> None:
        """One chunk of any pending row, or as much of it as there is before the process dies. It is done by
        a worker that comes to it, or by one that was at it before, whatever has happened since.
        """
        for name, authority in self.authorities.items():
            due = self._due(authority)
            if not due:
                continue
            job = due[place % len(due)]
            known = self.works.setdefault(name, {})
            work = known.pop(job.key, None) if goes_on else None
            work = work or Work(authority.store, job)
            statements = iter(range(1_000))

            def die(_: str, statements: Iterator[int] = statements) -> None:
                if next(statements) == die_at:
                    raise Killed

            probe_of(authority).before = die if die_at is not None else None
            pace = Pace(authority.store.engine)
            pace.pairs = pairs
            try:
                work.step(pace)
                known[job.key] = work
            except Killed:
                pass
            finally:
                probe_of(authority).before = None

    @rule()
    def drain(self) -> None:
        """All work is done; doing it again would change nothing."""
        for name, authority in self.authorities.items():
            pace = Pace(authority.store.engine)
            pace.pairs = 3
            while due := self._due(authority):
                Work(authority.store, due[0]).step(pace)
            assert effective_roles(authority, self.organization) == oracle.pairs(
                self.facts.world
            ), name
            purge(authority.store)
            assert authority.store.fetch("list_purgeable", {"limit": 1}) == [], name
            counts = authority.store.fetch("tombstones", {"o": self._o(authority)})
            assert counts == [(0, 0, 0)], name

    def teardown(self) -> None:
        self.drain()
        for authority in self.authorities.values():
            unsettled = [
                entry.revision
                for entry in authority.log(organization=self.organization)
                if entry.settled_at is None
            ]
            assert unsettled == []

    @invariant()
    def effective_roles_are_the_facts(self) -> None:
        """At rest effective = recomputed; while busy, trusted ⊆ justified (G4)."""
        expected = oracle.pairs(self.facts.world)
        for name, authority in self.authorities.items():
            if not self._due(authority):
                assert effective_roles(authority, self.organization) == expected, name
                continue
            for subject, holder, role, resource, until in authority.store.fetch(
                "trusted", {"o": self._o(authority)}
            ):
                pair = (subject, Assignment(holder, role, resource))
                assert pair in expected, f"{name} trusts {pair}"
                limit = expected[pair]
                assert limit is None or (until or NEVER) <= limit, f"{name} trusts {pair} for long"

    def _o(self, authority: Authority) -> int:
        return int(authority.store.fetch("plan", {"organization": self.organization})[0][0])

    def _due(self, authority: Authority) -> list:
        o = self._o(authority)
        return [job for job in due_jobs(authority.store) if job.organization == o]


@pytest.fixture
def both(new_database: Callable[[str], str]) -> Iterator[Make]:
    """Authorities on both engines."""
    stores = {
        engine: open_store(new_database(engine), probe=Probe()) for engine in ("sqlite", "postgres")
    }
    with closing(stores["sqlite"]), closing(stores["postgres"]):
        for engine, store in stores.items():
            for name, sql in {"trusted": TRUSTED, "tombstones": TOMBSTONES}.items():
                sql = ours(store, sql)
                store.queries[name] = sql if engine == "sqlite" else sql.replace(":o", "%(o)s")
        yield lambda clock: {
            engine: Authority(store, clock=clock) for engine, store in stores.items()
        }


def test_any_changes_by_any_route(both: Make) -> None:
    """Whatever is pending, every decision is the one that the facts imply, and nothing wrong is trusted."""
    Propagation.make = staticmethod(both)
    run_state_machine_as_test(
        Propagation,
        settings=settings(
            max_examples=int(os.environ.get("RESCIND_EXAMPLES", "8")),
            stateful_step_count=40,
            deadline=timedelta(seconds=30),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
