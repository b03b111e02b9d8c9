"""Background work of `Authority`: what is pending, who does it, and when."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from rescind import model, propagation

if TYPE_CHECKING:
    from rescind.instruments import Instruments
    from rescind.model import GroupId, OrganizationId, PendingWork
    from rescind.propagation.worker import OnProgress, Workers
    from rescind.settings import Settings
    from rescind.store import Store

MOST_WORKERS: Final = 1_000
"""Threads of one process."""


class BackgroundWork(ABC):
    """What `Authority` offers for background work. Each method may raise a StoreError."""

    store: Store
    settings: Settings
    instruments: Instruments

    @abstractmethod
    def _named(self, organization: str | None) -> OrganizationId:
        """The named organization, or the authority's own."""

    @abstractmethod
    def _spelled_group(self, organization: OrganizationId, group: GroupId) -> GroupId:
        """A group's id as the organization keeps it."""

    def pending(self, *, organization: str | None = None, limit: int = 1_000) -> list[PendingWork]:
        """What is not settled yet, of one organization or of all, the most urgent first. Rows left over from
        deleted organizations come last, as kind `organization`.
        """
        name = None if organization is None else model.organization_id(organization)
        return propagation.pending.listed(self.store, name, limit)

    def reconcile(self, group: str | PendingWork, *, organization: str | None = None) -> None:
        """Settle what is pending for a group, in this thread. For your own scheduler.

        When this returns, what was pending at the call is settled. An item of `pending()` stands for its own
        group, even if that was deleted; for an item of kind `organization`, the rows left over are deleted.
        Raises GroupNotFound for a name, GroupBusy while a worker has the group.
        """
        if isinstance(group, model.PendingWork):
            propagation.pending.settle(self.store, group, self.instruments)
        else:
            name = self._named(organization)
            spelled = self._spelled_group(name, model.group_id(group))
            propagation.reconcile.reconcile(self.store, name, spelled, instruments=self.instruments)

    def workers(self, *, concurrency: int = 1, on_progress: OnProgress | None = None) -> Workers:
        """Workers in threads of this process. Start them, or use them in a `with` block."""
        model.require_number("concurrency", concurrency, least=0, most=MOST_WORKERS)
        return propagation.worker.Workers(
            self.store,
            self.settings,
            concurrency=concurrency,
            on_progress=on_progress,
            instruments=self.instruments,
        )

    def has_due_work(self) -> bool:
        """Whether a worker would find anything to do now."""
        return propagation.pending.is_due(self.store)

    def park(self, work: PendingWork, *, actor: str = "", request: str = "") -> bool:
        """Keep workers from what is pending for a group until `retry`. What it fences stays fenced. If that
        is new, the log of service actions has it, with who did it and by which request.
        """
        return propagation.pending.park(self.store, work, actor=actor, request=request)

    def retry(self, work: PendingWork, *, actor: str = "", request: str = "") -> bool:
        """Let workers take what is pending for a group again, now. Logged as `park` is."""
        return propagation.pending.retry(self.store, work, actor=actor, request=request)
