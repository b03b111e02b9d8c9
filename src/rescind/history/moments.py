"""Which state of an organization is meant by a time, a revision token or a revision's number.

A time means the newest change that was recorded at or before it, of the organization and of the environment.
Changes are recorded by the clocks of those who make them. Where these differ, the log is not in the order of
its times: then it is the newest of the changes nearby (`AHEAD`) that were recorded by then. A change that
the environment caused in the organization belongs to every state that has its cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from rescind import model
from rescind.errors import (
    InvalidArgument,
    InvalidToken,
    OrganizationNotFound,
    PastUnavailable,
    RevisionNotFound,
)
from rescind.model import (
    ENVIRONMENT,
    ENVIRONMENT_NUMBER,
    At,
    AtOf,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
    Revision,
)
from rescind.store import Store
from rescind.store.rows.facts import FIND_LOG_PLACE
from rescind.store.rows.past import (
    FIND_PAST_EFFECT,
    FIND_PAST_REVISION,
    FIND_PRESENT_ORGANIZATION,
    LIST_FORMER_ORGANIZATIONS,
    PastOrganizationRow,
    PastRevisionRow,
)

AHEAD: Final = 1_000
"""Changes on either side of a time's place in the log among which the newest by then is looked for."""
LATEST: Final = 2**63 - 1
_NUMBER: Final = re.compile(r"[0-9]{1,30}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


Rows: TypeAlias = Iterable[PastOrganizationRow]


class Moment(NamedTuple):
    """A state that is asked about, and the time at which expiry is judged."""

    revision: Revision
    at: Microseconds


def moment_of(store: Store, name: OrganizationId, at: At, now: Microseconds) -> Moment:
    """The state that `at` means.

    Raises OrganizationNotFound, RevisionNotFound, InvalidToken, PastUnavailable (before the organization was
    created, or pruned), and InvalidArgument for a time in the future, and for `*`.
    """
    if name == ENVIRONMENT:
        hint = "name one organization; what is defined for all is asked about as part of it"
        raise InvalidArgument(what="organization", value=name, hint=hint)
    rows = organizations_of(store, name)
    if isinstance(at, AtOf):
        number, at = at
        rows = (row for row in rows if row.organization == number)
    if isinstance(at, datetime):
        return _at_time(store, name, rows, at, now)
    if isinstance(at, str):
        return _at_token(store, name, rows, store.seals.parse(at))
    revision = model.require_number("at", at, least=1, most=2**63 - 1)
    return _at_number(store, name, rows, revision)


def at_of(text: str, what: str = "at") -> datetime | str | int:
    """What a text means: a revision's number, a day (its beginning, UTC), a time with its offset, or a token.

    Raises InvalidArgument for a time that cannot be read.
    """
    if _NUMBER.fullmatch(text):
        return int(text)
    if _DAY.fullmatch(text):
        text += "T00:00:00Z"
    elif ":" not in text:
        return text
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        hint = (
            "write a day (2027-01-31), a time with its offset (2027-01-31T12:00:00Z), or a revision"
        )
        raise InvalidArgument(what=what, value=text, hint=hint)
    return found


def organizations_of(store: Store, name: OrganizationId) -> Iterable[PastOrganizationRow]:
    """The organization of a name, then those that had it and were deleted, the latest first."""
    yield from store.fetch(FIND_PRESENT_ORGANIZATION, {"organization": name})
    yield from store.fetch(LIST_FORMER_ORGANIZATIONS, {"organization": name})


def _at_time(
    store: Store, name: OrganizationId, rows: Rows, at: datetime, now: Microseconds
) -> Moment:
    when = model.microseconds(at)
    if when > now:
        hint = f"ask about a time that has passed; now it is {model.moment(now).isoformat()}"
        raise InvalidArgument(what="at", value=at.isoformat(), hint=hint)
    first: PastOrganizationRow | None = None
    for row in rows:
        if row.created_at <= when:
            return _within(store, name, row, when)
        first = row
    if first is None:
        raise OrganizationNotFound(organization=name)
    raise _not_created(name, first)


def require_kept(name: OrganizationId, row: PastOrganizationRow, when: Microseconds) -> None:
    """Raise PastUnavailable for a time before the organization was created, or whose changes were pruned."""
    if when < row.created_at:
        raise _not_created(name, row)
    if row.start_at is not None and when < row.start_at:
        raise _pruned(name, row)


def _within(
    store: Store, name: OrganizationId, row: PastOrganizationRow, when: Microseconds
) -> Moment:
    """The state of one organization at a time at which it had been created."""
    if row.start_at is not None and when < row.start_at:
        raise _pruned(name, row)
    o = row.organization
    found, environment = _newest(store, (o, ENVIRONMENT_NUMBER), when)
    own = _start(row) if found is None else found
    least = max(_environment_of(own), 0 if environment is None else environment.revision)
    number = _with_effects(store, o, own.revision, least)
    return Moment(store.seals.revision(o, number, least), when)


def _with_effects(store: Store, o: OrganizationNumber, number: int, environment: int) -> int:
    """The newest change nearby that the environment had caused by its revision; `number` if there is none.

    Where clocks differ, a change of the environment may seem older than an earlier one.
    """
    params = {"o": o, "after": number, "up_to": number + AHEAD, "caused_by": environment}
    return next((row.revision for row in store.fetch(FIND_PAST_EFFECT, params)), number)


def _at_number(store: Store, name: OrganizationId, rows: Rows, number: int) -> Moment:
    for row in rows:
        if number > row.revision:
            raise RevisionNotFound(organization=name, number=number)
        if row.start is not None and number < row.start:
            raise _pruned(name, row)
        found = _change(store, row, number)
        environment = _environment_at(store, found)
        return Moment(
            store.seals.revision(row.organization, number, environment), found.recorded_at
        )
    raise OrganizationNotFound(organization=name)


def _at_token(store: Store, name: OrganizationId, rows: Rows, revision: Revision) -> Moment:
    for row in rows:
        if row.organization != revision.incarnation:
            continue
        if revision.organization > row.revision:
            raise InvalidToken(token=revision.token())
        if row.start is not None and revision.organization < row.start:
            raise _pruned(name, row)
        own = _change(store, row, revision.organization)
        when = max(own.recorded_at, recorded_at_of(store, ENVIRONMENT_NUMBER, revision.environment))
        return Moment(revision, Microseconds(when))
    raise InvalidToken(token=revision.token())


def newest_before(store: Store, o: OrganizationNumber, when: Microseconds) -> int:
    """The newest revision of those that were recorded before a time; 0 if there is none."""
    (found,) = _newest(store, (o,), Microseconds(when - 1))
    return 0 if found is None else found.revision


def _newest(
    store: Store, organizations: Iterable[OrganizationNumber], when: Microseconds
) -> list[PastRevisionRow | None]:
    """The newest change of each that was recorded at or before a time."""
    asked = [(FIND_LOG_PLACE, {"o": o, "at": when + 1}) for o in organizations]
    places = store.fetch_many(asked)
    near = [
        (
            FIND_PAST_REVISION,
            {
                "o": params["o"],
                "at": when,
                "after": max((place[0].low or 0) - AHEAD, 0),
                "up_to": (place[0].low or 0) + AHEAD,
            },
        )
        for (_, params), place in zip(asked, places, strict=True)
    ]
    return [rows[0] if rows else None for rows in store.fetch_many(near)]


def _environment_at(store: Store, change: PastRevisionRow) -> int:
    """The environment's revision when a change was recorded; by time where the log does not have it."""
    if change.environment is not None:
        return change.environment
    (found,) = _newest(store, (ENVIRONMENT_NUMBER,), change.recorded_at)
    return max(_environment_of(change), 0 if found is None else found.revision)


def _environment_of(change: PastRevisionRow) -> int:
    """The environment's revision that a change names; 0 if it names none."""
    return max(change.environment or 0, change.caused_by or 0)


def _change(store: Store, row: PastOrganizationRow, number: int) -> PastRevisionRow:
    """One change of the log, or the last that was pruned from it."""
    params = {"o": row.organization, "at": LATEST, "after": number - 1, "up_to": number}
    found = store.fetch(FIND_PAST_REVISION, params)
    return found[0] if found else _start(row)._replace(revision=number)


def _start(row: PastOrganizationRow) -> PastRevisionRow:
    """What stands for the last change that was pruned; where nothing was, for the time before the first."""
    recorded_at = row.created_at if row.start_at is None else row.start_at
    return PastRevisionRow(row.start or 0, recorded_at, row.start_environment, None)


def recorded_at_of(store: Store, o: OrganizationNumber, number: int) -> int:
    """When a change was recorded; 0 if it is not in the log."""
    params = {"o": o, "at": LATEST, "after": number - 1, "up_to": number}
    return next((row.recorded_at for row in store.fetch(FIND_PAST_REVISION, params)), 0)


def _not_created(name: OrganizationId, row: PastOrganizationRow) -> PastUnavailable:
    created = model.moment(row.created_at).isoformat()
    return PastUnavailable(
        organization=name, why=f"it was created at {created}", hint="Ask about a later time"
    )


def _pruned(name: OrganizationId, row: PastOrganizationRow) -> PastUnavailable:
    assert row.start_at is not None
    earliest = model.moment(row.start_at).isoformat()
    return PastUnavailable(
        organization=name,
        why="its log before that was pruned",
        hint=f"The earliest that can be asked about is revision {row.start}, recorded at {earliest}",
    )
