"""Recorded events: notes of the management API's own writes, and the list that consumers read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rescind.directory import objects
from rescind.directory.errors import invalid_cursor
from rescind.directory.ids import Kind
from rescind.directory.objects import Object
from rescind.directory.paging import Key, PagedQuery, Span
from rescind.directory.query_values import json_numbers
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import OrganizationNumber
from rescind.store.rows.events import (
    FIND_EVENT,
    PAGE_EVENTS_ASC,
    PAGE_EVENTS_DESC,
    READ_EVENTS,
    EventRow,
)

EVENTS_KEPT_SECONDS: Final = 30 * 24 * 3600
_EVENTS: Final = PagedQuery(PAGE_EVENTS_ASC, PAGE_EVENTS_DESC)


def note_event(
    unit: UnitOfWork, name: str, organization: OrganizationNumber, data: Mapping[str, Any]
) -> None:
    """Note an event of this write that the log alone does not tell in full."""
    since, revision = unit.revisions(organization) or (None, None)
    unit.execute("forget_old_notes", cutoff=unit.now - EVENTS_KEPT_SECONDS * 1_000_000)
    unit.execute(
        "record_note",
        o=organization,
        since=since,
        revision=revision,
        name=name,
        data=json.dumps(data, ensure_ascii=False),
        actor=unit.principal.key_id,
        now=unit.now,
    )


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for: of an organization or all, of some names (a JSON list), of a time."""

    organization: OrganizationNumber | None
    names: str
    since: int
    until: int


def page_events(unit: UnitOfWork, wanted: EventFilter, span: Span) -> list[EventRow]:
    """A span of events, in an order in which reading on misses none."""
    (low_w, low), (high_w, high) = span.low, span.high
    return unit.fetch(
        _EVENTS.of(span),
        limit=span.limit,
        low_w=low_w,
        low=low,
        high_w=high_w,
        high=high,
        o=wanted.organization,
        names=wanted.names,
        since=wanted.since,
        until=wanted.until,
    )


def event_id(unit: UnitOfWork, row: EventRow) -> str:
    """An event's public id. It contains the position, in two halves of 32 bits."""
    low = row.position & 0xFFFF_FFFF
    second = low - 2**32 if low >= 2**31 else low
    return unit.public_ids.of(Kind.EVENT, row.organization, row.position >> 32, second)


def event_key(unit: UnitOfWork, cursor: str, organization: OrganizationNumber | None) -> Key:
    """The key of a cursor of a list of events. Raises InvalidValue for any other text."""
    place = unit.public_ids.place(Kind.EVENT, cursor)
    if place is not None:
        position = place.number << 32 | place.second & 0xFFFF_FFFF
        for row in unit.fetch(FIND_EVENT, position=position, o=organization):
            return row.written_by, row.position
    raise invalid_cursor()


def show_events(unit: UnitOfWork, rows: Sequence[EventRow]) -> list[Object]:
    """Events with their data, which is read for these events only."""
    if not rows:
        return []
    positions = json_numbers(row.position for row in rows)
    found = unit.fetch(READ_EVENTS, positions=positions)
    data = {row.position: row.data for row in found}
    return [
        {
            "object": "event",
            "id": event_id(unit, row),
            "event": row.name,
            "data": json.loads(data[row.position]),
            "created_at": objects.time_text(row.recorded_at),
        }
        for row in rows
        if row.position in data  # else it has just become too old
    ]
