"""Receipts of committed changes, completed with when and how each was enforced.

Owns what a receipt says of enforcement. The wait itself is in `replicas.enforcement`.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from dataclasses import replace

from rescind import model
from rescind.errors import InvalidArgument, NotCommitted
from rescind.model import Direction, Microseconds, OrganizationNumber, Receipt
from rescind.replicas.enforcement import AT_ONCE, Enforcer
from rescind.store import Store
from rescind.store.rows.changes import READ_RECORDED
from rescind.store.rows.replicas import LeaseRow


class ReceiptEnforcer:
    """Enforces changes by their receipts. Safe to use from many threads."""

    def __init__(self, store: Store, enforcer: Enforcer, now: Callable[[], Microseconds]) -> None:
        self._store, self._enforcer, self._now = store, enforcer, now

    def enforce(self, receipt: object) -> Receipt:
        """As `enforced`, of any receipt of this database. Raises InvalidArgument and NotCommitted."""
        if not isinstance(receipt, Receipt):
            hint = "give what apply() returned"
            raise InvalidArgument(what="receipt", value=reprlib.repr(receipt), hint=hint)
        on_record: int | None = None
        if receipt.changed:
            params = {"o": receipt.revision.incarnation, "revision": receipt.revision.organization}
            rows = self._store.fetch(READ_RECORDED, params)
            recorded_at = model.microseconds(receipt.recorded_at)
            if not rows or rows[0].recorded_at != recorded_at:
                raise NotCommitted(revision=receipt.revision.organization)
            on_record = rows[0].enforced_at
        return self.enforced(receipt, on_record=on_record)

    def enforced(
        self,
        receipt: Receipt,
        leases: list[LeaseRow] | None = None,
        *,
        on_record: int | None = None,
    ) -> Receipt:
        """The receipt with when and how the change was enforced. Waits for every replica that caches the
        organization; what reads the store itself sees the commit.

        `leases` are those that were read after the commit, `on_record` is the time that the log has. A change
        that altered nothing is waited for too: it may repeat a revocation that is not enforced yet.
        """
        revision = receipt.revision
        if receipt.changed and receipt.direction is Direction.GRANTS:
            self._enforcer.follow(revision)
            at, enforcement = receipt.recorded_at, AT_ONCE
        else:
            enforcement = self._enforcer.enforce(revision, leases)
            now, times = self._now(), self._enforcer.times
            o, number = revision.incarnation, revision.organization
            found = times.noted(o, number) if on_record is None else on_record
            if receipt.changed and found is None:
                times.note(o, number, now)
            at = model.moment(found if receipt.changed and found is not None else now)
        return replace(
            receipt,
            enforced_at=at,
            enforcement_seconds=enforcement.seconds,
            waited_out=enforcement.waited_out,
            enforcer=self.enforce,
        )

    def enforced_times(
        self, organization: OrganizationNumber, revisions: list[int]
    ) -> dict[int, int]:
        """When each of these committed changes was enforced, as far as that is known or holds now."""
        up_to = self._enforcer.enforced_up_to(organization)
        return self._enforcer.times.seen(organization, revisions, up_to, self._now())
