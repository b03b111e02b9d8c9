"""Moves the state of an organization along its log, and the environment's beside it.

Each change is replayed with the environment as it was when the change was recorded. For changes of older
versions, whose log does not have its revision, that is found by time.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from rescind.changes import list_from_json
from rescind.errors import InvalidChange, PastTooLarge, PastUnavailable
from rescind.model import ENVIRONMENT_NUMBER, OrganizationId, OrganizationNumber
from rescind.semantics.replay import EnvironmentLog, LogDoesNotFit, Recorded, apply
from rescind.semantics.state import EnvironmentState, OrganizationState, count_rows
from rescind.semantics.state_bytes import (
    FORMAT,
    TooManyFacts,
    UnreadableState,
    environment_from_bytes,
    organization_from_bytes,
)
from rescind.store import Store
from rescind.store.rows.past import FIND_SNAPSHOT, READ_PAST_CHANGES, SnapshotRow

PAGE: Final = 500
"""Changes of one read."""
PAGE_CHARACTERS: Final = 1_048_576
"""Of their bodies; one more than that may be begun."""
LATEST: Final = 2**63 - 1
REPLAY, FACTS = SOURCES = ("replay", "facts")
"""Where the facts of a snapshot are from: the log alone, or the tables, and the log after that."""
S = TypeVar("S", OrganizationState, EnvironmentState)

log = logging.getLogger(__name__)


def recorded_changes(
    store: Store, o: OrganizationNumber, *, after: int, up_to: int
) -> Iterator[Recorded]:
    """An organization's changes after a revision, in order, read page by page.

    Raises PastUnavailable where one is missing.
    """
    while after < up_to:
        params = {"o": o, "after": after, "up_to": up_to, "limit": PAGE}
        rows = store.fetch(READ_PAST_CHANGES, {**params, "characters": PAGE_CHARACTERS})
        for row in rows:
            if row.revision != after + 1:
                raise _missing(after + 1)
            after = row.revision
            try:
                changes = list_from_json(row.body)
            except InvalidChange as error:
                raise _unfit(f"revision {row.revision}: {error.facts['why']}") from error
            yield Recorded(row.revision, row.recorded_at, changes, row.environment, row.caused_by)
        if not rows:
            if up_to == LATEST:
                return
            raise _missing(after + 1)


class EnvironmentReplay:
    """The environment's state, moved forward along its log."""

    def __init__(self, store: Store, up_to: int, *, with_tables: bool = True) -> None:
        """Begins at the newest snapshot up to a revision: with `with_tables`, also at one of the tables."""
        empty = EnvironmentState()
        self.state, self.source = _snapshot(store, ENVIRONMENT_NUMBER, up_to, empty, with_tables)
        rows = recorded_changes(store, ENVIRONMENT_NUMBER, after=self.state.revision, up_to=LATEST)
        self.log = EnvironmentLog(self.state, rows)

    def forward(self, up_to: int) -> None:
        """Move to a revision. Raises PastUnavailable where a change is missing, or does not fit."""
        with _fitting():
            self.log.advance(up_to)
        if self.state.revision < up_to:
            raise _missing(self.state.revision + 1)


class OrganizationReplay:
    """One organization's state, moved forward along its log, and the environment's beside it."""

    def __init__(
        self,
        store: Store,
        o: OrganizationNumber,
        name: OrganizationId,
        *,
        up_to: int,
        most_facts: int,
        with_tables: bool = True,
        environment_up_to: int | None = None,
    ) -> None:
        """Begins at the newest snapshot up to a revision: with `with_tables`, also at one of the tables. The
        environment's is the newest up to a revision of its own; else up to that which the organization had.

        Raises PastTooLarge, also later, where it has more than `most_facts`; 0 is no limit.
        """
        self._store, self._o, self._most_facts = store, o, most_facts
        empty = OrganizationState(organization=name)
        self.state, own = _snapshot(store, o, up_to, empty, with_tables, most_facts)
        shared_up_to = self.state.environment if environment_up_to is None else environment_up_to
        shared = EnvironmentReplay(store, shared_up_to, with_tables=with_tables)
        self.environment, self.source = shared, max(own, shared.source, key=SOURCES.index)

    def forward(self, up_to: int) -> None:
        """Move to a revision. Raises PastUnavailable where a change is missing, or does not fit."""
        state, after = self.state, self.state.revision
        for row in recorded_changes(self._store, self._o, after=after, up_to=up_to):
            with _fitting():
                self.environment.log.lead_to(row)
                apply(state, self.environment.state, row)
            require_room(state, self._most_facts)


def require_room(state: OrganizationState, most_facts: int) -> None:
    """Raise PastTooLarge for a state of more facts than may be held; 0 is no limit."""
    if most_facts and count_rows(state) > most_facts:
        raise _too_large(state, most_facts)


def _too_large(state: OrganizationState, most_facts: int) -> PastTooLarge:
    return PastTooLarge(organization=state.organization, most=f"{most_facts:,}")


@contextmanager
def _fitting() -> Iterator[None]:
    try:
        yield
    except LogDoesNotFit as error:
        raise _unfit(str(error)) from error


def _snapshot(
    store: Store,
    o: OrganizationNumber,
    up_to: int,
    empty: S,
    with_tables: bool,
    most_facts: int = 0,
) -> tuple[S, str]:
    """The newest state that was kept, up to a revision, and its source; the empty one if there is none that
    can be read.
    """
    params = {"o": o, "format": FORMAT, "with_tables": with_tables}
    while rows := store.fetch(FIND_SNAPSHOT, {**params, "up_to": up_to}):
        (row,) = rows
        try:
            return _read(row, empty, most_facts), row.source
        except UnreadableState as error:
            log.error(
                "the snapshot of organization %s at %s is unreadable: %s", o, row.revision, error
            )
            up_to = row.revision - 1
    return empty, REPLAY


def _read(row: SnapshotRow, empty: S, most_facts: int) -> S:
    body = bytes(row.body)
    if hashlib.sha256(body).digest() != bytes(row.digest):
        raise UnreadableState("its digest is another")
    if isinstance(empty, OrganizationState):
        try:
            return organization_from_bytes(body, most_facts=most_facts)
        except TooManyFacts:
            raise _too_large(empty, most_facts) from None
    return environment_from_bytes(body)


def _unfit(why: str) -> PastUnavailable:
    hint = "It was altered, or made by a version with other rules; `rescind log verify` tells"
    return PastUnavailable(why=f"the log cannot be replayed: {why}", hint=hint)


def _missing(revision: int) -> PastUnavailable:
    return PastUnavailable(
        why=f"change {revision} is not in the log",
        hint="It was pruned without a snapshot, or deleted; `rescind log verify` tells",
    )
