"""Whether a pooler stands between this process and the server, and what can be relied on then.

A pooler in transaction mode gives each transaction any session of the server, which others used before. So a
setting of the session, LISTEN and, with most poolers, a prepared statement would be somebody else's.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import psycopg

from rescind.errors import InvalidArgument
from rescind.store.postgres.address import Address, Pooled

PREPARED: Final = "SELECT 1 AS rescind_prepared"
"""A statement that is prepared to see by which name the server has it."""
OWN_NAMES: Final = "_pg3_%"
"""The driver's names of prepared statements. A pooler that keeps them apart gives them names of its own."""
KEEP_APART: Final = (
    "the pooler does not keep prepared statements apart:"
    " with PgBouncer 1.22 or later set max_prepared_statements"
)


class Pooling(NamedTuple):
    """How a store's connections reach the server."""

    is_pooled: bool = False
    """Whether each transaction may have another session."""
    prepares: bool = True
    """Whether a statement that was prepared is known in the next transaction."""


def is_proxied(connection: psycopg.Connection[Any]) -> bool:
    """Whether another program answers for the server.

    When a connection begins, the server tells the number of its process, which is needed to cancel a
    statement (https://www.postgresql.org/docs/current/protocol-flow.html, BackendKeyData). A pooler tells one
    of its own, because the process may be another one for each transaction.
    """
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or row[0] != connection.info.backend_pid


def pooling_of(connection: psycopg.Connection[Any], at: Address) -> Pooling:
    """What holds for connections like this one, which is in a transaction. Raises InvalidArgument if
    statements are to be prepared and the pooler does not keep them apart.
    """
    if at.pooled is Pooled.SESSION or (at.pooled is None and not is_proxied(connection)):
        return Pooling(prepares=at.prepared is not False)
    if at.prepared and not _keeps_prepared(connection):
        raise InvalidArgument(what="prepared", value="on", hint=KEEP_APART)
    return Pooling(is_pooled=True, prepares=bool(at.prepared))


def _keeps_prepared(connection: psycopg.Connection[Any]) -> bool:
    """Whether the pooler names prepared statements itself, and prepares one where it is missing."""
    if not psycopg.capabilities.has_send_close_prepared():  # the driver would send SQL instead
        return False
    connection.execute("SAVEPOINT rescind_prepared")
    try:
        connection.execute(PREPARED, prepare=True)
    except psycopg.errors.DuplicatePreparedStatement:  # left behind by another program
        connection.execute("ROLLBACK TO SAVEPOINT rescind_prepared")
        return False
    kept = "SELECT name, name LIKE %s FROM pg_prepared_statements WHERE statement = %s"
    rows = connection.execute(kept, (OWN_NAMES, PREPARED), prepare=False).fetchall()
    for name, is_as_sent in rows:
        if is_as_sent:
            quoted = psycopg.sql.Identifier(name).as_string()
            connection.execute(f"DEALLOCATE {quoted}".encode(), prepare=False)
    return any(not is_as_sent for _, is_as_sent in rows)


def require_direct(
    connection: psycopg.Connection[Any], at: Address, *, what: str, hint: str
) -> None:
    """Raises InvalidArgument where a pooler may give each transaction another session."""
    said = at.pooled
    if said is Pooled.TRANSACTION or (said is None and is_proxied(connection)):
        raise InvalidArgument(what=what, why="a connection pooler is in between", hint=hint)
