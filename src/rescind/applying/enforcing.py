"""Receipts of committed changes, completed with when and how each was enforced.

Owns what a receipt says of enforcement. The wait itself is in `replicas.enforcement`.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from rescind import model
from rescind.errors import InvalidArgument, NotCommitted
from rescind.instruments import Instruments
from rescind.model import (
    Direction,
    Enforcement,
    Microseconds,
    OrganizationNumber,
    Receipt,
    Revision,
    decode_enforcement,
)
from rescind.replicas.enforced_times import Enforced
from rescind.replicas.enforcement import Enforcer
from rescind.store import Store
from rescind.store.rows.changes import READ_RECORDED
from rescind.store.rows.replicas import LeaseRow


class OnRecord(NamedTuple):
    """When and how a change was enforced, as the log or a note for it has it."""

    at: Microseconds | None = None
    enforcement: Enforcement | None = None


NOT_ON_RECORD: Final = OnRecord()


class ReceiptEnforcer:
    """Enforces changes by their receipts. Safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        enforcer: Enforcer,
        now: Callable[[], Microseconds],
        instruments: Instruments,
    ) -> None:
        self._store, self._enforcer, self._now = store, enforcer, now
        self._instruments = instruments

    def enforce(self, receipt: object) -> Receipt:
        """As `enforced`, of any receipt of this database. Raises InvalidArgument and NotCommitted."""
        if not isinstance(receipt, Receipt):
            hint = "give what apply() returned"
            raise InvalidArgument(what="receipt", value=reprlib.repr(receipt), hint=hint)
        on_record = NOT_ON_RECORD
        if receipt.changed:
            o, number = receipt.revision.incarnation, receipt.revision.organization
            # Before the log is read: a note is dropped once it is in there.
            noted = self._enforcer.times.enforcement(o, number)
            params = {"o": o, "revision": number}
            rows = self._store.fetch(READ_RECORDED, params)
            recorded_at = model.microseconds(receipt.recorded_at)
            if not rows or rows[0].recorded_at != recorded_at:
                raise NotCommitted(revision=receipt.revision.organization)
            kept = decode_enforcement(rows[0].record) or noted
            on_record = OnRecord(rows[0].enforced_at, kept)
        is_of_change = receipt.enforcer is not None and receipt.enforced_at is None
        is_on_record = on_record.enforcement is not None
        is_first = is_of_change and not receipt.is_repeated and not is_on_record
        return self.enforced(receipt, on_record=on_record, is_first=is_first, is_deferred=True)

    def enforced(
        self,
        receipt: Receipt,
        leases: list[LeaseRow] | None = None,
        *,
        on_record: OnRecord = NOT_ON_RECORD,
        is_first: bool = False,
        is_deferred: bool = False,
    ) -> Receipt:
        """The receipt with when and how the change was enforced. Waits for every replica that caches the
        organization; what reads the store itself sees the commit.

        `leases` are those that were read after the commit, `on_record` is what the log has. A change
        that altered nothing is waited for too: it may repeat a revocation that is not enforced yet. Only the
        first enforcement of a change is recorded: a later one finds other replicas.
        """
        revision = receipt.revision
        if receipt.changed and receipt.direction is Direction.GRANTS:
            self._enforcer.follow(revision)
            at = receipt.recorded_at
            return replace(receipt, enforced_at=at, enforcement_seconds=0.0, enforcer=self.enforce)
        began_at = model.moment(self._now())
        with self._instruments.spans.span("enforce") as span:
            enforcement = self._enforcer.enforce(
                revision, leases, organization=receipt.organization, began_at=began_at
            )
            span.note(outcome=enforcement.outcome)
        if is_deferred:
            enforcement = replace(enforcement, is_deferred=True)
        now = self._now()
        shown: Enforcement | None = enforcement
        if receipt.changed:
            now, shown = self._note(revision, now, on_record, enforcement if is_first else None)
            if is_first:
                self._instruments.note_enforcement(enforcement.outcome, enforcement.seconds)
        return replace(
            receipt,
            enforced_at=model.moment(now),
            enforcement_seconds=enforcement.seconds,
            waited_out=enforcement.waited_out,
            enforcement=shown,
            enforcer=self.enforce,
        )

    def _note(
        self,
        revision: Revision,
        now: Microseconds,
        on_record: OnRecord,
        enforcement: Enforcement | None,
    ) -> tuple[Microseconds, Enforcement | None]:
        """When and how a change was enforced, as far as that is known; what the log lacks is noted for it."""
        times = self._enforcer.times
        o, number = revision.incarnation, revision.organization
        known = times.noted(o, number) if on_record.at is None else on_record.at
        at = now if known is None else Microseconds(known)
        if known is None or enforcement is not None:
            times.note(o, number, at, enforcement)
        return at, on_record.enforcement or enforcement

    @property
    def known(self) -> Enforced:
        """What this process knows of enforcement that the log does not have."""
        return Enforced(self.enforced_times, self._enforcer.times.enforcement)

    def enforced_times(
        self, organization: OrganizationNumber, revisions: list[int]
    ) -> dict[int, int]:
        """When each of these committed changes was enforced, as far as that is known or holds now."""
        up_to = self._enforcer.enforced_up_to(organization)
        return self._enforcer.times.seen(organization, revisions, up_to, self._now())
