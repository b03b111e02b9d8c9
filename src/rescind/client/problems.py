"""The library's errors, made again from problem details (RFC 9457). Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from rescind.errors import (
    InvalidRequest,
    RescindError,
    StoreUnavailable,
    Unauthenticated,
    class_of,
)

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:rescind:problem:"
"""What the type of the service's problems begins with; those of a gateway have others."""


class Problem(Struct):
    """Problem details as the service sends them. Services of version 0.1 send no facts."""

    type: str
    code: str
    detail: str = ""
    request_id: str = ""
    facts: dict[str, Any] | None = None


_decoder: Final = msgspec.json.Decoder(Problem)


def error_of(status: int, media: str, body: bytes) -> RescindError | None:
    """The error that an answer tells; None if it is not one of the service's.

    It has the class and the facts that the library's own has. Facts that a client must not see are left out.
    """
    if media != MEDIA_TYPE:
        return None
    try:
        problem = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if problem.type != f"{TYPE}{problem.code}":
        return None
    kind = class_of(problem.code)
    if kind is None:
        kind = StoreUnavailable if status >= 500 else InvalidRequest
        problem.facts = None
    error = _made(kind, problem)
    if problem.request_id.isascii() and problem.request_id.isprintable():
        error.add_note(f"request {problem.request_id[:200]}")
    return error


def _made(kind: type[RescindError], problem: Problem) -> RescindError:
    if problem.facts is not None:
        try:
            return kind(**{name: _value(value) for name, value in problem.facts.items()})
        except TypeError:  # no names of facts
            pass
    return kind() if kind is Unauthenticated else kind(why=problem.detail.rstrip("."))


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
