"""Times in the cells of a list: ISO 8601, and what spreadsheets write where it can mean one thing only.

A date without a time is the last day: it means the end of that day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final


class DateOrder(StrEnum):
    """In which order a date has day, month and year."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


@dataclass(frozen=True, slots=True)
class Cell:
    """The time that a cell names. `shows` is the order that this cell alone gives away, where its numbers
    can be a date in one order only.
    """

    at: datetime
    shows: DateOrder | None = None


ISO_TIME: Final = "a time with a UTC offset, such as 2030-12-31T18:00:00+00:00"
FIRST_SERIAL, LAST_SERIAL = 36_526, 73_050
"""Excel's numbers of 2000-01-01 and 2099-12-31."""
_SERIAL_EPOCH = datetime(1899, 12, 30)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_CLOCK = r"(?:[ T,]+(?P<clock>\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?", re.ASCII)
_COMPACT = re.compile(r"(?P<a>\d{4})(?P<b>\d\d)(?P<c>\d\d)", re.ASCII)
_NUMBERS = re.compile(r"(?P<a>\d{1,4})([/.-])(?P<b>\d{1,2})\2(?P<c>\d{1,4})\.?" + _CLOCK, re.ASCII)
_DAY_MONTH = re.compile(
    r"(?P<d>\d{1,2})[. /-]+(?P<m>[A-Za-z]{3,9})[.,]?[ /-]+(?P<y>\d{2,4})" + _CLOCK, re.ASCII
)
_MONTH_DAY = re.compile(
    r"(?P<m>[A-Za-z]{3,9})\.? +(?P<d>\d{1,2})(?:st|nd|rd|th)?,? +(?P<y>\d{4})" + _CLOCK, re.ASCII
)


def moment(text: str) -> datetime:
    """An aware datetime from ISO 8601 text, or ValueError saying how to write it."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise ValueError(f"not {ISO_TIME}")
    return value


def read_cell(text: str, order: DateOrder | None, zone: tzinfo | None) -> Cell:
    """The time of a cell. A date ends with its day in `zone`, UTC if there is none; a time of day without
    an offset needs a `zone`. Raises ValueError that says what is wrong and what to type.
    """
    if _SERIAL.fullmatch(text):
        return Cell(_serial(text, zone))
    if (match := _COMPACT.fullmatch(text)) is not None:
        return Cell(_end(_day(match["a"], match["b"], match["c"]), zone))
    if (match := _NUMBERS.fullmatch(text)) is not None:
        return _numbers(match, order, zone)
    if (match := _DAY_MONTH.fullmatch(text) or _MONTH_DAY.fullmatch(text)) is not None:
        return _named_month(match, order, zone)
    return Cell(_iso(text, zone))


# --- each way of writing it -----------------------------------------------------------------------


def _iso(text: str, zone: tzinfo | None) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_unknown(text)) from None
    if value.tzinfo is not None:
        return value
    if ":" not in text:  # a week, such as 2026-W10
        raise ValueError(_unknown(text))
    return _in_zone(value, zone)


def _unknown(text: str) -> str:
    if text.startswith("#"):
        return "an error of the spreadsheet; mend it there"
    if text.isdecimal() and len(text) in (10, 13):
        return f"not a date; if it counts seconds since 1970, write it as {ISO_TIME}"
    return f"not a date, such as 2030-12-31, and not {ISO_TIME}; leave it empty for no end"


def _serial(text: str, zone: tzinfo | None) -> datetime:
    """Excel's days since 1899-12-30; a fraction is the time of day."""
    number = float(text.replace(",", "."))
    if not FIRST_SERIAL <= number < LAST_SERIAL + 1:
        raise ValueError("not the number of a day from 2000 to 2099 in Excel; write 2030-12-31")
    if number.is_integer():
        return _end((_SERIAL_EPOCH + timedelta(days=number)).date(), zone)
    return _in_zone(_SERIAL_EPOCH + timedelta(seconds=round(number * 86_400)), zone)


