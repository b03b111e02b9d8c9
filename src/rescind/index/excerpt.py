"""The facts that decide one question, from an index, as an `access.World`. Under the index's lock."""

from __future__ import annotations

from typing import cast

from rescind.index.assignments import Held
from rescind.index.index import Index
from rescind.model import GroupNumber, HolderNumber, Question
from rescind.semantics.access import Assignment, Role, World


def excerpt(index: Index, question: Question) -> World:
    """The facts that decide and explain one question. Its subject and its resource exist."""
    m, place = index.facts.memberships[question.subject], index.facts.resources[question.resource]
    reach, line = index.holders(m, ever=True), tuple(index.facts.line(place))
    roles = index.roles_with(question.permission)
    held = [
        Held(holder, role, where)
        for where in line
        for holder, role in index.facts.assignments.held_on(where, reach, None)
    ]
    default = index.facts.rules.default_role
    used = {one.role for one in held} | (set() if default is None else {default})
    slugs = {number: index.facts.role(number).slug for number in used}
    above = cast(frozenset[GroupNumber], reach - {m})
    names: dict[HolderNumber, str] = {m: question.subject}
    names |= {group: f"group:{index.facts.group_names[group]}" for group in above}
    groups = index.facts.groups_until(m)
    return World(
        memberships={question.subject: m not in index.facts.inactive},
        members={
            (question.subject, index.facts.group_names[g]): until for g, until in groups.items()
        },
        nestings={
            (index.facts.group_names[child], index.facts.group_names[parent])
            for child in above
            for parent in index.facts.parents_of.get(child, ())
        },
        roles={
            slug: Role(
                frozenset({question.permission} if number in roles else ()),
                index.facts.role(number).priority,
                number,
            )
            for number, slug in slugs.items()
        },
        resources={
            index.facts.resource_names[where]: None
            if (parent := index.facts.resource_parent[where]) is None
            else index.facts.resource_names[parent]
            for where in line
        },
        assignments={
            Assignment(
                names[one.holder], slugs[one.role], index.facts.resource_names[one.resource]
            ): index.facts.assignments.until(one)
            for one in held
        },
        is_single_role=index.facts.rules.is_single,
        takes_next_highest=index.facts.rules.takes_next_highest,
        default_role=None if default is None else slugs[default],
        resets={
            (question.subject, slugs[role])
            for role in index.facts.resets.get(m, ())
            if role in slugs
        },
    )
