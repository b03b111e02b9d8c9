"""Organizations to measure with, made through changes as a user would."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from rescind import Authority, Route, changes
from rescind.changes import Change

BATCH = 500


def apply_all(authority: Authority, batch: Iterable[Change], route: Route | None = None) -> None:
    """Apply changes in batches."""
    rest = iter(batch)
    while part := list(islice(rest, BATCH)):
        authority.apply(part, route=route)


def definitions() -> list[Change]:
    """An organization with one role and one resource type."""
    return [
        changes.CreateOrganization(),
        changes.DefinePermission(permission="read"),
        changes.DefineRole(role="reader", permissions=("read",)),
        changes.DefineResourceType(type="doc"),
    ]


def subjects(count: int) -> list[str]:
    """Users' ids."""
    return [f"user:{number}" for number in range(count)]


def one_group(members: int, resources: int) -> Iterable[Change]:
    """A group with members, and resources that nobody has anything on yet."""
    yield from definitions()
    yield changes.CreateGroup(group="all")
    for subject in subjects(members):
        yield changes.AddMembership(subject=subject)
    everybody = subjects(members)
    for start in range(0, members, BATCH):
        yield changes.AddMembers(group="all", members=tuple(everybody[start : start + BATCH]))
    for number in range(resources):
        yield changes.CreateResource(resource=f"doc:{number}")


def everything_to(group: str, resources: int) -> changes.ReplaceAssignments:
    """The role on each of the resources, to a group."""
    given = tuple(changes.Given(role="reader", on=f"doc:{n}") for n in range(resources))
    return changes.ReplaceAssignments(to=f"group:{group}", assignments=given)
