"""Times as people type and read them on the command line, in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from rescind.errors import InvalidArgument
from rescind.transfer.dates import moment


def instant(option: str, text: str) -> datetime:
    """The time that an option names: ISO 8601 with an offset, or a day, which is its beginning in UTC.

    Raises InvalidArgument.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        pass
    try:
        return moment(text)
    except ValueError as error:
        hint = "write a day (2027-01-31), or a time with its offset (2027-01-31T12:00:00Z)"
        raise InvalidArgument(what=option, value=text, why=str(error), hint=hint) from None


def day(value: datetime | None) -> str:
    """The day; of a time that is not on record, nothing."""
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d")


def minute(value: datetime | None, otherwise: str) -> str:
    """The day and the minute."""
    return otherwise if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
