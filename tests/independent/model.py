"""The oracle: what a batch of changes makes of the facts, or the codes of its refusal.

Written from docs/reference/changes.md and docs/explanation/guarantees.md alone. A refusal names every code
that could be given for the change, since the documentation does not say which comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from rescind import changes
from rescind.changes import Change
from tests.independent.answers import around, held_roles, kind_of, winning_role
from tests.independent.facts import (
    ENVIRONMENT,
    ROOT,
    Membership,
    Organization,
    Role,
    World,
    is_past,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """The batch is refused with one of these codes."""

    def __init__(self, codes: set[str]) -> None:
        super().__init__(", ".join(sorted(codes)))
        self.codes = codes


@dataclass
class Outcome:
    """The facts after a batch, whether anything was altered on the way, and what was not found."""

    world: World
    altered: bool
    missing: list[tuple[str, str]]


def microseconds(time: datetime | None) -> int | None:
    """A time as the oracle keeps it."""
    return None if time is None else (time - EPOCH) // timedelta(microseconds=1)


def apply(world: World, name: str, batch: Sequence[Change], now: int) -> Outcome:
    """The batch done to a copy of the facts. Raises Refused."""
    try:
        return _applied(world, name, batch, now)
    except Refused as refused:
        # The form of a batch may be looked at before what is in it.
        if any(map(_is_malformed, batch)):
            raise Refused(refused.codes | {"invalid_change"}) from None
        raise


def _is_malformed(change: Change) -> bool:
    """Whether the fields of a change contradict each other."""
    if isinstance(change, changes.EditRole):
        return change.set is not changes.UNSET and bool(change.add or change.remove)
    if isinstance(change, changes.ChangeMembershipId):
        return kind_of(change.subject) != kind_of(change.new_id)
    if isinstance(change, changes.ReplaceAssignments):
        items = {(item.role, item.on or ROOT, item.expires_at) for item in change.assignments}
        return len(items) > len({item[:2] for item in items})
    return False


def _applied(world: World, name: str, batch: Sequence[Change], now: int) -> Outcome:
    for place, change in enumerate(batch):
        of_all = isinstance(change, changes.ON_ENVIRONMENT)
        is_first = not isinstance(change, changes.CreateOrganization) or place == 0
        is_last = not isinstance(change, changes.DeleteOrganization) or place == len(batch) - 1
        if (name == ENVIRONMENT and not of_all) or not is_first or not is_last:
            others = {"organization_exists"} if not is_first else set()
            raise Refused({"invalid_change"} | others | _codes(world, name, batch[:place], now))
    if name != ENVIRONMENT and name not in world.organizations:
        if len(batch) == 1 and isinstance(batch[0], changes.DeleteOrganization):
            return Outcome(world, False, [("organization", name)])
        if not batch or not isinstance(batch[0], changes.CreateOrganization):
            raise Refused({"organization_not_found"})
    doing = _Batch(world.copied(), name, now)
    for change in batch:
        doing.apply(change)
    _set_aside(world, doing, batch, now)
    return Outcome(doing.world, doing.altered or doing.world != world, doing.missing)


def _codes(world: World, name: str, batch: Sequence[Change], now: int) -> set[str]:
    """What refuses a batch, if anything does."""
    try:
        apply(world, name, batch, now)
    except Refused as refused:
        return refused.codes
    return set()


class _Batch:
    """One batch under way."""

    def __init__(self, world: World, name: str, now: int) -> None:
        self.world, self.name, self.now = world, name, now
        self.altered = False
        self.missing: list[tuple[str, str]] = []
        self.has_changed_mode: bool = False

    @property
    def org(self) -> Organization:
        return self.world.organizations[self.name]

    def apply(self, change: Change) -> None:
        before = self.world.copied()
        do: Callable[[Any], None] = getattr(self, "_" + type(change).__struct_config__.tag)
        do(change)
        self.altered = self.altered or before != self.world

    def _miss(self, what: str, name: str) -> None:
        if (what, name) not in self.missing:
            self.missing.append((what, name))

    # --- the organization ---------------------------------------------------------------------

    def _create_organization(self, change: changes.CreateOrganization) -> None:
        there = self.world.organizations.get(self.name)
        if there is None:
            self.world.organizations[self.name] = Organization(change.name)
        elif change.name not in (None, there.name):
            raise Refused({"organization_exists"})

    def _rename_organization(self, change: changes.RenameOrganization) -> None:
        self.org.name = change.name

    def _delete_organization(self, change: changes.DeleteOrganization) -> None:
        own = [n for n, role in self.world.roles.items() if role.level == self.name]
        if (self.org.memberships or self.org.groups or self.org.resources or own) and (
            not change.cascade
        ):
            raise Refused({"organization_in_use"})
        del self.world.organizations[self.name]
        for number in own:
            del self.world.roles[number]
        for kept in (self.world.permissions, self.world.types):
            for key in [key for key in kept if key[0] == self.name]:
                del kept[key]  # type: ignore[attr-defined]

    def _set_role_mode(self, change: changes.SetRoleMode) -> None:
        chosen = (str(change.mode), str(change.on_loss))
        if chosen != (self.org.mode, self.org.on_loss):
            self.org.mode, self.org.on_loss = chosen
            self.has_changed_mode = True

    def _set_default_role(self, change: changes.SetDefaultRole) -> None:
        if change.role is None:
            self.org.default_role = None
            return
        self.org.default_role = self._role_for(change.role, ROOT)

    # --- memberships --------------------------------------------------------------------------

    def _add_membership(self, change: changes.AddMembership) -> None:
        there = self.org.memberships.get(change.subject)
        if there is None:
            number = self.world.next_number()
            self.org.memberships[change.subject] = Membership(number, change.name)
        elif not there.active or change.name not in (None, there.name):
            raise Refused({"membership_exists"})

    def _rename_membership(self, change: changes.RenameMembership) -> None:
        self._require_members([change.subject])
        self.org.memberships[change.subject].name = change.name

    def _change_membership_id(self, change: changes.ChangeMembershipId) -> None:
        old, new = change.subject, change.new_id
        codes = set()
        if kind_of(old) != kind_of(new):
            codes.add("invalid_change")
        if old not in self.org.memberships:
            codes.add("membership_not_found")
        if new in self.org.memberships and new != old:
            codes.add("membership_exists")
        if codes:
            raise Refused(codes)
        self._respell({old: new})

    def _change_group_id(self, change: changes.ChangeGroupId) -> None:
        old, new = change.group, change.new_id
        codes = set() if old in self.org.groups else {"group_not_found"}
        if new in self.org.groups and new != old:
            codes.add("group_exists")
        if codes:
            raise Refused(codes)
        self._respell({f"group:{old}": f"group:{new}"})

    def _respell(self, ids: dict[str, str]) -> None:
        """Holders by other ids: all that they have stays theirs."""
        org = self.org
        groups = {old[6:]: new[6:] for old, new in ids.items() if old.startswith("group:")}
        org.memberships = {ids.get(s, s): there for s, there in org.memberships.items()}
        org.groups = {groups.get(g, g): there for g, there in org.groups.items()}
        org.members = {
            (groups.get(g, g), ids.get(s, s)): until for (g, s), until in org.members.items()
        }
        org.nestings = {(groups.get(c, c), groups.get(p, p)) for c, p in org.nestings}
        org.assignments = {
            (role, ids.get(holder, holder), on): until
            for (role, holder, on), until in org.assignments.items()
        }
        org.set_aside = {(ids.get(s, s), role) for s, role in org.set_aside}

    def _deactivate_membership(self, change: changes.DeactivateMembership) -> None:
        if change.subject in self.org.memberships:
            self.org.memberships[change.subject].active = False
        else:
            self._miss("subject", change.subject)

    def _reactivate_membership(self, change: changes.ReactivateMembership) -> None:
        self._require_members([change.subject])
        self.org.memberships[change.subject].active = True

    def _remove_membership(self, change: changes.RemoveMembership) -> None:
        if change.subject not in self.org.memberships:
            self._miss("subject", change.subject)
            return
        del self.org.memberships[change.subject]
        for place in [p for p in self.org.members if p[1] == change.subject]:
            del self.org.members[place]
        self._end([key for key in self.org.assignments if key[1] == change.subject])
        self.org.set_aside = {pair for pair in self.org.set_aside if pair[0] != change.subject}

    # --- groups -------------------------------------------------------------------------------

    def _create_group(self, change: changes.CreateGroup) -> None:
        there = self.org.groups.get(change.group)
        if there is None:
            self.org.groups[change.group] = (self.world.next_number(), change.name)
        elif change.name not in (None, there[1]):
            raise Refused({"group_exists"})

    def _rename_group(self, change: changes.RenameGroup) -> None:
        self._require_groups(change.group)
        self.org.groups[change.group] = (self.org.groups[change.group][0], change.name)

    def _delete_group(self, change: changes.DeleteGroup) -> None:
        group = change.group
        if group not in self.org.groups:
            self._miss("group", group)
            return
        members = {p: until for p, until in self.org.members.items() if p[0] == group}
        given = {k: u for k, u in self.org.assignments.items() if k[1] == f"group:{group}"}
        nestings = {pair for pair in self.org.nestings if group in pair}
        is_used = nestings or not all(
            is_past(until, self.now) for until in (*members.values(), *given.values())
        )
        if is_used and not change.cascade:
            raise Refused({"group_in_use"})
        del self.org.groups[group]
        for place in members:
            del self.org.members[place]
        self.org.nestings -= nestings
        self._end(list(given))

    def _add_members(self, change: changes.AddMembers) -> None:
        self._require_group_and_members(change.group, change.members)
        for subject in change.members:
            self.org.members[change.group, subject] = microseconds(change.expires_at)

    def _remove_members(self, change: changes.RemoveMembers) -> None:
        if change.group not in self.org.groups:
            self._miss("group", change.group)
        for subject in change.members:
            if subject not in self.org.memberships:
                self._miss("subject", subject)
            self.org.members.pop((change.group, subject), None)

    def _replace_members(self, change: changes.ReplaceMembers) -> None:
        if not change.members and change.group not in self.org.groups:
            self._miss("group", change.group)
            return
        if change.create and change.group in self.org.groups:
            for subject in change.members:
                if subject not in self.org.memberships:
                    self._add_membership(changes.AddMembership(subject=subject))
        self._require_group_and_members(change.group, change.members)
        for group, subject in list(self.org.members):
            if group == change.group and subject not in change.members:
                del self.org.members[group, subject]
        for subject in change.members:
            place = (change.group, subject)
            if is_past(self.org.members.get(place), self.now):
                self.org.members[place] = None
            self.org.members.setdefault(place, None)

    def _nest_group(self, change: changes.NestGroup) -> None:
        self._require_groups(change.group, change.into)
        if change.group in around(self.org, change.into):
            raise Refused({"nesting_cycle"})
        self.org.nestings.add((change.group, change.into))

    def _unnest_group(self, change: changes.UnnestGroup) -> None:
        for group in (change.group, change.out_of):
            if group not in self.org.groups:
                self._miss("group", group)
        self.org.nestings.discard((change.group, change.out_of))

    # --- permissions and roles ----------------------------------------------------------------

    def _is_taken(self, levels: list[str]) -> bool:
        """Whether a name is defined on the other level, given the levels where it is."""
        if self.name == ENVIRONMENT:
            return any(level != ENVIRONMENT for level in levels)
        return ENVIRONMENT in levels

    def _define_permission(self, change: changes.DefinePermission) -> None:
        levels = [level for level, slug in self.world.permissions if slug == change.permission]
        wanted = (change.critical, change.description)
        there = self.world.permissions.get((self.name, change.permission))
        if self._is_taken(levels) or there not in (None, wanted):
            raise Refused({"permission_exists"})
        self.world.permissions[self.name, change.permission] = wanted

    def _edit_permission(self, change: changes.EditPermission) -> None:
        key = (self.name, change.permission)
        if key not in self.world.permissions:
            raise Refused({"permission_not_found"})
        critical, description = self.world.permissions[key]
        self.world.permissions[key] = (
            critical if change.critical is changes.UNSET else bool(change.critical),
            description if change.description is changes.UNSET else str(change.description),
        )

    def _delete_permission(self, change: changes.DeletePermission) -> None:
        key = (self.name, change.permission)
        if key not in self.world.permissions:
            if (ENVIRONMENT, change.permission) in self.world.permissions:
                raise Refused({"permission_not_found"})
            self._miss("permission", change.permission)
            return
        levels = (*self.world.is_of(self.name), self.name)
        users = [
            role
            for role in self.world.roles.values()
            if role.level in levels and change.permission in role.permissions
        ]
        if users and not change.cascade:
            raise Refused({"permission_in_use"})
        del self.world.permissions[key]
        for role in users:
            role.permissions -= {change.permission}

    def _unknown_permissions(self, slugs: Sequence[str]) -> bool:
        return not all(self.world.has_permission(self.name, slug) for slug in slugs)

    def _define_role(self, change: changes.DefineRole) -> None:
        codes = set()
        levels = [role.level for role in self.world.roles.values() if role.slug == change.role]
        number = self.world.role(self.name, change.role)
        wanted = Role(
            change.role,
            self.name,
            frozenset(change.permissions),
            change.priority,
            change.critical,
            change.name,
            change.resource_type,
        )
        if self._unknown_permissions(change.permissions):
            codes.add("permission_not_found")
        if self._is_taken(levels):
            codes.add("role_exists")
        elif number is not None:
            there = self.world.roles[number]
            wanted.name = there.name if wanted.name is None else wanted.name
            if there != wanted:
                codes.add("role_exists")
        if codes:
            raise Refused(codes)
        if number is None:
            self.world.roles[self.world.next_number()] = wanted

    def _edit_role(self, change: changes.EditRole) -> None:
        if _is_malformed(change):
            raise Refused({"invalid_change"})
        number = self.world.role(self.name, change.role)
        sets = () if change.set is changes.UNSET else tuple(change.set)
        codes = set()
        if self._unknown_permissions((*change.add, *sets)):
            codes.add("permission_not_found")
        if number is None or self.world.roles[number].level != self.name:
            others = (change.priority, change.critical, change.name)
            is_taking = (bool(change.remove) or change.set == ()) and not change.add
            is_taking = is_taking and all(value is changes.UNSET for value in others)
            if number is not None or not is_taking:
                codes.add("role_not_found")
            elif change.role:
                self._miss("role", change.role)
        if codes:
            raise Refused(codes)
        for slug in change.remove:
            if not self.world.has_permission(self.name, slug):
                self._miss("permission", slug)
        if number is None:
            return
        role = self.world.roles[number]
        if change.set is not changes.UNSET:
            role.permissions = frozenset(sets)
        role.permissions = (role.permissions | set(change.add)) - set(change.remove)
        if change.priority is not changes.UNSET:
            role.priority = int(change.priority)
        if change.critical is not changes.UNSET:
            role.critical = bool(change.critical)
        if change.name is not changes.UNSET:
            role.name = str(change.name)

    def _delete_role(self, change: changes.DeleteRole) -> None:
        number = self.world.role(self.name, change.role)
        if number is None:
            self._miss("role", change.role)
            return
        if self.world.roles[number].level != self.name:
            raise Refused({"role_not_found"})
        users = [self.world.organizations[name] for name in self.world.is_of(self.name)]
        is_used = any(
            org.default_role == number
            or any(
                key[0] == number and not is_past(until, self.now)
                for key, until in org.assignments.items()
            )
            for org in users
        )
        if is_used and not change.cascade:
            raise Refused({"role_in_use"})
        del self.world.roles[number]
        for org in users:
            org.default_role = None if org.default_role == number else org.default_role
            org.set_aside = {pair for pair in org.set_aside if pair[1] != number}
            for key in [key for key in org.assignments if key[0] == number]:
                del org.assignments[key]

    # --- resources ----------------------------------------------------------------------------

    def _define_resource_type(self, change: changes.DefineResourceType) -> None:
        codes = set()
        levels = [level for level, slug in self.world.types if slug == change.type]
        wanted = frozenset(change.parents)
        known = {ROOT, change.type}
        if any(self.world.parents_of_type(self.name, parent) is None for parent in wanted - known):
            codes.add("resource_type_not_found")
        if (
            self._is_taken(levels)
            or self.world.types.get((self.name, change.type), wanted) != wanted
        ):
            codes.add("resource_type_exists")
        if codes:
            raise Refused(codes)
        self.world.types[self.name, change.type] = wanted

    def _delete_resource_type(self, change: changes.DeleteResourceType) -> None:
        if (self.name, change.type) not in self.world.types:
            if (ENVIRONMENT, change.type) in self.world.types:
                raise Refused({"resource_type_not_found"})
            self._miss("type", change.type)
            return
        for name in self.world.is_of(self.name):
            resources = self.world.organizations[name].resources
            if any(kind_of(resource) == change.type for resource in resources):
                raise Refused({"resource_type_in_use"})
        del self.world.types[self.name, change.type]

    def _refuse_place(self, resource: str, parent: str) -> set[str]:
        allowed = self.world.parents_of_type(self.name, kind_of(resource))
        if allowed is None:
            return {"resource_type_not_found"}
        return {"parent_type_refused"} if allowed and kind_of(parent) not in allowed else set()

    def _create_resource(self, change: changes.CreateResource) -> None:
        parent = change.parent or ROOT
        there = self.org.resources.get(change.resource)
        codes = self._refuse_place(change.resource, parent)
        if parent != ROOT and parent not in self.org.resources:
            codes.add("resource_not_found")
        if there is not None and there[1] != parent:
            codes.add("resource_exists")
        if codes:
            raise Refused(codes)
        if there is None:
            self.org.resources[change.resource] = (self.world.next_number(), parent)

    def _below(self, resource: str) -> set[str]:
        found = {resource}
        while more := {r for r, (_, p) in self.org.resources.items() if p in found} - found:
            found |= more
        return found

    def _move_resource(self, change: changes.MoveResource) -> None:
        parent = change.parent or ROOT
        codes = self._refuse_place(change.resource, parent)
        if change.resource not in self.org.resources:
            codes.add("resource_not_found")
        if parent != ROOT and parent not in self.org.resources:
            codes.add("resource_not_found")
        if parent in self._below(change.resource):
            codes.add("resource_cycle")
        if codes:
            raise Refused(codes)
        number, _ = self.org.resources[change.resource]
        self.org.resources[change.resource] = (number, parent)

    def _delete_resource(self, change: changes.DeleteResource) -> None:
        if change.resource not in self.org.resources:
            self._miss("resource", change.resource)
            return
        below = self._below(change.resource)
        given = {k: until for k, until in self.org.assignments.items() if k[2] in below}
        is_used = len(below) > 1 or not all(is_past(u, self.now) for u in given.values())
        if is_used and not change.cascade:
            raise Refused({"resource_in_use"})
        for resource in below:
            del self.org.resources[resource]
        self._end(list(given))

    # --- assignments --------------------------------------------------------------------------

    def _assign(self, change: changes.Assign) -> None:
        on = change.on or ROOT
        codes = self._refuse_holder(change.to) | self._refuse_role(change.role, on)
        if codes:
            raise Refused(codes)
        key = (self._number(change.role), change.to, on)
        self.org.assignments[key] = microseconds(change.expires_at)

    def _unassign(self, change: changes.Unassign) -> None:
        self._miss_holder(change.to)
        number, on = self.world.role(self.name, change.role), change.on or ROOT
        if number is None:
            self._miss("role", change.role)
        if on != ROOT and on not in self.org.resources:
            self._miss("resource", on)
        if number is not None:
            self.org.assignments.pop((number, change.to, on), None)

    def _replace_assignments(self, change: changes.ReplaceAssignments) -> None:
        if _is_malformed(change):
            raise Refused({"invalid_change"})
        times = {
            (item.role, item.on or ROOT): microseconds(item.expires_at)
            for item in change.assignments
        }
        holder_codes = self._refuse_holder(change.to)
        if not times and holder_codes:
            self._miss_holder(change.to)
            return
        codes = holder_codes.union(*(self._refuse_role(role, on) for role, on in times))
        if codes:
            raise Refused(codes)
        self._end([key for key in self.org.assignments if key[1] == change.to])
        for (role, on), until in times.items():
            self.org.assignments[self._number(role), change.to, on] = until

    # --- within -------------------------------------------------------------------------------

    def _number(self, role: str) -> int:
        number = self.world.role(self.name, role)
        assert number is not None
        return number

    def _role_for(self, role: str, on: str) -> int:
        codes = self._refuse_role(role, on)
        if codes:
            raise Refused(codes)
        return self._number(role)

    def _refuse_role(self, role: str, on: str) -> set[str]:
        codes = set()
        number = self.world.role(self.name, role)
        if number is None:
            codes.add("role_not_found")
        elif self.world.roles[number].resource_type not in (None, kind_of(on)):
            codes.add("role_not_for_resource")
        if on != ROOT and on not in self.org.resources:
            codes.add("resource_not_found")
        return codes

    def _refuse_holder(self, holder: str) -> set[str]:
        if holder.startswith("group:"):
            is_there = holder.removeprefix("group:") in self.org.groups
            return set() if is_there else {"group_not_found"}
        return set() if holder in self.org.memberships else {"membership_not_found"}

    def _miss_holder(self, holder: str) -> None:
        if self._refuse_holder(holder) == {"group_not_found"}:
            self._miss("group", holder.removeprefix("group:"))
        elif self._refuse_holder(holder):
            self._miss("subject", holder)

    def _require_members(self, subjects: Sequence[str]) -> None:
        if any(subject not in self.org.memberships for subject in subjects):
            raise Refused({"membership_not_found"})

    def _require_groups(self, *groups: str) -> None:
        if any(group not in self.org.groups for group in groups):
            raise Refused({"group_not_found"})

    def _require_group_and_members(self, group: str, subjects: Sequence[str]) -> None:
        codes = set() if group in self.org.groups else {"group_not_found"}
        if any(subject not in self.org.memberships for subject in subjects):
            codes.add("membership_not_found")
        if codes:
            raise Refused(codes)

    def _end(self, keys: list[tuple[int, str, str]]) -> None:
        for key in keys:
            del self.org.assignments[key]


def _set_aside(before: World, doing: _Batch, batch: Sequence[Change], now: int) -> None:
    """The rule in full of single-role organizations, by the facts before and after the batch."""
    world, batch = doing.world, _by_last_ids(batch)
    for name in world.is_of(doing.name):
        org, old = world.organizations.get(name), before.organizations.get(name)
        if org is None:
            continue
        if doing.has_changed_mode:
            org.set_aside = set()
        if doing.has_changed_mode or (org.mode, org.on_loss) != ("single", "default"):
            continue
        for subject, membership in org.memberships.items():
            holds = held_roles(org, subject, now)
            was = [
                known
                for known, there in (old.memberships.items() if old else ())
                if there.number == membership.number
            ]
            if old and was:
                won = winning_role(before, old, was[0], now)
                if won is not None and won not in holds:
                    org.set_aside |= {(subject, role) for role in holds}
            gained = {r for change in batch for r in _given(world, name, org, subject, change, now)}
            org.set_aside -= {(subject, role) for role in gained}


def _by_last_ids(batch: Sequence[Change]) -> list[Change]:
    """The changes with the ids that those whom they name have after the batch."""
    last: dict[str, str] = {}
    found: list[Change] = []
    for change in reversed(batch):
        if isinstance(change, changes.ChangeMembershipId):
            last[change.subject] = last.pop(change.new_id, change.new_id)
        elif isinstance(change, changes.ChangeGroupId):
            new = f"group:{change.new_id}"
            last[f"group:{change.group}"] = last.pop(new, new)
        given: dict[str, Any] = {}
        for name in ("to", "group", "into", "members"):
            value = getattr(change, name, None)
            if name == "members" and value is not None:
                given[name] = tuple(last.get(each, each) for each in value)
            elif name == "to" and value is not None:
                given[name] = last.get(value, value)
            elif value is not None:
                given[name] = last.get(f"group:{value}", f"group:{value}")[6:]
        found.append(replace(change, **given) if given else change)
    return found[::-1]


def _given(
    world: World, name: str, org: Organization, subject: str, change: Change, now: int
) -> set[int]:
    """The roles that a change gives a membership: it names the link by which it holds them at the end."""
    roles: set[int] = set()
    if isinstance(change, changes.Assign):
        items = [(change.role, change.on)]
    elif isinstance(change, changes.ReplaceAssignments):
        items = [(item.role, item.on) for item in change.assignments]
    elif isinstance(change, changes.AddMembers | changes.ReplaceMembers):
        place = (change.group, subject)
        is_in = place in org.members and not is_past(org.members[place], now)
        if subject in change.members and is_in:
            roles = _roles_of(org, around(org, change.group), now)
        return roles
    elif isinstance(change, changes.NestGroup):
        is_in = any(
            member == subject and not is_past(until, now) and change.group in around(org, group)
            for (group, member), until in org.members.items()
        )
        if (change.group, change.into) in org.nestings and is_in:
            roles = _roles_of(org, around(org, change.into), now)
        return roles
    else:
        return roles
    holders = {subject}
    for (group, member), until in org.members.items():
        if member == subject and not is_past(until, now):
            holders |= {f"group:{outer}" for outer in around(org, group)}
    for slug, on in items:
        number = world.role(name, slug)
        key = (number, change.to, on or ROOT)
        is_there = key in org.assignments and not is_past(org.assignments[key], now)
        if number is not None and is_there and on in (None, ROOT) and change.to in holders:
            roles.add(number)
    return roles


def _roles_of(org: Organization, groups: set[str], now: int) -> set[int]:
    return {
        role
        for (role, holder, on), until in org.assignments.items()
        if on == ROOT and holder.removeprefix("group:") in groups and holder.startswith("group:")
        if not is_past(until, now)
    }
