"""Organizations to measure with, made through changes as a user would."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from rescind import Authority, Route, changes
from rescind.changes import Change
from rescind.propagation.worker import Worker

BATCH = 500


def apply_all(authority: Authority, batch: Iterable[Change], route: Route | None = None) -> None:
    """Apply changes in batches."""
    rest = iter(batch)
    while part := list(islice(rest, BATCH)):
        authority.apply(part, route=route)


def settle(authority: Authority) -> None:
    """Do what changes have left to be done in the background."""
    worker = Worker(authority.store, authority.settings)
    while worker.work_once():
        pass


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


def people_and_things(members: int, resources: int) -> Iterable[Change]:
    """An organization's memberships and resources; nobody has anything on them yet."""
    yield from definitions()
    for subject in subjects(members):
        yield changes.AddMembership(subject=subject)
    for number in range(resources):
        yield changes.CreateResource(resource=f"doc:{number}")


def group_of(group: str, members: Sequence[str]) -> Iterable[Change]:
    """A group with these members."""
    yield changes.CreateGroup(group=group)
    for start in range(0, len(members), BATCH):
        yield changes.AddMembers(group=group, members=tuple(members[start : start + BATCH]))


def one_group(members: int, resources: int) -> Iterable[Change]:
    """A group with all members, and resources that nobody has anything on yet."""
    yield from people_and_things(members, resources)
    yield from group_of("all", subjects(members))


def many_groups(groups: int, members: int, users: int) -> Iterable[Change]:
    """Groups `group-0` and so on, of so many members each, taken in turn from so many users."""
    everybody = subjects(users)
    for number in range(groups):
        first = number * users // groups
        mine = [everybody[(first + place) % users] for place in range(members)]
        yield from group_of(f"group-{number}", mine)


def everything_to(group: str, resources: int) -> changes.ReplaceAssignments:
    """The role on each of the resources, to a group."""
    given = tuple(changes.Given(role="reader", on=f"doc:{n}") for n in range(resources))
    return changes.ReplaceAssignments(to=f"group:{group}", assignments=given)
