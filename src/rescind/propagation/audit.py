"""Compares effective roles with what the facts imply, in small reads and bounded memory.

A difference that pending work may still settle is not drift. Repairs are pending work too: fenced, done in
chunks, and resumed after an interruption.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rescind.errors import OrganizationNotFound, StoreConflict
from rescind.model import (
    AssignmentNumber,
    HolderNumber,
    MembershipNumber,
    Microseconds,
    OrganizationNumber,
)
from rescind.propagation.comparison import Comparison, Difference, compare
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.retries import PLAN_ATTEMPTS, PlanStale
from rescind.store.rows.actions import ServiceAction
from rescind.store.rows.audit import AUDIT_GROUP, AUDIT_NAMES, FIND_MISSING
from rescind.store.rows.facts import LIST_ORGANIZATIONS
from rescind.store.rows.organizations import PLAN

MEMBERSHIPS_A_READ: Final = 50
MENDS_AT_ONCE: Final = 100
"""Repairs in one transaction. Changes of the organization wait for it."""
EXAMPLES: Final = 3


@dataclass(slots=True)
class Drift:
    """What is wrong in one group (or outside of groups: None), in effective roles.

    `unsettled` counts what differs while pending work may still put it right; that is no drift.
    """

    organization: str
    group: str | None
    missing: int = 0
    surplus: int = 0
    unsettled: int = 0
    repaired: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_drift(self) -> bool:
        return bool(self.missing or self.surplus)


@dataclass(slots=True)
class Report:
    """The result of an audit. `repaired` counts differences that were made pending work or corrected."""

    organizations: int = 0
    memberships: int = 0
    effective_roles: int = 0
    groups: list[Drift] = field(default_factory=list)
    repaired: int = 0

    @property
    def is_clean(self) -> bool:
        return not any(group.is_drift for group in self.groups)


def audit(
    store: Store, organization: str | None = None, *, repair: bool = False, actor: str = ""
) -> Report:
    """Compare the effective roles of one organization, or of all, with what the facts imply.

    With `repair`, every difference is either corrected or pending, and so fenced, when this returns. That is
    a service action of `actor`. Raises OrganizationNotFound.
    """
    report = Report()
    for o, name in _organizations(store, organization):
        report.organizations += 1
        audited = OrganizationAudit(store, o, name)
        first: int | None = 0
        while first is not None:
            compared = compare(store, o, first=first, memberships=MEMBERSHIPS_A_READ)
            report.memberships += compared.memberships
            report.effective_roles += compared.effective_roles
            audited.note(compared)
            if repair:
                report.repaired += audited.repair(compared.drifting, actor=actor)
            first = compared.next_membership
        report.groups += audited.drifts()
    return report


def _organizations(
    store: Store, organization: str | None
) -> Iterator[tuple[OrganizationNumber, str]]:
    if organization is not None:
        (plan,) = store.fetch(PLAN, {"organization": organization})
        if plan.organization is None:
            raise OrganizationNotFound(organization=organization)
        yield plan.organization, organization
        return
    after = ""
    while page := store.fetch(LIST_ORGANIZATIONS, {"after": after, "limit": 500}):
        for listed in page:
            (plan,) = store.fetch(PLAN, {"organization": listed.organization})
            if plan.organization is not None:
                yield plan.organization, listed.organization
        after = page[-1].organization


class OrganizationAudit:
    """The drift of one organization, by group, and its repair."""

    def __init__(self, store: Store, o: OrganizationNumber, name: str) -> None:
        self.store, self.o, self.name = store, o, name
        self.groups: dict[HolderNumber | None, Drift] = {}
        """By number; None is what memberships hold themselves, or have from what is gone."""

    def drifts(self) -> list[Drift]:
        """Groups with drift, and those with differences that are not settled yet."""
        return [drift for drift in self.groups.values() if drift.is_drift or drift.unsettled]

    def note(self, compared: Comparison) -> None:
        """Add what a comparison found. Raises a StoreError: names are looked up for examples."""
        for wrong in compared.unsettled:
            self._drift(wrong.holder).unsettled += wrong.rows
        for wrong in compared.drifting:
            drift = self._drift(wrong.holder)
            drift.missing += wrong.missing
            drift.surplus += wrong.surplus
            if len(drift.examples) < EXAMPLES:
                drift.examples += self._examples(wrong)[: EXAMPLES - len(drift.examples)]

    def repair(self, drifting: Sequence[Difference], *, actor: str) -> int:
        """Correct each difference, or make it pending and so fenced. Says how many were; none where the
        organization was deleted meanwhile.

        What a membership then has follows from the facts at the time of the repair, not of the comparison.
        Raises a StoreError.
        """
        repaired = 0
        for at in range(0, len(drifting), MENDS_AT_ONCE):
            batch = drifting[at : at + MENDS_AT_ONCE]
            if self._mend(batch, actor):
                repaired += len(batch)
                for wrong in batch:
                    self._drift(wrong.holder).repaired += wrong.rows
        return repaired

    def _drift(self, holder: HolderNumber | None) -> Drift:
        """The entry of a group; of none for what memberships hold themselves, or from what is gone."""
        if holder is None or holder > 0:
            return self.groups.setdefault(None, Drift(self.name, None))
        if holder not in self.groups:
            found = self.store.fetch(AUDIT_GROUP, {"o": self.o, "holder": holder})
            if not found:
                return self._drift(None)
            self.groups[holder] = Drift(self.name, found[0].group)
        return self.groups[holder]

    def _examples(self, wrong: Difference) -> list[str]:
        params = {"o": self.o, "m": wrong.membership, "holder": wrong.holder or 0}
        examples = []
        if wrong.missing:
            (lacked,) = self.store.fetch(FIND_MISSING, params)
            if lacked.assignment is not None:  # else it has come since
                examples.append(self._example(wrong.membership, "lacks", lacked.assignment))
        if wrong.assignment is not None:
            until = " until the wrong time" if wrong.is_due else ""
            examples.append(self._example(wrong.membership, "has", wrong.assignment) + until)
        return examples

    def _example(
        self, membership: MembershipNumber, verb: str, assignment: AssignmentNumber
    ) -> str:
        params = {"o": self.o, "m": membership, "a": assignment}
        (names,) = self.store.fetch(AUDIT_NAMES, params)
        who = names.subject or f"membership {membership} (gone)"
        if names.role is None:
            return f"{who} {verb} assignment {abs(assignment)} (gone)"
        return f"{who} {verb} {names.role} on {names.resource}"

    def _mend(self, drifting: Sequence[Difference], actor: str) -> bool:
        mode = ""
        now = Microseconds(time.time_ns() // 1_000)
        detail = json.dumps({"differences": len(drifting)})
        action = ServiceAction("roles_repaired", self.name, now, detail, actor, o=self.o)

        def repair(tx: Transaction) -> None:
            tx.lock(number=self.o, organization=self.name, mode=mode)
            for wrong in drifting:
                names = {"o": self.o, "m": wrong.membership, "holder": wrong.holder}
                if wrong.holder is not None and wrong.holder < 0:
                    tx.run("pend_repair", **names)
                    continue
                tx.run("repair_dangling", **names)
                tx.run("repair_direct", **names)
            tx.count("mark_repaired", Counter.ALTERED, o=self.o)
            tx.note_action(action)

        for _ in range(PLAN_ATTEMPTS):
            (plan,) = self.store.fetch(PLAN, {"organization": self.name})
            if plan.organization != self.o:  # it was deleted since
                return False
            mode = plan.role_mode
            try:
                self.store.transact(repair)
            except PlanStale:
                continue
            return True
        raise StoreConflict(organization=self.name, why="it kept changing its name or mode")
