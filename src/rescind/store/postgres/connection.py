"""Connections to a server that need not answer: none of them waits for ever.

Who waits gives the connection up when nothing has come from the server for a while, as nothing does from
one that was frozen, or by way of a network that swallows what is sent. To cancel the statement would have
to be answered as well, so the connection is closed.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Self, TypeVar
from urllib.parse import unquote

import psycopg
from psycopg.abc import PQGen, PQGenConn
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.types.numeric import Int8Dumper

from rescind.errors import InvalidArgument, OutcomeUnknown
from rescind.settings import Settings
from rescind.store.queries import SCHEMA
from rescind.waiting import NEVER, deadline_within

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""Of a transaction of ours: each statement must see what those who held its locks before it have committed,
whatever level the server, the database or the role has as its default.
"""
CONNECT_SECONDS = 10.0
SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
SCHEMA_RULE: Final = "use small letters, digits and _, at most 63, and no pg_ at the start"
BUSY_SECONDS = 10.0
"""How long a lock is waited for: its holder may stand still without being gone."""
CANCEL_SECONDS = 1.0
"""How long a server that says nothing may take to hear that it is to stop."""
GIVING_WAY_SECONDS = 0.25
"""The same, for who gives way."""
SILENCE_SECONDS: Final = Settings().silence_seconds
SYNCREP: Final = "syncrep.c"
PROBES: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""Who only listens notices a machine that has vanished within half a minute."""

T = TypeVar("T")


class ServerSilent(psycopg.OperationalError):
    """Nothing has come from the server for as long as was to be waited."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is closed, with ServerSilent, when the server says nothing for `silence_seconds`
    while it is waited for. In a process that was forked off its own it is of no use, and left alone.
    """

    silence_seconds: float = SILENCE_SECONDS
    process: int = 0
    cancels_when_silent: bool = False
    """Whether the server is told to stop: who waits for a standby that is gone would stay there otherwise."""
    unconfirmed: list[str]
    """The server's warnings of commits that did not wait for their standby, until they were raised."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        if self.process not in (0, os.getpid()):
            raise psycopg.OperationalError(
                "the connection belongs to the process that this one was forked off"
            )
        if timeout is not None:  # somebody listens: silence is no sign of anything
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
        """The driver's steps to connect to one host, given up when that host has had its time."""
        steps, ready = super()._connect_gen(conninfo), None
        deadline = _CONNECTING.get().next_deadline()
        try:
            while True:
                ready = yield steps.send(ready)  # type: ignore[arg-type]
                if time.monotonic() >= deadline:
                    raise psycopg.errors.ConnectionTimeout("connection timeout expired")
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]

    def close(self) -> None:
        if self.process in (0, os.getpid()):
            super().close()


def _until_silent(steps: PQGen[T], silence_seconds: float) -> PQGen[T]:
    """The driver's steps, given up when it has waited in vain for so long since something came."""
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


class _Connecting:
    """How long connecting may take, and how many hosts are left to be tried in that time."""

    def __init__(self, deadline: float, hosts: int) -> None:
        self._deadline, self._hosts = deadline, hosts

    def next_deadline(self) -> float:
        """Until when the next host is tried: so that those after it have as long, if it says nothing."""
        now, hosts = time.monotonic(), max(self._hosts, 1)
        self._hosts -= 1
        return now + (self._deadline - now) / hosts


_CONNECTING: Final[ContextVar[_Connecting]] = ContextVar("connecting")


def connect(
    url: str, silence_seconds: float, *, autocommit: bool = False, deadline: float | None = None
) -> Connection:
    """A new connection, with its bounds; `configure` is for whoever asks it anything of ours.

    It is there by the deadline, or CONNECT_SECONDS after the call. All hosts of the URL share that time.
    """
    until_then = deadline_within(CONNECT_SECONDS) if deadline is None else deadline
    token = _CONNECTING.set(_Connecting(until_then, _hosts_of(url)))
    try:
        connection = Connection.connect(url, autocommit=autocommit, **parameters(url))
    finally:
        _CONNECTING.reset(token)
    connection.silence_seconds, connection.process = silence_seconds, os.getpid()
    connection.unconfirmed = []
    connection.add_notice_handler(_unconfirmed_to(connection.unconfirmed))
    return connection


