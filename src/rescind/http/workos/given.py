"""What requests give, as SQL and hashes take it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from rescind import model


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


def pattern(search: str | None) -> str:
    """For LIKE: texts that contain this one."""
    for sign in "!%_":
        search = (search or "").replace(sign, f"!{sign}")
    return f"%{search}%" if search else "%"
