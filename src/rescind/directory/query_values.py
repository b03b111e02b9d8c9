"""Values as the directory's queries take them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from rescind import model
from rescind.errors import InvalidArgument

MOST_SEARCHED: Final = 1_000
"""Characters of a search text. SQLite takes patterns of 50,000 bytes."""


def json_texts(values: Iterable[str]) -> str:
    """A set of texts for `json_texts(…)` in SQL. Raises InvalidArgument for a text that no engine stores."""
    found = sorted(set(values))
    for value in found:
        model.require_text("value", value)
    return json.dumps(found, ensure_ascii=False)


def json_numbers(numbers: Iterable[int]) -> str:
    """Numbers for `json_texts(…)` in SQL, in their order."""
    return json.dumps([str(number) for number in numbers])


def search_pattern(search: str | None) -> str:
    """A LIKE pattern for folded names that contain this text. Raises InvalidArgument for one too long."""
    if search is not None and len(search) > MOST_SEARCHED:
        hint = f"use at most {MOST_SEARCHED:,} characters"
        raise InvalidArgument(what="search", value=repr(search[:60]), hint=hint)
    return f"%{_literal(model.folded(search))}%" if search else "%"


def domain_pattern(domain: str) -> str:
    """A LIKE pattern for the attributes of an organization that has a domain."""
    return f"%{_literal(json.dumps({'domain': model.canonical(domain)})[1:-1])}%"


def _literal(text: str) -> str:
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return text
