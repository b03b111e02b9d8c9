"""Replays an organization's log alone, from its beginning. No snapshot is trusted but the one that stands for
changes that were pruned.
"""

from __future__ import annotations

from typing import Final

from rescind.history.log_start import log_start
from rescind.history.replaying import OrganizationReplay
from rescind.history.review_actions import Pruned, UnreadableAction, prunings, read_detail
from rescind.model import ENVIRONMENT_NUMBER, OrganizationId, OrganizationNumber
from rescind.semantics.state import EnvironmentState, OrganizationState
from rescind.semantics.state_bytes import FORMAT
from rescind.store import Store
from rescind.store.rows.past import FIND_SNAPSHOT

NO_SNAPSHOT: Final = 0
"""Up to this revision there is no snapshot."""


class UnprovenSnapshot(Exception):
    """The snapshot that stands for changes that were pruned is not the one whose digest was logged then, or
    none was logged.
    """

    def __init__(self, organization: OrganizationNumber, revision: int, *, is_other: bool) -> None:
        super().__init__(organization, revision)
        self.organization, self.revision, self.is_other = organization, revision, is_other


class LogReplay:
    """An organization's state and the environment's, made of their logs."""

    def __init__(
        self,
        store: Store,
        o: OrganizationNumber,
        name: OrganizationId,
        *,
        most_facts: int,
    ) -> None:
        """Raises UnprovenSnapshot, PastUnavailable, PastTooLarge and a StoreError."""
        begins = {number: _beginning(store, number) for number in (o, ENVIRONMENT_NUMBER)}
        self._replay = OrganizationReplay(
            store,
            o,
            name,
            up_to=begins[o],
            most_facts=most_facts,
            environment_up_to=begins[ENVIRONMENT_NUMBER],
        )
        began = {
            o: self._replay.state.revision,
            ENVIRONMENT_NUMBER: self._replay.environment.state.revision,
        }
        for number, revision in begins.items():
            if revision != NO_SNAPSHOT:
                _require_proven(store, number, revision)
            if began[number] != revision:  # that one is unreadable, and an older one took its place
                raise UnprovenSnapshot(number, revision, is_other=True)

    def forward(
        self, revision: int, environment: int
    ) -> tuple[OrganizationState, EnvironmentState]:
        """The states at these revisions, not before those of the last call. The next call alters them."""
        replay = self._replay
        replay.forward(revision)
        replay.environment.forward(environment)
        return replay.state, replay.environment.state


def _beginning(store: Store, o: OrganizationNumber) -> int:
    start = log_start(store, o)
    return NO_SNAPSHOT if start is None else start.revision


def _require_proven(store: Store, o: OrganizationNumber, revision: int) -> None:
    """Raises UnprovenSnapshot unless the snapshot behind which a log was pruned is the one whose digest was
    logged then.
    """
    was = None
    for row in prunings(store, o):
        try:
            detail = read_detail(row, Pruned)
        except UnreadableAction:
            continue
        if detail.up_to == revision and detail.format == FORMAT:
            was = detail.snapshot
    asked = {"o": o, "format": FORMAT, "with_tables": True, "up_to": revision}
    digests = [bytes(row.digest).hex() for row in store.fetch(FIND_SNAPSHOT, asked)]
    if was is None or digests != [was]:
        raise UnprovenSnapshot(o, revision, is_other=was is not None)
