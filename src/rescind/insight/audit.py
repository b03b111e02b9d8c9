"""Effective roles compared with a recomputation from facts, in small reads and bounded memory.

What pending work may still have to put right is no drift. Repairs go through pending work as well, so
that they are fenced, chunked and resumed like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from rescind.authority import Authority
from rescind.errors import OrganizationNotFound
from rescind.store import Rows, Transaction

MEMBERSHIPS_A_READ: Final = 50
EXAMPLES: Final = 3
LAST: Final = 2**31 - 1

Pair = tuple[int, int | None]
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
    """All that an audit found. `repaired` counts what was handed to pending work or put right."""

    organizations: int = 0
    memberships: int = 0
    effective_roles: int = 0
    groups: list[Drift] = field(default_factory=list)
    repaired: int = 0

    @property
    def is_clean(self) -> bool:
        return not any(group.is_drift for group in self.groups)


def audit(authority: Authority, organization: str | None = None, *, repair: bool = False) -> Report:
    """Compare one organization's effective roles, or everybody's, with what the facts imply.

    With `repair`, what is wrong is pending when this returns, and fenced, or right already. Raises
    OrganizationNotFound.
    """
    report = Report()
    for o, name, mode in _organizations(authority, organization):
        report.organizations += 1
        _Audit(authority, report, o, name, mode, repair=repair).run()
    return report


def _organizations(
    authority: Authority, organization: str | None
) -> Iterator[tuple[int, str, str]]:
    store = authority.store
    if organization is not None:
        ((o, mode, _),) = store.fetch("plan", {"organization": organization})
        if o is None:
            raise OrganizationNotFound(organization=organization)
        yield o, organization, mode
        return
    after = ""
    while page := store.fetch("list_organizations", {"after": after, "limit": 500}):
        for name, *_ in page:
            ((o, mode, _),) = store.fetch("plan", {"organization": name})
            if o is not None:
                yield o, name, mode
        after = page[-1][0]


class _Audit:
    """One organization's."""

    def __init__(
        self, authority: Authority, report: Report, o: int, name: str, mode: str, *, repair: bool
    ) -> None:
        self.store, self.report = authority.store, report
        self.o, self.name, self.mode, self.repair = o, name, mode, repair
        self.groups: dict[int | None, Drift] = {}

    def run(self) -> None:
        from_m = 0
        while from_m <= LAST:
            step = {"o": self.o, "from_m": from_m, "step": MEMBERSHIPS_A_READ - 1}
            bound = self.store.fetch("find_audit_bound", step)
            to_m = bound[0][0] if bound else LAST
            self._compare({"o": self.o, "from_m": from_m, "to_m": to_m})
            from_m = to_m + 1
        self.report.groups += [g for g in self.groups.values() if g.is_drift or g.unsettled]

    def _compare(self, span: dict[str, int]) -> None:
        expected, found, assignments, pending = self.store.fetch_many(
            [
                ("audit_expected", span),
                ("audit_found", span),
                ("audit_assignments", {"o": self.o}),
                ("audit_pending", {"o": self.o}),
            ]
        )
        self.report.memberships += len({membership for membership, *_ in expected})
        self.report.effective_roles += sum(count for *_, count, _ in found)
        of_holder = {holder: (count, first) for holder, count, first in assignments}
        until = {(m, holder): expires_at for m, holder, expires_at in expected}
        wrong: dict[Pair, list[int]] = {}  # missing, surplus, an assignment
        right: dict[Pair, int] = {}
        for m, holder, expires_at, count, first in found:
            if until.get((m, holder), -1) == expires_at:
                right[(m, holder)] = count
            else:
                wrong.setdefault((m, holder), [0, 0, first])[1] += count
        for pair in until:
            count, first = of_holder.get(pair[1], (0, 0))
            surplus = wrong.get(pair, [0, 0, 0])[1]
            if missing := count - right.get(pair, 0) - surplus:
                wrong.setdefault(pair, [0, 0, first])[0] += missing
        for pair, (missing, surplus, assignment) in wrong.items():
            self._found(pair, missing, surplus, assignment, pending)

    def _found(
        self, pair: Pair, missing: int, surplus: int, assignment: int, pending: Rows
    ) -> None:
        membership, holder = pair
        rows = self.store.fetch(
            "audit_names", {"o": self.o, "m": membership, "holder": holder or 0, "a": assignment}
        )
        subject, group, role, resource = rows[0]
        drift = self.groups.setdefault(holder, Drift(self.name, group))
        if _may_be_pending(membership, holder, pending):
            drift.unsettled += missing + surplus
            return
        drift.missing += missing
        drift.surplus += surplus
        if len(drift.examples) < EXAMPLES:
            what = "lacks" if missing else "has"
            drift.examples.append(
                f"{subject or f'membership {membership} (gone)'} {what}"
                f" {role or f'assignment {assignment} (gone)'} on {resource or 'nothing'}"
            )
        if self.repair:
            self._mend(membership, holder)

    def _mend(self, membership: int, holder: int | None) -> None:
        names: dict[str, Any] = {"o": self.o, "m": membership, "holder": holder}

        def mend(tx: Transaction) -> None:
            tx.begin(o=self.o, organization=self.name, mode=self.mode)
            if holder is not None and holder < 0:
                tx.run("pend_repair", **names)
                return
            tx.run("repair_dangling", **names)
            tx.run("repair_direct", **names)

        self.store.transact(mend)
        self.report.repaired += 1


def _may_be_pending(membership: int, holder: int | None, pending: Rows) -> bool:
    return any(
        kind == "whole"
        or (kind == "member" and ref == membership)
        or (kind == "assignment" and (group == holder or holder is None))
        for kind, group, ref in pending
    )
