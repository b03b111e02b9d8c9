"""Organization memberships: what can be read of them and done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from rescind import changes, model
from rescind.changes import Change
from rescind.directory import directory_entries, objects, organizations
from rescind.directory.errors import Conflict, invalid, not_found
from rescind.directory.events import note_event
from rescind.directory.ids import Kind
from rescind.directory.objects import Object
from rescind.directory.paging import Key, PagedQuery, Span
from rescind.directory.roles_held import RoleOnResource, assign, own_roles, wide_roles
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import MembershipNumber, OrganizationNumber
from rescind.store.rows.directory import (
    LIST_MEMBERSHIPS_OF_SUBJECT,
    PAGE_MEMBERSHIPS_AMONG_ASC,
    PAGE_MEMBERSHIPS_AMONG_DESC,
    PAGE_MEMBERSHIPS_ASC,
    PAGE_MEMBERSHIPS_DESC,
    SHOW_MEMBERSHIP,
    MembershipRow,
)
from rescind.store.rows.organizations import READ_ID_RULE

WHAT: Final = "Organization membership"
_MEMBERSHIPS: Final = PagedQuery(PAGE_MEMBERSHIPS_ASC, PAGE_MEMBERSHIPS_DESC)
_AMONG: Final = PagedQuery(PAGE_MEMBERSHIPS_AMONG_ASC, PAGE_MEMBERSHIPS_AMONG_DESC)


class _Roles(Struct, kw_only=True, forbid_unknown_fields=True):
    role_slug: str | UnsetType = UNSET
    role_slugs: list[str] | UnsetType = UNSET


class CreateMembership(_Roles, kw_only=True):
    user_id: str
    organization_id: str


class UpdateMembership(_Roles, kw_only=True):
    """The organization-wide roles that it is to have itself: exactly these."""


def find_membership(unit: UnitOfWork, public_id: str) -> MembershipRow:
    """The membership of an id. Raises ObjectNotFound."""
    place = unit.place(Kind.MEMBERSHIP, public_id, WHAT)
    return read_membership(unit, place.organization, MembershipNumber(place.number), public_id)


def read_membership(
    unit: UnitOfWork,
    organization: OrganizationNumber,
    number: MembershipNumber,
    public_id: str = "",
) -> MembershipRow:
    """The membership of a number. Raises ObjectNotFound, which names the id."""
    for row in unit.fetch(SHOW_MEMBERSHIP, o=organization, m=number):
        return row
    raise not_found(WHAT, public_id)


def with_roles(unit: UnitOfWork, rows: Sequence[MembershipRow]) -> list[Object]:
    """Memberships with their organization-wide roles."""
    held = wide_roles(unit, rows)
    return [
        objects.membership(unit.public_ids, row, held.get((row.organization, row.number), []))
        for row in rows
    ]


def without_roles(unit: UnitOfWork, rows: Sequence[MembershipRow]) -> list[Object]:
    """Memberships as the shorter lists have them."""
    return [objects.membership(unit.public_ids, row) for row in rows]


def membership_key(unit: UnitOfWork, cursor: str) -> Key:
    """The key of a cursor of a list of memberships. Raises InvalidValue."""
    return unit.cursor_place(Kind.MEMBERSHIP, cursor).number, 0


def membership_cursor(unit: UnitOfWork, row: MembershipRow) -> str:
    """The cursor at a membership."""
    return unit.public_ids.of(Kind.MEMBERSHIP, row.organization, row.number)


def page_memberships(
    unit: UnitOfWork, organization: OrganizationNumber, status: str, span: Span
) -> list[MembershipRow]:
    """A span of an organization's memberships. `status` is active, inactive, all, or another for none."""
    return unit.fetch(_MEMBERSHIPS.of(span), o=organization, status=status, **span.params())


def page_memberships_among(
    unit: UnitOfWork, organization: OrganizationNumber, subjects: str, span: Span
) -> list[MembershipRow]:
    """A span of an organization's memberships of some subjects, a JSON list."""
    return unit.fetch(_AMONG.of(span), o=organization, subjects=subjects, **span.params())


def memberships_of_user(unit: UnitOfWork, user_id: str) -> list[MembershipRow]:
    """A user's memberships, in each organization by the id that it keeps, the oldest first."""
    subject = model.subject_id(user_id)
    spellings = {subject, model.SubjectId(model.canonical_subject(subject))}
    rows = [
        row
        for spelling in spellings
        for row in unit.fetch(LIST_MEMBERSHIPS_OF_SUBJECT, subject=spelling)
    ]
    found = [row for row in rows if row.subject == _subject(unit, row.organization_slug, user_id)]
    return sorted(found, key=lambda row: (row.created_at, row.organization))


def _subject(unit: UnitOfWork, organization: str, user_id: str) -> model.SubjectId:
    """A user's id as the organization keeps it."""
    subject = model.subject_id(user_id)
    canonical = model.SubjectId(model.canonical_subject(subject))
    if canonical == subject:
        return subject
    (row,) = unit.fetch(READ_ID_RULE, organization=organization)
    return canonical if row.id_rule == model.IdRule.CASEFOLD else subject


