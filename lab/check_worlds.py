"""Organizations whose checks are measured: every place in them follows from its number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lab.worlds import apply_all
from rescind import Authority, Route, changes
from rescind.changes import Change

MEMBERS_AT_ONCE = 5_000
Question = tuple[str, str, str]


@dataclass(frozen=True)
class CheckWorld:
    """`groups` are leaves, mids and tops of a nesting; `depth` is that of the resources' tree.

    A user's groups are `stride` apart. With `one_permission` every role has that one and no other.
    """

    name: str
    users: int
    groups: tuple[int, int, int]
    groups_a_user: int
    resources: int
    depth: int
    roles: int
    assignments_a_group: int
    scale: float = 1.0
    stride: int = 7919
    one_permission: bool = False

    def scaled(self, scale: float) -> CheckWorld:
        """The same with fewer of everything that is many."""
        if scale == 1.0:
            return self
        leaves, mids, tops = self.groups
        return replace(
            self,
            users=int(self.users * scale),
            groups=(int(leaves * scale), int(mids * scale), int(tops * scale)),
            resources=int(self.resources * scale),
            scale=scale,
        )

    @property
    def group_count(self) -> int:
        return sum(self.groups)

    def groups_of(self, user: int) -> list[int]:
        """The leaf groups that a user is directly in, all different."""
        leaves = self.groups[0]
        return [(user * 7 + place * self.stride) % leaves for place in range(self.groups_a_user)]

    def above(self, group: int) -> int | None:
        """What a group is nested in."""
        leaves, mids, tops = self.groups
        if group < leaves:
            return leaves + group % mids if mids else None
        return leaves + mids + group % tops if group < leaves + mids and tops else None

    def assigned(self, group: int) -> list[tuple[int, int]]:
        """(role, resource) that a group holds."""
        return [
            (
                (group + place) % self.roles,
                (group * self.assignments_a_group + place) % self.resources,
            )
            for place in range(self.assignments_a_group)
        ]

    def permission_of(self, role: int) -> str:
        """The permission by which a role is asked about."""
        return "read" if role == 0 or self.one_permission else f"act{role}"

    def parent(self, resource: int) -> int | None:
        """What a resource is below; every `depth`-th stands at the top."""
        return resource - 1 if resource % self.depth else None

    # --- made through changes ---------------------------------------------------------------------

    def record(self, authority: Authority) -> None:
        """Record the facts; effective roles are left to background work, which no index needs.

        Groups are nested while they are empty, in the foreground: what flows through a nesting that is still
        pending would be written for it and again for each assignment.
        """
        apply_all(authority, self._plain())
        members: dict[int, list[str]] = {}
        for user in range(self.users):
            for group in self.groups_of(user):
                members.setdefault(group, []).append(f"user:{user}")
        for group, there in members.items():
            for start in range(0, len(there), MEMBERS_AT_ONCE):
                part = tuple(there[start : start + MEMBERS_AT_ONCE])
                authority.apply([changes.AddMembers(group=f"g{group}", members=part)])
        apply_all(authority, self._held(), Route.BACKGROUND)

    def _plain(self) -> Iterator[Change]:
        yield changes.CreateOrganization()
        yield changes.DefineResourceType(type="doc")
        for role in range(self.roles):
            permissions = tuple(sorted({"read", self.permission_of(role)}))
            for permission in permissions:
                yield changes.DefinePermission(permission=permission)
            yield changes.DefineRole(role=f"r{role}", permissions=permissions)
        for user in range(self.users):
            yield changes.AddMembership(subject=f"user:{user}")
        for group in range(self.group_count):
            yield changes.CreateGroup(group=f"g{group}")
        for group in range(self.group_count):
            if (above := self.above(group)) is not None:
                yield changes.NestGroup(group=f"g{group}", into=f"g{above}")
        for place in range(self.resources):
            parent = self.parent(place)
            yield changes.CreateResource(
                resource=f"doc:{place}", parent=None if parent is None else f"doc:{parent}"
            )

    def _held(self) -> Iterator[Change]:
        for group in range(self.group_count):
            given = {(f"r{role}", f"doc:{place}") for role, place in self.assigned(group)}
            yield changes.ReplaceAssignments(
                to=f"group:g{group}",
                assignments=tuple(changes.Given(role=role, on=on) for role, on in sorted(given)),
            )

    # --- asked ------------------------------------------------------------------------------------

    def questions(self, choose: random.Random, count: int) -> list[Question]:
        """About half of them allowed: on what one of the user's groups holds; the others anywhere."""
        found = []
        for number in range(count):
            user = choose.randrange(self.users)
            role, place = choose.randrange(self.roles), choose.randrange(self.resources)
            if number % 2:
                group: int | None = choose.choice(self.groups_of(user))
                while (above := self.above(group)) is not None and choose.random() < 0.3:
                    group = above
                role, place = choose.choice(self.assigned(group))
            found.append((f"user:{user}", self.permission_of(role), f"doc:{place}"))
        return found


CHECK_WORLDS = {
    world.name: world
    for world in (
        CheckWorld("small", 1_000, (100, 0, 0), 5, 1_000, 1, 20, 10),
        CheckWorld("seed", 5_000, (1, 0, 0), 1, 5_000, 1, 1, 5_000),
        CheckWorld(
            "roles", 5_000, (5_000, 0, 0), 4, 2, 1, 5_000, 1, stride=7918, one_permission=True
        ),
        CheckWorld("wide", 100_000, (1_780, 200, 20), 8, 20_000, 5, 20, 10),
    )
}
