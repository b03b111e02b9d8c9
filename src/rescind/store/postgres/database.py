"""What a transaction, a snapshot or a listener needs of the store that it belongs to."""

from __future__ import annotations

from typing import Protocol

from rescind.store.postgres.connector import Connector
from rescind.store.postgres.placement import Place
from rescind.store.postgres.statements import Statements
from rescind.store.probe import StoreProbe


class PostgresDatabase(Protocol):
    """A database, seen by the parts of its store."""

    connector: Connector
    where: str
    """Host, port and database, for error messages: without a password."""
    queries: dict[str, str]
    statements: Statements
    place: Place
    """Names the organization's partitions in a statement, in a database that has partitions."""
    bulk_silence_seconds: float
    probe: StoreProbe | None
