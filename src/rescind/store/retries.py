"""Why a transaction was taken back and is to be tried again in another way.

The engines raise these; `applying` catches them and plans again. They never reach a caller of the library.
"""

from __future__ import annotations

from typing import Final

PLAN_ATTEMPTS: Final = 16
"""Transactions that are tried with a new plan each before StoreConflict is raised."""


class PlanStale(Exception):
    """The organization's name, mode or rule for ids changed between plan and lock: plan again.

    Or what is defined for all organizations changed between the look at winning roles and the log's entry.
    """


class OverBudget(Exception):
    """A step of the change does not fit the inline route: try again with that step in the background."""

    def __init__(self, *, step: int, pairs: int, is_busy: bool) -> None:
        self.step, self.pairs, self.is_busy = step, pairs, is_busy
        super().__init__(step)


class KeyTaken(Exception):
    """The idempotency key was used before; its outcome is recorded."""
