"""What requests give, as SQL and hashes take it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from rescind import model
from rescind.errors import InvalidArgument
from rescind.http.workos.errors import invalid

MOST_SEARCHED: Final = 1_000
"""Characters that are looked for; SQLite takes patterns of 50,000 bytes."""


def digest_of(method: str, path: str, query: bytes, body: bytes, chosen_id: str | None) -> str:
    """What tells one request from another under the same idempotency key."""
    parts = (method.encode(), path.encode(), query, (chosen_id or "").encode(), body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def texts(values: Iterable[str]) -> str:
    """A list as SQL takes it. Raises InvalidArgument for what no engine keeps."""
    found = sorted(set(values))
    for value in found:
        model.require_text("value", value)
    return json.dumps(found, ensure_ascii=False)


def parted(field: str, listed: str | None, *, most: int) -> list[str]:
    """The texts between the commas of a query's parameter. Raises where there are too many of them."""
    found = [each.strip() for each in (listed or "").split(",") if each.strip()]
    if len(found) > most:
        raise invalid(field, f"name at most {most}")
    return found


def pattern(search: str | None) -> str:
    """For LIKE: names, folded as the store keeps them, that contain this text as it folds.

    Raises InvalidArgument for one that is too long for it.
    """
    if search is not None and len(search) > MOST_SEARCHED:
        hint = f"use at most {MOST_SEARCHED:,} characters"
        raise InvalidArgument(what="search", value=repr(search[:60]), hint=hint)
    return f"%{_literal(model.folded(search))}%" if search else "%"


def domain_pattern(domain: str) -> str:
    """For LIKE: attributes of an organization that has a domain."""
    return f"%{_literal(json.dumps({'domain': model.canonical(domain)})[1:-1])}%"


def _literal(text: str) -> str:
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return text
