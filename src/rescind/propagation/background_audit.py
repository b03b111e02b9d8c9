"""The audit in the background: compares all organizations within a budget, again and again.

A round is a row. It is moved in the transaction that records what was found since: after a restart the round
goes on where it was, and nothing is counted twice. A lease has one process do it; should two, the round's row
still counts each membership once. Comparing only reads, so no change waits for it.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from rescind.errors import PendingMoved, RescindError
from rescind.model import (
    ENVIRONMENT,
    ENVIRONMENT_NUMBER,
    MembershipNumber,
    OrganizationId,
    OrganizationNumber,
)
from rescind.propagation.audit import MEMBERSHIPS_A_READ, Drift, OrganizationAudit
from rescind.propagation.comparison import LAST, Comparison, Difference, compare
from rescind.propagation.task_lease import TaskLease
from rescind.propagation.worker import Stop
from rescind.settings import Settings
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows.audit_rounds import FIND_AUDIT_ORGANIZATION, READ_AUDIT_ROUND

TASK: Final = "audit"
LEASE_SECONDS: Final = 30.0
"""How long a process that died keeps others from going on with the round."""
LOOK_SECONDS: Final = 30.0
"""How often a process that has nothing to do looks whether a round is due."""
CHECKPOINT_SECONDS: Final = 1.0
"""How much of a round may be repeated after a restart."""
LEAST_ROWS: Final = 10
"""What a read costs at least, in rows."""
READ_SECONDS: Final = 0.5
"""How much of the budget one read may take; the number of memberships follows from it."""
ROUNDS_KEPT: Final = 10_000
FACTS: Final = 1
"""Stands in the place of a group for facts that differ from the change log: no group has it."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Progress:
    """A round since its checkpoint: where it is, and what it found."""

    round: int
    from_organization: OrganizationNumber
    from_membership: MembershipNumber
    organization: OrganizationNumber
    membership: MembershipNumber
    organizations: int = 0
    memberships: int = 0
    effective_roles: int = 0
    unsettled: int = 0
    is_complete: bool = False
    through: list[OrganizationNumber] = field(default_factory=list)
    """Organizations that were looked at to their end."""
    finished: tuple[OrganizationNumber, OrganizationId] | None = None
    """The one whose end the last look came to."""

    def add(self, compared: Comparison) -> None:
        """Count what was compared, and move behind it."""
        self.memberships += compared.memberships
        self.effective_roles += compared.effective_roles
        self.unsettled += sum(wrong.rows for wrong in compared.unsettled)
        self.finished = None
        if compared.next_membership is not None:
            self.membership = compared.next_membership
            return
        if compared.organization is not None:
            self.organizations += 1
            self.through.append(self.organization)
            self.finished = (self.organization, compared.organization.name)
        self.organization = OrganizationNumber(self.organization + 1)
        self.membership = MembershipNumber(0)


class _Facts(NamedTuple):
    """What differs in the facts of an organization."""

    organization: OrganizationNumber
    drift: Drift


FactsLook: TypeAlias = Callable[[OrganizationNumber, OrganizationId], tuple[int, Drift | None]]
"""Compares an organization's facts with its change log: what that cost in rows, and what differs. That is not
repaired.
"""


