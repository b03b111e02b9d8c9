"""Following the change log: whoever made a change, its events are told, once and in order.

Who asks for events has the log told first. What the management API has noted of its own writes is told as
it was noted; the log's entry of that write is then only taken note of.
"""

from __future__ import annotations

import json
from typing import Any, Final

from rescind.changelog import PAGE_CHARACTERS, is_last
from rescind.changes import Change, list_from_json
from rescind.http.workos.call import Call
from rescind.http.workos.entries import EVENTS_KEPT_SECONDS
from rescind.http.workos.names import Names
from rescind.http.workos.telling import Event, Teller
from rescind.store import Rows

ENTRIES: Final = 200
"""Of the log, told as one transaction."""
MEMBERS: Final = 10_000
"""So many members named by them are enough for one."""
MOST_STEPS: Final = 50
"""Of one organization before a request is answered. The next one goes on."""
LogDraft = tuple[int, int, str, list[Change]]
"""Revision, time, actor, and changes."""


def follow(call: Call, o: int | None) -> None:
    """Tell what was changed and has not been told, of one organization or of all: each change once."""
    for (number,) in call.fetch("list_untold", o=o, now=call.now):
        for _ in range(MOST_STEPS):
            with call.transaction():
                is_done = _step(call, number)
            if is_done:
                break


def _step(call: Call, o: int) -> bool:
    """Tell a part of the log; whether that was all. Notes are read last: no entry is seen without its own."""
    call.fetch("begin_following", o=o)
    ((told, *numbers),) = call.fetch("lock_following", o=o)
    entries, is_all = _entries(call, o, told)
    notes = call.fetch("list_notes", o=o)
    known = dict(zip(("number", "role", "permission"), numbers, strict=True))
    (owner,) = call.fetch("show_organization_ever", o=o)
    names = Names(call, owner, (each for entry in entries for each in entry[3]), known)
    teller = Teller(call, owner, names)
    last = entries[-1][0] if entries else told
    due = [note for note in notes if note[2] <= last]
    events = _in_order(teller, entries, due, until=call.now if is_all else None)
    _record(call, o, events)
    call.fetch("forget_notes", o=o, notes=json.dumps([str(note[0]) for note in due]))
    call.fetch("forget_gone", o=o, revision=last)
    call.fetch("forget_gone_ids", o=o)
    call.fetch("end_following", o=o, revision=last, **known)
    return is_all


def _entries(call: Call, o: int, told: int) -> tuple[list[LogDraft], bool]:
    """The log's next entries, and whether there are no more."""
    found: list[LogDraft] = []
    named = 0
    rows = call.fetch("read_log", o=o, after=told, limit=ENTRIES, characters=PAGE_CHARACTERS)
    for row in rows:
        logged = list_from_json(row[-1])
        named += sum(len(getattr(change, "members", ())) for change in logged)
        found.append((row[0], row[1], row[2], logged))
        if named >= MEMBERS:
            break
    return found, len(found) == len(rows) and is_last(rows, ENTRIES)


def _in_order(
    teller: Teller, entries: list[LogDraft], notes: Rows, *, until: int | None
) -> list[dict[str, Any]]:
    """Of the log and the notes, by revision; of the log, what is not noted. What has expired comes before the
    change that was recorded after that; and at the end, what has by `until`.
    """
    found: list[tuple[int, int, Event | tuple[Any, ...]]] = []
    for revision, recorded_at, actor, logged in entries:
        found += [(revision, 0, event) for event in teller.expire(recorded_at)]
        events = teller.tell(revision, recorded_at, actor, logged)
        if any(since <= revision <= last for _, since, last, *_ in notes):
            found += [(revision, 1 if e.is_end else 3, e) for e in events if not e.is_noted]
        else:
            found += [(revision, 1, event) for event in events]
    found += [(note[2], 2, note) for note in notes]
    found.sort(key=lambda each: each[:2])
    last = [] if until is None else teller.expire(until)
    return [_told(what) for what in (*(what for *_, what in found), *last)]


def _told(what: Event | tuple[Any, ...]) -> dict[str, Any]:
    if isinstance(what, Event):
        data = json.dumps(what.data(), ensure_ascii=False)
        return {"name": what.name, "data": data, "actor": what.actor, "at": what.recorded_at}
    *_, name, data, actor, recorded_at = what
    return {"name": name, "data": data, "actor": actor, "at": recorded_at}


def _record(call: Call, o: int, events: list[dict[str, Any]]) -> None:
    cutoff = call.now - EVENTS_KEPT_SECONDS * 1_000_000
    call.fetch("forget_old_events", cutoff=cutoff)
    kept = [event for event in events if event["at"] >= cutoff]
    if kept:
        call.fetch("record_events", o=o, events=json.dumps(kept, ensure_ascii=False))
