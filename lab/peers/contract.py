"""What each system must do to be measured, and the facts of a world as relationships."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from lab.check_worlds import CheckWorld, Question


class Peer(Protocol):
    """One system with one organization in it. Subjects are `user:7`, resources `doc:3`, groups numbers.

    A change holds for every question asked after it returned: a faster answer that may be stale is another
    answer.
    """

    needs_lock: bool
    """Whether callers in threads must take turns to get right answers."""

    def load(self, world: CheckWorld) -> None:
        """Write all facts of the world; questions are answered when it returns."""

    def open(self, world: CheckWorld) -> None:
        """Answer from facts that another process has written. Only of systems that keep them."""

    def prepared(self, question: Question) -> Any:
        """A question in the system's own form, whose making is not measured; good until the next change."""

    def ask(self, prepared: Any) -> bool:
        """One check."""

    def ask_all(self, prepared: Sequence[Any]) -> list[bool]:
        """Many checks by the fastest call for many."""

    def set_member(self, user: int, group: int, is_member: bool) -> None:
        """Add a user to a group, or remove them."""

    def set_assigned(self, group: int, role: int, resource: int, is_assigned: bool) -> None:
        """Give a group a role on a resource, or take it. Only where resources have no parents."""

    def what_can(self, subject: str, permission: str) -> set[str]:
        """Every resource that the subject has the permission on."""

    def who_can(self, permission: str, resource: str) -> set[str]:
        """Every user who has the permission on the resource."""

    def close(self) -> None:
        """Give up what it holds."""


def relation(world: CheckWorld, role: int) -> str:
    """The relation of a resource to the groups that hold a role on it. Roles that all have one and the same
    permission are one relation: nothing that is asked tells them apart.
    """
    return "reader" if world.one_permission else f"role{role}"


def relations(world: CheckWorld) -> list[str]:
    """All of them."""
    return list(dict.fromkeys(relation(world, role) for role in range(world.roles)))


def schema(world: CheckWorld) -> str:
    """The world as a schema of relations, for SpiceDB and pemba."""
    nested = " | team#member" if world.above(0) is not None else ""
    grants = {"read": relations(world)}
    for role in range(world.roles):
        if (permission := world.permission_of(role)) != "read":
            grants[permission] = [relation(world, role)]
    inherits = world.depth > 1
    lines = ["definition user {}", "definition team {", f"  relation member: user{nested}", "}"]
    lines += ["definition doc {", *(f"  relation {name}: team#member" for name in relations(world))]
    if inherits:
        lines.append("  relation parent: doc")
    for permission, by in grants.items():
        above = f" + parent->{permission}" if inherits else ""
        lines.append(f"  permission {permission} = {' + '.join(by)}{above}")
    return "\n".join([*lines, "}"])


Relationship = tuple[str, str, str, str, str, str]
"""Resource's type and id, relation, subject's type, id and relation."""


def member(user: int, group: int) -> Relationship:
    """A user's place in a group."""
    return ("team", f"g{group}", "member", "user", str(user), "")


def assigned(world: CheckWorld, group: int, role: int, resource: int) -> Relationship:
    """A group's role on a resource."""
    return ("doc", str(resource), relation(world, role), "team", f"g{group}", "member")


def relationships(world: CheckWorld) -> Iterator[Relationship]:
    """All facts of the world, each once."""
    for user in range(world.users):
        for group in world.groups_of(user):
            yield member(user, group)
    for group in range(world.group_count):
        if (above := world.above(group)) is not None:
            yield ("team", f"g{above}", "member", "team", f"g{group}", "member")
        for role, resource in world.assigned(group):
            yield assigned(world, group, role, resource)
    for resource in range(world.resources):
        if (parent := world.parent(resource)) is not None:
            yield ("doc", str(resource), "parent", "doc", str(parent), "")
