"""Times as people type and read them on the command line, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Final

from rescind import history
from rescind.errors import InvalidArgument
from rescind.model import At
from rescind.transfer.dates import moment

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{32}")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, None: 1.0}


def duration(option: str, text: str, *, most_days: float) -> float:
    """The seconds that an option names: a number with ms, s, m, h or d; without a unit they are seconds.

    Raises InvalidArgument if it is none, is 0, or is longer than the most.
    """
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= most_days * _UNITS["d"]:
        hint = f"write it as 30s, 5m, 1h or 1d, and at most {most_days:g}d"
        raise InvalidArgument(what=option, value=text, hint=hint)
    return seconds


def shown_seconds(seconds: float | None) -> str:
    """A duration for people; "no data" if it was not measured."""
    if seconds is None:
        return "no data"
    return f"{seconds * 1_000:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"


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


def past(option: str, text: str) -> At:
    """What `at_of` says; a text that cannot be a token is told what can be asked. Raises InvalidArgument."""
    found = history.moments.at_of(text, option)
    if isinstance(found, str) and not _TOKEN.fullmatch(found):
        hint = (
            "write a day (2027-01-31), a time with its offset (2027-01-31T12:00:00Z), a revision's"
            " number, or a token"
        )
        raise InvalidArgument(what=option, value=text or repr(text), hint=hint)
    return found


def day(value: datetime | None) -> str:
    """The day; of a time that is not on record, nothing."""
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d")


def minute(value: datetime | None, otherwise: str) -> str:
    """The day and the minute."""
    return otherwise if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def second(value: datetime | None, otherwise: str) -> str:
    """The day and the second."""
    return otherwise if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
