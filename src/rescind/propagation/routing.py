"""Which route a change's effective roles take, and the statements of both.

Whoever edits a fact calls the function for it: the ones named `before_*` while the fact still stands, the
ones named `after_*` when it is written. Each change of facts is a step that is weighed: *inline*, where
effective roles follow in the transaction of the change by the difference only, Δmemberships × assignments
or memberships × Δassignments; or *background*, where a pending row names what to look at again. A step
begins inline. If it turns out too large for that, or a job has its groups, the store refuses it with
OverBudget, and the transaction is done again with that step in the background.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from rescind.propagation.budget import BACKGROUND, Budget
from rescind.store import Transaction
from rescind.store.contract import Counter


class Router:
    """Takes the steps of one transaction as they come, and knows which are for the background."""

    def __init__(self, budget: Budget, background: Set[int] = frozenset()) -> None:
        self.is_background = False
        self._budget, self._background = budget, background
        self._step = -1

    def begin(self) -> bool:
        """Begin a step: whether it is for the background whatever it weighs. Until the next one begins,
        `is_background` says that too.
        """
        self._step += 1
        self.is_background = self._budget.is_background or self._step in self._background
        return self.is_background

    def weigh(self, tx: Transaction, what: str, **names: Any) -> None:
        """Begin a step, and weigh it."""
        self.begin()
        self.weigh_begun(tx, what, **names)

    def weigh_begun(self, tx: Transaction, what: str, **names: Any) -> None:
        """Weigh the step that was begun last."""
        budget = BACKGROUND if self.is_background else self._budget
        tx.weigh(f"weigh_{what}", budget, step=self._step, **names)


@dataclass(frozen=True, slots=True)
class Scope:
    """The organization that a change works in: its number, and the routes of the transaction."""

    o: int
    router: Router


def before_members_added(
    tx: Transaction, scope: Scope, *, group: str, members: str, expires_at: int | None
) -> None:
    """Weigh memberships that join a group, or stay in it until another time."""
    names = {"o": scope.o, "group": group, "members": members, "expires_at": expires_at}
    scope.router.weigh(tx, "members_joining", takes=expires_at is not None, **names)
    if scope.router.is_background:
        tx.count("pend_members_joining", Counter.PENDED, Counter.GAINS, **names)


def after_members_shortened(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Let what the group gave the listed memberships expire when the last path to it does."""
    if not scope.router.is_background:
        tx.count("shorten_for_members", Counter.REVOKED, o=scope.o, group=group, members=members)


def before_members_put(
    tx: Transaction, scope: Scope, *, group: str, members: str, expires_at: int | None
) -> None:
    """Give those of the listed memberships that join the group what it holds, and others that longer."""
    if not scope.router.is_background:
        names = {"o": scope.o, "group": group, "members": members, "expires_at": expires_at}
        tx.count("extend_for_members_joining", Counter.GRANTED, **names)


