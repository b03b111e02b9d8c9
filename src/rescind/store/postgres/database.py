"""What a transaction, a snapshot or a listener needs of the store that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rescind.store.postgres.statements import Statements


class PostgresDatabase(Protocol):
    """A database, seen by the parts of its store."""

    url: str
    where: str
    """Host, port and database, for error messages: without a password."""
    queries: dict[str, str]
    statements: Statements
    silence_seconds: float
    bulk_silence_seconds: float
    on_statement: Callable[[str], None] | None
