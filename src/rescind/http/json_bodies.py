"""What every JSON body must be: not nested too deep, with each key once in an object, and of its types."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import msgspec

from rescind.errors import InvalidRequest
from rescind.model.json_keys import key_twice

_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_TOKENS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A text goes to its end, or to the body's, and is never gone back in: else quotes take quadratic time."""


def require_shallow(body: bytes, most: int) -> None:
    """InvalidRequest if the JSON is nested deeper than `most`; no other promise about what it is."""
    if body.count(b"[") + body.count(b"{") <= most:
        return
    brackets = body.translate(None, _NOT_BRACKETS)
    for _ in range(most):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets and _depth(body) > most:  # brackets in texts may have misled
        raise InvalidRequest(why=f"the JSON is nested deeper than {most}")


def require_single_keys(body: bytes) -> None:
    """InvalidRequest, or what msgspec raises, unless it is JSON in which no object has a key twice."""
    try:
        key = key_twice(body)
    except ValueError as error:
        msgspec.json.decode(body)  # says where it is wrong, unless it is in what nobody would read
        raise InvalidRequest(why=f"the JSON is malformed: {error}") from None
    if key is not None:
        raise InvalidRequest(why=f"the key {key!r} is twice in one object", hint="send it once")


def require_strict(body: bytes, expected: Any) -> None:
    """InvalidRequest for a body that is of the type only if texts may be taken for other values: "null" for
    null, "true" for true, "1" for 1, and a number for a time. What is not of it at all is left to others.
    """
    try:
        _decoder_of(expected).decode(body)
    except msgspec.ValidationError as error:
        try:
            msgspec.convert(msgspec.json.decode(body), expected, strict=False)
        except msgspec.MsgspecError:
            return
        raise InvalidRequest(why=str(error)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return


@cache
def _decoder_of(expected: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(expected)


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for match in _TOKENS.finditer(body):
        sign = match[0]
        if sign in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif sign in (b"]", b"}"):
            depth -= 1
    return deepest
