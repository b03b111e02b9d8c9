"""The change log: who changed what, why and when, as it was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rescind import model
from rescind.errors import OrganizationNotFound
from rescind.model import Direction, OrganizationId, Route
from rescind.store import Rows, Store

PAGE = 500
PAGE_CHARACTERS = 1_048_576
"""Of the bodies of what is read at a time; one more than that may be begun."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change as recorded: who, why, when, what, and its direction."""

    organization: str
    revision: int
    recorded_at: datetime
    actor: str
    reason: str
    direction: Direction
    route: Route
    fan_out: int
    idempotency_key: str | None
    enforced_at: datetime | None
    """By when no check allowed what it revoked; none while that is not known to hold."""
    settled_at: datetime | None
    changes: str
    """A JSON list."""


def entries(
    store: Store,
    name: OrganizationId,
    *,
    after: int,
    limit: int | None,
    enforced: Callable[[int, list[int]], dict[int, int]],
) -> Iterator[LogEntry]:
    """An organization's changes after a revision, oldest first, also of a deleted one.

    `enforced` tells by when those of its revisions were enforced for which that is not on record.
    Raises OrganizationNotFound, and InvalidArgument where `after` or `limit` is no such number.
    """
    after = model.require_number("after", after, least=0, most=2**63 - 1)
    if limit is not None:
        limit = model.require_number("limit", limit, least=0)
    rows = store.fetch("find_log", {"organization": name})
    if not rows:
        raise OrganizationNotFound(organization=name)
    while limit is None or limit > 0:
        size = PAGE if limit is None else min(PAGE, limit)
        names = {"o": rows[0][0], "after": after, "limit": size, "characters": PAGE_CHARACTERS}
        page = store.fetch("read_log", names)
        unknown = [row[0] for row in page if row[8] is None]
        found = enforced(rows[0][0], unknown) if unknown else {}
        for row in page:
            yield _entry(name, row, found.get(row[0]))
        if is_last(page, size):
            return
        after = page[-1][0]
        limit = None if limit is None else limit - len(page)


def is_last(page: Rows, limit: int) -> bool:
    """Whether a page of `read_log` went to the log's end: neither its rows nor its characters were full."""
    return len(page) < limit and sum(len(row[-1]) for row in page) < PAGE_CHARACTERS


def _entry(name: str, row: tuple[Any, ...], seen: int | None) -> LogEntry:
    revision, recorded_at, actor, reason, direction, route, fan_out, key, *times, body = row
    enforced_at, settled_at = times
    enforced_at = seen if enforced_at is None else enforced_at
    return LogEntry(
        organization=name,
        revision=revision,
        recorded_at=model.moment(recorded_at),
        actor=actor,
        reason=reason,
        direction=Direction(direction),
        route=Route(route),
        fan_out=fan_out,
        idempotency_key=key,
        enforced_at=None if enforced_at is None else model.moment(enforced_at),
        settled_at=None if settled_at is None else model.moment(settled_at),
        changes=body,
    )
