"""The SQL of the current schema, as statements. Migrations make it with Alembic; a new file needs none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rescind.store.queries import Engine, queries

SQLITE_CLOCK: Final = "(SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))"
"""Microseconds since 1970, in a view of SQLite."""


def schema_text(engine: Engine) -> str:
    """The file with the current schema of an engine."""
    return (Path(__file__).parent / f"schema.{engine}.sql").read_text("utf-8")


def statements(text: str) -> list[str]:
    """Blank lines part them; lines of comment are left out."""
    parts = (
        "\n".join(line for line in part.splitlines() if not line.startswith("--"))
        for part in text.split("\n\n")
    )
    return [part for part in parts if part.strip()]


def sqlite_views() -> dict[str, str]:
    """What creates each view of SQLite, by its name. They are made from the fragments of the checks."""
    return {
        f"rescind_{name}": queries("sqlite")[query].replace(":now", SQLITE_CLOCK)
        for name, query in (
            ("effective_permission", "effective_permission_view"),
            ("reach", "define_reach"),
        )
    }
