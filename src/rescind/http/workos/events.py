"""Events: what was done, whoever did it, in an order in which reading on misses none."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from litestar import get
from litestar.params import FromQuery

from rescind import model
from rescind.http.auth import requires
from rescind.http.workos import organizations, shapes
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.envelopes import Key, Span, page, window
from rescind.http.workos.errors import Refused, invalid
from rescind.http.workos.following import follow
from rescind.http.workos.given import parted, texts
from rescind.http.workos.ids import Kind, Place

ALWAYS: Final = (0, 2**62)
MOST_NAMES: Final = 100
"""Names of events that one request may ask for."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


@get("/events", guards=[requires("read")], sync_to_thread=True)
def list_events(
    call: Asked,
    events: FromQuery[str | None] = None,
    organization_id: FromQuery[str | None] = None,
    range_start: FromQuery[str | None] = None,
    range_end: FromQuery[str | None] = None,
    limit: FromQuery[int] = 10,
    before: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
    order: FromQuery[Literal["asc", "desc", "normal"]] = "asc",
) -> dict[str, Any]:
    """The events of the last 30 days, oldest first; of an organization, of some names, of a time.

    A page ends early, with a cursor to read on, where its events would be larger than a page of the log.
    """
    if not 1 <= limit <= 100:
        raise invalid("limit", "use 1 to 100")
    if after and range_start:
        raise invalid("range_start", "give it or after, not both")
    o = organizations.shown(call, organization_id)[0] if organization_id else call.bound
    follow(call, o)
    names = {
        "o": o,
        "names": texts(parted("events", events, most=MOST_NAMES)),
        "since": _time("range_start", range_start, ALWAYS[0]),
        "until": _time("range_end", range_end, ALWAYS[1]),
    }

    def key_of(cursor: str) -> Key:
        place = call.ids.place(Kind.EVENT, cursor)
        rows = call.fetch("find_event", position=_position(place), o=o) if place else []
        if not rows:
            raise Refused(400, "invalid_cursor", "The cursor does not belong to this list.")
        return rows[0][0], rows[0][1]

    def fetch(span: Span) -> list[Any]:
        (low_w, low), (high_w, high) = span.low, span.high
        bounds = {"low_w": low_w, "low": low, "high_w": high_w, "high": high}
        query = f"page_events_{span.direction}"
        return call.fetch(query, limit=span.limit, **bounds, **names)

    return page(
        window(limit, before, after, order),
        key_of=key_of,
        fetch=fetch,
        cursor_of=lambda row: _id(call, row),
        show=lambda rows: _shown(call, rows),
        fits=lambda rows: _fitting(rows, call.service.limits.page_characters),
    )


def _fitting(rows: Sequence[shapes.Row], most: int) -> int:
    """How many of the first rows have so many characters at most; one at least."""
    characters = 0
    for place, row in enumerate(rows):
        characters += row[4]
        if place and characters > most:
            return place
    return len(rows)


def _id(call: Call, row: shapes.Row) -> str:
    """An event's id holds its position, in two halves."""
    position, o = row[1], row[2]
    low = position & 0xFFFF_FFFF
    return call.ids.of(Kind.EVENT, o, position >> 32, low - 2**32 if low >= 2**31 else low)


def _position(place: Place) -> int:
    return place.number << 32 | place.second & 0xFFFF_FFFF


def _shown(call: Call, rows: Sequence[shapes.Row]) -> list[dict[str, Any]]:
    """Events with their data, which is read for those alone that are shown."""
    positions = json.dumps([str(row[1]) for row in rows])
    data: dict[int, str] = dict(call.fetch("read_events", positions=positions)) if rows else {}
    return [
        {
            "object": "event",
            "id": _id(call, row),
            "event": row[3],
            "data": json.loads(data[row[1]]),
            "created_at": shapes.time_of(row[5]),
        }
        for row in rows
        if row[1] in data  # else it has just become too old
    ]


def _time(field: str, value: str | None, default: int) -> int:
    if not value:
        return default
    try:
        if _TIME.fullmatch(value):
            return model.microseconds(datetime.fromisoformat(value))
    except ValueError:
        pass
    raise invalid(field, "write it as 2026-01-31T12:00:00Z")


HANDLERS = [list_events]
