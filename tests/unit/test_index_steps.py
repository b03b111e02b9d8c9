"""A check in memory walks the shorter side: what the subject holds, or who holds what; never the product.

Work is counted in bytecode instructions, so that a busy machine changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rescind.index import Index, lines
from rescind.index.assignments import Assignments, Held
from rescind.index.catalog import Role
from rescind.index.derived import REACH_WEIGHT, Place
from rescind.index.facts import Rules
from rescind.index.index import ALLOWED, NO_ROLE
from tests.property.following import reached
from tests.steps import steps

READ, WRITE = 1, 2
MANY, FEW = 1_500, 30
MARGIN = 100
"""Instructions by which two checks may differ and still cost the same."""
DOC, SUB = 1, 2


@pytest.fixture(autouse=True, params=[lines.MOST_UNITED, 0], ids=["united", "walked"])
def most_united(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holders of many roles are one set; or too many for one, and walked."""
    monkeypatch.setattr(lines, "MOST_UNITED", request.param)


def make(roles: int, *, groups_of_ada: int = 3, resource: int = DOC) -> Index:
    """As many groups with a role each that may read; ada is in others, which may write."""
    index = Index(1)
    facts = index.facts
    facts.own.put_permission(READ, "read", critical=False)
    facts.own.put_permission(WRITE, "write", critical=False)
    facts.put_resource(0, "organization", None)
    facts.put_resource(DOC, "doc:1", 0)
    facts.put_resource(SUB, "doc:2", DOC)
    for subject, number in (("user:ada", 1), ("user:bob", 2)):
        facts.put_membership(number, subject, active=True)
    for role in range(1, roles + 1):
        facts.own.put_role(role, Role(f"reader-{role}", role, frozenset({READ})))
        facts.put_group(-role, f"readers-{role}")
        facts.set_assignment(Held(-role, role, resource), holds=True)
    for number in range(groups_of_ada):
        group, role = -10_000 - number, 10_000 + number
        facts.own.put_role(role, Role(f"writer-{number}", role, frozenset({WRITE})))
        facts.put_group(group, f"writers-{number}")
        facts.set_member(1, group, holds=True)
    facts.set_assignment(Held(-10_000, 10_000, resource), holds=True)
    facts.set_member(2, -roles, holds=True)
    return index


def cost(index: Index, subject: str, permission: str = "read") -> tuple[int | None, int]:
    """The verdict of a check that was asked before, and its steps."""

    def ask() -> int | None:
        return index.verdict(subject, permission, "doc:2", lambda: 1_000)

    ask()
    return steps(ask)


def single(index: Index) -> None:
    index.facts.set_rules(Rules(is_single=True))


def next_highest(index: Index) -> None:
    index.facts.set_rules(Rules(is_single=True, takes_next_highest=True))


def expiring(index: Index) -> None:
    """Something expires on the resource, and a membership of a group of ada's."""
    index.facts.set_assignment(Held(2, 1, DOC), holds=True, until=2_000)
    index.facts.put_group(-20_000, "late")
    index.facts.set_member(1, -20_000, holds=True, until=2_000)


