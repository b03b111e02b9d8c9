"""Each kind of change that takes away, as an index reads it: recorded once, played again at will."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from rescind import Authority, changes, model
from rescind.changes import Change
from rescind.decision.lists.pages import in_memory
from rescind.decision.lists.source import Asked, finished
from rescind.decision.lists.streams import BEGINNING
from rescind.errors import RescindError
from rescind.index import Index
from rescind.index.build import build_index
from rescind.index.derived import REACH_WEIGHT, Derived
from rescind.index.facts import Facts
from rescind.index.follow import LogTail, read_tail
from rescind.index.orders import Name
from rescind.model import Question

LEAST = -(1 << 63)
"""Before any number."""

LATE = model.moment(4_000_000_000_000_000)
SOON = model.moment(3_000_000_000_000_000)
TIMES = (0, model.microseconds(SOON), model.microseconds(LATE))
SUBJECTS = ("user:a", "user:b", "user:c", "user:d", "user:e")
PERMISSIONS = ("p", "q", "shared", "grave")
RESOURCES = ("organization", "doc:1", "doc:2", "doc:3", "doc:4", "doc:5")

ENVIRONMENT: list[Change] = [
    changes.DefinePermission(permission="shared"),
    changes.DefinePermission(permission="grave"),
    changes.DefineRole(role="everywhere", permissions=("shared", "grave"), priority=7),
]
WORLD: list[Change] = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="p"),
    changes.DefinePermission(permission="q"),
    changes.DefineRole(role="reader", permissions=("p",), priority=1),
    changes.DefineRole(role="writer", permissions=("p", "q"), priority=2),
    changes.DefineRole(role="guest", permissions=("q", "shared"), priority=3),
    changes.DefineResourceType(type="doc"),
    changes.CreateResource(resource="doc:1"),
    changes.CreateResource(resource="doc:2", parent="doc:1"),
    changes.CreateResource(resource="doc:3", parent="doc:2"),
    changes.CreateResource(resource="doc:4"),
    changes.CreateResource(resource="doc:5", parent="doc:2"),
    *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
    changes.DeactivateMembership(subject="user:e"),
    *(changes.CreateGroup(group=f"g{n}") for n in range(1, 6)),
    changes.NestGroup(group="g1", into="g2"),
    changes.NestGroup(group="g2", into="g3"),
    changes.NestGroup(group="g4", into="g3"),
    changes.AddMembers(group="g1", members=("user:a",)),
    changes.AddMembers(group="g2", members=("user:b",)),
    changes.AddMembers(group="g4", members=("user:a", "user:c")),
    changes.AddMembers(group="g5", members=("user:a", "user:b")),
    changes.Assign(role="reader", to="group:g3", on="doc:1"),
    changes.Assign(role="writer", to="group:g2", on="doc:2"),
    changes.Assign(role="everywhere", to="group:g1", on="doc:4"),
    changes.Assign(role="guest", to="group:g5"),
    changes.Assign(role="reader", to="user:c", on="doc:3"),
    changes.Assign(role="writer", to="user:c", on="doc:4"),
    changes.Assign(role="reader", to="user:c", on="doc:4"),
    changes.Assign(role="guest", to="user:c", on="doc:4"),
    changes.Assign(role="everywhere", to="user:b"),
    changes.Assign(role="writer", to="user:d", on="doc:4"),
    changes.Assign(role="writer", to="user:e", on="doc:4"),
    changes.Assign(role="guest", to="user:b", on="doc:1"),
    changes.Assign(role="guest", to="user:d", on="doc:1"),
]
"""Somebody has something in every way: by itself, by a group, by a nested group, and above."""
EXPIRING: list[Change] = [
    changes.AddMembers(group="g4", members=("user:a", "user:c"), expires_at=LATE),
    changes.Assign(role="reader", to="user:c", on="doc:3", expires_at=LATE),
]
"""The same until a time: then every denial is worked out anew, so this is a world of its own."""
SINGLE = [
    changes.SetRoleMode(mode="single"),
    changes.SetDefaultRole(role="reader"),
    changes.Assign(role="writer", to="group:g2"),
    changes.Assign(role="guest", to="user:b"),
]
SET_ASIDE = [changes.Unassign(role="everywhere", to="user:b")]

Batches = Sequence[list[Change]]


def _one(*batch: Change) -> Batches:
    return [list(batch)]


def _each(*batch: Change) -> Batches:
    return [[change] for change in batch]


A, B, C = "user:a", "user:b", "user:c"
g, D = changes.Given, changes
TAKING: dict[str, Batches] = {
    "deactivate": _one(D.DeactivateMembership(subject=A)),
    "reactivate": _each(D.DeactivateMembership(subject=A), D.ReactivateMembership(subject=A)),
    "deactivate who is in no group": _one(D.DeactivateMembership(subject="user:d")),
    "reactivate who was inactive": _one(D.ReactivateMembership(subject="user:e")),
    "remove who is inactive": _one(D.RemoveMembership(subject="user:e")),
    "unassign one of some": _one(D.Unassign(role="guest", to=C, on="doc:4")),
    "unassign one of many": _one(D.Unassign(role="writer", to="user:d", on="doc:4")),
    "unassign one of many above": _one(D.Unassign(role="guest", to="user:d", on="doc:1")),
    "assign to one more of many": _one(D.Assign(role="writer", to="user:b", on="doc:4")),
    "assign to one more of many above": _one(D.Assign(role="guest", to=C, on="doc:1")),
    "delete where nothing is held": _one(D.DeleteResource(resource="doc:5")),
    "remove membership": _one(D.RemoveMembership(subject=A)),
    "remove membership with assignments": _one(D.RemoveMembership(subject=C)),
    "remove membership, back": _one(D.RemoveMembership(subject=C), D.AddMembership(subject=C)),
    "remove member": _one(D.RemoveMembers(group="g1", members=(A,))),
    "member until": _one(D.AddMembers(group="g1", members=(A,), expires_at=LATE)),
    "replace members by none": _one(D.ReplaceMembers(group="g5", members=())),
    "replace members of nested": _one(D.ReplaceMembers(group="g1", members=())),
    "replace members by others": _one(D.ReplaceMembers(group="g2", members=(C,))),
    "replace members, who are made": _one(
        D.ReplaceMembers(group="g2", members=(C, "user:new"), create=True)
    ),
    "unnest": _one(D.UnnestGroup(group="g1", out_of="g2")),
    "unnest above": _one(D.UnnestGroup(group="g2", out_of="g3")),
    "nest": _one(D.NestGroup(group="g5", into="g2")),
    "delete group": _one(D.DeleteGroup(group="g2", cascade=True)),
    "delete leaf": _one(D.DeleteGroup(group="g1", cascade=True)),
    "delete top": _one(D.DeleteGroup(group="g3", cascade=True)),
    "delete group, again": _one(D.DeleteGroup(group="g2", cascade=True), D.CreateGroup(group="g2")),
    "unassign of group": _one(D.Unassign(role="reader", to="group:g3", on="doc:1")),
    "unassign below": _one(D.Unassign(role="everywhere", to="group:g1", on="doc:4")),
    "unassign wide": _one(D.Unassign(role="everywhere", to=B)),
    "assign until": _one(D.Assign(role="writer", to=C, on="doc:4", expires_at=LATE)),
    "assign": _one(D.Assign(role="writer", to="group:g5", on="doc:3")),
    "assign to who has nothing there": _one(D.Assign(role="writer", to="user:d", on="doc:3")),
    "assign to who holds nothing": _one(D.Assign(role="everywhere", to=A, on="doc:3")),
    "replace assignments by none": _one(D.ReplaceAssignments(to="group:g2", assignments=())),
    "replace own assignments": _one(D.ReplaceAssignments(to=C, assignments=(g(role="guest"),))),
    "edit role": _one(D.EditRole(role="writer", remove=("q",))),
    "edit role, add": _one(D.EditRole(role="reader", add=("q",))),
    "delete role": _one(D.DeleteRole(role="writer", cascade=True)),
    "delete role, again": _one(
        D.DeleteRole(role="writer", cascade=True),
        D.DefineRole(role="writer", permissions=("p", "q"), priority=2),
    ),
    "delete permission": _one(D.DeletePermission(permission="q", cascade=True)),
    "delete permission, again": _one(
        D.DeletePermission(permission="p", cascade=True), D.DefinePermission(permission="p")
    ),
    "critical": _one(D.EditPermission(permission="p", critical=True)),
    "shadow": _one(D.DefinePermission(permission="extra")),
    "move resource": _one(D.MoveResource(resource="doc:2", parent="doc:4")),
    "move to the top": _one(D.MoveResource(resource="doc:2")),
    "move leaf": _one(D.MoveResource(resource="doc:3", parent="doc:4")),
    "delete resource": _one(D.DeleteResource(resource="doc:1", cascade=True)),
    "delete resource, again": _one(
        D.DeleteResource(resource="doc:4", cascade=True), D.CreateResource(resource="doc:4")
    ),
    "delete leaf resource": _one(D.DeleteResource(resource="doc:3", cascade=True)),
    "move out and delete": _one(
        D.MoveResource(resource="doc:2", parent="doc:4"),
        D.DeleteResource(resource="doc:1", cascade=True),
    ),
    "single": _one(D.SetRoleMode(mode="single")),
    "change membership id": _one(D.ChangeMembershipId(subject=A, new_id="user:z")),
    "change membership id, another": _one(
        D.ChangeMembershipId(subject=A, new_id="user:z"),
        D.ChangeMembershipId(subject=B, new_id=A),
    ),
    "unassign, change membership id": _one(
        D.Unassign(role="everywhere", to=B), D.ChangeMembershipId(subject=B, new_id="user:z")
    ),
    "change group id": _one(D.ChangeGroupId(group="g2", new_id="g9")),
    "unassign, change group id": _one(
        D.Unassign(role="reader", to="group:g3", on="doc:1"),
        D.ChangeGroupId(group="g3", new_id="g9"),
    ),
    "unnest, change group id": _one(
        D.UnnestGroup(group="g1", out_of="g2"), D.ChangeGroupId(group="g1", new_id="g9")
    ),
    "replace members, change group id": _one(
        D.ReplaceMembers(group="g1", members=()), D.ChangeGroupId(group="g1", new_id="g9")
    ),
    "rename": _one(
        D.RenameGroup(group="g1", name="x"),
        D.RenameMembership(subject=A, name="x"),
        D.RenameOrganization(name="y"),
    ),
}
TAKING_WHAT_EXPIRES: dict[str, Batches] = {
    "remove member who expires": _one(D.RemoveMembers(group="g4", members=(C,))),
    "member for good": _one(D.AddMembers(group="g4", members=(C,))),
    "replace members who expire": _one(D.ReplaceMembers(group="g4", members=())),
    "delete group of expiring": _one(D.DeleteGroup(group="g4", cascade=True)),
    "unassign expiring": _one(D.Unassign(role="reader", to=C, on="doc:3")),
    "assign for good": _one(D.Assign(role="reader", to=C, on="doc:3")),
    "delete expiring role": _one(D.DeleteRole(role="reader", cascade=True)),
    "remove expiring membership": _one(D.RemoveMembership(subject=C)),
    "replace expiring assignments": _one(D.ReplaceAssignments(to=C, assignments=())),
    "delete resource of expiring": _one(D.DeleteResource(resource="doc:1", cascade=True)),
    "deactivate who expires": _one(D.DeactivateMembership(subject=C)),
    "move from expiring": _one(D.MoveResource(resource="doc:3", parent="doc:4")),
    "sooner": _one(
        D.AddMembers(group="g4", members=(C,), expires_at=SOON),
        D.Assign(role="reader", to=C, on="doc:3", expires_at=SOON),
    ),
}
TAKING_FROM_SINGLE: dict[str, Batches] = {
    "single, default role": _one(D.SetDefaultRole(role=None)),
    "single, lose the winner": _one(D.Unassign(role="writer", to="group:g2")),
    "single, set aside": _one(D.Unassign(role="everywhere", to=B)),
    "single, given again": _each(
        D.Unassign(role="everywhere", to=B), D.Assign(role="writer", to="group:g2")
    ),
    "single, next highest": _one(D.SetRoleMode(mode="single", on_loss="next-highest")),
    "single, remove membership": _each(
        D.Unassign(role="everywhere", to=B), D.RemoveMembership(subject=B)
    ),
    "single, priority": _one(D.EditRole(role="reader", priority=9)),
    "multiple": _one(D.SetRoleMode(mode="multiple")),
}
TAKING_AFTER_A_LOSS: dict[str, Batches] = {
    "set aside, given": _one(D.Assign(role="guest", to=B)),
    "set aside, removed": _one(D.RemoveMembership(subject=B)),
    "set aside, multiple": _one(D.SetRoleMode(mode="multiple")),
}
TAKING_EVERYWHERE: dict[str, Batches] = {
    "everywhere, edit role": _one(D.EditRole(role="everywhere", remove=("shared",))),
    "everywhere, delete role": _one(D.DeleteRole(role="everywhere", cascade=True)),
    "everywhere, delete role, again": _one(
        D.DeleteRole(role="everywhere", cascade=True), D.DefineRole(role="everywhere")
    ),
    "everywhere, delete permission": _one(D.DeletePermission(permission="shared", cascade=True)),
    "everywhere, delete permission, again": _one(
        D.DeletePermission(permission="shared", cascade=True),
        D.DefinePermission(permission="shared"),
    ),
    "everywhere, critical": _one(D.EditPermission(permission="grave", critical=True)),
}


class Tape:
    """A store whose snapshots' answers are kept; or played, where there is no store behind it."""

    def __init__(self, store: Any, answers: list[Any] | None = None) -> None:
        self.store, self.seals = store, store.seals
        self.answers = [] if answers is None else list(answers)
        self.is_played = answers is not None

    @contextmanager
    def snapshot(self) -> Iterator[Tape]:
        if self.is_played:
            yield self
            return
        with self.store.snapshot() as snapshot:
            self._snapshot = snapshot
            yield self

    def fetch_many(self, questions: Any, **options: Any) -> Any:
        if self.is_played:
            return list(self.answers.pop(0))
        self.answers.append(self._snapshot.fetch_many(questions, **options))
        return list(self.answers[-1])


