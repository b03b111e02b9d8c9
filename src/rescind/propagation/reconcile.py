"""Settle all that is pending for one group.

`reconcile` is a plain function that any scheduler can call. `worker` is Rescind's own. `work` has the chunks.
"""

from __future__ import annotations

import time
from typing import Any, Final

from rescind.errors import GroupNotFound, StoreConflict
from rescind.instruments import Instruments
from rescind.model import GroupNumber, OrganizationNumber
from rescind.propagation.jobs import Progress, jobs
from rescind.propagation.pace import Pace
from rescind.propagation.tombstones import purge
from rescind.propagation.work import Work
from rescind.store import Store
from rescind.store.rows.reconcile import FIND_GROUP, LIST_FIRST_PENDING_OF_GROUP, READ_LAST_PENDING

MOST_RESTARTS: Final = 100
"""How often one call starts again because of changes that come meanwhile. After that it raises
StoreConflict.
"""


def reconcile(
    store: Store,
    organization: str,
    group: str,
    *,
    pace: Pace | None = None,
    instruments: Instruments | None = None,
) -> Progress:
    """Settle all that is pending for a group, parked or not.

    When this returns, what was pending for it at the call is settled. Raises GroupNotFound, GroupBusy if
    another worker has the group, StoreConflict if changes keep coming meanwhile, or another StoreError; what
    was done by then stays done.
    """
    found = store.fetch(FIND_GROUP, {"organization": organization, "group": group})
    if not found:
        raise GroupNotFound(organization=organization, group=group)
    o, number = found[0].organization, found[0].group
    return reconcile_numbered(store, o, number, pace=pace, instruments=instruments)


def reconcile_numbered(
    store: Store,
    organization: OrganizationNumber,
    group: GroupNumber,
    *,
    pace: Pace | None = None,
    instruments: Instruments | None = None,
) -> Progress:
    """As `reconcile`, for a group by its numbers, which it keeps when it is deleted."""
    pace = pace or Pace(store.engine)
    start, made, unmade, restarts = time.perf_counter(), 0, 0, 0
    params: dict[str, Any] = {"o": organization, "g": group}
    (last,) = store.fetch(READ_LAST_PENDING, params)
    params["up_to"] = last.revision  # later work is not part of this call
    while rows := store.fetch(LIST_FIRST_PENDING_OF_GROUP, params):
        work, is_settled = Work(store, jobs(rows)[0]), False
        while not is_settled:
            done = work.step(pace)
            if instruments is not None:
                note_chunk(instruments, done)
            made, unmade, is_settled = made + done.made, unmade + done.unmade, done.is_settled
            restarts += done.is_restart
            if restarts > MOST_RESTARTS:
                raise StoreConflict(group=group, why="what is pending for it kept changing")
    purge(store)
    return Progress(made, unmade, True, time.perf_counter() - start)


def note_chunk(instruments: Instruments, done: Progress) -> None:
    """Measure a chunk, and the changes that it settled. A chunk that did nothing is not counted."""
    if done.is_restart or done.revision is None:
        return
    instruments.note_chunk(done.seconds, done.made, done.unmade)
    instruments.note_lock_wait("chunk", done.waited_seconds)
    for row in done.settled:
        instruments.note_settlement(row.direction, row.microseconds / 1e6)
