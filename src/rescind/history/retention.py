"""What `Authority` offers for keeping the log short."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING

from rescind import history

if TYPE_CHECKING:
    from rescind.history.pruning import Pruning
    from rescind.model import Microseconds, OrganizationId
    from rescind.settings import Settings
    from rescind.store import Store


class Retention(ABC):
    """What `Authority` offers for keeping the log short."""

    store: Store
    settings: Settings

    @abstractmethod
    def _named(self, organization: str | None) -> OrganizationId:
        """The named organization, or the authority's own."""

    @abstractmethod
    def _now(self) -> Microseconds:
        """The time."""

    def prune_log(
        self,
        before: datetime | int,
        *,
        organization: str | None = None,
        dry_run: bool = False,
        actor: str = "",
    ) -> Pruning:
        """Delete the changes of an organization's log that were recorded before a time, or before a revision.

        Changes that something still needs stay: those of the last 31 days, those that are not settled, the
        newest. A snapshot of the facts is kept first, so every later time can still be asked about. It
        deletes in short transactions; after an interruption, call it again. With `dry_run` it only says what
        would go.

        Raises OrganizationNotFound, InvalidArgument, a StoreError, and PastUnavailable or PastTooLarge if the
        log cannot be replayed; nothing is deleted then. Changes whose events were not written stay too:
        `write_events` of `rescind.directory.catching_up` writes them.
        """
        return history.pruning.prune(
            self.store,
            self._named(organization),
            before,
            self._now(),
            most_facts=self.settings.past_most_facts,
            dry_run=dry_run,
            actor=actor,
        )
