"""SQL of tests that names Rescind's tables, written as in the product's files: `rescind.membership`."""

from __future__ import annotations

from rescind import Authority
from rescind.store import Store
from rescind.store.queries import named


def ours(place: Authority | Store | str, sql: str) -> str:
    """The statement as the engine of an authority, a store or a URL (or the engine of that name) has it."""
    if isinstance(place, Authority):
        place = place.store
    engine = place if isinstance(place, str) else place.engine
    return named(sql, "postgres" if engine.startswith("postgres") else "sqlite")
