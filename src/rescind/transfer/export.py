"""Facts as changes that make the same facts again, in an order that never gives more on the way.

What an organization uses of the environment is not its own; `everything` has both.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

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
from rescind.store import Rows
from rescind.transfer.tables import MEMBERS_PER_CHANGE

_QUERIES = (
    "read_permissions",
    "read_roles",
    "read_role_permissions",
    "read_resource_types",
    "read_resources",
    "read_memberships",
    "read_groups",
    "read_group_members",
    "read_nestings",
    "read_assignments",
    "read_resets",
)


def everything(authority: Authority) -> Iterator[tuple[str, Change]]:
    """The environment's facts, then each organization's, each change with whose it is."""
    for change in exported(authority, ENVIRONMENT):
        yield ENVIRONMENT, change
    after = ""
    while page := authority.store.fetch("list_organizations", {"after": after, "limit": 500}):
        for name, *_ in page:
            for change in exported(authority, name):
                yield name, change
        after = page[-1][0]


def exported(authority: Authority, organization: str) -> list[Change]:
    """One organization's own facts, or the environment's, at one revision, but for what has expired.

    Raises OrganizationNotFound, and InvalidArgument where memberships of a single-role organization
    have roles set aside: no change says that, and leaving it out would give them back.
    """
    name = model.organization_id(organization)
    settings = authority.store.fetch("read_settings", {"organization": name})
    if not settings:
        raise OrganizationNotFound(organization=name)
    questions: list[tuple[str, dict[str, Any]]] = [("read_settings", {"organization": name})]
    questions += [(query, {"o": settings[0][0]}) for query in _QUERIES]
    settings, *answers = authority.store.fetch_many(questions)
    if not settings:
        raise OrganizationNotFound(organization=name)
    rows = dict(zip(_QUERIES, answers, strict=True))
    now = authority._now()
    for query in ("read_group_members", "read_assignments"):
        rows[query] = [row for row in rows[query] if access.in_force(row[-1], now)]
    if rows["read_resets"]:
        raise InvalidArgument(
            what="organization",
            value=name,
            why=f"set aside after a loss: {counted(len(rows['read_resets']), 'role')}; no change says that",
            hint="give those roles again or take them back, or set another role mode, then export",
        )
    is_environment = name == ENVIRONMENT
    parts = (_permissions, _roles, _types)
    definitions = [change for part in parts for change in part(rows, is_environment)]
    if is_environment:
        return definitions
    return [*_organization(settings), *definitions, *_default_role(settings), *_contents(rows)]


def _organization(settings: Rows) -> Iterator[Change]:
    *_, name, id_rule, mode, on_loss, _ = settings[0]
    yield CreateOrganization(name=name, id_rule=IdRule(id_rule))
    if (mode, on_loss) != (RoleMode.MULTIPLE, OnLoss.DEFAULT):
        yield SetRoleMode(mode=RoleMode(mode), on_loss=OnLoss(on_loss))


def _default_role(settings: Rows) -> Iterator[Change]:
    if settings[0][-1] is not None:
        yield SetDefaultRole(role=settings[0][-1])


def _permissions(rows: dict[str, Rows], is_environment: bool) -> Iterator[Change]:
    for slug, critical, description, of_environment in rows["read_permissions"]:
        if bool(of_environment) == is_environment:
            yield DefinePermission(
                permission=slug, critical=bool(critical), description=description
            )


def _roles(rows: dict[str, Rows], is_environment: bool) -> Iterator[Change]:
    contents: dict[int, list[str]] = {}
    for number, permission in rows["read_role_permissions"]:
        contents.setdefault(number, []).append(permission)
    for slug, priority, number, critical, name, kind, of_environment, required in rows[
        "read_roles"
    ]:
        if bool(of_environment) == is_environment:
            yield DefineRole(
                role=slug,
                permissions=tuple(contents.get(number, ())),
                priority=priority,
                critical=bool(critical),
                name=name,
                resource_type=kind,
                required=True if required else UNSET,
            )


def _types(rows: dict[str, Rows], is_environment: bool) -> Iterator[Change]:
    """Each type after the types that it may stand below."""
    waiting = {
        slug: tuple(json.loads(parents))
        for slug, parents, of_environment in rows["read_resource_types"]
        if bool(of_environment) == is_environment
    }
    while waiting:
        ready = [
            slug
            for slug, parents in waiting.items()
            if not (set(parents) - {slug}) & waiting.keys()
        ]
        for slug in ready or list(waiting):
            yield DefineResourceType(type=slug, parents=waiting.pop(slug))


def _contents(rows: dict[str, Rows]) -> Iterator[Change]:
    yield from _resources(rows["read_resources"])
    for subject, active, name in rows["read_memberships"]:
        yield AddMembership(subject=subject, name=name)
        if not active:
            yield DeactivateMembership(subject=subject)
    for slug, name in rows["read_groups"]:
        yield CreateGroup(group=slug, name=name)
    yield from _members(rows["read_group_members"])
    for child, parent in rows["read_nestings"]:
        yield NestGroup(group=child, into=parent)
    for holder, role, resource, until in sorted(rows["read_assignments"], key=lambda row: row[:3]):
        on = None if resource == model.ROOT else resource
        yield Assign(role=role, to=holder, on=on, expires_at=_time(until))


def _resources(rows: Rows) -> Iterator[Change]:
    """Each resource after its parent."""
    below: dict[str, list[str]] = {}
    for slug, parent in rows:
        if parent is not None:
            below.setdefault(parent, []).append(slug)
    waiting: deque[str] = deque([model.ROOT])
    while waiting:
        parent = waiting.popleft()
        for slug in below.get(parent, ()):
            yield CreateResource(resource=slug, parent=None if parent == model.ROOT else parent)
            waiting.append(slug)


def _members(rows: Rows) -> Iterator[Change]:
    ordered = sorted(rows, key=lambda row: (row[1], row[2] is not None, row[2] or 0, row[0]))
    for (group, until), listed in groupby(ordered, key=lambda row: (row[1], row[2])):
        subjects = [subject for subject, *_ in listed]
        for start in range(0, len(subjects), MEMBERS_PER_CHANGE):
            part = tuple(subjects[start : start + MEMBERS_PER_CHANGE])
            yield AddMembers(group=group, members=part, expires_at=_time(until))


def _time(until: int | None) -> datetime | None:
    return None if until is None else model.moment(until)
