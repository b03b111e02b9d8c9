"""When what a line of a review gives was last used, by the lines of a decision log."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from rescind.decision_log import LastUsed
from rescind.history.population import Population, Way
from rescind.model import canonical_subject


class ReviewUses:
    """The uses of one organization, arranged by who used what."""

    def __init__(self, used: LastUsed, organization: str, population: Population) -> None:
        self._population = population
        self._uses: dict[tuple[str, str], list[tuple[str, datetime]]] = defaultdict(list)
        for use, at in used.uses.items():
            if use.organization == organization:
                subject = canonical_subject(use.subject) if population.folds_ids else use.subject
                self._uses[subject, use.permission].append((use.resource, at))
        self._otherwise = None
        if used.is_whole and used.since is not None:
            self._otherwise = f"not since {used.since.astimezone(UTC).date().isoformat()}"

    def told(self, way: Way) -> str | None:
        """When a permission of the way's role was last allowed on its resource or below it.

        None where the log does not tell: it has no such use, and decisions may be missing from it.
        """
        found = [
            at
            for permission in self._population.kind(way.role).permissions
            for resource, at in self._uses.get((way.subject, permission), ())
            if self._population.is_within(resource, way.resource)
        ]
        return max(found).astimezone(UTC).isoformat() if found else self._otherwise
