"""Changes from and to JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from rescind.changes.union import Change
from rescind.errors import InvalidChange

_list_decoder: msgspec.json.Decoder[list[Change]] = msgspec.json.Decoder(list[Change])
_encoder = msgspec.json.Encoder(order="deterministic")


def from_object(value: object) -> Change:
    """The change of a decoded JSON object. Raises InvalidChange naming the field that is wrong."""
    try:
        return msgspec.convert(value, Change)  # type: ignore[no-any-return]
    except (msgspec.MsgspecError, UnicodeError, TypeError, RecursionError) as error:
        raise InvalidChange(why=str(error)) from None


def list_from_json(text: bytes | str) -> list[Change]:
    """The changes of a JSON list, such as the change log keeps. Raises InvalidChange."""
    try:
        return _list_decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, TypeError, RecursionError) as error:
        raise InvalidChange(why=str(error)) from None


def checked(changes: Sequence[Change]) -> tuple[list[Change], str]:
    """The changes with every field of its type, and their JSON. Raises InvalidChange."""
    try:
        listed = list(changes)
    except TypeError:
        raise InvalidChange(got=type(changes).__name__, hint="pass a list of changes") from None
    try:
        body = _encoder.encode(listed)
        return _list_decoder.decode(body), body.decode()
    except UnicodeEncodeError:
        raise InvalidChange(why="some text in it is not UTF-8") from None
    except (msgspec.MsgspecError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise InvalidChange(why=str(error)) from None


def to_object(change: Change) -> dict[str, Any]:
    """The change as plain JSON values; what was left out stays out."""
    return msgspec.to_builtins(change)  # type: ignore[no-any-return]


def to_json(changes: Change | list[Change]) -> bytes:
    """One line of JSON; equal changes give equal bytes."""
    return _encoder.encode(changes)
