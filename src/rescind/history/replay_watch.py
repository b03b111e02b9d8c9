"""Which revision of a replayed log parted from the tables."""

from __future__ import annotations

from rescind.semantics.replay.comparing import FactDifference, State, kinds_of
from rescind.semantics.state import EnvironmentState


class Watch:
    """Facts that differ in the end: whether the log has each as the tables do, after every revision."""

    def __init__(self, watched: list[FactDifference]) -> None:
        self._watched = watched
        self._same = {found: found.in_tables is None for found in watched}
        self._parted: dict[FactDifference, int] = {}

    def look(self, state: State, environment: EnvironmentState) -> None:
        kinds = kinds_of(state)
        for found in self._watched:
            is_same = kinds[found.kind].value(state, environment, found.key) == found.in_tables
            if self._same[found] and not is_same:
                self._parted[found] = state.revision
            self._same[found] = is_same

    def parts_at(self) -> dict[FactDifference, int | None]:
        return {found: self._parted.get(found) for found in self._watched}
