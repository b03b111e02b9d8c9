"""What is assigned to whom, and what ends soon."""

from __future__ import annotations

from typing import Any, Final

from rescind.listing.reading import FIRST, LAST, Reading, time
from rescind.model import AssignmentEntry, ExpiryEntry, FactPage, moment

MOST_HOLDERS: Final = 16
"""Whose assignments are read at a time."""


def of_organization(read: Reading, now: int) -> FactPage[AssignmentEntry]:
    """All of an organization's, in the order of their numbers."""
    (after,) = read.after(FIRST)
    rows = read.fetch("listed_assignments", id=after, now=now, limit=read.limit + 1)
    return read.page(rows, lambda row: row[:1], _entry)


def of_role(read: Reading, role: int, now: int) -> FactPage[AssignmentEntry]:
    """Those of a role, in the order of their numbers."""
    (after,) = read.after(FIRST)
    names = {"role": role, "id": after, "now": now, "limit": read.limit + 1}
    return read.page(read.fetch("listed_assignments_of_role", **names), lambda row: row[:1], _entry)


def on_resource(read: Reading, resource: int, now: int) -> FactPage[AssignmentEntry]:
    """Those on a resource itself, by holder."""
    holder, role = read.after(FIRST, FIRST)
    names = {"resource": resource, "holder": holder, "role": role, "now": now}
    rows = read.fetch("listed_assignments_on_resource", limit=read.limit + 1, **names)
    return read.page(rows, lambda row: (row[1], row[3]), _entry)


def of_holder(
    read: Reading, number: int, now: int, *, effective: bool
) -> FactPage[AssignmentEntry]:
    """Those of a holder; with `effective` also those of the groups that it is in, which come first.

    The holders that have any are listed; then as many are read, in turn, as a page takes.
    """
    holder, resource, role = read.after(FIRST, FIRST, FIRST)
    holders = [number]
    if effective:
        names = {"holder": number, "from": holder, "now": now}
        holders = [found for (found,) in read.fetch("listed_holders", **names)]
    rows: list[tuple[Any, ...]] = []
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
        for found in read.fetch_many("listed_assignments_of_holder", asked):
            rows += found
        at, width = at + width, min(2 * width, MOST_HOLDERS)
    return read.page(rows, lambda row: row[1:4], _entry)


def expiring(read: Reading, now: int, until: int) -> FactPage[ExpiryEntry]:
    """Places in groups and assignments that end from now on and until a time, the next first."""
    at, kind, x, y, until = read.after(now, 1, LAST, 0, until)
    is_place = kind == 0
    names = {
        "place_at": at,
        "place_x": x if is_place else LAST,
        "place_y": y if is_place else LAST,
        "given_at": at,
        "given_x": FIRST if is_place else x,
    }
    rows = read.fetch("listed_expiring", until=until, limit=read.limit + 1, **names)
    return read.page(rows, lambda row: (*row[:4], until), _expiry)


def _entry(row: tuple[Any, ...]) -> AssignmentEntry:
    holder, active, role, resource, since, by, reason, expires_at = row[4:]
    return AssignmentEntry(
        holder, role, resource, bool(active), time(since), by, reason, time(expires_at)
    )


def _expiry(row: tuple[Any, ...]) -> ExpiryEntry | None:
    """None for a place in a group that has been deleted."""
    expires_at, kind, _, _, holder, active, group, role, resource, since, by = row
    if kind == 0 and group is None:
        return None
    return ExpiryEntry(
        moment(expires_at), holder, group, role, resource, bool(active), time(since), by
    )
