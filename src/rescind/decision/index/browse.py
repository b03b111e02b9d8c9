"""Lists out of an index: what a subject can do, what it can reach, who can. In byte order, by name.

What is critical is for the facts to decide, so then there is no list from here. A list is made in short
steps, so that nobody waits for a long one: each is taken under the index's lock and at the same facts, and
between them others may have it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterable
from typing import Final, TypeAlias

from rescind.decision.check import Question
from rescind.decision.index.assignments import Held, both
from rescind.decision.index.facts import ROOT
from rescind.decision.index.index import Index

STEP: Final = 1_024
"""Names of a step that are looked at, or sorted."""
CHECKS: Final = 16
"""Memberships of a step for each of which a check is made."""
Steps: TypeAlias = Generator[None, None, list[str] | None]
"""The steps of a list, and at last the list."""


def permissions(index: Index, question: Question, now: int) -> Steps:
    """The permissions of a subject on a resource; None where one that it might have is critical."""
    m, place = _membership(index, question), index.facts.resources.get(question.resource)
    if m is None or place is None:
        return []
    reach, numbers, single = index.holders(m, now), set[int](), index.facts.rules.is_single
    for step in index.facts.line(place):
        yield
        if not (step == ROOT and single):
            for role in {role for _, role in index.facts.assignments.held_on(step, reach, now)}:
                numbers |= index.facts.role(role).permissions
    winner = index.winning_role(m, now) if single else None
    if winner is not None:
        numbers |= index.facts.role(winner).permissions
    found = set[str]()
    for catalog in (index.facts.environment, index.facts.own):
        for at, (slug, (number, critical)) in enumerate(catalog.permissions.items()):
            if at % STEP == 0:
                yield
            if critical:
                return None
            if number in numbers:
                found.add(slug)
    return (yield from _in_order(list(found)))


def resources(index: Index, question: Question, now: int) -> Steps:
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
        for at, (place, held) in enumerate(assignments.held_by.get(holder, {}).items()):
            if at % STEP == 0:
                yield
            if not (place == ROOT and single) and any(
                assignments.is_in_force(Held(holder, role, place), now)
                for role in both(held, roles)
            ):
                places.add(place)
    if single and index.winning_role(m, now) in roles:
        places.add(ROOT)
    if ROOT in places:
        return (yield from _in_order(list(index.facts.resources)))
    names = index.facts.resource_names
    return (yield from _in_order([names[place] for place in index.facts.subtree(places)]))


def subjects(index: Index, question: Question, now: int) -> Steps:
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
    found: set[int] = set()
    if single:
        for at, m in enumerate(index.facts.subjects):
            if at % CHECKS == 0:
                yield
            if index.gives(m, roles, place, now):
                found.add(m)
        return (yield from _in_order(_active(index, found)))
    for step in index.facts.line(place):
        for at, role in enumerate(both(index.facts.assignments.roles_on(step), roles)):
            if at % STEP == 0:
                yield
            found |= index.facts.assignments.holders_at(step, role, now)
    groups = frozenset(holder for holder in found if holder < 0)
    if found == groups and not index.facts.limited:
        return (yield from _roster(index, groups))
    members = yield from _members(index, groups, now)
    return (yield from _in_order(_active(index, members | (found - groups))))


def _roster(index: Index, groups: frozenset[int]) -> Generator[None, None, list[str]]:
    """The active subjects that groups reach; where no membership of a group expires."""
    known = index.worked.rosters.get(groups)
    if known is not None:
        return known
    members = yield from _members(index, groups, 0)
    names = yield from _in_order(_active(index, members))
    return index.worked.keep_roster(groups, names)


def _members(index: Index, groups: frozenset[int], now: int) -> Generator[None, None, set[int]]:
    """The memberships that groups reach at a time."""
    found: set[int] = set()
    places, expires = index.facts.groups_of, bool(index.facts.limited)
    for group in index.below(groups):
        yield
        there = index.facts.members_of.get(group, set())
        if not expires:
            found |= there
            continue
        for at, m in enumerate(there):
            if at % STEP == STEP - 1:
                yield
            if (until := places[m][group]) is None or until > now:
                found.add(m)
    return found


def _in_order(names: list[str]) -> Generator[None, None, list[str]]:
    """The names sorted: parted by some of them, and each part sorted by itself."""
    if len(names) <= STEP:
        return sorted(names)
    bounds = sorted(names[::STEP])
    parts: list[list[str]] = [[] for _ in range(len(bounds) + 1)]
    for at, name in enumerate(names):
        if at % STEP == 0:
            yield
        parts[bisect_right(bounds, name)].append(name)
    found: list[str] = []
    for part in parts:
        yield
        part.sort()
        found += part
    return found


def _membership(index: Index, question: Question) -> int | None:
    m = index.facts.memberships.get(question.subject)
    return None if m in index.facts.inactive else m


def _active(index: Index, numbers: Iterable[int]) -> list[str]:
    names, inactive = index.facts.subjects, index.facts.inactive
    return [names[m] for m in numbers if m not in inactive]
