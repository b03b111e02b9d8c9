"""The statements that one change asks for, without a database: for validation before an import."""
# ruff: noqa: ARG002  (the arguments are those of the store's contract)

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rescind.applying.handlers import Step, record, together
from rescind.changes import Change
from rescind.model import Microseconds, OrganizationId, OrganizationNumber
from rescind.propagation.budget import BACKGROUND, Budget
from rescind.propagation.routing import Router
from rescind.store import Transaction
from rescind.store.contract import Bounds, Counter, LockCost
from rescind.store.rows.actions import ServiceAction


@dataclass(slots=True)
class StatementLog:
    """A transaction that keeps the names of its queries, and sends nothing. Every result of it is empty."""

    refusing: list[str] = field(default_factory=list)
    """Queries that may refuse the change."""
    noting: list[str] = field(default_factory=list)
    """Queries that may note something as missing."""
    writing: list[str] = field(default_factory=list)
    """All others."""

    def lock(
        self,
        *,
        number: int,
        organization: str,
        mode: str,
        has_required: bool | None = None,
        id_rule: str | None = None,
    ) -> None:
        """There is nothing to lock."""

    def refuse(self, query: str, /, **params: Any) -> None:
        self.refusing.append(query)

    def note_missing(self, query: str, /, **params: Any) -> None:
        self.noting.append(query)

    def run(self, query: str, /, **params: Any) -> None:
        self.writing.append(query)

    def rows_written(self, query: str, /, **params: Any) -> Callable[[], int]:
        self.writing.append(query)
        return lambda: 0

    def count(self, query: str, /, *counters: Counter, **params: Any) -> None:
        self.writing.append(query)

    def count_expected(
        self,
        query: str,
        /,
        *counters: Counter,
        expected: int = 1,
        or_refuse: str | None = None,
        or_note: str | None = None,
        **params: Any,
    ) -> None:
        self.writing.append(query)
        if or_refuse is not None:
            self.refusing.append(or_refuse)
        if or_note is not None:
            self.noting.append(or_note)

    def weigh(self, query: str, budget: Bounds, /, *, step: int, **params: Any) -> None:
        self.writing.append(query)

    def count_pending(self, query: str, /, **params: Any) -> None:
        self.writing.append(query)

    def read_later(self, query: Any, /, **params: Any) -> Callable[[], Any]:
        self.writing.append(str(query))
        return list

    def read_after_commit(self, query: Any, /, **params: Any) -> Callable[[], Any]:
        return lambda: None

    def lock_cost(self, *, number: int) -> Callable[[], LockCost]:
        return lambda: LockCost(0.0, 0, 0)

    def lock_wait(self) -> Callable[[], float]:
        return float

    def note_action(self, action: ServiceAction, /) -> None:
        """Changes are no service actions."""

    def record(self, **params: Any) -> Callable[[], list[Any]]:
        return list


def statements_of(
    change: Change, organization: OrganizationId, budget: Budget = BACKGROUND
) -> StatementLog:
    """What a change asks for. Raises MalformedId, InvalidArgument or InvalidChange if it is not well formed.

    What only the store can know is not refused.
    """
    log = StatementLog()
    transaction: Transaction = log
    number, now = OrganizationNumber(1), Microseconds(0)
    record(Step(transaction, organization, number, now, False, Router(budget)), [change])
    return log


def require_well_formed(batch: Sequence[Change], organization: OrganizationId) -> None:
    """Raises what `statements_of` raises for the first change that is not well formed, at less cost."""
    transaction: Transaction = StatementLog()
    number, now = OrganizationNumber(1), Microseconds(0)
    step = Step(transaction, organization, number, now, False, Router(BACKGROUND))
    for _, part in together(batch):
        record(step, part)
