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

NO_SNAPSHOT: Final = -1
"""No revision up to which there is a snapshot."""


class AlteredSnapshot(Exception):
    """The snapshot that stands for changes that were pruned is not the one whose digest was logged."""

    def __init__(self, organization: OrganizationNumber, revision: int) -> None:
        super().__init__(organization, revision)
        self.organization, self.revision = organization, revision


class LogReplay:
    """An organization's state and the environment's, made of their logs. It `rests_on_snapshot` where a log
    was pruned, and the log of service actions has no digest of the snapshot that was kept for that.
    """

    def __init__(
        self,
        store: Store,
        o: OrganizationNumber,
        name: OrganizationId,
        *,
        most_facts: int,
    ) -> None:
        """Raises AlteredSnapshot, PastUnavailable, PastTooLarge and a StoreError."""
        begins = {number: _beginning(store, number) for number in (o, ENVIRONMENT_NUMBER)}
        self._replay = OrganizationReplay(
            store,
            o,
            name,
            up_to=begins[o],
            most_facts=most_facts,
            environment_up_to=begins[ENVIRONMENT_NUMBER],
        )
        self.rests_on_snapshot = not all(
            _is_proven(store, number, revision)
            for number, revision in begins.items()
            if revision != NO_SNAPSHOT
        )

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


def _is_proven(store: Store, o: OrganizationNumber, revision: int) -> bool:
    """Whether the snapshot behind which a log was pruned is the one whose digest was logged then; not if none
    was logged, as by earlier versions. Raises AlteredSnapshot for another one.
    """
    was = None
    for row in prunings(store, o):
        try:
            detail = read_detail(row, Pruned)
        except UnreadableAction:
            continue
        if detail.up_to == revision and detail.format == FORMAT:
            was = detail.snapshot
    if was is None:
        return False
    asked = {"o": o, "format": FORMAT, "with_tables": True, "up_to": revision}
    (found,) = store.fetch(FIND_SNAPSHOT, asked)
    if bytes(found.digest).hex() != was:
        raise AlteredSnapshot(o, revision)
    return True
