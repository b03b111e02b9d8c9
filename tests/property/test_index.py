"""Any sequence of changes: an index that followed them decides, and is, as one that was built anew."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from rescind import Authority, DecisionPoint, changes
from rescind.index.build import build_index
from rescind.semantics import access
from rescind.store import open_store
from tests.property import oracle
from tests.property.following import facts_of
from tests.property.test_machine import (
    PERMISSIONS,
    RESOURCES,
    SETUP,
    SUBJECTS,
    Machine,
    Make,
    one_change,
)


class Remembered(Machine):
    """The machine of `test_machine`, answered from memory."""

    effective_roles_are_the_facts = None
    role_resets_are_the_facts = None

    @initialize()
    def set_up(self) -> None:
        """As before; then all is held."""
        super().set_up()
        for authority in self.authorities.values():
            assert authority.load(self.organization)

    @rule(batches=st.lists(st.lists(one_change, min_size=1, max_size=3), min_size=2, max_size=4))
    def changes_while_nobody_asks(self, batches: list[list[changes.Change]]) -> None:
        """What is read of the log then is of several revisions."""
        for batch in batches:
            self.apply_batch(batch)

    @rule(critical=st.booleans())
    def environment_changes(self, critical: bool) -> None:
        """A role and a permission of all organizations come, are used, and go."""
        role = f"shared-{self.organization}"
        batch: list[changes.Change] = [
            changes.DefineRole(role=role),
            changes.DefinePermission(permission=role, critical=critical),
            changes.EditRole(role=role, add=(role,)),
        ]
        world = self.facts.world
        assign = changes.Assign(role=role, to=SUBJECTS[0], on="doc:1")
        for authority in self.authorities.values():
            authority.apply(batch, organization="*")
            if SUBJECTS[0] in world.memberships and "doc:1" in world.resources:
                authority.apply([assign], organization=self.organization)
                assert (
                    authority.check(
                        SUBJECTS[0], role, "doc:1", organization=self.organization
                    ).allowed
                    == world.memberships[SUBJECTS[0]]
                )
            for change in (
                changes.DeletePermission(permission=role, cascade=True),
                changes.DeleteRole(role=role, cascade=True),
            ):
                authority.apply([change], organization="*")

    @invariant()
    def memory_decides_as_the_semantics_say(self) -> None:
        """Every check that memory answers is right, and it answers all that is not critical."""
        world = self.facts.world
        for name, authority in self.authorities.items():
            for s, p, r in itertools.product(SUBJECTS, PERMISSIONS, (None, *RESOURCES)):
                decision = authority.check(s, p, r, organization=self.organization)
                want = access.allowed(world, s, p, r or access.ROOT, self.now)
                assert bool(decision) == want, f"{name}: {s} {p} {r}"
                is_known = p in self.facts.permissions
                point = (
                    DecisionPoint.LIVE
                    if is_known and self.facts.permissions[p]
                    else DecisionPoint.INDEX
                )
                assert decision.point is point, f"{name}: {s} {p} {r}"

    @invariant()
    def following_is_building_anew(self) -> None:
        """The index that followed the log is equal to one of the facts as they are."""
        for name, authority in self.authorities.items():
            cache = authority.cache
            cached = cache.indexes[self.organization]
            cache.catch_up(cached)
            anew, revision = build_index(authority.store, cached.index.organization)
            assert cached.revision == revision, name
            assert facts_of(cached.index) == facts_of(anew), name


@pytest.fixture
def both(new_database: Callable[[str], str]) -> Iterator[Make]:
    """Authorities on both engines that answer from memory."""
    stores = {engine: open_store(new_database(engine)) for engine in ("sqlite", "postgres")}
    with closing(stores["sqlite"]), closing(stores["postgres"]), ExitStack() as stack:
        authorities: dict[str, Authority] = {}
        clocks: list[Callable[[], datetime]] = []
        for engine, store in stores.items():
            authorities[engine] = Authority(store, clock=lambda: clocks[-1](), index=True)
            stack.callback(authorities[engine].cache.close)

        def make(clock: Callable[[], datetime]) -> dict[str, Authority]:
            clocks.append(clock)  # one machine runs after another
            return authorities

        yield make


def test_memory_after_any_changes(both: Make) -> None:
    """Whatever happens, memory follows exactly."""
    Remembered.make = staticmethod(both)
    run_state_machine_as_test(
        Remembered,
        settings=settings(
            max_examples=int(os.environ.get("RESCIND_EXAMPLES", "6")),
            stateful_step_count=30,
            deadline=timedelta(seconds=30),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_setup_is_what_the_machine_begins_with() -> None:
    """The changes that every run starts from are all accepted by the oracle."""
    facts = oracle.Facts()
    for change in SETUP:
        if not isinstance(change, changes.CreateOrganization | changes.DefineResourceType):
            facts = oracle.apply(facts, change)
    assert facts.world.memberships