def _hosts_of(url: str) -> int:
    said = psycopg.conninfo.conninfo_to_dict(url)
    return str(said.get("hostaddr") or said.get("host") or "").count(",") + 1


def _unconfirmed_to(warnings: list[str]) -> Callable[[psycopg.errors.Diagnostic], None]:
    """A handler that knows the list and not the connection, which must not refer to itself."""

    def note(notice: psycopg.errors.Diagnostic) -> None:
        if is_canceled_wait(notice):
            warnings.append(notice.message_primary or "the wait for a standby was canceled")

    return note


def is_canceled_wait(notice: psycopg.errors.Diagnostic) -> bool:
    """Whether PostgreSQL warns that it committed without the synchronous standby.

    The wait was canceled, by an administrator or by a timeout of statements. The text is in the server's
    language; the place in its source is not (SyncRepWaitForLSN in syncrep.c).
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
    """What bounds a connection in the driver and the network, but for what the URL says itself."""
    bounds = {"connect_timeout": int(CONNECT_SECONDS), **PROBES}
    said = psycopg.conninfo.conninfo_to_dict(url)
    return {name: value for name, value in bounds.items() if name not in said}


class Address(NamedTuple):
    """A URL as the driver takes it, and the schema that Rescind's objects are in."""

    url: str
    schema: str


def address(url: str) -> Address:
    """Take the parameter `schema`, which is not the driver's, out of a URL. Raises InvalidArgument."""
    front, _, query = url.partition("?")
    parameters = query.split("&") if query else []
    others = [part for part in parameters if part.partition("=")[0] != "schema"]
    named = [unquote(part.partition("=")[2]) for part in parameters if part not in others]
    schema = named[-1] if named else SCHEMA
    if not SCHEMA_NAME.fullmatch(schema) or schema.startswith("pg_"):
        raise InvalidArgument(what="schema", value=schema, hint=SCHEMA_RULE)
    return Address(f"{front}?{'&'.join(others)}" if others else front, schema)


def location(url: str) -> str:
    """Which database a URL means, without its user and password, which no message may repeat.

    Raises InvalidArgument for a malformed one.
    """
    url = address(url).url
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        hint = "write postgresql://user:password@host:port/database, other signs as %xx"
        raise InvalidArgument(what="database", hint=hint) from None
    return f"{parts.get('dbname', '')} on {parts.get('host', 'localhost')}"


def configure(
    connection: psycopg.Connection[tuple[Any, ...]], *, silence_seconds: float = SILENCE_SECONDS
) -> None:
    """Settings that hold for a connection of ours.

    Every statement of Rescind goes from keys to keys through indexes, in the order it is written
    in: plans are made once, and not for tables that happened to be empty at that time. A machine that
    vanished is noticed, and gives up its locks, within half a minute. That a lock is not to be had is an
    answer, so it comes before the server counts as silent.
    """
    busy_seconds = min(BUSY_SECONDS, silence_seconds / 2)
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.prepared_max = 1_000
    connection.execute(
        "SELECT set_config(name, value, false) FROM (VALUES ('jit', 'off'),"
        " ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'),"
        " ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('enable_material', 'off'),"
        " ('enable_bitmapscan', 'off'), ('join_collapse_limit', '1'), ('from_collapse_limit', '1'),"
        " ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'),"
        " ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '25000'),"
        f" ('lock_timeout', '{busy_seconds * 1e3:.0f}'),"
        " ('default_transaction_isolation', 'read committed')) AS s (name, value)"
    )


def reset(connection: psycopg.Connection[Any]) -> None:
    """End a failed transaction, or the connection with it."""
    if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
        try:
            connection.execute(undo("ROLLBACK"))
        except (psycopg.Error, MemoryError):
            connection.close()


def is_idle(connection: Connection) -> bool:
    """Whether it may be used again; a transaction that was left on it is undone here."""
    reset(connection)
    return not connection.closed and connection.pgconn.pipeline_status == PipelineStatus.OFF


_undone = itertools.count()


def undo(command: str) -> str:
    """A rollback that makes the driver forget which statements it prepared.

    Those queued behind a failed one were never prepared in the server. The driver clears its list
    on a rollback, but only on one whose text it has not seen (hence the number) and that is not
    itself in a pipeline (there the clearing would hit what is prepared next).
    """
    return f"{command} -- {next(_undone)}"
