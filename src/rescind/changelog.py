"""The change log: who changed what, why and when, as it was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from rescind import model
from rescind.changes.recorded_names import named_in
from rescind.errors import OrganizationNotFound
from rescind.model import (
    ROOT,
    ChainLink,
    Direction,
    Enforcement,
    LogEntry,
    LogPage,
    OrganizationId,
    Route,
    decode_enforcement,
)
from rescind.model.log import Content
from rescind.replicas.enforced_times import Enforced
from rescind.semantics.chain import first_digest
from rescind.store import Store
from rescind.store.rows.facts import FIND_CHANGES_ABOUT, FIND_LOG_PLACE, READ_LOG, LogRow
from rescind.store.rows.organizations import FIND_LOG

PAGE = 500
PAGE_CHARACTERS = 1_048_576
"""Of the bodies of what is read at a time; one more than that may be begun."""
LOOKED_AT: Final = 5_000
"""Changes of one look for those that are about something."""
MOST_LOOKS: Final = 4
"""For one page."""
SKEW: Final = 86_400_000_000
"""Microseconds by which the clocks of those who make changes may differ: a day."""
BODIES: Final = 50
"""Changes that are read at a time to see what they are about."""


@dataclass(frozen=True, slots=True)
class About:
    """Which changes are meant: by whom (part of the actor's name), naming what, and recorded when.

    With several, all must hold. `since` is in, `until` is not.
    """

    actor: str | None = None
    subject: str | None = None
    group: str | None = None
    role: str | None = None
    resource: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_all(self) -> bool:
        """Whether every change is meant."""
        return self == _ALL

    @property
    def text(self) -> str:
        """What the body of each such change has in it; empty where that cannot be said."""
        named = {
            "subject": (self.subject or "").removeprefix("user:"),
            "group": self.group or "",
            "role": self.role or "",
            "resource": "" if self.resource == ROOT else self.resource or "",
        }
        longest = max(named.values(), key=len)
        return msgspec.json.encode(longest).decode()[1:] if longest else ""

    def names(self, body: str) -> bool:
        """Whether the changes of a body name all that is asked for."""
        return not self._wanted or self._wanted <= named_in(msgspec.json.decode(body))

    def is_named_by(self, change: dict[str, Any]) -> bool:
        """Whether one change names any of it."""
        return not self._wanted.isdisjoint(named_in([change]))

    @property
    def _wanted(self) -> set[tuple[str, str]]:
        return {
            (what, value)
            for what in ("subject", "group", "role", "resource")
            if (value := getattr(self, what)) is not None
        }


_ALL: Final = About()


def about(**asked: Any) -> About:
    """Which changes are meant, of names that are checked. Raises MalformedId and InvalidArgument."""
    checks: dict[str, Callable[[Any], str]] = {
        "actor": lambda value: model.require_part("actor", value),
        "subject": model.subject_id,
        "group": model.group_id,
        "role": model.role_id,
        "resource": model.resource_id,
    }
    found = {what: value for what, value in asked.items() if value is not None}
    for what in found.keys() & checks.keys():
        found[what] = checks[what](found[what])
    for what in found.keys() & {"since", "until"}:
        model.microseconds(found[what])
    return About(**found)


def entries(
    store: Store,
    name: OrganizationId,
    *,
    after: int,
    limit: int | None,
    enforced: Enforced,
    which: About = _ALL,
) -> Iterator[LogEntry]:
    """An organization's changes after a revision, oldest first, also of a deleted one.

    `enforced` tells of those of its revisions for which that is not on record.
    Raises OrganizationNotFound, and InvalidArgument where `after` or `limit` is no such number.
    """
    after = model.require_number("after", after, least=0, most=2**63 - 1)
    if limit is not None:
        limit = model.require_number("limit", limit, least=0)
    reader = _Reader(store, name, enforced)
    while limit is None or limit > 0:
        size = PAGE if limit is None else min(PAGE, limit)
        items, next_after = reader.page(after, size, which)
        yield from items
        if next_after is None:
            return
        after = next_after
        limit = None if limit is None else limit - len(items)


def page(
    store: Store,
    name: OrganizationId,
    *,
    after: int,
    limit: int,
    enforced: Enforced,
    which: About = _ALL,
) -> LogPage:
    """One page of the same, after a look at a bounded number of changes."""
    after = model.require_number("after", after, least=0, most=2**63 - 1)
    limit = model.require_number("limit", limit, least=1, most=PAGE * 20)
    reader = _Reader(store, name, enforced)
    found: list[LogEntry] = []
    looks = 0
    next_after: int | None = after
    while next_after is not None and len(found) <= limit and looks < MOST_LOOKS:
        items, next_after = reader.page(next_after, min(PAGE, limit + 1 - len(found)), which)
        found += items
        looks += 1
    if len(found) > limit:
        return LogPage(tuple(found[:limit]), found[limit - 1].revision)
    return LogPage(tuple(found), next_after)


class _Reader:
    """Reads one organization's log."""

    def __init__(self, store: Store, name: OrganizationId, enforced: Enforced) -> None:
        rows = store.fetch(FIND_LOG, {"organization": name})
        if not rows:
            raise OrganizationNotFound(organization=name)
        self._store, self._name, self._enforced = store, name, enforced
        self._o = rows[0].organization
        self._range: tuple[int, int] | None = None

    def page(self, after: int, size: int, which: About) -> LogPage:
        """At most so many changes after a revision; of those that are meant, found in one look."""
        if not which.is_all:
            return self._matching(after, size, which)
        rows = self._rows(after, size)
        if not rows:
            return LogPage((), None)
        return LogPage(self._told(rows), None if is_last(rows, size) else rows[-1].revision)

    def _matching(self, after: int, size: int, which: About) -> LogPage:
        first, last = self._between(which)
        after = max(after, first)
        up_to = min(after + LOOKED_AT, last)
        params = {
            "o": self._o,
            "after": after,
            "up_to": up_to,
            "since": _moment(which.since, otherwise=-(2**63)),
            "until": _moment(which.until, otherwise=2**63 - 1),
            "actor": which.actor or "",
            "text": which.text,
            "limit": size,
        }
        found = [row.revision for row in self._store.fetch(FIND_CHANGES_ABOUT, params)]
        rows: list[LogRow] = []
        characters = 0
        for at in range(0, len(found), BODIES):
            part = found[at : at + BODIES]
            read = self._store.fetch_many([(READ_LOG, self._one(each)) for each in part])
            for row in (row for one in read for row in one):
                characters += len(row.body)
                if which.names(row.body):
                    rows.append(row)
            if characters >= PAGE_CHARACTERS:
                return LogPage(self._told(rows), part[-1])
        if len(found) == size:
            return LogPage(self._told(rows), found[-1])
        return LogPage(self._told(rows), None if up_to >= last else up_to)

    def _between(self, which: About) -> tuple[int, int]:
        """After which revision, and up to which one, there may be changes of those times."""
        if self._range is None:
            at = (
                _moment(which.since, otherwise=-(2**62)) - SKEW,
                _moment(which.until, otherwise=2**62) + SKEW,
            )
            asked = [(FIND_LOG_PLACE, {"o": self._o, "at": each}) for each in at]
            (first,), (last,) = self._store.fetch_many(asked)
            self._range = first.low or 0, min(last.high or 0, last.last or 0)
        return self._range

    def _one(self, revision: int) -> dict[str, int]:
        return {"o": self._o, "after": revision - 1, "limit": 1, "characters": PAGE_CHARACTERS}

    def _rows(self, after: int, size: int) -> list[LogRow]:
        params = {"o": self._o, "after": after, "limit": size, "characters": PAGE_CHARACTERS}
        return self._store.fetch(READ_LOG, params)

    def _told(self, rows: list[LogRow]) -> tuple[LogEntry, ...]:
        unknown = [row.revision for row in rows if row.enforced_at is None]
        seen = self._enforced.seen(self._o, unknown) if unknown else {}
        return tuple(
            _entry(self._name, row, seen.get(row.revision), self._how(row), self._o) for row in rows
        )

    def _how(self, row: LogRow) -> Enforcement | None:
        if row.direction == Direction.GRANTS:
            return None
        if row.record is None:
            return self._enforced.how(self._o, row.revision)
        return decode_enforcement(row.record)


def is_last(page: list[LogRow], limit: int) -> bool:
    """Whether a page of `read_log` went to the log's end: neither its rows nor its characters were full."""
    return len(page) < limit and sum(len(row.body) for row in page) < PAGE_CHARACTERS


def _moment(value: datetime | None, *, otherwise: int) -> int:
    return otherwise if value is None else model.microseconds(value)


def _link(number: int, row: LogRow) -> ChainLink:
    content = Content(number, *(getattr(row, name) for name in Content._fields[1:]))
    before = first_digest(number) if row.revision == 1 else row.digest_before
    return ChainLink(
        content, *(None if each is None else each.hex() for each in (before, row.digest))
    )


def _entry(
    name: str, row: LogRow, seen: int | None, how: Enforcement | None, number: int
) -> LogEntry:
    enforced_at = seen if row.enforced_at is None else row.enforced_at
    return LogEntry(
        organization=name,
        revision=row.revision,
        recorded_at=model.moment(row.recorded_at),
        actor=row.actor,
        reason=row.reason,
        direction=Direction(row.direction),
        route=Route(row.route),
        fan_out=row.fan_out,
        idempotency_key=row.idempotency_key,
        enforced_at=None if enforced_at is None else model.moment(enforced_at),
        settled_at=None if row.settled_at is None else model.moment(row.settled_at),
        changes=row.body,
        enforcement=how,
        caused_by=row.caused_by,
        link=_link(number, row),
    )
