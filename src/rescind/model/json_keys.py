"""JSON in which an object has a key twice: readers differ in which of the two they take (RFC 8259, 4)."""

from __future__ import annotations

import json
from typing import Any, Final


class _Twice(Exception):
    """A key is there twice."""

    def __init__(self, key: str) -> None:
        self.key = key


def key_twice(text: bytes | str) -> str | None:
    """A key that one object of the JSON has twice, if any does. Raises ValueError where it is no JSON."""
    try:
        _decoder.decode(text if isinstance(text, str) else text.decode())
    except _Twice as found:
        return found.key
    except RecursionError:
        raise ValueError("nested too deep") from None
    return None


def _require_single(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len(pairs) != len(dict(pairs)):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Twice(key)
            seen.add(key)


_decoder: Final = json.JSONDecoder(
    object_pairs_hook=_require_single, parse_int=len, parse_float=len, strict=False
)
"""Numbers are not made: those of thousands of digits would be refused."""
