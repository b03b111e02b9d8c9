"""Connections that never wait forever, even if the server stops answering.

A waiting connection is closed when nothing has come from the server for a while: the server may be frozen, or
the network may drop packets. Cancelling the statement would need an answer too, so the connection is closed.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, Self, TypeVar

import psycopg
from psycopg.abc import PQGen, PQGenConn
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.types.numeric import Int8Dumper

from rescind.errors import OutcomeUnknown
from rescind.settings import Settings
from rescind.store.postgres.address import Address
from rescind.store.postgres.primary import hosts_of, unless_standby
from rescind.waiting import NEVER, deadline_within

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""Each statement must see what earlier holders of its locks committed, whatever isolation level the
server, the database or the role has as its default.
"""
CONNECT_SECONDS = 10.0
BUSY_SECONDS = 10.0
"""How long a statement waits for a lock: its holder may be stopped without being gone."""
CANCEL_SECONDS = 1.0
"""How long a request to cancel may take if the server is silent."""
YIELDING_LOCK_SECONDS = 0.25
"""How long a transaction that yields waits for a lock."""
SILENCE_SECONDS: Final = Settings().silence_seconds
SYNCREP: Final = "syncrep.c"
PROBES: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""With these a listening connection notices within half a minute that the machine is gone."""

T = TypeVar("T")


class ServerSilent(psycopg.OperationalError):
    """Nothing has come from the server within the time to wait."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is closed with ServerSilent if it waits and the server sends nothing for
    `silence_seconds`. It cannot be used in a forked process, and is left alone there.
    """

    silence_seconds: float = SILENCE_SECONDS
    process: int = 0
    cancels_when_silent: bool = False
    """Whether a silent server is asked to cancel. Otherwise a commit goes on waiting for a lost standby."""
    opening: tuple[str, ...] = ()
    """What each transaction begins with, where its session may have other settings: behind a pooler."""
    unconfirmed: list[str]
    """The server's warnings about commits that did not wait for their standby, until they are raised."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        if self.process not in (0, os.getpid()):
            raise psycopg.OperationalError(
                "the connection belongs to the process that this one was forked off"
            )
        if timeout is not None:  # a listener: silence means nothing
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(_until_silent(gen, self.silence_seconds), interval)
        except ServerSilent:
            if self.cancels_when_silent:
                with suppress(psycopg.Error):
                    self.cancel_safe(timeout=CANCEL_SECONDS)
            self.close()
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        """The driver's steps to connect to one host, abandoned when that host's time is over."""
        steps, ready = super()._connect_gen(conninfo), None
        deadline = _CONNECTING.get().next_deadline()
        try:
            while True:
                ready = yield steps.send(ready)  # type: ignore[arg-type]
                if time.monotonic() >= deadline:
                    raise psycopg.errors.ConnectionTimeout("connection timeout expired")
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]

    def begin(self, how: str | None = None) -> None:
        """Begin a transaction with the settings that our statements need. In a pipeline, which it must be
        where there is an `opening`, this takes no round trip of its own.
        """
        self.execute(how or BEGIN)
        for statement in self.opening:
            self.execute(statement, prepare=True)

    def close(self) -> None:
        if self.process in (0, os.getpid()):
            super().close()


def _until_silent(steps: PQGen[T], silence_seconds: float) -> PQGen[T]:
    """The driver's steps, abandoned when nothing has come for `silence_seconds`."""
    ready: Any = None
    silent_since: float | None = None
    deadline = deadline_within(NEVER)
    try:
        while True:
            ready = yield steps.send(ready)
            if ready:
                silent_since = None
            elif time.monotonic() >= deadline:
                raise ServerSilent("the server has not answered in time")
            elif silent_since is None:
                silent_since = time.monotonic()
            elif time.monotonic() - silent_since >= silence_seconds:
                raise ServerSilent(f"the server has said nothing for {silence_seconds:g} s")
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


class Connecting:
    """How long connecting may take, and how many hosts are left to try in that time."""

    def __init__(self, deadline: float, hosts: int) -> None:
        self._deadline, self.hosts = deadline, hosts

    def next_deadline(self) -> float:
        """The deadline of the next host, which leaves each later host the same time."""
        now, hosts = time.monotonic(), max(self.hosts, 1)
        self.hosts -= 1
        return now + (self._deadline - now) / hosts


_CONNECTING: Final[ContextVar[Connecting]] = ContextVar("connecting")


def connect(
    at: Address,
    silence_seconds: float,
    *,
    autocommit: bool = False,
    deadline: float | None = None,
) -> Connection:
    """A new connection with time limits. Call `configure` or `configure_pooled` before running queries.

    Connects by the deadline, or within CONNECT_SECONDS. All hosts of the URL share that time. Of several
    hosts the primary is taken, unless the URL says otherwise.
    """
    until_then = deadline_within(CONNECT_SECONDS) if deadline is None else deadline
    token = _CONNECTING.set(Connecting(until_then, hosts_of(at.url)))
    try:
        arguments = {**parameters(at.url), **at.arguments()}
        connection = Connection.connect(at.url, autocommit=autocommit, **arguments)
    finally:
        _CONNECTING.reset(token)
    connection.silence_seconds, connection.process = silence_seconds, os.getpid()
    connection.unconfirmed = []
    connection.add_notice_handler(_unconfirmed_to(connection.unconfirmed))
    return connection