class BackgroundAudit:
    """One process's part in it. Run it in a thread of its own. With `facts`, facts are looked at, too."""

    def __init__(
        self,
        store: Store,
        settings: Settings | None = None,
        *,
        facts: FactsLook | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._settings, self._clock = store, settings or Settings(), clock
        self._facts = facts
        self._lease = TaskLease(store, TASK)
        self.progress: _Progress | None = None
        self._saved_at = 0.0
        self._memberships = 1

    def run(self, stop: Stop) -> None:
        """Audit until told to stop, whatever goes wrong. Does nothing if the budget is 0."""
        failures = 0
        seconds = random.uniform(2, 5)  # noqa: S311 - so that short commands do not begin a round
        while self._settings.audit_rows_per_second and not stop.wait(seconds):
            try:
                seconds, failures = self.step(), 0
            except Exception as error:
                failures += 1
                is_known = isinstance(error, RescindError)
                log.warning("the background audit waits: %s", error, exc_info=not is_known)
                self.progress = None
                seconds = min(2.0 ** min(failures, 30), LOOK_SECONDS)
        self._leave()

    def step(self) -> float:
        """Compare some memberships, if a round is due and nobody else is at it.

        Says after how many seconds the next step is due. Raises a StoreError; then the round goes on from its
        checkpoint.
        """
        if self.progress is None:
            seconds = self._begin()
            if seconds is not None:
                return seconds
        progress = self.progress
        assert progress is not None
        start = self._clock()
        rows, audited, drifting = self._look(progress)
        rows_of_facts, differing = self._look_at_facts(progress)
        rest = (rows + rows_of_facts) / self._settings.audit_rows_per_second
        now = self._clock()
        is_due = now + rest > self._saved_at + CHECKPOINT_SECONDS
        if drifting or differing or progress.is_complete or is_due:
            if not self._save(progress, audited, rest, differing):
                return LOOK_SECONDS
            if audited is not None and drifting and self._settings.audit_repair:
                self._repair(progress.round, audited, drifting)
        return max(0.0, rest - (self._clock() - start))

    # --- within -----------------------------------------------------------------------------------

    def _begin(self) -> float | None:
        """Go on with the round that is under way, or begin one; else the seconds until there may be one."""
        found = self._store.fetch(READ_AUDIT_ROUND, {})
        if found and found[0].completed_at is not None:
            pause = self._settings.audit_pause_seconds
            if (rest := found[0].completed_at / 1e6 + pause - found[0].now / 1e6) > 0:
                return min(rest, LOOK_SECONDS)
        if not self._lease.claim(LEASE_SECONDS):
            return LOOK_SECONDS
        if not found or found[0].completed_at is not None:
            self._store.transact(lambda tx: tx.run("begin_audit_round"), yields=True)
        (at,) = self._store.fetch(READ_AUDIT_ROUND, {})
        if at.completed_at is not None:
            return LOOK_SECONDS
        place = (at.organization, at.membership)
        self.progress = _Progress(at.round, *place, *place)
        self._saved_at = self._clock()
        return None

    def _look(self, progress: _Progress) -> tuple[int, OrganizationAudit | None, list[Difference]]:
        """Compare the next memberships. Returns what that cost in rows, and what is wrong."""
        found = self._store.fetch(FIND_AUDIT_ORGANIZATION, {"o": progress.organization})
        if not found:
            progress.is_complete = True
            return LEAST_ROWS, None, []
        if found[0].organization != progress.organization:
            progress.organization = found[0].organization
            progress.membership = MembershipNumber(0)
        o = progress.organization
        compared = compare(self._store, o, first=progress.membership, memberships=self._memberships)
        progress.add(compared)
        rows = max(compared.rows, LEAST_ROWS)
        most_rows = self._settings.audit_rows_per_second * READ_SECONDS
        fitting = int(max(compared.memberships, 1) * most_rows / rows)
        self._memberships = min(max(fitting, 1), 2 * self._memberships, MEMBERSHIPS_A_READ)
        if not compared.drifting:
            return rows, None, []
        assert compared.organization is not None
        audited = OrganizationAudit(self._store, o, compared.organization.name)
        audited.note(compared)
        return rows, audited, compared.drifting

    def _look_at_facts(self, progress: _Progress) -> tuple[int, _Facts | None]:
        """Compare the facts of the organization that was just finished; in the end, of all organizations."""
        finished = progress.finished
        if progress.is_complete:
            finished = (ENVIRONMENT_NUMBER, ENVIRONMENT)
        if self._facts is None or finished is None:
            return 0, None
        rows, drift = self._facts(*finished)
        return rows, None if drift is None else _Facts(finished[0], drift)

    def _save(
        self,
        progress: _Progress,
        audited: OrganizationAudit | None,
        rest: float,
        differing: _Facts | None = None,
    ) -> bool:
        """Move the checkpoint and record what was found. Says whether the round is to go on here."""
        drifts = {} if audited is None else {g: d for g, d in audited.groups.items() if d.is_drift}
        of_facts = [] if differing is None else [differing.drift]
        held: list[Callable[[], int]] = []

        def save(tx: Transaction) -> None:
            _advance(tx, progress, [*drifts.values(), *of_facts])
            if differing is not None:
                entry = _entry(progress.round, differing.organization, FACTS, differing.drift)
                tx.run("record_audit_drift", **entry)
            for holder, drift in drifts.items():
                assert audited is not None
                tx.run("record_audit_drift", **_entry(progress.round, audited.o, holder, drift))
            for o in progress.through:
                tx.run("end_audit_drift", round=progress.round, first=o, last=o)
            if progress.is_complete:
                tx.run("end_audit_drift", round=progress.round, first=0, last=LAST)
                tx.run("forget_audit_drift", round=progress.round, kept=ROUNDS_KEPT)
                tx.run("forget_audit_rounds", round=progress.round, kept=ROUNDS_KEPT)
                self._lease.let_go(tx)
                return
            held[:] = [self._lease.renew(tx, LEASE_SECONDS + rest)]

        self.progress = None
        try:
            # what a crash undoes takes the checkpoint with it; drift is kept at once
            self._store.transact(save, yields=True, durable=bool(drifts or of_facts))
        except PendingMoved:
            return False  # another process went on with the round
        for drift in (*drifts.values(), *of_facts):
            log.error("drift: %s", _told(drift))
        if progress.is_complete or held[0]() != 1:
            return False
        place = (progress.organization, progress.membership)
        self.progress = _Progress(progress.round, *place, *place)
        self._saved_at = self._clock()
        return True

    def _repair(
        self, round_number: int, audited: OrganizationAudit, drifting: list[Difference]
    ) -> None:
        audited.repair(drifting, actor="background audit")
        repaired = {g: d for g, d in audited.groups.items() if d.repaired}

        def note(tx: Transaction) -> None:
            for holder, drift in repaired.items():
                names = {"o": audited.o, "g": holder or 0, "round": round_number}
                tx.run("note_drift_repaired", **names, repaired=drift.repaired)
            total = sum(drift.repaired for drift in repaired.values())
            tx.run("note_round_repaired", round=round_number, repaired=total)

        self._store.transact(note, yields=True)

    def _leave(self) -> None:
        """Let another process go on at once."""
        if self.progress is None:
            return
        try:
            self._save(self.progress, None, 0.0)
            self._lease.release()
        except RescindError as error:
            log.warning("the background audit left no checkpoint: %s", error)


def _advance(tx: Transaction, progress: _Progress, drifts: Collection[Drift]) -> None:
    tx.count_expected(
        "advance_audit",
        Counter.ALTERED,
        or_refuse="refuse_audit_moved",
        round=progress.round,
        from_o=progress.from_organization,
        from_m=progress.from_membership,
        o=progress.organization,
        m=progress.membership,
        organizations=progress.organizations,
        memberships=progress.memberships,
        effective_roles=progress.effective_roles,
        missing=sum(drift.missing for drift in drifts),
        surplus=sum(drift.surplus for drift in drifts),
        unsettled=progress.unsettled,
        is_complete=progress.is_complete,
    )


def _entry(round_number: int, o: int, holder: int | None, drift: Drift) -> dict[str, object]:
    return {
        "round": round_number,
        "o": o,
        "g": holder or 0,
        "missing": drift.missing,
        "surplus": drift.surplus,
        "example": drift.examples[0] if drift.examples else "",
    }


def _told(drift: Drift) -> str:
    group = "no group" if drift.group is None else f"group {drift.group}"
    where = f"organization {drift.organization}, {group}"
    return (
        f"{where}: {drift.missing} missing, {drift.surplus} surplus ({'; '.join(drift.examples)})"
    )
