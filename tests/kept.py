"""PostgreSQL databases that serve many tests, one after the other. Each test finds one as its template is.

To make a database, fill the caches of new sessions with it and drop it costs the server more than most tests
do. So a database is kept, with its sessions, and its rows are put back between two tests. It is made anew
once anything but its rows may differ: where a test has changed its schema or settings, or left a connection
open.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from copy import copy
from typing import Final

import psycopg

from rescind import forks
from rescind.store import StoreProbe
from rescind.store.postgres.connection import SILENCE_SECONDS, Connection, configure
from rescind.store.postgres.connector import Connector
from rescind.store.postgres.statements import Statements
from rescind.store.postgres.store import PostgresStore
from rescind.store.probe import store_queries
from rescind.store.queries import quoted

MOST_USES: Final = 300
"""Rows that were deleted stay in the pages of a table for a while."""
MOST_SESSIONS: Final = 4
ENDING_SECONDS: Final = 0.5
"""How long the server may take to notice that a connection was closed."""

_CATALOGS: Final = (
    *("pg_attribute", "pg_class", "pg_constraint", "pg_namespace"),
    *("pg_proc", "pg_rewrite", "pg_trigger"),
)
_COUNTED: Final = " UNION ALL ".join(
    "SELECT count(*) AS rows, count(*) FILTER (WHERE age(xmin) < age(CAST(%(since)s AS xid))) AS newer"
    f" FROM {catalog}"
    for catalog in _CATALOGS
)
_SCHEMA: Final = (
    "SELECT CAST(sum(c.rows) AS bigint), CAST(sum(c.newer) AS bigint), d.xmin,"
    " (SELECT array_agg(CAST(s AS text)) FROM pg_db_role_setting AS s WHERE s.setdatabase = d.oid)"
    f" FROM ({_COUNTED}) AS c, pg_database AS d WHERE d.datname = current_database()"
    " GROUP BY d.oid, d.xmin"
)
"""What differs once anything in the catalogs was added, altered or dropped."""
_ADDED: Final = (
    "SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, CAST(CAST(oid AS regclass) AS text)"
    " FROM pg_class WHERE relnamespace = CAST('public' AS regnamespace) AND relkind IN ('r', 'v')"
)
"""Tables of an application."""
_SESSIONS: Final = (
    "SELECT count(*) FROM pg_stat_get_activity(NULL) AS a"
    " JOIN pg_database AS d ON d.oid = a.datid AND d.datname = current_database()"
    " WHERE a.backend_type = 'client backend'"
)
_TABLES: Final = (
    "SELECT CAST(CAST(oid AS regclass) AS text) FROM pg_class"
    " WHERE relnamespace = CAST('rescind' AS regnamespace) AND relkind IN ('r', 'p')"
    " AND NOT relispartition ORDER BY relname"
)
_SEQUENCES: Final = (
    "SELECT CAST(CAST(oid AS regclass) AS text) FROM pg_class"
    " WHERE relnamespace = CAST('rescind' AS regnamespace) AND relkind = 'S' ORDER BY relname"
)
_UNUSED: Final = (
    "CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all();"
    " SET SESSION AUTHORIZATION DEFAULT; RESET ALL"
)
"""What a session is told before another test has it. What it prepared stays."""


class KeptDatabase:
    """A database and its free connections. `lend` gives a test a store on it."""

    def __init__(self, url: str) -> None:
        self.url, self.uses, self.process = url, 0, os.getpid()
        self.free: list[Connection] = []
        self._store = LentStore(url)
        self._owner = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        self._owner.execute("SET session_replication_role = replica")  # no trigger, no foreign key
        self._owner.execute("SET lock_timeout = '1s'")
        self._remember()
        self._since = str(self._value("SELECT CAST(pg_current_xact_id() AS xid)"))
        self._schema = self._seen()

    def _value(self, sql: str) -> object:
        row = self._owner.execute(sql).fetchone()
        assert row is not None
        return row[0]

    def _remember(self) -> None:
        """Keep all rows in temporary tables, and how to put them back in a temporary function."""
        owner = self._owner
        tables = [name for (name,) in owner.execute(_TABLES)]
        steps = [f"DELETE FROM {table};" for table in tables]
        for number, table in enumerate(tables):
            if self._value(f"SELECT EXISTS (SELECT FROM {table})"):
                owner.execute(f"CREATE TEMPORARY TABLE kept_{number} AS TABLE {table}")
                steps.append(f"INSERT INTO {table} SELECT * FROM pg_temp.kept_{number};")
        for (name,) in owner.execute(_SEQUENCES).fetchall():
            last, is_called = owner.execute(f"SELECT last_value, is_called FROM {name}").fetchone()
            steps.append(f"PERFORM setval('{name}', {last}, {is_called});")
        body = "\n".join(steps)
        owner.execute(
            "CREATE FUNCTION pg_temp.restore() RETURNS void LANGUAGE plpgsql"
            f" AS $$ BEGIN\n{body}\nEND $$"
        )

    def restore(self) -> bool:
        """Make its rows what they were. Says if it can be lent; else it is to be made anew."""
        try:
            if self.uses >= MOST_USES or not self._is_left() or not self._has_its_schema():
                return False
            self._owner.execute("SELECT pg_temp.restore()")
        except psycopg.Error:  # somebody has locked its rows, or ended our session
            return False
        self.uses += 1
        return True

    def _seen(self) -> object:
        return self._owner.execute(_SCHEMA, {"since": self._since}).fetchone()

    def _has_its_schema(self) -> bool:
        """Whether nothing is altered, once the tables of an application are dropped."""
        if self._seen() == self._schema:
            return True
        for kind, name in self._owner.execute(_ADDED).fetchall():
            self._owner.execute(f"DROP {kind} IF EXISTS {name} CASCADE")
        return self._seen() == self._schema

    def _is_left(self) -> bool:
        """Whether nobody else is connected any more, and all free sessions are there."""
        deadline = time.monotonic() + ENDING_SECONDS
        while self._value(_SESSIONS) != 1 + len(self.free):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def lend(self, probe: StoreProbe | None = None) -> PostgresStore:
        """A store on it, as if it was just opened."""
        store = copy(self._store)
        store.probe, store.queries = probe, store_queries(self._store.queries, probe)
        store.statements = Statements(store.queries, quoted(store.schema))
        store.connector, store.kept = LendingConnector(self._store.connector, self), self
        forks.reinit_after_fork(store)  # with a pool of its own
        return store

    def close(self) -> None:
        """Close all its connections."""
        for connection in self.free:
            connection.close()
        self._owner.close()
        self._store.close()


class LentStore(PostgresStore):
    """A store that gives its free connections back when it is closed."""

    kept: KeptDatabase | None = None

    def close(self) -> None:
        kept, free = self.kept, self.pool.free
        while kept and kept.process == os.getpid() and free and len(kept.free) < MOST_SESSIONS:
            pooled = free.pop()
            connection, pooled.connection = pooled.connection, None
            if connection is not None:
                kept.free.append(connection)
        super().close()


class LendingConnector(Connector):
    """A connector like another one that takes a connection which is free before it makes one."""

    def __init__(self, like: Connector, kept: KeptDatabase) -> None:
        vars(self).update(vars(like))
        self._kept = kept

    def connect(self) -> Connection:
        free = self._kept.free
        if self._kept.process != os.getpid() or not free:
            return super().connect()
        connection = free.pop()
        connection.silence_seconds = SILENCE_SECONDS
        connection.unconfirmed.clear()
        connection.execute(_UNUSED, prepare=False)
        configure(connection, silence_seconds=SILENCE_SECONDS)
        return connection


class KeptDatabases:
    """One such database for each template. `make` makes a copy of a template by its name; `drop` drops it."""

    def __init__(self, make: Callable[[str, str], str], drop: Callable[[str], None]) -> None:
        self._make, self._drop = make, drop
        self._kept: dict[str, tuple[str, KeptDatabase]] = {}
        self._numbers = itertools.count()

    def restored(self, template: str) -> KeptDatabase:
        """A database that is as the template is, for one test at a time."""
        if template in self._kept and not self._kept[template][1].restore():
            self._end(template)
        if template not in self._kept:
            name = f"rescind_kept_{os.getpid()}_{next(self._numbers)}"
            self._kept[template] = name, KeptDatabase(self._make(name, template))
        return self._kept[template][1]

    def _end(self, template: str) -> None:
        name, kept = self._kept.pop(template)
        kept.close()
        self._drop(name)

    def close(self) -> None:
        """Drop them all."""
        for template in tuple(self._kept):
            self._end(template)