def _unconfirmed_to(warnings: list[str]) -> Callable[[psycopg.errors.Diagnostic], None]:
    """A handler that refers to the list only: the connection must not refer to itself."""

    def note(notice: psycopg.errors.Diagnostic) -> None:
        if is_canceled_wait(notice):
            warnings.append(notice.message_primary or "the wait for a standby was canceled")

    return note


def is_canceled_wait(notice: psycopg.errors.Diagnostic) -> bool:
    """Whether PostgreSQL warns that it committed without the synchronous standby.

    The wait was cancelled by an administrator or by a statement timeout. The message is in the server's
    language, so this looks at the source file (SyncRepWaitForLSN in syncrep.c).
    """
    return (
        notice.severity_nonlocalized == "WARNING"
        and os.path.basename(notice.source_file or SYNCREP) == SYNCREP
    )


def require_confirmed(connection: Connection) -> None:
    """Raises OutcomeUnknown if what was committed since the last call may be lost with this server."""
    if connection.unconfirmed:
        why = connection.unconfirmed[0]
        connection.unconfirmed.clear()
        raise OutcomeUnknown(why=why)


def parameters(url: str) -> dict[str, Any]:
    """Time limits for the driver and the network, without those that the URL sets itself."""
    bounds = {"connect_timeout": int(CONNECT_SECONDS), **PROBES}
    said = psycopg.conninfo.conninfo_to_dict(url)
    return {name: value for name, value in bounds.items() if name not in said}


PLANNER: Final = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "enable_bitmapscan": "off",
    "join_collapse_limit": "1",
    "from_collapse_limit": "1",
}
"""Every statement of Rescind goes through indexes from key to key, in the order in which it is written. So
plans are generic, and do not depend on which tables are empty at the moment.
"""
OF_A_SESSION: Final = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
    "default_transaction_isolation": "read committed",
}
"""A client machine that is gone is noticed within half a minute, and its locks are released."""
USUAL_DURABILITY: Final = "SET LOCAL synchronous_commit TO DEFAULT"
"""What the server, the database or the role has, whatever somebody else left in the session."""


def configure(
    connection: psycopg.Connection[tuple[Any, ...]], *, silence_seconds: float = SILENCE_SECONDS
) -> None:
    """Configure one of our own connections, for as long as it lasts.

    The lock timeout is shorter than `silence_seconds`, because a lock timeout is an answer.
    """
    _register(connection)
    timeout = {"lock_timeout": _lock_timeout(silence_seconds)}
    values = {name: f"'{value}'" for name, value in {**PLANNER, **OF_A_SESSION, **timeout}.items()}
    connection.execute(_setting(values, is_local=False))


def configure_pooled(
    connection: Connection, *, silence_seconds: float = SILENCE_SECONDS, prepares: bool = False
) -> None:
    """Configure one of our own connections through a pooler. Nothing is sent: each transaction begins with
    its settings, which end with it. What somebody else left in a session does not matter. A transaction that
    the pooler sends to a standby fails, unless the URL asks for one.
    """
    _register(connection)
    if not prepares:
        connection.prepare_threshold = None
    values = {name: f"'{value}'" for name, value in PLANNER.items()}
    values["lock_timeout"] = unless_standby(connection, _lock_timeout(silence_seconds))
    connection.opening = (USUAL_DURABILITY, _setting(values, is_local=True))


def _register(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.prepared_max = 1_000


def _lock_timeout(silence_seconds: float) -> str:
    return f"{min(BUSY_SECONDS, silence_seconds / 2) * 1e3:.0f}"


def _setting(values: Mapping[str, str], *, is_local: bool) -> str:
    """A statement with those settings, for its transaction or for the session. The values are SQL."""
    rows = ", ".join(f"('{name}', {value})" for name, value in values.items())
    return f"SELECT set_config(name, value, {is_local}) FROM (VALUES {rows}) AS s (name, value)"


def reset(connection: psycopg.Connection[Any]) -> None:
    """Roll back an open transaction; close the connection if that fails."""
    if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
        try:
            connection.execute(undo("ROLLBACK"))
        except (psycopg.Error, MemoryError):
            connection.close()


def is_idle(connection: Connection) -> bool:
    """Whether the connection can be used again. An abandoned transaction is rolled back first."""
    reset(connection)
    return not connection.closed and connection.pgconn.pipeline_status == PipelineStatus.OFF


_undone = itertools.count()


def undo(command: str) -> str:
    """A rollback that makes the driver forget which statements it prepared.

    Statements queued behind a failed one were never prepared in the server. The driver clears its list on a
    rollback, but only if it has not seen the statement's text before (hence the number), and only outside a
    pipeline (inside one, the clearing would hit what is prepared next).
    """
    return f"{command} -- {next(_undone)}"
