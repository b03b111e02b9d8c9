"""What is to be sent, as values: requests, and how their answers are read. No I/O, no HTTP library."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar
from urllib.parse import quote

import msgspec

from rescind.errors import InvalidArgument
from rescind.model import microseconds

T = TypeVar("T")
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"


class Effect(StrEnum):
    """What sending a request twice would do."""

    NONE = "none"
    """It only asks."""
    KEYED = "keyed"
    """It changes something, and has one effect however often it is sent."""
    ONCE = "once"
    """It changes something, and must not be sent again unless it surely did nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, without the service's address and the API key."""

    method: str
    path: str
    """Begins with a slash; each segment is escaped."""
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and how its answer is read. `read` raises ValueError where the answer is not what it
    should be.
    """

    request: Request
    read: Callable[[bytes], T]
    effect: Effect = Effect.NONE
    is_check: bool = False
    idempotency_key: str | None = None
    refused: Callable[[Exception], None] | None = None
    """Is told the error that the service answers with."""


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """An iterator whose items come page by page, and only as far as they are asked for."""

    page: Call[tuple[tuple[T, ...], Pages[T] | None]]


@dataclass(frozen=True, slots=True)
class Lines(Generic[T]):
    """An iterator over the lines of one long answer. Where the answer breaks, it goes on after the last line.

    `open` makes the request for what comes after a line's id, and `read` reads a line and its id.
    """

    open: Callable[[str | None], Request]
    read: Callable[[bytes], tuple[T, str]]
    after: str | None = None


Steps: TypeAlias = Generator[Call[Any], Any, T]
"""Several requests, one after the other; each `yield` has the result of its call."""


def path_of(*segments: str) -> str:
    """A path of these segments, each escaped as the service wants it: everything but letters, digits and
    `-._~`. Raises InvalidArgument for a segment that every proxy would take away.
    """
    for segment in segments:
        if segment in ("", ".", ".."):
            raise InvalidArgument(what="name", value=repr(segment), hint="no address can have it")
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def query_of(parameters: Mapping[str, object]) -> str:
    """A query of what is not None. Raises InvalidArgument for text that is not UTF-8."""
    return "&".join(
        f"{name}={quote(_text(name, value), safe='')}"
        for name, value in parameters.items()
        if value is not None
    )


def json_of(fields: Mapping[str, object]) -> bytes:
    """A JSON object of what is not None. Raises InvalidArgument for what JSON cannot have."""
    try:
        return msgspec.json.encode({name: v for name, v in fields.items() if v is not None})
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError) as error:
        raise InvalidArgument(what="request", hint=f"it is not JSON: {error}") from None


def time_of(at: datetime) -> str:
    """A time as a query has it. Raises InvalidArgument for one without an offset."""
    microseconds(at)
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return time_of(value)
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(what=name, value=repr(text[:60]), hint="give it as UTF-8") from None
    return text