@dataclass
class Case:
    """An organization before some changes, what an index reads of them, and how it is afterwards."""

    name: str
    o: int
    store: Any
    before: list[Any]
    tail: LogTail
    after: list[Any]

    def index(self) -> Index:
        """As it was before; nobody has asked it anything."""
        return build_index(Tape(self.store, self.before), self.o)[0]  # type: ignore[arg-type]

    def expected(self) -> Index:
        """As one that is built anew is afterwards."""
        return build_index(Tape(self.store, self.after), self.o)[0]  # type: ignore[arg-type]


def cases(authority: Authority) -> list[Case]:
    """Each kind of change that takes away, on organizations of their own."""
    plain = [(name, [WORLD], batches) for name, batches in TAKING.items()]
    plain += [(name, [WORLD + EXPIRING], batches) for name, batches in TAKING_WHAT_EXPIRES.items()]
    plain += [(name, [WORLD + SINGLE], batches) for name, batches in TAKING_FROM_SINGLE.items()]
    lost = [WORLD + SINGLE, SET_ASIDE]
    plain += [(name, lost, batches) for name, batches in TAKING_AFTER_A_LOSS.items()]
    found = [recorded(authority, *case) for case in plain]
    found += [
        recorded(authority, name, [WORLD], batches, "*")
        for name, batches in TAKING_EVERYWHERE.items()
    ]
    return [case for case in found if case is not None]


