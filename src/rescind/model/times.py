"""Times as the store keeps them, and as people do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rescind.errors import InvalidArgument
from rescind.model.enums import Microseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = (
    (end.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
    for end in (datetime.min, datetime.max)
)


def microseconds(moment: datetime) -> Microseconds:
    """Exact. InvalidArgument for a naive datetime, since it names no instant, and for one that has
    no date in UTC.
    """
    if not isinstance(moment, datetime):  # a caller's program may not be type-checked
        raise InvalidArgument(what="time", value=repr(moment), hint="pass a datetime")
    if moment.tzinfo is None:
        raise InvalidArgument(what="time", value=moment.isoformat(), hint="give it a UTC offset")
    delta = moment - _EPOCH
    found = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    if not _FIRST <= found <= _LAST:
        hint = "use a time in the years 1 to 9999, UTC"
        raise InvalidArgument(what="time", value=moment.isoformat(), hint=hint)
    return Microseconds(found)


def moment(value: int) -> datetime:
    """The aware datetime (UTC) of a stored time."""
    return _EPOCH + timedelta(microseconds=value)
