"""Where an organization's kept log begins, after its oldest changes were taken out of it.

The digest of the last change that was taken out is kept, because the next change follows from it. So the rest
of the log can still be verified.
"""

from __future__ import annotations

from collections.abc import Callable

from rescind.model import Microseconds, OrganizationNumber
from rescind.store import Store, Transaction
from rescind.store.rows.log import FIND_LOG_START, LogStartRow


def start_after(
    tx: Transaction, organization: OrganizationNumber, revision: int, *, now: Microseconds, why: str
) -> Callable[[], int]:
    """Let the kept log begin after a revision, if it began before that. The result tells 1 if it does.

    Nothing happens, and the result is 0, unless the change of that revision is in the log, has a digest, and
    is not the newest: the next change follows from the newest. Deletes nothing: see `forget`.
    """
    return tx.rows_written("start_log_after", o=organization, revision=revision, now=now, why=why)


def forget(tx: Transaction, organization: OrganizationNumber, *, limit: int) -> Callable[[], int]:
    """Delete the oldest changes that are before the start of the kept log: `limit` revisions at most.

    The result tells how many were deleted; 0 when none is left.
    """
    return tx.rows_written("forget_log", o=organization, limit=limit)


def log_start(store: Store, organization: OrganizationNumber) -> LogStartRow | None:
    """Where the kept log begins; None if nothing was taken out of it."""
    rows = store.fetch(FIND_LOG_START, {"o": organization})
    return rows[0] if rows else None
