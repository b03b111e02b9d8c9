"""Heads of logs: the newest digest of each organization, to be kept where nobody who can write the
database can write.

A file of heads has one JSON object on each line, and may have any number of each organization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rescind.model import LogHead, moment
from rescind.store import Store
from rescind.store.rows.actions import FIND_ACTION_HEAD
from rescind.store.rows.log import FIND_LOG_HEAD, LIST_LOGS, LIST_LOGS_OF, ListedLogRow

ACTIONS_NUMBER: Final = -1
"""Stands for the log of service actions where a log has the number of its organization."""
ACTIONS_NAME: Final = "service actions"
PAGE = 500
"""Organizations that are read at a time."""


def listed_logs(store: Store, organization: str | None) -> Iterator[ListedLogRow]:
    """Organizations with their numbers, oldest first: all, or those that have or had a name."""
    after = -1
    while True:
        asked = {"after": after, "limit": PAGE}
        if organization is None:
            rows = store.fetch(LIST_LOGS, asked)
        else:
            rows = store.fetch(LIST_LOGS_OF, {**asked, "organization": organization})
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1].organization


def log_heads(store: Store, organization: str | None) -> Iterator[LogHead]:
    """The head of each log that has any change, also of deleted organizations; of all, last that of service
    actions.
    """
    for log in listed_logs(store, organization):
        for row in store.fetch(FIND_LOG_HEAD, {"o": log.organization}):
            digest = None if row.digest is None else bytes(row.digest).hex()
            at = moment(row.recorded_at)
            yield LogHead(log.name or "", log.organization, row.revision, digest, at)
    for row in store.fetch(FIND_ACTION_HEAD, {}) if organization is None else ():
        digest = None if row.digest is None else bytes(row.digest).hex()
        at = moment(row.recorded_at)
        yield LogHead(ACTIONS_NAME, ACTIONS_NUMBER, row.revision, digest, at)
