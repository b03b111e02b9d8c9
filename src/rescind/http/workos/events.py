"""The route of events, in an order in which reading on misses none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from rescind import model
from rescind.directory import events as recorded
from rescind.directory import organizations
from rescind.directory.errors import invalid
from rescind.directory.events import EventFilter
from rescind.directory.follow_log import follow_log
from rescind.directory.query_values import json_texts
from rescind.http.auth import requires
from rescind.http.server.service import Service
from rescind.http.workos.envelopes import page, window
from rescind.http.workos.request_values import comma_separated
from rescind.http.workos.responses import Unit
from rescind.store.rows.events import EventRow

ALWAYS: Final = (0, 2**62)
MOST_NAMES: Final = 100
"""Names of events that one request may ask for."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


@get("/events", guards=[requires("read")], sync_to_thread=True)
def list_events(
    unit: Unit,
    service: NamedDependency[Service],
    events: FromQuery[str | None] = None,
    organization_id: FromQuery[str | None] = None,
    range_start: FromQuery[str | None] = None,
    range_end: FromQuery[str | None] = None,
    limit: FromQuery[int] = 10,
    before: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
    order: FromQuery[Literal["asc", "desc", "normal"]] = "asc",
) -> dict[str, Any]:
    """The events of the last 30 days, oldest first, filtered by organization, names and time.

    A page ends early, with a cursor to read on, where its events would be larger than a page of the log.
    """
    if not 1 <= limit <= 100:
        raise invalid("limit", "use 1 to 100")
    if after and range_start:
        raise invalid("range_start", "give it or after, not both")
    o = unit.bound_organization
    if organization_id:
        o = organizations.find_organization(unit, organization_id).organization
    follow_log(unit, o)
    wanted = EventFilter(
        organization=o,
        names=json_texts(comma_separated("events", events, most=MOST_NAMES)),
        since=_time("range_start", range_start, ALWAYS[0]),
        until=_time("range_end", range_end, ALWAYS[1]),
    )
    return page(
        window(limit, before, after, order),
        key_of=lambda cursor: recorded.event_key(unit, cursor, o),
        fetch=lambda span: recorded.page_events(unit, wanted, span),
        cursor_of=lambda row: recorded.event_id(unit, row),
        show=lambda rows: recorded.show_events(unit, rows),
        fits=lambda rows: _fitting(rows, service.limits.page_characters),
    )


def _fitting(rows: Sequence[EventRow], most: int) -> int:
    """How many of the first rows have at most `most` characters; at least one."""
    characters = 0
    for place, row in enumerate(rows):
        characters += row.characters
        if place and characters > most:
            return place
    return len(rows)


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
