"""Notes an upgrade of the schema in the log of service actions."""

from __future__ import annotations

import json
import time

import sqlalchemy

from rescind.semantics.chain import FIRST_OF_ACTIONS, action_content, chained
from rescind.store.migrations.scripts import ours

KIND = "schema_migrated"


def note_upgrade(
    connection: sqlalchemy.Connection, before: str | None, after: str, actor: str
) -> None:
    """Add the upgrade to the log of service actions, in its own transaction. `before` is none where the
    version was not known.
    """
    execute = connection.execute
    find = "SELECT number, digest FROM rescind.action_head"
    if execute(sqlalchemy.text(ours(connection, find))).one_or_none() is None:
        _begin_again(connection)
    advance = "UPDATE rescind.action_head SET number = number + 1"
    execute(sqlalchemy.text(ours(connection, advance)))
    number, digest = execute(sqlalchemy.text(ours(connection, find))).one()
    now, detail = time.time_ns() // 1_000, json.dumps({"from": before})
    content = action_content(number, now, None, (KIND, after, detail, actor, ""))
    names = {"number": number, "now": now, "kind": KIND, "subject": after, "detail": detail}
    names |= {"actor": actor, "digest": chained(bytes(digest), content)}
    insert = (
        "INSERT INTO rescind.action (number, recorded_at, kind, subject, detail, actor, request, digest)"
        " VALUES (:number, :now, :kind, :subject, :detail, :actor, '', :digest)"
    )
    execute(sqlalchemy.text(ours(connection, insert)), names)
    keep = "UPDATE rescind.action_head SET digest = :digest"
    execute(sqlalchemy.text(ours(connection, keep)), names)


def _begin_again(connection: sqlalchemy.Connection) -> None:
    """Let the log go on after its newest action: somebody deleted the row that says which that is."""
    find = "SELECT number, digest FROM rescind.action ORDER BY number DESC LIMIT 1"
    newest = connection.execute(sqlalchemy.text(ours(connection, find))).one_or_none()
    number, digest = (0, FIRST_OF_ACTIONS) if newest is None else newest
    keep = "INSERT INTO rescind.action_head (id, number, digest) VALUES (0, :number, :digest)"
    names = {"number": number, "digest": bytes(digest)}
    connection.execute(sqlalchemy.text(ours(connection, keep)), names)