def before_members_removed(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Take from the listed memberships what only this group gave them."""
    _unmake(tx, scope, "members", "pend_members_leaving", group=group, members=members)


def before_members_replaced(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Take from the group's other memberships what only this group gave them."""
    _unmake(tx, scope, "others", "pend_others_leaving", group=group, members=members)


def before_members_completed(
    tx: Transaction, scope: Scope, *, group: str, members: str, now: int
) -> None:
    """Give those of the listed memberships that are not in the group now what it holds."""
    names = {"o": scope.o, "group": group, "members": members, "now": now}
    scope.router.weigh(tx, "members_missing", takes=False, **names)
    if scope.router.is_background:
        tx.count("pend_members_missing", Counter.PENDED, Counter.GAINS, **names)
    else:
        tx.count("extend_for_members_missing", Counter.GRANTED, **names)


def before_membership_removed(tx: Transaction, scope: Scope, *, subject: str) -> None:
    """Take everything from a membership that is about to be removed."""
    names = {"o": scope.o, "subject": subject}
    scope.router.weigh(tx, "membership", takes=True, **names)
    if scope.router.is_background:
        tx.count("delete_direct_effective_roles", Counter.REVOKED, **names)
        tx.count("pend_membership", Counter.PENDED, **names)
    else:
        tx.count("delete_effective_roles_of_membership", Counter.REVOKED, **names)


def before_nested(tx: Transaction, scope: Scope, *, child: str, parent: str) -> None:
    """Weigh a group's members that are about to flow into another group."""
    names = {"o": scope.o, "child": child, "parent": parent}
    scope.router.weigh(tx, "new_nesting", takes=False, **names)
    if scope.router.is_background:
        tx.count("pend_nesting", Counter.PENDED, Counter.GAINS, **names)


def after_nested(tx: Transaction, scope: Scope, *, child: str, parent: str) -> None:
    """Give the child's members, at any depth, what the parent and all around it hold."""
    if not scope.router.is_background:
        tx.count("extend_for_nesting", Counter.GRANTED, o=scope.o, child=child, parent=parent)


def before_unnested(tx: Transaction, scope: Scope, *, child: str, parent: str | None) -> None:
    """Take from the child's members what reached them only through the parent (none: any parent)."""
    _unmake(tx, scope, "nesting", "pend_unnesting", child=child, parent=parent)


def after_assigned(
    tx: Transaction, scope: Scope, *, subject: str | None, group: str | None, given: str
) -> None:
    """Give the holder, or all its members at any depth, the assignments that were just made."""
    names = {"o": scope.o, "subject": subject, "group": group, "given": given}
    if group is None:
        tx.count("extend_for_subject", Counter.GRANTED, **names)
        return
    scope.router.weigh(tx, "given", takes=False, **names)
    if scope.router.is_background:
        tx.count("pend_given", Counter.PENDED, Counter.GAINS, **names)
    else:
        tx.count("extend_for_group", Counter.GRANTED, **names)


def after_ended(
    tx: Transaction, scope: Scope, *, by_groups: bool = True, by_subjects: bool = True
) -> None:
    """Take the assignments that were just ended from everybody, and bury them.

    `by_groups` and `by_subjects` say whether a group, or a membership itself, can hold any of them.
    """
    if by_groups:
        _unmake(tx, scope, "ended", "pend_ended")
    if by_subjects:
        tx.count("drop_direct_for_ended", Counter.REVOKED, o=scope.o)
    if not (by_groups and scope.router.is_background):
        tx.run("delete_ended_assignments", o=scope.o)
    tx.run("bury_ended_assignments", o=scope.o)


def after_role_ended(
    tx: Transaction, scope: Scope, *, role: str, group: str | None, subject: str | None
) -> None:
    """Take what was just ended of one holder from everybody who had it from there."""
    if group is None:
        tx.count("drop_ended_of_subject", Counter.REVOKED, o=scope.o, subject=subject)
        tx.run("delete_ended_of_subject", o=scope.o, subject=subject)
        return
    names = {"o": scope.o, "group": group, "role": role}
    if scope.router.begin():
        tx.count_pending("pend_ended_of_group", most=BACKGROUND.most, **names)
    else:
        scope.router.weigh_begun(tx, "ended_of_group", takes=True, **names)
        tx.count("drop_ended_of_group", Counter.REVOKED, o=scope.o, group=group)
        tx.run("delete_ended_of_group", o=scope.o, group=group)


def _unmake(tx: Transaction, scope: Scope, what: str, pend: str, **names: Any) -> None:
    scope.router.weigh(tx, what, takes=True, o=scope.o, **names)
    if scope.router.is_background:
        tx.count(pend, Counter.PENDED, o=scope.o, **names)
        return
    tx.count(f"drop_for_{what}", Counter.REVOKED, o=scope.o, **names)
    if what != "ended":
        tx.count(f"shorten_without_{what}", Counter.REVOKED, o=scope.o, **names)
