"""The roles that memberships and groups hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from rescind import changes, model
from rescind.directory.query_values import json_texts
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import OrganizationNumber
from rescind.store.rows.directory import FIND_ASSIGNMENTS, LIST_ROLES_HELD, MembershipRow

RolesHeld: TypeAlias = dict[tuple[int, int], list[str]]
"""Roles of each (organization, membership), the highest first."""


def wide_roles(unit: UnitOfWork, members: Sequence[MembershipRow]) -> RolesHeld:
    """Organization-wide roles, own and through groups. In a single-role organization, the one that counts."""
    found: RolesHeld = {}
    for o in {member.organization for member in members}:
        here = [member for member in members if member.organization == o]
        if here[0].role_mode == "single":
            found |= {(o, member.number): _winner(unit, member) for member in here}
            continue
        numbers = json_texts(str(member.number) for member in here)
        for row in unit.fetch(LIST_ROLES_HELD, o=o, memberships=numbers, now=unit.now):
            found.setdefault((o, row.membership), []).append(row.role)
    return found


def _winner(unit: UnitOfWork, member: MembershipRow) -> list[str]:
    winner = unit.winning_role(member)
    return [] if winner is None else [winner]


# --- what a holder holds itself -------------------------------------------------------------------


class RoleOnResource(NamedTuple):
    """A role on a resource, by their slugs."""

    role: str
    resource: str


class OwnAssignment(NamedTuple):
    """An assignment in force."""

    number: int
    expires_at: int | None


OwnRoles: TypeAlias = dict[RoleOnResource, OwnAssignment]


def own_roles(unit: UnitOfWork, organization: OrganizationNumber, holder: int) -> OwnRoles:
    """What a membership or (negative) a group holds itself now."""
    found = unit.fetch(FIND_ASSIGNMENTS, o=organization, holder=holder, now=unit.now)
    return {
        RoleOnResource(row.role, row.resource): OwnAssignment(row.number, row.expires_at)
        for row in found
    }


def renewed(key: RoleOnResource, own: OwnRoles) -> changes.Given:
    """A role on a resource, to be given again: one that is held keeps its time of expiry."""
    held = own.get(key)
    until = None if held is None or held.expires_at is None else model.moment(held.expires_at)
    return changes.Given(role=key.role, on=key.resource, expires_at=until)


def assign(key: RoleOnResource, to: str, own: OwnRoles) -> changes.Assign:
    """The change that gives a holder a role on a resource, with the expiry that it has."""
    item = renewed(key, own)
    return changes.Assign(role=item.role, to=to, on=item.on, expires_at=item.expires_at)
