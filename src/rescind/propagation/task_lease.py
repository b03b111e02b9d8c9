"""Leases of tasks that one process at a time does, such as the background audit.

A lease ends by the database's clock. It saves work and keeps budgets; correctness does not depend on it: a
process that was stopped for longer than its lease may go on beside the next one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from rescind.store import Store, Transaction


class TaskLease:
    """The lease of one task, for one holder."""

    def __init__(self, store: Store, task: str) -> None:
        self._store = store
        self._names = {"task": task, "holder": secrets.token_hex(8)}

    def claim(self, seconds: float) -> bool:
        """Take the lease, or renew it, for so long. Says whether it is held; not while another holds it."""
        taken: list[Callable[[], int]] = []

        def claim(tx: Transaction) -> None:
            taken[:] = [self.renew(tx, seconds)]

        self._store.transact(claim, yields=True, durable=False)
        return taken[0]() == 1

    def renew(self, tx: Transaction, seconds: float) -> Callable[[], int]:
        """As `claim`, within a transaction of other work; the result tells 1 if it is held, else 0."""
        return tx.rows_written("claim_task", **self._names, microseconds=int(seconds * 1e6))

    def release(self) -> None:
        """Let others have it at once. Does nothing if it is not held."""
        self._store.transact(self.let_go, yields=True, durable=False)

    def let_go(self, tx: Transaction) -> None:
        """As `release`, within a transaction of other work."""
        tx.run("release_task", **self._names)
