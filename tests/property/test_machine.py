"""Any sequence of changes: both engines and both decision points agree with the reference semantics."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from rescind import Authority, Direction, Receipt, Route, changes, model
from rescind.errors import RescindError
from rescind.semantics import access
from rescind.store import open_store
from tests.property import oracle, single_role
from tests.property.chains import assert_each_allows, assert_none_is_missing
from tests.property.differences import naive_difference as difference
from tests.property.rows import count_rows, effective_roles, role_resets

SUBJECTS = ("user:a", "service_account:b", "agent:c", "user:d")
GROUPS = ("g1", "g2", "g3", "g4")
SPARE = "g5"
PERMISSIONS = ("p", "q")  # q is critical
ROLES = ("r1", "r2", "r3")
RESOURCES = ("doc:1", "doc:2", "doc:3")
START = 1_000_000

subjects, groups, roles = st.sampled_from(SUBJECTS), st.sampled_from(GROUPS), st.sampled_from(ROLES)
resources = st.sampled_from(RESOURCES)
places = st.sampled_from((None, *RESOURCES))
holders = st.sampled_from((*SUBJECTS, *(f"group:{group}" for group in GROUPS)))
permissions = st.sets(st.sampled_from(PERMISSIONS)).map(tuple)
untils = st.sampled_from((None, None, 5, 10, 20)).map(
    lambda seconds: None if seconds is None else model.moment(START + seconds * 1_000_000)
)
members = st.sets(subjects, min_size=1).map(tuple)
flags = st.booleans()
given_items = st.dictionaries(st.tuples(roles, places), untils, max_size=3).map(
    lambda items: tuple(
        changes.Given(role=role, on=on, expires_at=until) for (role, on), until in items.items()
    )
)

one_change = st.one_of(
    st.builds(changes.AddMembership, subject=subjects),
    st.builds(
        changes.ChangeMembershipId,
        subject=st.sampled_from(("user:a", "user:d")),
        new_id=st.sampled_from(("user:a", "user:d")),
    ),
    st.builds(changes.RenameMembership, subject=subjects, name=st.sampled_from(("One", "Two"))),
    st.builds(
        changes.ChangeGroupId,
        group=st.sampled_from((*GROUPS, SPARE)),
        new_id=st.sampled_from((*GROUPS, SPARE)),
    ),
    st.builds(changes.DeactivateMembership, subject=subjects),
    st.builds(changes.ReactivateMembership, subject=subjects),
    st.builds(changes.RemoveMembership, subject=subjects),
    st.builds(changes.CreateGroup, group=groups),
    st.builds(changes.DeleteGroup, group=groups, cascade=flags),
    st.builds(changes.AddMembers, group=groups, members=members, expires_at=untils),
    st.builds(changes.AddMembers, group=groups, members=members, expires_at=untils),
    st.builds(changes.RemoveMembers, group=groups, members=members),
    st.builds(changes.ReplaceMembers, group=groups, members=members, create=flags),
    st.builds(changes.NestGroup, group=groups, into=groups),
    st.builds(changes.NestGroup, group=groups, into=groups),
    st.builds(changes.UnnestGroup, group=groups, out_of=groups),
    st.builds(changes.DeletePermission, permission=st.sampled_from(PERMISSIONS), cascade=flags),
    st.builds(changes.DefineRole, role=roles, permissions=permissions, priority=st.integers(0, 2)),
    st.builds(changes.EditRole, role=roles, set=permissions),
    st.builds(changes.EditRole, role=roles, add=st.just(("p",)), remove=st.just(("q",))),
    st.builds(changes.EditRole, role=roles, priority=st.integers(0, 2)),
    st.builds(changes.DeleteRole, role=roles, cascade=flags),
    st.builds(changes.CreateResource, resource=resources, parent=places),
    st.builds(changes.MoveResource, resource=resources, parent=places),
    st.builds(changes.DeleteResource, resource=resources, cascade=flags),
    st.builds(changes.Assign, role=roles, to=holders, on=places, expires_at=untils),
    st.builds(changes.Assign, role=roles, to=holders, on=places, expires_at=untils),
    st.builds(changes.Unassign, role=roles, to=holders, on=places),
    st.builds(changes.ReplaceAssignments, to=holders, assignments=given_items),
    st.builds(
        changes.SetRoleMode,
        mode=st.sampled_from(("single", "single", "multiple")),
        on_loss=st.sampled_from(("default", "default", "next-highest")),
    ),
    st.builds(changes.SetDefaultRole, role=st.sampled_from((None, *ROLES))),
)

SETUP: list[changes.Change] = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="p"),
    changes.DefinePermission(permission="q", critical=True),
    changes.DefineResourceType(type="doc"),
    *(changes.AddMembership(subject=subject) for subject in SUBJECTS[:3]),
    *(changes.CreateGroup(group=group) for group in GROUPS),
    *(
        changes.DefineRole(role=role, permissions=PERMISSIONS[: 1 + n % 2], priority=n)
        for n, role in enumerate(ROLES)
    ),
    changes.CreateResource(resource="doc:1"),
    changes.CreateResource(resource="doc:2", parent="doc:1"),
    changes.CreateResource(resource="doc:3"),
    changes.NestGroup(group="g1", into="g2"),
    changes.NestGroup(group="g2", into="g3"),
    changes.NestGroup(group="g1", into="g4"),
    changes.AddMembers(group="g1", members=SUBJECTS[:2]),
    changes.AddMembers(group="g2", members=SUBJECTS[1:3]),
    changes.Assign(role="r1", to="group:g3", on="doc:1"),
    changes.Assign(role="r2", to="group:g4"),
    changes.Assign(role="r3", to="group:g2"),
    changes.Assign(role="r1", to="user:a"),
]


Make = Callable[[Callable[[], datetime]], dict[str, Authority]]
"""Opens an authority on each engine, with a clock."""


class Machine(RuleBasedStateMachine):
    """Two authorities and the oracle, changed alike and asked everything after every step."""

    make: Make
    organizations = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.authorities = type(self).make(lambda: model.moment(self.now))
        self.organization = f"o{next(self.organizations)}"
        self.facts = oracle.Facts()
        self.route: Route | None = None

    @initialize()
    def set_up(self) -> None:
        for authority in self.authorities.values():
            authority.apply(SETUP, organization=self.organization)
        for change in SETUP:
            if not isinstance(change, changes.CreateOrganization | changes.DefineResourceType):
                self.facts = oracle.apply(self.facts, change)

    @rule(change=one_change)
    def change(self, change: changes.Change) -> None:
        self.apply_batch([change])

    @rule(batch=st.lists(one_change, min_size=2, max_size=4))
    def batch(self, batch: list[changes.Change]) -> None:
        self.apply_batch(batch)

    @rule(seconds=st.integers(1, 6))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1_000_000

    def apply_batch(self, batch: list[changes.Change]) -> None:
        before, refused = self.facts, None
        after = before
        try:
            after = oracle.apply_batch(before, batch, self.now)
        except oracle.Refused as refusal:
            refused = refusal.code
        expected = difference(before.world, after.world, self.now) if refused is None else None
        for name, authority in self.authorities.items():
            try:
                if expected is not None:
                    preview = authority.preview(batch, organization=self.organization)
                    assert preview == expected, f"{name} previews another difference"
                receipt = authority.apply(batch, organization=self.organization, route=self.route)
            except RescindError as error:
                assert error.code == refused, f"{name}: {error}"
            else:
                assert refused is None, f"{name} accepted what should be {refused}"
                self._check_receipt(receipt, before, after, batch)
        if refused is None:
            self.facts = after
            self._check_reference(before.world, after.world, batch)

    def _check_reference(
        self, before: access.World, after: access.World, batch: list[changes.Change]
    ) -> None:
        """The reference semantics and the documentation set the same aside."""
        if single_role.goes_by_names(batch):
            switched = single_role.mode(before) != single_role.mode(after)
            links = single_role.links(batch)
            found = access.resets_after(before, after, links, self.now, switched=switched)
            assert found == after.resets, batch

    def _check_receipt(
        self, receipt: Receipt, before: oracle.Facts, after: oracle.Facts, batch: list[object]
    ) -> None:
        revoked = difference(before.world, after.world, self.now).revoked
        if revoked:
            assert receipt.direction is Direction.REVOKES, f"{batch} revokes {revoked}"
        if len(batch) == 1:
            assert receipt.changed == (before != after)

    @invariant()
    def all_agree(self) -> None:
        """Each check, on each engine, by each decision point, is what the semantics say."""
        world = self.facts.world
        questions = list(itertools.product(SUBJECTS, PERMISSIONS, (None, *RESOURCES)))
        expected = [
            access.allowed(world, s, p, r or access.ROOT, self.now) for s, p, r in questions
        ]
        for name, authority in self.authorities.items():
            for assurance in ("standard", "live"):
                answers = authority.check_many(
                    questions, assurance=assurance, organization=self.organization
                )
                for question, want, got in zip(questions, expected, answers, strict=True):
                    assert got.allowed == want, f"{name} {assurance}: {question} is not {want}"

    @invariant()
    def effective_roles_are_the_facts(self) -> None:
        """At rest, effective roles are what a recomputation gives, expiry included (G4)."""
        expected = oracle.pairs(self.facts.world)
        for name, authority in self.authorities.items():
            assert effective_roles(authority, self.organization) == expected, name
            assert count_rows(authority, self.organization, "effective_role") == len(expected), name

    @invariant()
    def role_resets_are_the_facts(self) -> None:
        """What is set aside is what the documentation says, and nothing waits to be compared."""
        expected = self.facts.world.resets
        for name, authority in self.authorities.items():
            assert role_resets(authority, self.organization) == expected, name
            assert count_rows(authority, self.organization, "role_reset") == len(expected), name
            assert count_rows(authority, self.organization, "role_before") == 0, name

    @rule(subject=subjects, permission=st.sampled_from(PERMISSIONS), resource=places)
    def lists_and_explanations_agree(
        self, subject: str, permission: str, resource: str | None
    ) -> None:
        """Lists hold exactly what checks allow, and explanations name a chain exactly then."""
        world, at = self.facts.world, resource or access.ROOT
        allowed = partial(access.allowed, world, t=self.now)
        for authority in self.authorities.values():
            for assurance in ("standard", "live"):
                options = {"organization": self.organization, "assurance": assurance}
                who = authority.who_can(permission, resource, **options).items
                assert set(who) == {s for s in SUBJECTS if allowed(s, permission, at)}
                can = authority.permissions_of(subject, resource, **options).items
                assert set(can) == {p for p in PERMISSIONS if allowed(subject, p, at)}
                reach = authority.resources_of(subject, permission, **options).items
                assert set(reach) == {r for r in world.resources if allowed(subject, permission, r)}
                alone = authority.check(subject, permission, resource, **options)
                assert bool(alone) == allowed(subject, permission, at)
                decision = authority.explain(subject, permission, resource, **options)
                assert decision.explanation is not None
                assert bool(decision) == bool(alone)
                assert bool(decision) == bool(decision.explanation.chains)
                assert bool(decision) != bool(decision.explanation.obstacles)
                if decision:
                    assert_each_allows(world, decision.explanation.chains, self.now)
                    assert_none_is_missing(world, decision.explanation.chains, self.now)


@pytest.fixture
def both(new_database: Callable[[str], str]) -> Iterator[Make]:
    """Authorities on both engines."""
    stores = {engine: open_store(new_database(engine)) for engine in ("sqlite", "postgres")}
    with closing(stores["sqlite"]), closing(stores["postgres"]):
        yield lambda clock: {
            engine: Authority(store, clock=clock) for engine, store in stores.items()
        }


def test_any_changes_in_any_order(both: Make) -> None:
    """Whatever happens, every decision is the one that the facts imply."""
    Machine.make = staticmethod(both)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=int(os.environ.get("RESCIND_EXAMPLES", "10")),
            stateful_step_count=30,
            deadline=timedelta(seconds=30),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
