"""Compares effective roles with what the facts imply, for some memberships of one organization, at one state.

A difference that pending work may still settle is told from one that it does not explain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rescind.model import AssignmentNumber, HolderNumber, MembershipNumber, OrganizationNumber
from rescind.store import Store
from rescind.store.rows import Answers
from rescind.store.rows.audit import (
    AUDIT_ASSIGNMENTS,
    AUDIT_EXPECTED,
    AUDIT_FOUND,
    AUDIT_PENDING,
    FIND_AUDIT_BOUND,
    READ_AUDITED,
    AuditedRow,
    AuditPendingRow,
    ExpectedRow,
    FoundRow,
)

LAST: Final = 2**31 - 1
"""After every membership."""

Pair = tuple[MembershipNumber, HolderNumber | None]
"""A membership and who holds what it has; nobody, where the assignment is gone."""


@dataclass(slots=True)
class Difference:
    """What is wrong with what a membership has from a holder; from nobody, where that is gone.

    `assignment` is one of the surplus rows; if it `is_due` to be had, its time is wrong.
    """

    membership: MembershipNumber
    holder: HolderNumber | None
    missing: int = 0
    surplus: int = 0
    assignment: AssignmentNumber | None = None
    is_due: bool = False

    @property
    def rows(self) -> int:
        """How many effective roles differ."""
        return self.missing + self.surplus


@dataclass(frozen=True, slots=True)
class Comparison:
    """What some memberships have, and what is wrong with it. Empty where the organization is deleted."""

    organization: AuditedRow | None
    next_membership: MembershipNumber | None
    """Where to go on; None after the last membership."""
    memberships: int = 0
    effective_roles: int = 0
    rows: int = 0
    """Rows that were read of either side."""
    drifting: list[Difference] = field(default_factory=list)
    unsettled: list[Difference] = field(default_factory=list)
    """Differences that pending work may still put right."""


def compare(
    store: Store, organization: OrganizationNumber, *, first: int, memberships: int
) -> Comparison:
    """Compare the next memberships, at most so many, from a number on. Raises a StoreError."""
    step = {"o": organization, "from_m": first, "step": memberships - 1}
    bounds = store.fetch(FIND_AUDIT_BOUND, step)
    last = bounds[0].bound if bounds else LAST
    following = MembershipNumber(last + 1) if bounds else None
    span = {"o": organization, "from_m": first, "to_m": last}
    asked = (READ_AUDITED, AUDIT_EXPECTED, AUDIT_FOUND, AUDIT_ASSIGNMENTS, AUDIT_PENDING)
    answers = Answers(asked, store.fetch_many([(query, span) for query in asked]))
    if not answers[READ_AUDITED]:
        return Comparison(None, None)
    expected, found = answers[AUDIT_EXPECTED], answers[AUDIT_FOUND]
    explained = Unsettled(answers[AUDIT_PENDING])
    assignments = {row.holder: row.assignments for row in answers[AUDIT_ASSIGNMENTS]}
    wrong = list(differences(expected, found, assignments))
    effective_roles = sum(row.assignments for row in found)
    return Comparison(
        answers[READ_AUDITED][0],
        following,
        memberships=len({row.membership for row in expected}),
        effective_roles=effective_roles,
        rows=len(expected) + effective_roles,
        drifting=[each for each in wrong if not explained.may_mend(each)],
        unsettled=[each for each in wrong if explained.may_mend(each)],
    )


def differences(
    expected: list[ExpectedRow], found: list[FoundRow], assignments: dict[HolderNumber, int]
) -> Iterator[Difference]:
    """Each assignment has one holder, so rows need only be counted by holder."""
    until: dict[Pair, int | None] = {
        (row.membership, row.holder): row.expires_at for row in expected
    }
    right: dict[Pair, int] = {}
    wrong: dict[Pair, Difference] = {}
    for row in found:
        pair = (row.membership, row.holder)
        if until.get(pair, -1) == row.expires_at:
            right[pair] = row.assignments
            continue
        difference = wrong.setdefault(pair, Difference(*pair, is_due=pair in until))
        difference.surplus += row.assignments
        difference.assignment = row.first
    for due in expected:
        pair = (due.membership, due.holder)
        surplus = wrong[pair].surplus if pair in wrong else 0
        if missing := assignments.get(due.holder, 0) - right.get(pair, 0) - surplus:
            wrong.setdefault(pair, Difference(*pair)).missing = missing
    yield from wrong.values()


class Unsettled:
    """What pending work may still put right."""

    def __init__(self, pending: list[AuditPendingRow]) -> None:
        self._is_all = any(row.kind == "whole" for row in pending)
        self._groups = {row.group for row in pending if row.kind == "assignment"}
        self._memberships = {row.membership for row in pending if row.kind == "member"}

    def may_mend(self, wrong: Difference) -> bool:
        return (
            self._is_all
            or wrong.membership in self._memberships
            or wrong.holder in self._groups
            or (wrong.holder is None and bool(self._groups))
        )
