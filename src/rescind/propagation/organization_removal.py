"""Background work: delete the rows left over from deleted organizations, chunk by chunk.

No question reads these rows any more. A chunk deletes a number of whatever rows there are, so it may be
repeated, or killed at any point. A chunk that finds fewer rows is the last.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from rescind.errors import GroupBusy
from rescind.model import OrganizationNumber
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows.deletion import FIND_DELETION, LIST_DELETIONS

CHUNK_ROWS: Final = 5_000
LOOK_AHEAD: Final = 8
CLEARING: Final = (
    "clear_role_resets",
    "clear_assignments",
    "clear_group_members",
    "clear_nestings",
    "clear_groups",
    "clear_effective_roles",
    "clear_memberships",
    "clear_parents",
    "clear_resources",
    "clear_roles",
)


def clear(store: Store, *, rows: int = CHUNK_ROWS) -> bool:
    """Do a chunk for the organization that was deleted first, among those that no other worker has.

    Returns whether there was one. Raises a StoreError; then nothing of the chunk was done.
    """
    found = store.fetch(LIST_DELETIONS, {"organization": None, "limit": LOOK_AHEAD})
    for row in found:
        try:
            store.transact(partial(_chunk, organization=row.organization, rows=rows), yields=True)
        except GroupBusy:
            continue
        return True
    return False


def clear_one(store: Store, organization: OrganizationNumber, *, rows: int = CHUNK_ROWS) -> None:
    """Delete all rows left over from a deleted organization.

    Raises GroupBusy while another worker has it, or a StoreError; what was done by then stays done.
    """
    while store.fetch(FIND_DELETION, {"o": organization}):
        store.transact(partial(_chunk, organization=organization, rows=rows), yields=True)


def _chunk(tx: Transaction, organization: OrganizationNumber, rows: int) -> None:
    o = organization
    tx.refuse("refuse_deletion_busy", o=o)
    for query in CLEARING:
        tx.count(query, Counter.ALTERED, o=o, limit=rows)
    tx.run("advance_deletion", o=o)
    tx.run("forget_gone_of_deleted", o=o)
    tx.run("settle_deletion", o=o, limit=rows)
    tx.run("end_deletion", o=o, limit=rows)
