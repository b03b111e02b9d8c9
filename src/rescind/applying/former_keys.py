"""Idempotency keys that were used in a deleted organization whose name another has now.

A caller that repeats a change knows the organization by its name alone. What it did in a deleted one has no
second effect in the one that came after: a repeated deletion does not delete that, and a repeated creation
does not bring back what was deleted.
"""

from __future__ import annotations

from typing import Final

from rescind.applying.transaction import KEY_RETENTION_SECONDS, LogDraft, Plan
from rescind.model import OrganizationId, OrganizationNumber
from rescind.store import Store
from rescind.store.rows.organizations import FIND_FORMER_KEY, HAS_FORMER

MOST_FIRST: Final = 65_536
"""Organizations that are remembered as the first of their names."""


class FormerKeys:
    """Looks for keys in the deleted organizations of a name. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._first: set[tuple[OrganizationId, OrganizationNumber]] = set()
        """Organizations whose names no other had before: that never changes."""

    def has(self, name: OrganizationId, plan: Plan, entry: LogDraft, within: object) -> bool:
        """Whether a batch was done in a deleted organization of the name, as long as keys are kept.

        As true under the organization's lock as its plan: a deletion after this makes that stale.
        """
        at = name, plan.organization
        if entry.key is None or at in self._first:
            return False
        named = {"organization": name}
        if not self._store.fetch(HAS_FORMER, named, within=within):
            if not plan.is_new and within is None:
                if len(self._first) >= MOST_FIRST:
                    self._first.clear()
                self._first.add(at)
            return False
        cutoff = entry.now - KEY_RETENTION_SECONDS * 1_000_000
        asked = {**named, "key": entry.key, "cutoff": cutoff}
        return bool(self._store.fetch(FIND_FORMER_KEY, asked, within=within))