def create_membership(unit: UnitOfWork, data: CreateMembership) -> Object:
    """Make a user a member, or an inactive member active again, with the roles that are named.

    Raises Conflict where the user is an active member already.
    """
    organization = organizations.find_organization(unit, data.organization_id)
    o = organization.organization
    subject = _subject(unit, organization.slug, data.user_id)
    public_id = directory_entries.chosen_id(unit, Kind.MEMBERSHIP)
    unit.lock(o)
    roles = _named_roles(data, unit.role_mode(o))
    known = _membership_of(unit, o, subject)
    if known is not None and known.is_active:
        message = f"The user '{data.user_id}' is a member of the organization already."
        raise Conflict("organization_membership_already_exists", message)
    if known is not None:
        batch: list[Change] = [changes.ReactivateMembership(subject=subject)]
        batch += _role_changes(unit, known, roles)
    else:
        batch = [changes.AddMembership(subject=subject)]
        batch += [changes.Assign(role=role, to=subject) for role in roles or ()]
    unit.apply(organization.slug, *batch)
    present = _membership_of(unit, o, subject)
    assert present is not None
    if known is not None:
        directory_entries.touch(unit, Kind.MEMBERSHIP, o, present.number)
        return _with_event(unit, present, "updated")
    directory_entries.create(unit, Kind.MEMBERSHIP, o, present.number, public_id=public_id)
    return _with_event(unit, present, "created")


def _membership_of(
    unit: UnitOfWork, organization: OrganizationNumber, subject: str
) -> MembershipRow | None:
    rows = unit.fetch(LIST_MEMBERSHIPS_OF_SUBJECT, subject=subject)
    return next((row for row in rows if row.organization == organization), None)


def update_membership(unit: UnitOfWork, public_id: str, data: UpdateMembership) -> Object:
    """Make a membership's own organization-wide roles exactly those named; without any they stay."""
    row = find_membership(unit, public_id)
    unit.lock(row.organization)
    batch = _role_changes(unit, row, _named_roles(data, row.role_mode))
    if batch:
        unit.apply(row.organization_slug, *batch)
    directory_entries.touch(unit, Kind.MEMBERSHIP, row.organization, row.number)
    return _with_event(unit, row, "updated")


def set_active(
    unit: UnitOfWork,
    public_id: str,
    change: type[changes.DeactivateMembership] | type[changes.ReactivateMembership],
) -> Object:
    """Deactivate or reactivate a membership."""
    row = find_membership(unit, public_id)
    if not unit.apply(row.organization_slug, change(subject=row.subject)).changed:
        return with_roles(unit, [row])[0]
    directory_entries.touch(unit, Kind.MEMBERSHIP, row.organization, row.number)
    return _with_event(unit, row, "updated")


def delete_membership(unit: UnitOfWork, public_id: str) -> None:
    """Remove a membership with its places in groups and its roles."""
    row = find_membership(unit, public_id)
    o = row.organization
    (deleted,) = with_roles(unit, [row])
    unit.apply(row.organization_slug, changes.RemoveMembership(subject=row.subject))
    directory_entries.remove(unit, Kind.MEMBERSHIP, o, row.number, keep_id=True)
    note_event(unit, "organization_membership.deleted", o, deleted)


def _named_roles(data: _Roles, role_mode: str) -> list[str] | None:
    """The roles that a request names, if any. Raises InvalidValue for a contradiction."""
    if not isinstance(data.role_slugs, list):
        return [data.role_slug] if isinstance(data.role_slug, str) else None
    if isinstance(data.role_slug, str):
        raise invalid("role_slugs", "give role_slug or role_slugs, not both")
    named = list(dict.fromkeys(data.role_slugs))
    if not named:
        message = "name a role; to take the last one away, delete its role assignment"
        raise invalid("role_slugs", message)
    if role_mode == "single" and len(named) > 1:
        raise invalid("role_slugs", "the organization is for single roles: name one")
    return named


def _role_changes(unit: UnitOfWork, row: MembershipRow, roles: list[str] | None) -> list[Change]:
    """The changes that make a membership's own organization-wide roles those named."""
    if roles is None:
        return []
    own, subject = own_roles(unit, row.organization, row.number), row.subject
    present = {key.role for key in own if key.resource == model.ROOT}
    taken = [changes.Unassign(role=slug, to=subject) for slug in sorted(present - set(roles))]
    added = [assign(RoleOnResource(slug, model.ROOT), subject, own) for slug in roles]
    return [*added, *taken]


def _with_event(unit: UnitOfWork, row: MembershipRow, what: str) -> Object:
    """The membership as it is now, after noting an event that carries it."""
    present = read_membership(unit, row.organization, row.number)
    (result,) = with_roles(unit, [present])
    note_event(unit, f"organization_membership.{what}", row.organization, result)
    return result
