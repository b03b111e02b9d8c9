"""What `Authority` tells of the log: the changes as they stand now."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rescind.applying.enforcing import ReceiptEnforcer
    from rescind.model import LogEntry, LogPage, OrganizationId
    from rescind.store import Store


class ChangeLogs(ABC):
    """The log of changes. Each method may raise a StoreError."""

    store: Store

    @abstractmethod
    def _named(self, organization: str | None) -> OrganizationId: ...

    @property
    @abstractmethod
    def _receipts(self) -> ReceiptEnforcer:
        """Knows when changes were enforced."""

    def log(
        self,
        *,
        organization: str | None = None,
        after: int = 0,
        limit: int | None = None,
        **about: Any,
    ) -> Iterator[LogEntry]:
        """The changes after a revision as they stand now, oldest first, also of a deleted organization.

        `about` says which: `actor` (part of it), `subject`, `group`, `role`, `resource` (what a change
        names), `since` and `until` (when it was recorded). Raises OrganizationNotFound, MalformedId, and
        InvalidArgument.
        """
        from rescind import changelog

        return changelog.entries(
            self.store,
            self._named(organization),
            after=after,
            limit=limit,
            enforced=self._receipts.known,
            which=changelog.about(**about),
        )

    def log_page(
        self,
        *,
        organization: str | None = None,
        after: int = 0,
        limit: int = 100,
        **about: Any,
    ) -> LogPage:
        """A page of the same. It looks at no more than 20,000 changes, so it may have fewer than `limit`."""
        from rescind import changelog

        return changelog.page(
            self.store,
            self._named(organization),
            after=after,
            limit=limit,
            enforced=self._receipts.known,
            which=changelog.about(**about),
        )
