"""Receives notifications of other processes, or only asks, where there is nothing to receive them by."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from rescind.errors import StoreUnavailable
from rescind.store.contract import Params
from rescind.store.postgres.connection import Connection
from rescind.store.postgres.database import PostgresDatabase
from rescind.store.postgres.errors import FAULTS, first_line
from rescind.store.postgres.transaction import rows_of
from rescind.store.rows import Query, typed


class PostgresListener:
    """Receives a channel's notifications, on a connection that is opened when it is first needed.

    Through a pooler in transaction mode there are none: it `is_polled`, and only its queries tell of changes.

    What it writes may be lost in a crash of the server, unless the statement itself asks for durability.
    """

    def __init__(self, store: PostgresDatabase, channel: str) -> None:
        self._store, self._channel = store, channel
        self.is_polled = store.connector.is_polled
        self.connection: Connection | None = None
        self._warnings: list[str] = []

    def wait(self, seconds: float) -> list[str] | None:
        if self.is_polled:
            time.sleep(max(seconds, 0.0))
            return []
        try:
            if self.connection is None or self.connection.closed:
                self._connect()
                return None
            heard = self.connection.notifies(timeout=seconds, stop_after=1)
            return [notification.payload for notification in heard]
        except FAULTS as error:
            self.close()
            raise self._unavailable(error) from error

    def fetch(self, query: Query[Any] | str, params: Params) -> Any:
        try:
            if self.connection is None or self.connection.closed:
                self._connect()
            assert self.connection is not None
            self._warnings.clear()
            found = rows_of(self.connection, self._store.queries[str(query)], params)
        except FAULTS as error:
            self.close()
            raise self._unavailable(error) from error
        if self._warnings:  # for example, the wait for a standby was cancelled
            self.close()
            raise StoreUnavailable(database=self._store.where, why=self._warnings[0])
        return typed(query, found)

    def note_warning(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._warnings.append(notice.message_primary or "a warning")

    def _connect(self) -> None:
        connection = self.connection = self._store.connector.listening()
        connection.add_notice_handler(self.note_warning)
        if not self.is_polled:
            connection.execute(f'LISTEN "{self._channel}"')

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(database=self._store.where, why=first_line(error))

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
