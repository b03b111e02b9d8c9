"""The contract of what keeps cached indexes fresh. Each kind of database has an implementation of its own.

Owns no state and knows no implementation: `lease` implements it where processes share a database server,
`file_watch` for a database in a file.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from rescind.model import OrganizationNumber, Revision


class Freshness(Protocol):
    """Decides until when this process may answer from its cached indexes."""

    def start(self) -> None:
        """Prepare this process to cache organizations; called once, before the first. Raises a StoreError."""

    @property
    def server(self) -> str:
        """The database server that `expiry` refers to, and the incarnation of the database. An index read
        from another one must not be used.
        """

    def expiry(self) -> float:
        """The time, by CLOCK, until which facts read after this call may be answered from."""

    def register(self, organization: OrganizationNumber, revision: Revision) -> None:
        """Announce that this process caches an organization; called before its log is last read."""

    def unregister(self, organization: OrganizationNumber) -> None:
        """Announce that this process no longer caches an organization."""

    @property
    def ensure_fresh(self) -> Callable[[], None] | None:
        """Brings every cached index up to date; called before each check. None where `expiry` suffices."""

    def shared_freshness(self) -> AbstractContextManager[None]:
        """Calls `ensure_fresh` once for all that this thread asks inside the `with` block."""

    def close(self) -> None:
        """Stop, and give up the lease if there is one."""
