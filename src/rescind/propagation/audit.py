"""Compares effective roles with what the facts imply, in small reads and bounded memory.

A difference that pending work may still settle is not drift. Repairs are pending work too: fenced, done in
chunks, and resumed after an interruption.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rescind.errors import OrganizationNotFound, StoreConflict
from rescind.model import AssignmentNumber, HolderNumber, MembershipNumber, OrganizationNumber
from rescind.store import Store, Transaction
from rescind.store.retries import PLAN_ATTEMPTS, PlanStale
from rescind.store.rows import Answers
from rescind.store.rows.audit import (
    AUDIT_ASSIGNMENTS,
    AUDIT_EXPECTED,
    AUDIT_FOUND,
    AUDIT_GROUP,
    AUDIT_NAMES,
    AUDIT_PENDING,
    FIND_AUDIT_BOUND,
    FIND_MISSING,
    AuditPendingRow,
    ExpectedRow,
    FoundRow,
)
from rescind.store.rows.facts import LIST_ORGANIZATIONS
from rescind.store.rows.organizations import PLAN

MEMBERSHIPS_A_READ: Final = 50
MENDS_AT_ONCE: Final = 100
"""Repairs in one transaction. Changes of the organization wait for it."""
EXAMPLES: Final = 3
LAST: Final = 2**31 - 1

Pair = tuple[MembershipNumber, HolderNumber | None]
"""A membership and who holds what it has; nobody, where the assignment is gone."""


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


def audit(store: Store, organization: str | None = None, *, repair: bool = False) -> Report:
    """Compare the effective roles of one organization, or of all, with what the facts imply.

    With `repair`, every difference is either corrected or pending, and so fenced, when this returns. Raises
    OrganizationNotFound.
    """
    report = Report()
    for o, name, mode in _organizations(store, organization):
        report.organizations += 1
        _Audit(store, report, o, name, mode, repair=repair).run()
    return report


def _organizations(
    store: Store, organization: str | None
) -> Iterator[tuple[OrganizationNumber, str, str]]:
    if organization is not None:
        (plan,) = store.fetch(PLAN, {"organization": organization})
        if plan.organization is None:
            raise OrganizationNotFound(organization=organization)
        yield plan.organization, organization, plan.role_mode
        return
    after = ""
    while page := store.fetch(LIST_ORGANIZATIONS, {"after": after, "limit": 500}):
        for listed in page:
            (plan,) = store.fetch(PLAN, {"organization": listed.organization})
            if plan.organization is not None:
                yield plan.organization, listed.organization, plan.role_mode
        after = page[-1].organization


class _Audit:
    """The audit of one organization."""

    def __init__(
        self,
        store: Store,
        report: Report,
        o: OrganizationNumber,
        name: str,
        mode: str,
        *,
        repair: bool,
    ) -> None:
        self.store, self.report = store, report
        self.o, self.name, self.mode, self.repair = o, name, mode, repair
        self.groups: dict[HolderNumber | None, Drift] = {}

    def run(self) -> None:
        from_m = 0
        while from_m <= LAST:
            step = {"o": self.o, "from_m": from_m, "step": MEMBERSHIPS_A_READ - 1}
            bounds = self.store.fetch(FIND_AUDIT_BOUND, step)
            to_m = bounds[0].bound if bounds else LAST
            self._look_at({"o": self.o, "from_m": from_m, "to_m": to_m})
            from_m = to_m + 1
        self.report.groups += [g for g in self.groups.values() if g.is_drift or g.unsettled]

    def _look_at(self, span: dict[str, int]) -> None:
        """Some memberships, at one state of the facts."""
        asked = (AUDIT_EXPECTED, AUDIT_FOUND, AUDIT_ASSIGNMENTS, AUDIT_PENDING)
        answers = Answers(asked, self.store.fetch_many([(query, span) for query in asked]))
        expected, found = answers[AUDIT_EXPECTED], answers[AUDIT_FOUND]
        self.report.memberships += len({row.membership for row in expected})
        self.report.effective_roles += sum(row.assignments for row in found)
        unsettled = _Unsettled(answers[AUDIT_PENDING])
        assignments = {row.holder: row.assignments for row in answers[AUDIT_ASSIGNMENTS]}
        drifting = []
        for wrong in _differences(expected, found, assignments):
            drift = self._drift(wrong.holder)
            if unsettled.may_mend(wrong):
                drift.unsettled += wrong.missing + wrong.surplus
                continue
            drifting.append(wrong)
            drift.missing += wrong.missing
            drift.surplus += wrong.surplus
            if len(drift.examples) < EXAMPLES:
                drift.examples += self._examples(wrong)[: EXAMPLES - len(drift.examples)]
        if self.repair:
            for at in range(0, len(drifting), MENDS_AT_ONCE):
                self._mend(drifting[at : at + MENDS_AT_ONCE])

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

    def _examples(self, wrong: _Difference) -> list[str]:
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

    def _mend(self, drifting: list[_Difference]) -> None:
        def repair(tx: Transaction) -> None:
            tx.lock(number=self.o, organization=self.name, mode=self.mode)
            for wrong in drifting:
                names = {"o": self.o, "m": wrong.membership, "holder": wrong.holder}
                if wrong.holder is not None and wrong.holder < 0:
                    tx.run("pend_repair", **names)
                    continue
                tx.run("repair_dangling", **names)
                tx.run("repair_direct", **names)
            tx.run("mark_repaired", o=self.o)

        for _ in range(PLAN_ATTEMPTS):
            try:
                self.store.transact(repair)
            except PlanStale:
                (plan,) = self.store.fetch(PLAN, {"organization": self.name})
                if plan.organization != self.o:  # it was deleted since
                    return
                self.mode = plan.role_mode
                continue
            self.report.repaired += len(drifting)
            return
        raise StoreConflict(organization=self.name, why="it kept changing its name or mode")


@dataclass(slots=True)
class _Difference:
    """What is wrong with what a membership has from a holder; from nobody, where that is gone.

    `assignment` is one of the surplus rows; if it `is_due` to be had, its time is wrong.
    """

    membership: MembershipNumber
    holder: HolderNumber | None
    missing: int = 0
    surplus: int = 0
    assignment: AssignmentNumber | None = None
    is_due: bool = False


def _differences(
    expected: list[ExpectedRow], found: list[FoundRow], assignments: dict[HolderNumber, int]
) -> Iterator[_Difference]:
    """Each assignment has one holder, so rows need only be counted by holder."""
    until: dict[Pair, int | None] = {
        (row.membership, row.holder): row.expires_at for row in expected
    }
    right: dict[Pair, int] = {}
    wrong: dict[Pair, _Difference] = {}
    for row in found:
        pair = (row.membership, row.holder)
        if until.get(pair, -1) == row.expires_at:
            right[pair] = row.assignments
            continue
        difference = wrong.setdefault(pair, _Difference(*pair, is_due=pair in until))
        difference.surplus += row.assignments
        difference.assignment = row.first
    for due in expected:
        pair = (due.membership, due.holder)
        surplus = wrong[pair].surplus if pair in wrong else 0
        if missing := assignments.get(due.holder, 0) - right.get(pair, 0) - surplus:
            wrong.setdefault(pair, _Difference(*pair)).missing = missing
    yield from wrong.values()


class _Unsettled:
    """What pending work may still put right."""

    def __init__(self, pending: list[AuditPendingRow]) -> None:
        self._is_all = any(row.kind == "whole" for row in pending)
        self._groups = {row.group for row in pending if row.kind == "assignment"}
        self._memberships = {row.membership for row in pending if row.kind == "member"}

    def may_mend(self, wrong: _Difference) -> bool:
        return (
            self._is_all
            or wrong.membership in self._memberships
            or wrong.holder in self._groups
            or (wrong.holder is None and bool(self._groups))
        )
