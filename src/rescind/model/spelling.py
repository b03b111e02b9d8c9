"""Spellings of ids: which characters an id may have, and what two spellings of one name have in common.

All of it is stated by ranges of code points, so that every Python decides the same, whatever its tables.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final, Literal, TypeAlias

from rescind.model.unicode_14 import UNASSIGNED

_Form: TypeAlias = Literal["NFC", "NFD", "NFKC"]
MOST_FOLDED: Final = 16_384
"""Foldings that are remembered."""
WHITESPACE: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
JOINERS: Final = "\u200c\u200d"
"""Zero width non-joiner and joiner."""
_CONTROLS: Final = (
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x600, 0x605),
    (0x61C, 0x61C),
    (0x6DD, 0x6DD),
    (0x70F, 0x70F),
    (0x890, 0x891),
    (0x8E2, 0x8E2),
    (0x180E, 0x180E),
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0xD800, 0xF8FF),
    (0xFDD0, 0xFDEF),
    (0xFEFF, 0xFEFF),
    (0xFFF0, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    *((plane * 0x10000 + 0xFFFE, plane * 0x10000 + 0xFFFF) for plane in range(1, 14)),
    (0xE0000, 0xE00FF),
    (0xE01F0, 0x10FFFF),
)
"""Refused in ids: controls, unseen formatting, surrogates, private use, and what is no character."""
_JOINED: Final = (
    (0x0600, 0x109F),
    (0x1700, 0x1CFF),
    (0x2190, 0x2BFF),
    (0xA800, 0xABFF),
    (0xFE0F, 0xFE0F),
    (0x10A00, 0x11FFF),
    (0x1E900, 0x1E95F),
    (0x1F000, 0x1FAFF),
)
"""After these a joiner may stand: cursive scripts, scripts with a virama, and emoji."""
_IGNORED: Final = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""Default_Ignorable_Code_Point: nobody sees them."""


def _ranges(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in ranges)


_REFUSED: Final = re.compile(f"[{_ranges(_CONTROLS)}]")
_STRAY_JOINER: Final = re.compile(f"(?<![{_ranges(_JOINED)}])[{JOINERS}]")
_UNSEEN: Final = re.compile(f"[{_ranges(_IGNORED)}]+")


class IdRule(StrEnum):
    """Which spellings of an id of a person or group mean the same one."""

    EXACT = "exact"
    """Only the very same characters."""
    CASEFOLD = "casefold"
    """Those that are equal in Unicode Normalization Form C after case folding; they are kept so."""


def may_be_id(text: str) -> bool:
    """Whether an id may have these characters: the same on every Python."""
    if text.isascii() and text.isprintable():
        return text == text.strip(" ")
    is_plain = not _REFUSED.search(text) and not _STRAY_JOINER.search(text)
    return is_plain and text == text.strip(WHITESPACE)


def canonical(name: str) -> str:
    """The spelling that stands for all that differ from it by case or by Unicode composition only.

    It is equal for canonical caseless matches (Unicode, D145), and is its own canonical spelling.
    """
    if name.isascii():
        return name.lower()
    return _mapped(name, "NFC", "NFD")


def canonical_subject(subject: str) -> str:
    """The canonical spelling of a subject, or of who holds an assignment; its kind stays as it is."""
    kind, colon, rest = subject.partition(":")
    return f"{kind}:{canonical(rest)}" if colon else canonical(kind)


@lru_cache(MOST_FOLDED)
def folded(name: str) -> str:
    """What all that looks like a name has in common: compatibility caseless matches (Unicode, D146), whatever
    cannot be seen left out, and whitespace of any kind and length one blank.
    """
    if name.isascii():
        return " ".join(name.lower().split())
    text = _mapped(_UNSEEN.sub("", name), "NFKC", "NFD")
    text = _mapped(_UNSEEN.sub("", text), "NFKC", "NFKC")
    return " ".join(part for part in re.split(f"[{WHITESPACE}]+", text) if part)


def _mapped(text: str, form: _Form, before: _Form) -> str:
    """Case folded and normalized, but for what Unicode 14.0 does not assign."""
    parts = unassigned().split(text)
    for at in range(0, len(parts), 2):
        seen = unicodedata.normalize(before, parts[at]).casefold()
        parts[at] = unicodedata.normalize(form, seen)
    return "".join(parts)


@cache
def unassigned() -> re.Pattern[str]:
    bounds = (word.partition("-") for word in UNASSIGNED.split())
    ranges = tuple((int(low, 16), int(high or low, 16)) for low, _, high in bounds)
    return re.compile(f"([{_ranges(ranges)}]+)")