SHAPES: dict[str, tuple[int, Callable[[Index], None]]] = {
    "above": (DOC, lambda _: None),
    "organization": (0, lambda _: None),
    "single": (0, single),
    "single, resource": (DOC, single),
    "next highest": (0, next_highest),
    "expiring": (DOC, expiring),
    "expiring, organization": (0, expiring),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("is_allowed", [True, False])
def test_many_roles_cost_what_few_do(shape: str, is_allowed: bool) -> None:
    """However many roles have the permission, a subject with few groups is looked up by those."""
    resource, alter = SHAPES[shape]
    found = []
    for roles in (FEW, MANY):
        index = make(roles, resource=resource)
        alter(index)
        found.append(cost(index, "user:bob" if is_allowed else "user:ada"))
    assert [verdict for verdict, _ in found] == [ALLOWED if is_allowed else NO_ROLE] * 2
    assert found[1][1] <= found[0][1] + MARGIN


@pytest.mark.parametrize("shape", SHAPES)
def test_many_groups_cost_what_few_do(shape: str) -> None:
    """However many groups a subject is in, a resource with few roles is looked up by those."""
    resource, alter = SHAPES[shape]
    found = []
    for groups in (FEW, MANY):
        index = make(5, groups_of_ada=groups, resource=resource)
        alter(index)
        found.append(cost(index, "user:ada"))
    assert [verdict for verdict, _ in found] == [NO_ROLE] * 2
    assert found[1][1] <= found[0][1] + MARGIN


def test_both_sides_long() -> None:
    """Many groups beside many roles of others: sets meet, and no loop of ours runs over either."""
    found = [cost(make(many, groups_of_ada=many), "user:ada") for many in (FEW, MANY)]
    assert found[1][1] <= found[0][1] + MARGIN


def test_many_roles_of_one_holder() -> None:
    """Who holds many roles itself, of which few have the permission, is looked up by those."""
    found = []
    for many in (FEW, MANY):
        index = make(3)
        for role in range(20_000, 20_000 + many):
            index.facts.own.put_role(role, Role(f"r-{role}", 0, frozenset({WRITE})))
            index.facts.set_assignment(Held(1, role, DOC), holds=True)
        found.append(cost(index, "user:ada"))
    assert [verdict for verdict, _ in found] == [NO_ROLE] * 2
    assert found[1][1] <= found[0][1] + MARGIN


def test_many_of_both_in_one_place() -> None:
    """Many holders of a subject's that have another role, and few that have the permission."""
    found = []
    for many in (FEW, MANY):
        index = make(3, groups_of_ada=many)
        for number in range(many):
            index.facts.set_assignment(Held(-10_000 - number, 10_000 + number, DOC), holds=True)
        found.append(cost(index, "user:ada"))
    assert [verdict for verdict, _ in found] == [NO_ROLE] * 2
    assert found[1][1] <= found[0][1] + MARGIN


def _by_role(place: Place, _: Assignments, reach: frozenset[int], roles: frozenset[int]) -> bool:
    return any(not reach.isdisjoint(place.by_role.get(role, ())) for role in roles)


def _by_holder(
    place: Place, assignments: Assignments, reach: frozenset[int], roles: frozenset[int]
) -> bool:
    return any(not roles.isdisjoint(assignments.roles_of(h, place.number)) for h in reach)


def test_control_one_side_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with one side walked always, its length is what a check costs."""
    monkeypatch.setattr(lines, "MOST_UNITED", 0)
    monkeypatch.setattr(Place, "gives", _by_role)
    _, with_many_roles = cost(make(MANY), "user:ada")
    monkeypatch.setattr(Place, "gives", _by_holder)
    _, with_many_groups = cost(make(FEW, groups_of_ada=MANY), "user:ada")
    assert min(with_many_roles, with_many_groups) > MANY


def test_control_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with a set of holders for each role, a check costs in proportion to the roles."""
    monkeypatch.setattr(lines, "ONE_BY_ONE", MANY)
    monkeypatch.setattr(lines, "LONG_LINE", MANY)
    _, count = cost(make(MANY), "user:ada")
    assert count > MANY


def test_few_holders_are_united(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is united is counted and bounded; beyond that, resources are walked, with the same verdicts."""
    verdicts = []
    for most in (lines.LEAST_UNITED, MANY):
        monkeypatch.setattr(lines, "MOST_UNITED", lines.LEAST_UNITED)
        monkeypatch.setattr(lines, "LEAST_UNITED", most)
        monkeypatch.setattr(lines, "UNITED_PER_ASSIGNMENT", 0)
        index = make(MANY)
        verdicts.append([cost(index, subject)[0] for subject in ("user:ada", "user:bob")])
        is_united = most > MANY
        assert (index.lines["read"]["doc:2"] is not None) is is_united
        assert index.derived.united_holders == (MANY + REACH_WEIGHT if is_united else 0)
    assert verdicts == [[NO_ROLE, ALLOWED]] * 2


def test_control_of_what_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: where something expires, a walk over the roles costs in proportion to them."""

    def by_role(self: Assignments, place: int, reach: Any, roles: Any, now: int) -> bool:
        return any(not reach.isdisjoint(self.holders_at(place, role, now)) for role in roles)

    monkeypatch.setattr(Assignments, "gives", by_role)
    index = make(MANY)
    expiring(index)
    _, count = cost(index, "user:ada")
    assert count > MANY


def test_what_is_kept_of_holders_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deep nesting is not kept for each subject below it; it is worked out again."""
    monkeypatch.setattr("rescind.index.index.LEAST_REACH", 2_000)
    index = make(3)
    for number in range(1_000):
        index.facts.put_group(-30_000 - number, f"deep-{number}")
        if number:
            index.facts.set_nesting(-30_000 - number, -30_000 - number + 1, holds=True)
    for m in range(100, 150):
        index.facts.put_membership(m, f"user:{m}", active=True)
        index.facts.set_member(m, -30_999 + m - 100, holds=True)
    index.facts.set_assignment(Held(-30_000, 1, DOC), holds=True)
    for m in range(100, 150):
        assert index.verdict(f"user:{m}", "read", "doc:2", lambda: 0) == ALLOWED
        kept = reached(index.derived)
        assert kept == index.derived.reached <= 2_000 + 64 * 52 + index.facts.places