def recorded(
    authority: Authority,
    name: str,
    world: Batches,
    batches: Batches,
    organization: str | None = None,
) -> Case | None:
    """One kind of change, on an organization of its own; None where it alters nothing."""
    own = name.replace(" ", "-").replace(",", "") + f"-{next(_numbers)}"
    _restore_environment(authority)
    for batch in world:
        authority.apply(batch, organization=own, route="background")
    store: Any = authority.store
    ((o,),) = store.fetch("find_organization", {"organization": own})
    before, after = Tape(store), Tape(store)
    index, revision = build_index(before, o)  # type: ignore[arg-type]
    for batch in batches:
        authority.apply(batch, organization=organization or own, route="background")
    tail = read_tail(store, index, revision)
    if tail is None:
        return None
    build_index(after, o)  # type: ignore[arg-type]
    return Case(name, o, store, before.answers, tail, after.answers)


_numbers = itertools.count()


def _restore_environment(authority: Authority) -> None:
    """What is defined for all organizations is as at the beginning."""
    if authority.store.fetch("index_permissions", {"owner": 0}):
        for change in (D.DefinePermission(permission="shared"), D.DefineRole(role="everywhere")):
            with suppress(RescindError):  # it is there, and otherwise
                authority.apply([change], organization="*")
        back = [
            D.EditPermission(permission="grave", critical=False),
            D.EditRole(role="everywhere", set=("shared", "grave"), priority=7),
        ]
        authority.apply(back, organization="*")
    authority.apply(ENVIRONMENT, organization="*")


