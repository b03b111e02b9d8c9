"""Cells that no spreadsheet takes for a formula, whatever callers wrote into names and reasons.

A formula begins with `=`, `+`, `-` or `@`, perhaps after blanks, and some programs take their full-width
forms too (OWASP, "CSV Injection"). Such a cell gets an apostrophe in front, as spreadsheets mark text. A file
with commas that is opened as one with semicolons is cut elsewhere, so what follows a separator within a cell
is treated alike.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

MOST_CHARACTERS: Final = 30_000
"""Of a cell. Excel cuts at 32,767 without a word."""
_FORMULA: Final = (
    r"=+\-@\u207a-\u207c\u208a-\u208c\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
"""These, the minus sign, and their superscript, subscript, small and full-width forms."""
_BEGINS = re.compile(rf"^\s*[{_FORMULA}]")
_WITHIN = re.compile(rf"(?<=[;,|])(\s*)(?=[{_FORMULA}])")
_SEPARATORS: Final = frozenset(";,|")
_SHORT: Final = 200
"""Characters of a text that is remembered: most cells of a file are in other rows too."""
_MOST_REMEMBERED: Final = 4_096
_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def safe_cell(text: str) -> str:
    """The text on one line, without control characters, and no formula in any spreadsheet."""
    if len(text) > _SHORT:
        return _safe(text)
    if text[:1].isalnum() and text.isprintable() and _SEPARATORS.isdisjoint(text):
        return text  # most are so, and looking is cheaper than remembering
    return _remembered(text)


def _safe(text: str) -> str:
    if not text.isprintable():
        text = "".join(map(_visible, text))
    text = _WITHIN.sub(r"\1'", text)
    if _BEGINS.match(text):
        text = f"'{text}"
    if len(text) > MOST_CHARACTERS:
        text = f"{text[: MOST_CHARACTERS - 1]}…"
    return text


_remembered = lru_cache(_MOST_REMEMBERED)(_safe)


def _visible(character: str) -> str:
    is_escaped = unicodedata.category(character) in _ESCAPED
    return repr(character)[1:-1] if is_escaped else character