def _numbers(match: re.Match[str], order: DateOrder | None, zone: tzinfo | None) -> Cell:
    a, b, c = match["a"], match["b"], match["c"]
    if len(a) == 4 and len(c) <= 2:
        return Cell(_at(_day(a, b, c), match, zone))
    if len(a) > 2 or len(c) not in (2, 4):
        raise ValueError("not a date; write the year with four digits, such as 2030-12-31")
    if order is None and len(c) == 2:
        raise ValueError(
            "a date with a year of two digits; write it as 2030-12-31, or say the order:"
            " --dates dmy, --dates mdy or --dates ymd"
        )
    if order is None:
        return _without_order(match, zone)
    if order is DateOrder.YMD:
        if len(c) == 4:
            raise ValueError("not a date that begins with the year, as --dates ymd says")
        return Cell(_at(_day(f"20{a:0>2}", b, c), match, zone))
    year = c if len(c) == 4 else f"20{c}"
    d, m = (a, b) if order is DateOrder.DMY else (b, a)
    try:
        return Cell(_at(_day(year, m, d), match, zone))
    except ValueError as error:
        raise ValueError(f"{error} in the order that --dates {order.value} says") from None


def _without_order(match: re.Match[str], zone: tzinfo | None) -> Cell:
    """Two numbers and a year: only where one order alone makes a date of them, or both the same."""
    first, second, year = int(match["a"]), int(match["b"]), match["c"]
    if first != second and first <= 12 and second <= 12:
        here, there = f"{first} {_name(second)}", f"{second} {_name(first)}"
        raise ValueError(
            f"{here} or {there}; say which with --dates dmy or --dates mdy, or write 2030-12-31"
        )
    if first == second:
        return Cell(_at(_day(year, match["a"], match["b"]), match, zone))
    order = DateOrder.DMY if first > 12 else DateOrder.MDY
    d, m = (first, second) if order is DateOrder.DMY else (second, first)
    return Cell(_at(_day(year, str(m), str(d)), match, zone), order)


def _named_month(match: re.Match[str], order: DateOrder | None, zone: tzinfo | None) -> Cell:
    name = match["m"].lower()
    known = _FULL_MONTHS if len(name) > 3 else _MONTHS
    if name not in (*known, "sept"):
        raise ValueError("not a date: the month is not an English one; write 2030-12-31")
    month = 9 if name == "sept" else known.index(name) + 1
    year = match["y"]
    if len(year) == 2 and order is not DateOrder.DMY:
        raise ValueError(
            "a date with a year of two digits; write it as 2030-12-31, or say --dates dmy"
        )
    year = f"20{year}" if len(year) == 2 else year
    return Cell(_at(_day(year, str(month), match["d"]), match, zone))


# --- parts ----------------------------------------------------------------------------------------


def _day(year: str, month: str, day: str) -> date:
    try:
        if len(year) != 4:
            raise ValueError
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError("not a day of the calendar") from None


def _at(day: date, match: re.Match[str], zone: tzinfo | None) -> datetime:
    """The day's end, or its time of day."""
    clock, half = match["clock"], match["half"]
    if clock is None:
        return _end(day, zone)
    hour, _, rest = clock.partition(":")
    number = int(hour)
    if half is not None:
        if not 1 <= number <= 12:
            raise ValueError("not a time of day")
        number = number % 12 + (12 if half[0] in "pP" else 0)
    try:
        at = time.fromisoformat(f"{number:02}:{rest}")
    except ValueError:
        raise ValueError("not a time of day") from None
    return _in_zone(datetime.combine(day, at), zone)


def _end(day: date, zone: tzinfo | None) -> datetime:
    """When the day is over."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(day + timedelta(days=1), time(), zone or UTC)


def _in_zone(value: datetime, zone: tzinfo | None) -> datetime:
    if zone is None:
        raise ValueError(f"not {ISO_TIME}; or say --timezone UTC, or another")
    return value.replace(tzinfo=zone)


def _name(month: int) -> str:
    return _FULL_MONTHS[month - 1].capitalize()
