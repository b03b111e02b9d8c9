"""Facts in memory, changed one at a time and asked after each: as the reference semantics say, and as anew.

The bounds of what is kept are small, so that every way of keeping it is taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescind.index import Index, assignments, derived, index, kinds, lines, orders
from rescind.index.assignments import Held
from rescind.index.catalog import Role
from rescind.index.excerpt import excerpt
from rescind.index.facts import ROOT, Rules
from rescind.index.index import ALLOWED
from rescind.index.relations import discard_from
from rescind.model import Question
from rescind.semantics import access
from tests.property.following import facts_of, ordered_sets, reached

MEMBERS, GROUPS, PLACES, ROLES = (1, 2, 3), (-1, -2, -3), (0, 1, 2, 3), (1, 2, 3)
PERMISSIONS = {"p": 1, "q": 2}
NOW = (9, 10, 11, 20)
times = st.sampled_from([None, 10, 20])
members, groups, roles = st.sampled_from(MEMBERS), st.sampled_from(GROUPS), st.sampled_from(ROLES)
places, others = st.sampled_from(PLACES), st.sampled_from(PLACES[1:])
holders = st.sampled_from((*MEMBERS, *GROUPS))

one_change: Any = st.one_of(
    st.tuples(st.just("membership"), members, st.booleans()),
    st.tuples(st.just("gone"), members),
    st.tuples(st.just("place"), members, groups, times),
    st.tuples(st.just("no place"), members, groups),
    st.tuples(st.just("nesting"), groups, groups, st.booleans()),
    st.tuples(st.just("resource"), others, places),
    st.tuples(st.just("no resource"), others),
    st.tuples(st.just("assignment"), holders, roles, places, times),
    st.tuples(st.just("assignment"), holders, roles, places, times),
    st.tuples(st.just("no assignment"), holders, roles, places),
    st.tuples(st.just("role"), roles, st.integers(0, 2), st.sets(st.sampled_from([1, 2]))),
    st.tuples(st.just("no role"), roles),
    st.tuples(st.just("rules"), st.booleans(), st.sampled_from([None, 1, 2])),
    st.tuples(st.just("reset"), members, roles),
)


def subject(m: int) -> str:
    return ("user:" if m < 3 else "agent:") + str(m)


def resource(r: int) -> str:
    return "organization" if r == 0 else f"{'doc' if r < 3 else 'file'}:{r}"


def holder(h: int) -> str:
    return subject(h) if h > 0 else f"group:{group(h)}"


def group(g: int) -> str:
    return f"g{-g}"


@dataclass
class Model:
    """The facts by number, as they are now."""

    active: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(MEMBERS, True))
    members: dict[tuple[int, int], int | None] = field(default_factory=dict)
    nestings: set[tuple[int, int]] = field(default_factory=set)
    parents: dict[int, int | None] = field(default_factory=lambda: {0: None, 1: 0, 2: 1})
    held: dict[tuple[int, int, int], int | None] = field(default_factory=dict)
    roles: dict[int, tuple[int, frozenset[int]]] = field(
        default_factory=lambda: {1: (0, frozenset({1})), 2: (1, frozenset({1, 2}))}
    )
    is_single: bool = False
    default: int | None = None
    resets: set[tuple[int, int]] = field(default_factory=set)

    def line(self, place: int | None) -> Iterator[int]:
        while place is not None:
            yield place
            place = self.parents[place]

    def reaches(self, child: int, parent: int) -> bool:
        return child == parent or any(
            self.reaches(up, parent) for down, up in self.nestings if down == child
        )

    def world(self) -> access.World:
        return access.World(
            memberships={subject(m): active for m, active in self.active.items()},
            members={(subject(m), group(g)): until for (m, g), until in self.members.items()},
            nestings={(group(child), group(parent)) for child, parent in self.nestings},
            roles={
                f"r{number}": access.Role(
                    frozenset(p for p, n in PERMISSIONS.items() if n in contents), priority, number
                )
                for number, (priority, contents) in self.roles.items()
            },
            resources={
                resource(r): None if parent is None else resource(parent)
                for r, parent in self.parents.items()
            },
            assignments={
                access.Assignment(holder(h), f"r{role}", resource(r)): until
                for (h, role, r), until in self.held.items()
            },
            is_single_role=self.is_single,
            default_role=None if self.default is None else f"r{self.default}",
            resets={(subject(m), f"r{role}") for m, role in self.resets if self.is_single},
        )


def anew(model: Model) -> Index:
    """An index of the facts as they are."""
    made = Index(1)  # type: ignore[arg-type]
    put = Changed(made, Model(active={}, parents={}, roles={}))
    for slug, number in PERMISSIONS.items():
        made.facts.own.put_permission(number, slug, critical=False)  # type: ignore[arg-type]
    for g in GROUPS:
        made.facts.put_group(g, group(g))  # type: ignore[arg-type]
    for r in sorted(model.parents, key=lambda r: len([*model.line(r)])):
        put.put_resource(r, model.parents[r])
    for number, (priority, contents) in model.roles.items():
        put.role(number, priority, set(contents))
    for m, active in model.active.items():
        put.membership(m, active)
    for (m, g), until in model.members.items():
        put.place(m, g, until)
    for child, parent in model.nestings:
        put.nesting(child, parent, True)
    for (h, role, r), until in model.held.items():
        put.assignment(h, role, r, until)
    put.rules(model.is_single, model.default)
    for m, role in model.resets:
        put.reset(m, role)
    return made


class Changed:
    """An index and a model, changed together. What the database would refuse is passed over."""

    def __init__(self, held: Index, model: Model) -> None:
        self.index, self.facts, self.model = held, held.facts, model

    def apply(self, kind: str, *of: Any) -> None:
        getattr(self, kind.replace(" ", "_"))(*of)

    def membership(self, m: int, active: bool) -> None:
        self.facts.put_membership(m, subject(m), active=active)  # type: ignore[arg-type]
        self.model.active[m] = active

    def gone(self, m: int) -> None:
        self.facts.unplace_memberships({subject(m): None})
        model = self.model
        model.active.pop(m, None)
        model.members = {key: t for key, t in model.members.items() if key[0] != m}
        model.held = {key: t for key, t in model.held.items() if key[0] != m}
        model.resets = {key for key in model.resets if key[0] != m}
        self.facts.resets.pop(m, None)  # type: ignore[call-overload]

    def place(self, m: int, g: int, until: int | None) -> None:
        if m in self.model.active:
            self.facts.set_member(m, g, holds=True, until=until)  # type: ignore[arg-type]
            self.model.members[m, g] = until

    def no_place(self, m: int, g: int) -> None:
        self.facts.set_member(m, g, holds=False)  # type: ignore[arg-type]
        self.model.members.pop((m, g), None)

    def nesting(self, child: int, parent: int, holds: bool) -> None:
        if holds and self.model.reaches(parent, child):
            return
        self.facts.set_nesting(child, parent, holds=holds)  # type: ignore[arg-type]
        (self.model.nestings.add if holds else self.model.nestings.discard)((child, parent))

    def put_resource(self, r: int, parent: int | None) -> None:
        self.facts.put_resource(r, resource(r), parent)  # type: ignore[arg-type]
        self.model.parents[r] = parent

    def resource(self, r: int, parent: int) -> None:
        if parent in self.model.parents and r not in self.model.line(parent):
            self.put_resource(r, parent)

    def no_resource(self, r: int) -> None:
        self.facts.drop_resources(r)  # type: ignore[arg-type]
        model = self.model
        gone = {p for p in model.parents if r in model.line(p)}
        model.parents = {p: up for p, up in model.parents.items() if p not in gone}
        model.held = {key: t for key, t in model.held.items() if key[2] not in gone}

    def assignment(self, h: int, role: int, r: int, until: int | None) -> None:
        model = self.model
        if r in model.parents and role in model.roles and (h < 0 or h in model.active):
            self.facts.set_assignment(Held(h, role, r), holds=True, until=until)  # type: ignore[arg-type]
            model.held[h, role, r] = until

    def no_assignment(self, h: int, role: int, r: int) -> None:
        self.facts.set_assignment(Held(h, role, r), holds=False)  # type: ignore[arg-type]
        self.model.held.pop((h, role, r), None)

    def role(self, number: int, priority: int, contents: set[int]) -> None:
        self.facts.own.put_role(number, Role(f"r{number}", priority, frozenset(contents)))  # type: ignore[arg-type]
        self.index.derived.forget_roles()
        self.model.roles[number] = priority, frozenset(contents)

    def no_role(self, number: int) -> None:
        if number == self.model.default:
            return
        self.facts.drop_roles([number])  # type: ignore[list-item]
        self.facts.own.drop_role(f"r{number}")
        self.index.derived.forget_roles()
        model = self.model
        model.roles.pop(number, None)
        model.held = {key: t for key, t in model.held.items() if key[1] != number}
        model.resets = {key for key in model.resets if key[1] != number}
        for m in [*self.facts.resets]:
            discard_from(self.facts.resets, m, number)  # type: ignore[misc]

    def rules(self, is_single: bool, default: int | None) -> None:
        default = default if default in self.model.roles else None
        self.facts.set_rules(Rules(is_single, False, default))  # type: ignore[arg-type]
        self.model.is_single, self.model.default = is_single, default

    def reset(self, m: int, role: int) -> None:
        if m in self.model.active and role in self.model.roles:
            self.facts.resets.setdefault(m, set()).add(role)  # type: ignore[call-overload,arg-type]
            self.model.resets.add((m, role))


def require_right(held: Index, model: Model) -> None:
    """Every check at every time, who holds what, and all that is kept."""
    world = model.world()
    asked = itertools.product(MEMBERS, PERMISSIONS, PLACES, NOW)
    for m, p, r, now in asked:
        found = held.resolved(subject(m), p, resource(r), lambda now=now: now)  # type: ignore[misc]
        want = access.allowed(world, subject(m), p, resource(r), now)
        assert (found == ALLOWED) == want, (subject(m), p, resource(r), now)
        if m in model.active and r in model.parents:
            question = Question("o", subject(m), p, resource(r))  # type: ignore[arg-type]
            part = excerpt(held, question)
            assert access.allowed(part, subject(m), p, resource(r), now) == want
    for name, numbers in ordered_sets(held.facts).items():
        there = held.facts.orders.after(name, numbers, 0, 2)
        assert there == sorted(n for n in numbers if n > 0)[:2]
    kept = held.derived
    assert kept.reached == reached(kept)
    assert kept.lined == sum(map(len, held.lines.values()))
    united = [one for there in kept.united.values() for one in there.values()]
    assert kept.united_holders == sum(one.weight for one in united)


def sizes(held: Index) -> tuple[Any, ...]:
    """What the estimate of memory is made of, beside what is derived."""
    facts = held.facts
    counts = (facts.places, facts.nestings, facts.text_bytes, facts.assignments.count)
    kept = (facts.subject_kinds.few(""), facts.resource_kinds.few(""))
    named = [facts.subject_kinds.few("agent:"), facts.resource_kinds.few("file:")]
    return *counts, *kept, *named


WAYS: dict[str, dict[Any, dict[str, int]]] = {
    "as it is": {},
    "holders united": {lines: {"ONE_BY_ONE": 0}},
    "everything long": {
        index: {"LEAST_REACH": 0, "REACH_PER_MEMBERSHIP": 0},
        lines: {"LONG_LINE": 0, "LEAST_LINES": 3, "ONE_BY_ONE": 0},
        assignments: {"SMALL_SET": 0},
        orders: {"SMALL": -1, "PART": 1},
    },
    "little kept": {
        index: {"LEAST_REACH": 20},
        lines: {
            "LONG_LINE": 1,
            "LEAST_LINES": 0,
            "LINES_PER_FACT": 1,
            "ONE_BY_ONE": 1,
            "LEAST_UNITED": 20,
            "UNITED_PER_ASSIGNMENT": 0,
        },
        assignments: {"SMALL_SET": 1},
        derived: {"MOST_SHARED": 1},
        kinds: {"FEW": 1},
        orders: {"SMALL": 1, "PART": 1},
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_each_change_is_followed(way: str) -> None:
    """Whatever came before it, and whatever was asked."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(one_change, min_size=1, max_size=14), st.booleans())
    def follow(listed: list[tuple[Any, ...]], is_single: bool) -> None:
        model = Model(is_single=is_single)
        changed = Changed(anew(model), model)
        for one in listed:
            changed.apply(*one)
            require_right(changed.index, model)
        fresh = anew(model)
        assert facts_of(changed.index) | {"subject_kinds": 0, "resource_kinds": 0} == facts_of(
            fresh
        ) | {"subject_kinds": 0, "resource_kinds": 0}
        assert sizes(changed.index)[:4] == sizes(fresh)[:4]
        if way != "little kept":
            assert sizes(changed.index) == sizes(fresh)

    with pytest.MonkeyPatch.context() as patch:
        for module, bounds in WAYS[way].items():
            for name, bound in bounds.items():
                patch.setattr(module, name, bound)
        follow()


def test_the_organization_itself_stays() -> None:
    """The root is a place like others, above all of them."""
    model = Model()
    held = anew(model)
    assert [*held.facts.line(ROOT)] == [0]
    assert [*held.facts.line(2)] == [2, 1, 0]  # type: ignore[arg-type]


def test_an_empty_line_is_forgotten_as_others_are() -> None:
    """How many lines are kept is what is counted, also of resources where nobody has anything."""
    held = anew(Model())
    held.resolved(subject(1), "p", resource(2), lambda: 0)
    assert held.lines["p"][resource(2)] == ()
    assert held.derived.lined == 1
    held.facts.set_assignment(Held(1, 1, 2), holds=True)  # type: ignore[arg-type]
    assert held.lines["p"] == {}
    assert held.derived.lined == 0
