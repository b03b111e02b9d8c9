"""Makes a store's connections, to the server itself or through a pooler, with the settings they need."""

from __future__ import annotations

import time
from typing import Any, Final

import psycopg

from rescind.errors import InvalidArgument
from rescind.settings import Settings
from rescind.store.postgres.address import Address, address
from rescind.store.postgres.connection import (
    CONNECT_SECONDS,
    Connection,
    configure,
    configure_pooled,
    connect,
)
from rescind.store.postgres.pooler import Pooling, pooling_of, require_direct
from rescind.store.postgres.primary import IS_STANDBY
from rescind.store.queries import quoted
from rescind.waiting import deadline_within

FIRST_PAUSE_SECONDS: Final = 0.05
"""The pause before the second attempt to connect; doubled each time."""
LISTENING: Final = "listen_database"
LISTEN_DIRECTLY: Final = (
    "give the URL of the server itself, or leave it out: changes are polled for then"
)
SAME_DATABASE: Final = "it must be the same database as the other URL, without the pooler"
ON_PRIMARY: Final = "it must be the primary: a standby tells nobody of changes"


class Connector:
    """Makes the connections of one store."""

    def __init__(self, at: Address, settings: Settings) -> None:
        self.address, self._silence_seconds = at, settings.silence_seconds
        self.listens_at = address(settings.listen_database) if settings.listen_database else None
        """Where to LISTEN, if that is not where everything else is asked."""
        self.pooling = Pooling()

    def opening(self) -> Connection:
        """A connection to look at the database with. It prepares nothing."""
        connection = connect(self.address, self._silence_seconds)
        connection.prepare_threshold = None
        return connection

    def learn(self, connection: Connection) -> None:
        """Find out, by an opening connection, whether there is a pooler. Raises InvalidArgument where LISTEN
        is to go to another database, to a standby, or through a pooler as well.
        """
        connection.prepare_threshold = 5
        self.pooling = pooling_of(connection, self.address)
        connection.prepare_threshold = None
        if self.listens_at is not None:
            with connect(self.listens_at, self._silence_seconds) as listening:
                require_direct(listening, self.listens_at, what=LISTENING, hint=LISTEN_DIRECTLY)
                if self._identity(listening) != self._identity(connection):
                    raise InvalidArgument(what=LISTENING, hint=SAME_DATABASE)
                if listening.execute(f"SELECT {IS_STANDBY}").fetchone() == (True,):
                    raise InvalidArgument(what=LISTENING, hint=ON_PRIMARY)

    def _identity(self, connection: Connection) -> Any:
        """What no two databases have in common, unless a whole server was copied."""
        ours = quoted(self.address.schema)
        asked = (
            f"SELECT secret, (SELECT oid FROM pg_database WHERE datname = current_database())"
            f" FROM {ours}.directory_secret"
        )
        try:
            with connection.transaction():
                return connection.execute(asked.encode()).fetchone()
        except psycopg.errors.UndefinedTable:
            return None

    def connect(self) -> Connection:
        """A new connection. Retries for CONNECT_SECONDS, because the server may be restarting."""
        deadline, pause = deadline_within(CONNECT_SECONDS), FIRST_PAUSE_SECONDS
        while True:
            try:
                connection = connect(
                    self.address, self._silence_seconds, autocommit=True, deadline=deadline
                )
                break
            except psycopg.OperationalError:
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                pause *= 2
        try:
            self._configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _configure(self, connection: Connection) -> None:
        silence_seconds, pooling = self._silence_seconds, self.pooling
        if pooling.is_pooled:
            configure_pooled(connection, silence_seconds=silence_seconds, prepares=pooling.prepares)
        else:
            configure(connection, silence_seconds=silence_seconds)
            if not pooling.prepares:
                connection.prepare_threshold = None

    @property
    def is_polled(self) -> bool:
        """Whether no connection can LISTEN: its session would be another one's after the statement."""
        return self.pooling.is_pooled and self.listens_at is None

    def listening(self) -> Connection:
        """A new connection for a listener. Its commits need not be durable, unless a statement says so."""
        at = self.listens_at or self.address
        connection = connect(at, self._silence_seconds, autocommit=True)
        connection.cancels_when_silent = True
        if self.is_polled:
            self._configure(connection)
            connection.opening += ("SET LOCAL synchronous_commit = off",)
        else:
            configure(connection, silence_seconds=self._silence_seconds)
            connection.execute("SET synchronous_commit = off")
        return connection
