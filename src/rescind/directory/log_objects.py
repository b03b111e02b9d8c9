"""The objects that logged changes name: which object a name meant at a revision, present or deleted.

Numbers count up within an organization. So an object that a change created has a higher number than all that
were known before it, and a name means the object with the highest known number that was not deleted by then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from rescind import changes, model
from rescind.changes import Change
from rescind.changes.naming import OfPermission, OfRole
from rescind.directory.ids import Kind
from rescind.directory.paging import LAST
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import GroupNumber, MembershipNumber, PermissionNumber, RoleNumber
from rescind.store.rows.directory import (
    PAGE_MEMBERSHIPS_AMONG_ASC,
    PAGE_PERMISSIONS_AMONG_ASC,
    SHOW_ROLES,
    GroupRow,
    MembershipRow,
    PermissionRow,
    RoleRow,
)
from rescind.store.rows.events import LIST_GONE, LIST_GROUPS_NAMED, GoneRow, OwnerRow

KINDS = {
    kind.name.lower(): kind for kind in (Kind.MEMBERSHIP, Kind.GROUP, Kind.ROLE, Kind.PERMISSION)
}
SERIES = {
    Kind.MEMBERSHIP: "number",
    Kind.GROUP: "number",
    Kind.ROLE: "role",
    Kind.PERMISSION: "permission",
}
"""Which kinds of objects share a sequence of numbers."""
ObjectRow: TypeAlias = MembershipRow | GroupRow | RoleRow | PermissionRow


@dataclass(slots=True)
class LogObject:
    """An object that has or had a name. Of a deleted one, `row` has what is left."""

    kind: Kind
    name: str
    number: int
    row: ObjectRow
    deleted_at: int | None = None
    """The revision that deleted it."""
    is_reported_deleted: bool = False


class LogObjects:
    """The objects of one organization that some changes name, from the first unreported revision to now.

    `known` holds the highest number of each sequence that earlier changes created; it moves along.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        owner: OwnerRow,
        logged: Iterable[Change],
        known: dict[str, int],
    ) -> None:
        self.known = known
        self._unit, self._owner, self._o = unit, owner, owner.organization
        self._objects: dict[tuple[Kind, str], dict[int, LogObject]] = {}
        self._read(list(logged))

    def created(self, kind: Kind, name: str, revision: int) -> LogObject | None:
        """The object that a change created under a name; None if the name had one before."""
        if self.named(kind, name, revision) is not None:
            return None
        known = self.known[SERIES[kind]]
        later = [each for each in self._present(kind, name, revision) if abs(each.number) > known]
        if not later:
            return None
        self.known[SERIES[kind]] = abs(later[0].number)
        return later[0]

    def named(self, kind: Kind, name: str, revision: int) -> LogObject | None:
        """The object that a name means at a revision."""
        known = self.known[SERIES[kind]]
        found = [each for each in self._present(kind, name, revision) if abs(each.number) <= known]
        return found[-1] if found else None

    def deleted(self, kind: Kind, name: str, revision: int) -> LogObject | None:
        """The object that a change deleted under a name; None if there was none."""
        found = self.named(kind, name, revision)
        if found is None or found.deleted_at != revision:
            return None
        found.is_reported_deleted = True
        return found

    def _present(self, kind: Kind, name: str, revision: int) -> list[LogObject]:
        candidates = self._objects.get((kind, name), {}).values()
        present = [
            each
            for each in candidates
            if not each.is_reported_deleted
            and (each.deleted_at is None or each.deleted_at >= revision)
        ]
        return sorted(present, key=lambda each: abs(each.number))

    # --- reading ----------------------------------------------------------------------------------

    def _read(self, logged: list[Change]) -> None:
        """Read present objects first: an object that is deleted between the two reads is found in both."""
        unit, o = self._unit, self._o
        subjects = sorted({name for change in logged for name in subjects_of(change)})
        groups = sorted({name for change in logged for name in changes.groups_in(change)})
        span = {"low": -1, "high": LAST, "limit": LAST}
        if subjects:
            for member in unit.fetch(
                PAGE_MEMBERSHIPS_AMONG_ASC, o=o, subjects=json.dumps(subjects), **span
            ):
                self._add(LogObject(Kind.MEMBERSHIP, member.subject, member.number, member))
        if groups:
            for group in unit.fetch(LIST_GROUPS_NAMED, o=o, groups=json.dumps(groups)):
                self._add(LogObject(Kind.GROUP, group.slug, group.number, group))
        if any(isinstance(change, OfRole) for change in logged):
            for role in unit.fetch(SHOW_ROLES, o=o, role=""):
                if role.organization == o:
                    self._add(LogObject(Kind.ROLE, role.slug, role.number, role))
        named = sorted({change.permission for change in logged if isinstance(change, OfPermission)})
        if named:
            for permission in unit.fetch(
                PAGE_PERMISSIONS_AMONG_ASC, o=o, permissions=json.dumps(named), **span
            ):
                if permission.organization == o:
                    slug, number = permission.slug, permission.number
                    self._add(LogObject(Kind.PERMISSION, slug, number, permission))
        for gone in unit.fetch(LIST_GONE, o=o):
            kind, row = KINDS[gone.kind], self._row_of_deleted(gone)
            self._add(LogObject(kind, gone.name, gone.number, row, deleted_at=gone.revision))

    def _add(self, found: LogObject) -> None:
        self._objects.setdefault((found.kind, found.name), {})[found.number] = found

    def _row_of_deleted(self, gone: GoneRow) -> ObjectRow:
        """The row that a deleted object would have."""
        kind = KINDS[gone.kind]
        if kind is Kind.MEMBERSHIP:
            return self._deleted_membership(gone)
        if kind is Kind.GROUP:
            return self._deleted_group(gone)
        if kind is Kind.ROLE:
            return self._deleted_role(gone)
        return self._deleted_permission(gone)

    def _deleted_membership(self, gone: GoneRow) -> MembershipRow:
        owner = self._owner
        return MembershipRow(
            organization=self._o,
            number=MembershipNumber(gone.number),
            subject=gone.name,
            name=gone.label,
            is_active=False,
            created_at=self._unit.now,
            public_id=gone.public_id,
            updated_at=gone.updated_at,
            organization_public_id=owner.public_id,
            organization_name=owner.name,
            organization_slug=owner.slug,
            role_mode=owner.role_mode,
        )

    def _deleted_group(self, gone: GoneRow) -> GroupRow:
        return GroupRow(
            organization=self._o,
            number=GroupNumber(gone.number),
            slug=gone.name,
            name=gone.label,
            public_id=gone.public_id,
            attributes=gone.attributes,
            created_at=None,
            updated_at=gone.updated_at,
            organization_public_id=self._owner.public_id,
            organization_created_at=self._owner.created_at,
        )

    def _deleted_role(self, gone: GoneRow) -> RoleRow:
        return RoleRow(
            organization=self._o,
            number=RoleNumber(gone.number),
            slug=gone.name,
            name=gone.label,
            priority=0,
            attributes=gone.attributes,
            created_at=self._owner.created_at,
            updated_at=gone.updated_at,
            resource_type=None,
        )

    def _deleted_permission(self, gone: GoneRow) -> PermissionRow:
        return PermissionRow(
            organization=self._o,
            number=PermissionNumber(gone.number),
            slug=gone.name,
            description=gone.label,
            attributes=gone.attributes,
            created_at=self._owner.created_at,
            updated_at=gone.updated_at,
        )


def subjects_of(change: Change) -> list[str]:
    """The memberships that a change names."""
    return [model.subject_id(name) for name in changes.subjects_in(change)]


def alters_wide_roles(change: Change) -> bool:
    """Whether it gives or takes organization-wide roles of a membership itself."""
    if isinstance(change, changes.Assign | changes.Unassign):
        is_wide = model.resource_id(change.on) == model.ROOT
        return is_wide and not change.to.startswith("group:")
    if isinstance(change, changes.ReplaceAssignments):
        return not change.to.startswith("group:")
    return False
