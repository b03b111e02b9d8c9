"""Facts as changes that make the same facts again, in an order that never gives more on the way.

What an organization uses of the environment is not its own; `everything` has both.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from msgspec import UNSET

from rescind import model
from rescind.authority import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    CreateOrganization,
    CreateResource,
    DeactivateMembership,
    DefinePermission,
    DefineResourceType,
    DefineRole,
    NestGroup,
    SetDefaultRole,
    SetRoleMode,
)
from rescind.errors import InvalidArgument, OrganizationNotFound
from rescind.model import ENVIRONMENT, IdRule, OnLoss, RoleMode
from rescind.model.plural import counted
from rescind.semantics import access
from rescind.store.rows import Answers, Query, QueryWithParams
from rescind.store.rows.facts import (
    LIST_ORGANIZATIONS,
    READ_ASSIGNMENTS,
    READ_GROUP_MEMBERS,
    READ_GROUPS,
    READ_MEMBERSHIPS,
    READ_NESTINGS,
    READ_PERMISSIONS,
    READ_RESETS,
    READ_RESOURCE_TYPES,
    READ_RESOURCES,
    READ_ROLE_PERMISSIONS,
    READ_ROLES,
    READ_SETTINGS,
    AssignmentFact,
    MemberFact,
    ResourceFact,
    SettingsRow,
)
from rescind.transfer.tables import MEMBERS_PER_CHANGE

_QUERIES: Final[tuple[Query[Any], ...]] = (
    READ_PERMISSIONS,
    READ_ROLES,
    READ_ROLE_PERMISSIONS,
    READ_RESOURCE_TYPES,
    READ_RESOURCES,
    READ_MEMBERSHIPS,
    READ_GROUPS,
    READ_GROUP_MEMBERS,
    READ_NESTINGS,
    READ_ASSIGNMENTS,
    READ_RESETS,
)


def everything(authority: Authority) -> Iterator[tuple[str, Change]]:
    """The environment's facts, then each organization's, each change with whose it is."""
    for change in exported(authority, ENVIRONMENT):
        yield ENVIRONMENT, change
    after = ""
    while page := authority.store.fetch(LIST_ORGANIZATIONS, {"after": after, "limit": 500}):
        for row in page:
            for change in exported(authority, row.organization):
                yield row.organization, change
        after = page[-1].organization


def exported(authority: Authority, organization: str) -> list[Change]:
    """One organization's own facts, or the environment's, at one revision, but for what has expired.

    Raises OrganizationNotFound, and InvalidArgument where memberships of a single-role organization
    have roles set aside: no change says that, and leaving it out would give them back.
    """
    name = model.organization_id(organization)
    found = authority.store.fetch(READ_SETTINGS, {"organization": name})
    if not found:
        raise OrganizationNotFound(organization=name)
    asked: list[QueryWithParams[Any]] = [(READ_SETTINGS, {"organization": name})]
    asked += [(query, {"o": found[0].organization}) for query in _QUERIES]
    rows = Answers((READ_SETTINGS, *_QUERIES), authority.store.fetch_many(asked))
    if not rows[READ_SETTINGS]:
        raise OrganizationNotFound(organization=name)
    (settings,) = rows[READ_SETTINGS]
    now = authority._now()
    members = [row for row in rows[READ_GROUP_MEMBERS] if access.in_force(row.expires_at, now)]
    given = [row for row in rows[READ_ASSIGNMENTS] if access.in_force(row.expires_at, now)]
    if rows[READ_RESETS]:
        raise InvalidArgument(
            what="organization",
            value=name,
            why=f"set aside after a loss: {counted(len(rows[READ_RESETS]), 'role')}; no change says that",
            hint="give those roles again or take them back, or set another role mode, then export",
        )
    is_environment = name == ENVIRONMENT
    parts = (_permissions, _roles, _types)
    definitions = [change for part in parts for change in part(rows, is_environment)]
    if is_environment:
        return definitions
    return [
        *_organization(settings),
        *definitions,
        *_default_role(settings),
        *_contents(rows, members, given),
    ]


def _organization(settings: SettingsRow) -> Iterator[Change]:
    yield CreateOrganization(name=settings.name, id_rule=IdRule(settings.id_rule))
    if (settings.role_mode, settings.on_loss) != (RoleMode.MULTIPLE, OnLoss.DEFAULT):
        yield SetRoleMode(mode=RoleMode(settings.role_mode), on_loss=OnLoss(settings.on_loss))


def _default_role(settings: SettingsRow) -> Iterator[Change]:
    if settings.default_role is not None:
        yield SetDefaultRole(role=settings.default_role)


def _permissions(rows: Answers, is_environment: bool) -> Iterator[Change]:
    for row in rows[READ_PERMISSIONS]:
        if bool(row.is_shared) == is_environment:
            yield DefinePermission(
                permission=row.permission,
                critical=bool(row.critical),
                description=row.description,
            )


def _roles(rows: Answers, is_environment: bool) -> Iterator[Change]:
    contents: dict[int, list[str]] = {}
    for contained in rows[READ_ROLE_PERMISSIONS]:
        contents.setdefault(contained.role, []).append(contained.permission)
    for row in rows[READ_ROLES]:
        if bool(row.is_shared) == is_environment:
            yield DefineRole(
                role=row.role,
                permissions=tuple(contents.get(row.number, ())),
                priority=row.priority,
                critical=bool(row.critical),
                name=row.name,
                resource_type=row.resource_type,
                required=True if row.required else UNSET,
            )


def _types(rows: Answers, is_environment: bool) -> Iterator[Change]:
    """Each type after the types that it may stand below."""
    waiting = {
        row.type: tuple(json.loads(row.parents))
        for row in rows[READ_RESOURCE_TYPES]
        if bool(row.is_shared) == is_environment
    }
    while waiting:
        ready = [
            slug
            for slug, parents in waiting.items()
            if not (set(parents) - {slug}) & waiting.keys()
        ]
        for slug in ready or list(waiting):
            yield DefineResourceType(type=slug, parents=waiting.pop(slug))


def _contents(
    rows: Answers, members: list[MemberFact], given: list[AssignmentFact]
) -> Iterator[Change]:
    yield from _resources(rows[READ_RESOURCES])
    for membership in rows[READ_MEMBERSHIPS]:
        yield AddMembership(subject=membership.subject, name=membership.name)
        if not membership.active:
            yield DeactivateMembership(subject=membership.subject)
    for group in rows[READ_GROUPS]:
        yield CreateGroup(group=group.group, name=group.name)
    yield from _members(members)
    for nesting in rows[READ_NESTINGS]:
        yield NestGroup(group=nesting.child, into=nesting.parent)
    for row in sorted(given, key=lambda row: (row.holder, row.role, row.resource)):
        on = None if row.resource == model.ROOT else row.resource
        yield Assign(role=row.role, to=row.holder, on=on, expires_at=_time(row.expires_at))


def _resources(rows: list[ResourceFact]) -> Iterator[Change]:
    """Each resource after its parent."""
    below: dict[str, list[str]] = {}
    for row in rows:
        if row.parent is not None:
            below.setdefault(row.parent, []).append(row.resource)
    waiting: deque[str] = deque([model.ROOT])
    while waiting:
        parent = waiting.popleft()
        for slug in below.get(parent, ()):
            yield CreateResource(resource=slug, parent=None if parent == model.ROOT else parent)
            waiting.append(slug)


def _members(rows: list[MemberFact]) -> Iterator[Change]:
    ordered = sorted(
        rows,
        key=lambda row: (
            row.group,
            row.expires_at is not None,
            row.expires_at or 0,
            row.subject,
        ),
    )
    for (group, until), listed in groupby(ordered, key=lambda row: (row.group, row.expires_at)):
        subjects = [row.subject for row in listed]
        for start in range(0, len(subjects), MEMBERS_PER_CHANGE):
            part = tuple(subjects[start : start + MEMBERS_PER_CHANGE])
            yield AddMembers(group=group, members=part, expires_at=_time(until))


def _time(until: int | None) -> datetime | None:
    return None if until is None else model.moment(until)
