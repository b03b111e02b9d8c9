"""Bring an index to a later state of the facts, by the tail of the change log.

The log names what to read anew. That is read in the same snapshot as the log, so the index is then at exactly
that snapshot's revision. Reading and applying are separate: no lock is held while the database answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rescind import changes
from rescind.changes import Change
from rescind.index.build import take_state
from rescind.index.index import Index
from rescind.index.reading import Reading
from rescind.model import ENVIRONMENT_NUMBER, Direction, OrganizationNumber, Revision
from rescind.store import Store
from rescind.store.rows import QueryWithParams
from rescind.store.rows.index import INDEX_STATE, TAIL_LOG, TailLogRow

MOST_ENTRIES: Final = 1_000
"""Entries of the log. An index that is further behind is built anew."""


class TooFarBehind(Exception):
    """The log is so long, or names so much, that building anew is faster; or a part of it was pruned."""


class OtherServer(Exception):
    """The log belongs to another server, or to a database that was restored. It may have other changes at the
    same revisions.
    """


@dataclass
class LogTail:
    """What was read to bring an index from one revision to another; nothing is applied yet."""

    revision: Revision
    revokes: bool
    apply: Callable[[Index], None]


def read_tail(store: Store, index: Index, at: Revision) -> LogTail | None:
    """What changed since a revision, or None. Raises OrganizationGone, TooFarBehind and OtherServer."""
    with store.snapshot() as snapshot:
        state, log, environment_log = snapshot.fetch_many(
            (
                (INDEX_STATE, {"o": index.organization}),
                _log(index.organization, at.organization),
                _log(ENVIRONMENT_NUMBER, at.environment),
            )
        )
        revision = take_state(None, state, store.seals)
        if state[0].server != index.server:
            raise OtherServer
        if revision == at:
            return None
        if not revision.covers(at):  # the state of a back-up
            raise OtherServer
        _require_whole(log, at.organization, revision.organization)
        _require_whole(environment_log, at.environment, revision.environment)
        reading = Reading(index.organization, _changes(log), _changes(environment_log))
        if reading.own.is_all:
            raise TooFarBehind
        reading.fetch(snapshot, is_single=state[0].role_mode == "single")
    revokes = any(row.direction == Direction.REVOKES for row in (*log, *environment_log))

    def apply(index: Index) -> None:
        reading.apply(index)
        take_state(index, state, store.seals)

    return LogTail(revision, revokes, apply)


def _require_whole(log: list[TailLogRow], after: int, up_to: int) -> None:
    """Raise TooFarBehind for too many changes after a revision, and if some of them are not there."""
    if len(log) > MOST_ENTRIES or len(log) < up_to - after:
        raise TooFarBehind


def _log(o: OrganizationNumber, after: int) -> QueryWithParams[TailLogRow]:
    return TAIL_LOG, {"o": o, "after": after, "limit": MOST_ENTRIES + 1}


def _changes(log: list[TailLogRow]) -> list[Change]:
    return [change for row in log for change in changes.list_from_json(row.body)]
