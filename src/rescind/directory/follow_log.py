"""Follows the change log: each change's events are recorded once and in order, whoever made the change.

A request for events has the log followed first. Events that the management API noted of its own writes are
recorded as they were noted; of the log's entry of such a write only what was not noted is added.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, NamedTuple

from rescind.changelog import PAGE_CHARACTERS, is_last
from rescind.changes import Change, list_from_json, members_in
from rescind.directory.event_batch import Event
from rescind.directory.event_writer import EventWriter
from rescind.directory.events import EVENTS_KEPT_SECONDS
from rescind.directory.log_objects import LogObjects
from rescind.directory.query_values import json_numbers
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import OrganizationNumber
from rescind.store.rows.events import (
    LIST_NOTES,
    LIST_UNREPORTED,
    LOCK_FOLLOWING,
    SHOW_ORGANIZATION_EVER,
    NoteRow,
)
from rescind.store.rows.facts import READ_LOG

ENTRIES: Final = 200
"""Log entries of one transaction."""
MEMBERS: Final = 10_000
"""Members named by log entries after which a transaction takes no more entries."""
MOST_STEPS: Final = 50
"""Transactions for one organization before a request is answered. The next request goes on."""


class LogEntry(NamedTuple):
    """A log entry with its changes."""

    revision: int
    recorded_at: int
    actor: str
    changes: list[Change]


class RecordedEvent(NamedTuple):
    """An event as it is stored; `data` is JSON."""

    name: str
    data: str
    actor: str
    at: int


def follow_log(unit: UnitOfWork, organization: OrganizationNumber | None) -> None:
    """Record the events of unreported changes, of one organization or of all: each change once."""
    for row in unit.fetch(LIST_UNREPORTED, o=organization, now=unit.now):
        for _ in range(MOST_STEPS):
            with unit.transaction():
                is_done = _step(unit, row.organization)
            if is_done:
                break


def _step(unit: UnitOfWork, o: OrganizationNumber) -> bool:
    """Report a part of the log; whether that was all. Notes are read last: so each entry read has its own."""
    unit.execute("begin_following", o=o)
    (follower,) = unit.fetch(LOCK_FOLLOWING, o=o)
    entries, is_all = _entries(unit, o, follower.revision)
    notes = unit.fetch(LIST_NOTES, o=o)
    known = {
        "number": follower.number,
        "role": follower.role,
        "permission": follower.permission,
    }
    (owner,) = unit.fetch(SHOW_ORGANIZATION_EVER, o=o)
    logged = (change for entry in entries for change in entry.changes)
    log_objects = LogObjects(unit, owner, logged, known)
    writer = EventWriter(unit, owner, log_objects)
    last = entries[-1].revision if entries else follower.revision
    due = [note for note in notes if note.revision <= last]
    _record(unit, o, _in_order(writer, entries, due, until=unit.now if is_all else None))
    unit.execute("forget_notes", o=o, notes=json_numbers(note.id for note in due))
    unit.execute("forget_gone", o=o, revision=last)
    unit.execute("forget_gone_ids", o=o)
    unit.execute("end_following", o=o, revision=last, **known)
    return is_all


def _entries(unit: UnitOfWork, o: OrganizationNumber, after: int) -> tuple[list[LogEntry], bool]:
    """The log's next entries, and whether there are no more."""
    found: list[LogEntry] = []
    members = 0
    rows = unit.fetch(READ_LOG, o=o, after=after, limit=ENTRIES, characters=PAGE_CHARACTERS)
    for row in rows:
        logged = list_from_json(row.body)
        members += sum(len(members_in(change)) for change in logged)
        found.append(LogEntry(row.revision, row.recorded_at, row.actor, logged))
        if members >= MEMBERS:
            break
    return found, len(found) == len(rows) and is_last([*rows], ENTRIES)


def _in_order(
    writer: EventWriter, entries: list[LogEntry], notes: list[NoteRow], *, until: int | None
) -> list[RecordedEvent]:
    """The events of log entries and notes, by revision.

    An expiry comes before the change that was recorded after it; at the end comes what has expired by
    `until`.
    """
    found: list[tuple[int, int, Event | NoteRow]] = []
    for revision, recorded_at, actor, logged in entries:
        found += [(revision, 0, event) for event in writer.expire(recorded_at)]
        events = writer.write(revision, recorded_at, actor, logged)
        if any(note.since <= revision <= note.revision for note in notes):
            unnoted = (event for event in events if not event.is_noted)
            found += [(revision, 1 if event.is_end else 3, event) for event in unnoted]
        else:
            found += [(revision, 1, event) for event in events]
    found += [(note.revision, 2, note) for note in notes]
    found.sort(key=lambda each: each[:2])
    expired = [] if until is None else writer.expire(until)
    return [_recorded(event) for event in (*(event for *_, event in found), *expired)]


def _recorded(event: Event | NoteRow) -> RecordedEvent:
    data = (
        event.data if isinstance(event, NoteRow) else json.dumps(event.data(), ensure_ascii=False)
    )
    return RecordedEvent(event.name, data, event.actor, event.recorded_at)


def _record(unit: UnitOfWork, o: OrganizationNumber, events: Iterable[RecordedEvent]) -> None:
    cutoff = unit.now - EVENTS_KEPT_SECONDS * 1_000_000
    unit.execute("forget_old_events", cutoff=cutoff)
    kept = [event._asdict() for event in events if event.at >= cutoff]
    if kept:
        unit.execute("record_events", o=o, events=json.dumps(kept, ensure_ascii=False))
