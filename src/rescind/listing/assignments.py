"""Lists of assignments, and of what expires soon."""

from __future__ import annotations

from typing import Final

from rescind.listing.reading import FIRST, LAST, Reading, time
from rescind.model import (
    AssignmentEntry,
    ExpiryEntry,
    FactPage,
    HolderNumber,
    ResourceNumber,
    RoleNumber,
    moment,
)
from rescind.store.rows.listing import (
    LISTED_ASSIGNMENTS,
    LISTED_ASSIGNMENTS_OF_HOLDER,
    LISTED_ASSIGNMENTS_OF_ROLE,
    LISTED_ASSIGNMENTS_ON_RESOURCE,
    LISTED_EXPIRING,
    LISTED_HOLDERS,
    ExpiringRow,
    ListedAssignmentRow,
)

MOST_HOLDERS: Final = 16
"""Holders whose assignments are read at a time."""


def of_organization(read: Reading, now: int) -> FactPage[AssignmentEntry]:
    """All assignments of an organization, in the order of their numbers."""
    (after,) = read.after(FIRST)
    rows = read.fetch(LISTED_ASSIGNMENTS, id=after, now=now, limit=read.limit + 1)
    return read.page(rows, lambda row: [row.number], _entry)


def of_role(read: Reading, role: RoleNumber, now: int) -> FactPage[AssignmentEntry]:
    """The assignments of a role, in the order of their numbers."""
    (after,) = read.after(FIRST)
    params = {"role": role, "id": after, "now": now, "limit": read.limit + 1}
    rows = read.fetch(LISTED_ASSIGNMENTS_OF_ROLE, **params)
    return read.page(rows, lambda row: [row.number], _entry)


def on_resource(read: Reading, resource: ResourceNumber, now: int) -> FactPage[AssignmentEntry]:
    """The assignments directly on a resource, by holder."""
    holder, role = read.after(FIRST, FIRST)
    params = {"resource": resource, "holder": holder, "role": role, "now": now}
    rows = read.fetch(LISTED_ASSIGNMENTS_ON_RESOURCE, limit=read.limit + 1, **params)
    return read.page(rows, lambda row: [row.holder_number, row.role_number], _entry)


def of_holder(
    read: Reading, number: HolderNumber, now: int, *, effective: bool
) -> FactPage[AssignmentEntry]:
    """The assignments of a holder; with `effective`, first those of the groups that it is in.

    First lists the holders that have any; then reads as many of them as a page takes.
    """
    holder, resource, role = read.after(FIRST, FIRST, FIRST)
    holders = [number]
    if effective:
        params = {"holder": number, "from": holder, "now": now}
        holders = [row.holder for row in read.fetch(LISTED_HOLDERS, **params)]
    rows: list[ListedAssignmentRow] = []
    at, width = 0, 1
    while at < len(holders) and len(rows) <= read.limit:
        left = read.limit + 1 - len(rows)
        asked = [
            {
                "holder": each,
                "resource": resource if each == holder else FIRST,
                "role": role if each == holder else FIRST,
                "now": now,
                "limit": left,
            }
            for each in holders[at : at + width]
        ]
        for found in read.fetch_many(LISTED_ASSIGNMENTS_OF_HOLDER, asked):
            rows += found
        at, width = at + width, min(2 * width, MOST_HOLDERS)
    return read.page(
        rows, lambda row: [row.holder_number, row.resource_number, row.role_number], _entry
    )


def expiring(read: Reading, now: int, until: int) -> FactPage[ExpiryEntry]:
    """Places in groups and assignments that end from now on and until a time, the next first."""
    at, kind, x, y, until = read.after(now, 1, LAST, 0, until)
    is_place = kind == 0
    params = {
        "place_at": at,
        "place_x": x if is_place else LAST,
        "place_y": y if is_place else LAST,
        "given_at": at,
        "given_x": FIRST if is_place else x,
    }
    rows = read.fetch(LISTED_EXPIRING, until=until, limit=read.limit + 1, **params)
    return read.page(
        rows, lambda row: [row.expires_at, row.kind, row.first, row.second, until], _expiry
    )


def _entry(row: ListedAssignmentRow) -> AssignmentEntry:
    return AssignmentEntry(
        row.holder,
        row.role,
        row.resource,
        bool(row.active),
        time(row.recorded_at),
        row.actor,
        row.reason,
        time(row.expires_at),
    )


def _expiry(row: ExpiringRow) -> ExpiryEntry | None:
    """None for a place in a group that has been deleted."""
    if row.kind == 0 and row.group is None:
        return None
    return ExpiryEntry(
        moment(row.expires_at),
        row.holder,
        row.group,
        row.role,
        row.resource,
        bool(row.active),
        time(row.recorded_at),
        row.actor,
    )
