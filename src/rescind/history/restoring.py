"""A database that was restored from a back-up begins a new incarnation.

What the lost one gave out is then refused: its tokens and cursors, and what replicas keep in memory.
"""

from __future__ import annotations

import json
import secrets

from rescind.model import Microseconds
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows.actions import ServiceAction

KIND = "database_restored"


def begin_incarnation(
    store: Store, now: Microseconds, *, actor: str = "", reason: str = ""
) -> None:
    """Let the database begin a new incarnation, which is an action in the log of service actions.

    When this returns, every process that opens the database refuses tokens and cursors from before. On
    PostgreSQL a replica drops what it caches within a renewal of its lease; on SQLite, at its next check.
    """
    action = ServiceAction(KIND, "database", now, json.dumps({"reason": reason}), actor)

    def begin(tx: Transaction) -> None:
        tx.count("begin_incarnation", Counter.ALTERED, salt=secrets.token_hex(16))
        tx.count("order_restored_events")
        tx.note_action(action)

    store.transact(begin)
    store.reconnect()