def answers(index: Index) -> dict[Any, Any]:
    """Every check and every list of who can, so that all that can be kept is kept."""
    found: dict[Any, Any] = {}
    expires = index.facts.expiring_places or index.facts.assignments.expiring
    for now in TIMES if expires else TIMES[:1]:
        for s, p, r in itertools.product(SUBJECTS, PERMISSIONS, RESOURCES):
            verdict = index.verdict(s, p, r, lambda now=now: now)
            if verdict is None:
                verdict = index.resolved(s, p, r, lambda now=now: now)
            found[now, s, p, r] = verdict
        for p, r in itertools.product(PERMISSIONS, RESOURCES):
            question, asked = Question("o", "user:a", p, r), Asked(BEGINNING, 100, "")
            found[now, p, r] = finished(in_memory(index, "subjects", question, asked, now))
    for name, numbers in ordered_sets(index.facts).items():
        index.facts.orders.after(name, numbers, LEAST, 1)
    return found


def ordered_sets(facts: Facts) -> dict[Name, Collection[int]]:
    """The sets that an index may have in order."""
    assignments = facts.assignments
    found: dict[Name, Collection[int]] = {
        Name("memberships"): facts.subjects,
        Name("resources"): facts.resource_names,
    }
    found |= {Name("children", above): there for above, there in facts.resource_children.items()}
    found |= {Name("places", holder): there for holder, there in assignments.held_by.items()}
    for of, by_place in (("grants", assignments.grants), ("expiring", assignments.expiring)):
        for place, by_role in by_place.items():  # type: ignore[attr-defined]
            found |= {Name(of, place, role): there for role, there in by_role.items()}
    return found


def reached(derived: Derived) -> int:
    """The weight of the sets of holders that are kept, each once."""
    kept = (*derived.above_one.values(), *derived.above.values(), *derived.reach.values())
    sets = {id(one): one for one in kept}
    return sum(len(one) + REACH_WEIGHT for one in sets.values())


def facts_of(index: Index) -> dict[str, Any]:
    """All facts that an index keeps."""
    facts = index.facts
    found = {
        name: v
        for name, v in vars(facts).items()
        if name not in ("_derived", "assignments", "orders")
    }
    found |= vars(facts.assignments)
    for kinds in ("subject_kinds", "resource_kinds"):
        kept = vars(found[kinds])
        found[kinds] = (+kept["_counts"], {kind: few for kind, few in kept["_few"].items() if few})
    for name in ("environment", "own"):
        found[name] = vars(found[name])
    return found
