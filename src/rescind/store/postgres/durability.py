"""Warns of a server whose settings may undo a commit that was reported."""

from __future__ import annotations

import logging

from rescind.store.postgres.connection import USUAL_DURABILITY, Connection

log = logging.getLogger(__name__)


def warn_of_lost_commits(connection: Connection, where: str) -> None:
    """Log a warning if commits may be lost in a crash of the server, because of its settings."""
    connection.execute(USUAL_DURABILITY)
    row = connection.execute("SHOW synchronous_commit").fetchone()
    if row == ("off",):
        log.warning(
            "%s: synchronous_commit is off: a crash of the server may undo changes that have returned,"
            " and revocations with them. Set it to on, or to local at least.",
            where,
        )
