"""Notes an upgrade of the schema in the log of service actions."""

from __future__ import annotations

import json
import time

import sqlalchemy

from rescind.semantics.chain import action_content, chained
from rescind.store.migrations.scripts import ours

KIND = "schema_migrated"


def note_upgrade(
    connection: sqlalchemy.Connection, before: str | None, after: str, actor: str
) -> None:
    """Add the upgrade to the log of service actions, in its own transaction. `before` is none where the
    version was not known.
    """
    execute = connection.execute
    advance = "UPDATE rescind.action_head SET number = number + 1"
    execute(sqlalchemy.text(ours(connection, advance)))
    find = "SELECT number, digest FROM rescind.action_head"
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
