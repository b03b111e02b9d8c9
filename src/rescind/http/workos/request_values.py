"""Values that requests carry."""

from __future__ import annotations

import hashlib

from rescind.directory.errors import invalid


def digest_of(method: str, path: str, query: bytes, body: bytes, chosen_id: str | None) -> str:
    """The digest that tells one request from another under the same idempotency key."""
    parts = (method.encode(), path.encode(), query, (chosen_id or "").encode(), body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def comma_separated(field: str, listed: str | None, *, most: int) -> list[str]:
    """The texts between the commas of a query parameter. Raises InvalidValue for too many, and where there is
    none though the parameter is there: it would be no filter.
    """
    found = [each.strip() for each in (listed or "").split(",") if each.strip()]
    if listed is not None and not found:
        raise invalid(field, "name one, or leave it out")
    if len(found) > most:
        raise invalid(field, f"name at most {most}")
    return found
