"""Lists out of an index: what a subject can do, what it can reach, who can. In byte order, by name.

What is critical is for the facts to decide, so then there is no list from here. Called under the index's
lock.
"""

from __future__ import annotations

from collections.abc import Iterable

from rescind.decision.check import Question
from rescind.decision.index.assignments import Held, both
from rescind.decision.index.facts import ROOT
from rescind.decision.index.index import Index


def permissions(index: Index, question: Question, now: int) -> list[str] | None:
    """The permissions of a subject on a resource; None where one that it might have is critical."""
    m, place = _membership(index, question), index.facts.resources.get(question.resource)
    if m is None or place is None:
        return []
    reach, numbers, single = index.holders(m, now), set[int](), index.facts.rules.is_single
    for step in index.facts.line(place):
        if not (step == ROOT and single):
            for role in {role for _, role in index.facts.assignments.held_on(step, reach, now)}:
                numbers |= index.facts.role(role).permissions
    winner = index.winning_role(m, now) if single else None
    if winner is not None:
        numbers |= index.facts.role(winner).permissions
    found = set[str]()
    for catalog in (index.facts.environment, index.facts.own):
        for slug, (number, critical) in catalog.permissions.items():
            if critical:
                return None
            if number in numbers:
                found.add(slug)
    return sorted(found)


def resources(index: Index, question: Question, now: int) -> list[str] | None:
    """The resources that a subject can reach with a permission; None where that is critical."""
    permission = index.facts.permission(question.permission)
    m = _membership(index, question)
    if permission is None or m is None:
        return []
    if permission[1]:
        return None
    roles, single = index.roles_with(question.permission), index.facts.rules.is_single
    places, assignments = set[int](), index.facts.assignments
    for holder in index.holders(m, now):
        for place, held in assignments.held_by.get(holder, {}).items():
            if not (place == ROOT and single) and any(
                assignments.is_in_force(Held(holder, role, place), now)
                for role in both(held, roles)
            ):
                places.add(place)
    if single and index.winning_role(m, now) in roles:
        places.add(ROOT)
    if ROOT in places:
        return sorted(index.facts.resources)
    names = index.facts.resource_names
    return sorted([names[place] for place in index.facts.subtree(places)])


def subjects(index: Index, question: Question, now: int) -> list[str] | None:
    """Who has a permission on a resource; None where that is critical."""
    permission, place = (
        index.facts.permission(question.permission),
        index.facts.resources.get(question.resource),
    )
    if permission is None or place is None:
        return []
    if permission[1]:
        return None
    roles, single = index.roles_with(question.permission), index.facts.rules.is_single
    if single:
        numbers = (m for m in index.facts.subjects if index.gives(m, roles, place, now))
        return sorted(_active(index, numbers))
    found: set[int] = set()
    for step in index.facts.line(place):
        for role in both(index.facts.assignments.roles_on(step), roles):
            found |= index.facts.assignments.holders_at(step, role, now)
    groups = frozenset(holder for holder in found if holder < 0)
    if found == groups and not index.facts.limited:
        return index.roster(groups)
    return sorted(_active(index, index.members(groups, now) | (found - groups)))


def _membership(index: Index, question: Question) -> int | None:
    m = index.facts.memberships.get(question.subject)
    return None if m in index.facts.inactive else m


def _active(index: Index, numbers: Iterable[int]) -> list[str]:
    names, inactive = index.facts.subjects, index.facts.inactive
    return [names[m] for m in numbers if m not in inactive]
