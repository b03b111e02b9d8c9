"""The many facts of a new index, put in all at once: the result equals that of putting each by itself.

The rows are plain tuples (`rows.bulk`). They are unpacked here and nowhere else. No check was made yet, so no
derived result is affected, and no set is kept in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from sys import getsizeof

from rescind.index.assignments import Held
from rescind.index.derived import Groups
from rescind.index.facts import Facts
from rescind.index.orders import Order
from rescind.model import GroupNumber, MembershipNumber
from rescind.store.rows.index import (
    AssignmentTuple,
    GroupsTuple,
    MembershipTuple,
    PlaceTuple,
    ResourceTuple,
)


def load_memberships(facts: Facts, rows: Iterable[MembershipTuple]) -> None:
    """Put all memberships."""
    memberships, subjects, inactive = facts.memberships, facts.subjects, facts.inactive
    for m, subject, active in rows:
        memberships[subject] = m
        subjects[m] = subject
        if not active:
            inactive.add(m)
    facts.text_bytes += sum(map(getsizeof, memberships))
    facts.subject_kinds.put_all(memberships)


def load_places(facts: Facts, rows: Iterable[GroupsTuple], late: Iterable[PlaceTuple]) -> None:
    """Put all members of groups; `late` are those that expire. Places in ended groups are skipped."""
    of_text: dict[str, Groups] = {}
    members: dict[Groups, list[MembershipNumber]] = {}
    for m, text in rows:
        groups = of_text.get(text)
        if groups is None:
            groups = of_text[text] = _groups(facts, text)
        members.setdefault(groups, []).append(m)
    rosters: dict[GroupNumber, list[MembershipNumber]] = defaultdict(list)
    for groups, there in members.items():
        if groups:
            facts.groups_of.update(dict.fromkeys(there, groups))
            facts.places += len(groups) * len(there)
        for group in groups:
            rosters[group] += there
    for m, group, until in late:
        if group in facts.group_names and until is not None:
            facts.expiring_places.setdefault(m, {})[facts.group_numbers[group]] = until
            facts.places += 1
            rosters[group].append(m)
    for group, roster in rosters.items():
        facts.members_of[group] = Order(roster)


def _groups(facts: Facts, text: str) -> Groups:
    """Groups by their numbers, as one object each, in order."""
    known = facts.group_numbers
    return tuple(
        sorted(known[n] for n in map(GroupNumber, map(int, text.split(","))) if n in known)
    )


def load_resources(facts: Facts, rows: Iterable[ResourceTuple]) -> None:
    """Put all resources."""
    children = facts.resource_children
    for r, slug, parent in rows:
        facts.resources[slug] = r
        facts.resource_names[r] = slug
        facts.resource_parent[r] = parent
        if parent is not None:
            children.setdefault(parent, set()).add(r)
    facts.text_bytes += sum(map(getsizeof, facts.resources))
    facts.resource_kinds.put_all(facts.resources)


def load_assignments(facts: Facts, rows: Iterable[AssignmentTuple]) -> None:
    """Put all assignments."""
    number_of, put = facts.group_numbers, facts.assignments.put
    for holder, role, resource, until in rows:
        put(Held(number_of.get(holder, holder), role, resource), until)
