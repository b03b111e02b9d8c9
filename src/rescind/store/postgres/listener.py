"""Receives notifications of other processes."""

from __future__ import annotations

from typing import Any

import psycopg

from rescind.errors import StoreUnavailable
from rescind.store.contract import Params
from rescind.store.postgres.connection import Connection, configure, connect
from rescind.store.postgres.database import PostgresDatabase
from rescind.store.postgres.errors import FAULTS, first_line
from rescind.store.rows import Query, typed


class PostgresListener:
    """Receives a channel's notifications, on a connection that is opened when it is first needed.

    What it writes may be lost in a crash of the server, unless the statement itself asks for durability.
    """

    def __init__(self, store: PostgresDatabase, channel: str) -> None:
        self._store, self._channel = store, channel
        self.connection: Connection | None = None
        self._warnings: list[str] = []

    def wait(self, seconds: float) -> list[str] | None:
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
            sql = self._store.queries[str(query)]
            found = self.connection.execute(sql, params, prepare=True).fetchall()
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
        silence_seconds = self._store.silence_seconds
        connection = connect(self._store.url, silence_seconds, autocommit=True)
        self.connection = connection
        connection.cancels_when_silent = True
        connection.add_notice_handler(self.note_warning)
        configure(connection, silence_seconds=silence_seconds)
        connection.execute("SET synchronous_commit = off")
        connection.execute(f'LISTEN "{self._channel}"')

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(database=self._store.where, why=first_line(error))

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
