"""Changes within Django's transactions.

In `transaction.atomic` a change commits or rolls back with the caller's own rows, and is enforced once that
has committed. Until then the transaction's questions are asked in the transaction, so it sees its changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction

from rescind.changes import Change
from rescind.errors import InvalidArgument, NotCommitted
from rescind.integrations.django.opened import authority
from rescind.integrations.django.options import options
from rescind.model import ENVIRONMENT, Receipt


@dataclass(frozen=True, slots=True, eq=False)
class Enforcement:
    """Run after the commit that a change is part of. While it waits there, the change is uncommitted."""

    receipt: Receipt
    alias: str
    siblings: list[Enforcement]
    """Those of the same transaction, also what a savepoint took back."""

    def __call__(self) -> None:
        """Enforce the change. Raises a StoreError if that cannot be done, once the others were tried: Django
        runs no callback after one that fails.
        """
        # Django's tests run callbacks by `captureOnCommitCallbacks`, in a transaction that never commits.
        if connections[self.alias].in_atomic_block:
            return
        self.siblings.remove(self)
        try:
            self.receipt.enforce()
        except Exception:
            for each in tuple(self.siblings):
                if each in self.siblings:
                    with suppress(NotCommitted):
                        each()
            raise


def _enforce_after_commit(receipt: Receipt, alias: str) -> None:
    """Before any other callback, which may rely on it, or fail."""
    connection = connections[alias]
    waiting = [each[1] for each in connection.run_on_commit if isinstance(each[1], Enforcement)]
    siblings = waiting[0].siblings if waiting else []
    siblings.append(Enforcement(receipt, alias, siblings))
    transaction.on_commit(siblings[-1], using=alias)
    if any(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        return  # captureOnCommitCallbacks takes those at the end
    connection.run_on_commit.insert(len(waiting), connection.run_on_commit.pop())


def apply(
    changes: Sequence[Change],
    *,
    organization: str | None = None,
    actor: str | None = None,
    **asked: Any,
) -> Receipt:
    """Apply a batch of changes, as `Authority.apply` does.

    In `transaction.atomic` they are part of that transaction: `receipt.enforce()` runs when it has committed,
    and nothing is left of them if it is rolled back. Elsewhere they are enforced when this returns. Raises
    InvalidArgument in a transaction that Django does not manage, and what `Authority.apply` raises.
    """
    chosen = options()
    connection = connections[chosen.database]
    named: dict[str, Any] = {**asked, "organization": organization, "actor": actor or _actor()}
    if not connection.in_atomic_block:
        if not connection.get_autocommit():
            hint = "open transaction.atomic(), or turn AUTOCOMMIT on"
            raise InvalidArgument(what="transaction", hint=hint)
        return authority().apply(changes, **named)
    receipt = authority().apply(changes, within=connection, **named)
    _enforce_after_commit(receipt, chosen.database)
    return receipt


def is_atomic() -> bool:
    """Whether what is done now may still be rolled back."""
    return bool(connections[options().database].in_atomic_block)


def within(organization: str | None) -> Any:
    """The connection whose transaction has changed the organization and not committed, or None.

    Such a transaction has the organization's lock, so no revocation can return that it does not see. Any
    other transaction may have a snapshot from before a revocation, and is never asked.
    """
    alias = options().database
    connection = connections[alias]
    if not connection.in_atomic_block:
        return None
    for _, function, *_ in connection.run_on_commit:
        receipt = function.receipt if isinstance(function, Enforcement) else None
        if receipt is None or not receipt.changed:
            continue
        if receipt.organization in (organization, ENVIRONMENT):
            return connection
    return None


def _actor() -> str:
    actor = options().actor
    return actor() if callable(actor) else actor
