"""The route that a change's effective roles take, and the statements of both routes.

A handler that edits a fact calls the function for it: `before_*` while the fact still stands, `after_*` once
it is written. Each edit is a step with a route. *Inline*: effective roles follow in the same transaction, by
the difference only: Δmemberships × assignments, or memberships × Δassignments. *Background*: a pending row
names what to reconcile. A step begins inline. If it is too large for that, or a job has its groups, the
store raises OverBudget, and the transaction is repeated with that step in the background.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from rescind.model import OrganizationNumber
from rescind.propagation.budget import BACKGROUND, Budget
from rescind.store import Transaction
from rescind.store.contract import Counter


class Router:
    """The routes of the steps of one transaction, in their order."""

    def __init__(self, budget: Budget, background: Set[int] = frozenset()) -> None:
        self.is_background = False
        self._budget, self._background = budget, background
        self._step = -1

    def begin(self) -> bool:
        """Begin a step. Returns whether it takes the background whatever it weighs; so does `is_background`
        until the next step.
        """
        self._step += 1
        self.is_background = self._budget.is_background or self._step in self._background
        return self.is_background

    def weigh(self, tx: Transaction, query: str, **names: Any) -> None:
        """Begin a step and weigh it."""
        self.begin()
        self.weigh_begun(tx, query, **names)

    def weigh_begun(self, tx: Transaction, query: str, **names: Any) -> None:
        """Weigh the step that was begun last."""
        budget = BACKGROUND if self.is_background else self._budget
        tx.weigh(query, budget, step=self._step, **names)


class Unmaking(NamedTuple):
    """The queries of one kind of loss: weigh it, leave it pending, drop rows, and shorten rows that stay."""

    weigh: str
    pend: str
    drop: str
    shorten: str | None


MEMBERS: Final = Unmaking(
    "weigh_members", "pend_members_leaving", "drop_for_members", "shorten_without_members"
)
OTHERS: Final = Unmaking(
    "weigh_others", "pend_others_leaving", "drop_for_others", "shorten_without_others"
)
NESTING: Final = Unmaking(
    "weigh_nesting", "pend_unnesting", "drop_for_nesting", "shorten_without_nesting"
)
ENDED: Final = Unmaking("weigh_ended", "pend_ended", "drop_for_ended", None)


@dataclass(frozen=True, slots=True)
class Scope:
    """The organization that a change works in: its number, and the routes of the transaction."""

    organization: OrganizationNumber
    router: Router


def before_members_added(
    tx: Transaction, scope: Scope, *, group: str, members: str, expires_at: int | None
) -> None:
    """Weigh memberships that join a group, or whose place in it gets another expiry."""
    names = {"o": scope.organization, "group": group, "members": members, "expires_at": expires_at}
    scope.router.weigh(tx, "weigh_members_joining", takes=expires_at is not None, **names)
    if scope.router.is_background:
        tx.count("pend_members_joining", Counter.PENDED, Counter.GAINS, **names)


def after_members_shortened(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Let what the group gives the listed memberships expire with the last path to it."""
    if not scope.router.is_background:
        tx.count(
            "shorten_for_members",
            Counter.REVOKED,
            o=scope.organization,
            group=group,
            members=members,
        )


def before_members_put(
    tx: Transaction, scope: Scope, *, group: str, members: str, expires_at: int | None
) -> None:
    """Give the listed memberships what the group holds. Those already in it keep it longer."""
    if not scope.router.is_background:
        names = {
            "o": scope.organization,
            "group": group,
            "members": members,
            "expires_at": expires_at,
        }
        tx.count("extend_for_members_joining", Counter.GRANTED, **names)


def before_members_removed(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Take from the listed memberships what only this group gave them."""
    _unmake(tx, scope, MEMBERS, group=group, members=members)


def before_members_replaced(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Take from the group's other memberships what only this group gave them."""
    _unmake(tx, scope, OTHERS, group=group, members=members)


def before_members_completed(
    tx: Transaction, scope: Scope, *, group: str, members: str, now: int
) -> None:
    """Give what the group holds to the listed memberships that are not in it."""
    names = {"o": scope.organization, "group": group, "members": members, "now": now}
    scope.router.weigh(tx, "weigh_members_missing", takes=False, **names)
    if scope.router.is_background:
        tx.count("pend_members_missing", Counter.PENDED, Counter.GAINS, **names)
    else:
        tx.count("extend_for_members_missing", Counter.GRANTED, **names)


def before_membership_removed(tx: Transaction, scope: Scope, *, subject: str) -> None:
    """Take all effective roles from a membership that will be removed."""
    names = {"o": scope.organization, "subject": subject}
    scope.router.weigh(tx, "weigh_membership", takes=True, **names)
    if scope.router.is_background:
        tx.count("delete_direct_effective_roles", Counter.REVOKED, **names)
        tx.count("pend_membership", Counter.PENDED, **names)
    else:
        tx.count("delete_effective_roles_of_membership", Counter.REVOKED, **names)


def before_nested(tx: Transaction, scope: Scope, *, child: str, parent: str) -> None:
    """Weigh a group's members before it is nested in another group."""
    names = {"o": scope.organization, "child": child, "parent": parent}
    scope.router.weigh(tx, "weigh_new_nesting", takes=False, **names)
    if scope.router.is_background:
        tx.count("pend_nesting", Counter.PENDED, Counter.GAINS, **names)


def after_nested(tx: Transaction, scope: Scope, *, child: str, parent: str) -> None:
    """Give the child's members, at any depth, what the parent and the groups above it hold."""
    if not scope.router.is_background:
        tx.count(
            "extend_for_nesting", Counter.GRANTED, o=scope.organization, child=child, parent=parent
        )


def before_unnested(tx: Transaction, scope: Scope, *, child: str, parent: str | None) -> None:
    """Take from the child's members what reached them only through the parent; None means any parent."""
    _unmake(tx, scope, NESTING, child=child, parent=parent)


def after_assigned(
    tx: Transaction, scope: Scope, *, subject: str | None, group: str | None, given: str
) -> None:
    """Give the new assignments to the holder, or to all its members at any depth."""
    names = {"o": scope.organization, "subject": subject, "group": group, "given": given}
    if group is None:
        tx.count("extend_for_subject", Counter.GRANTED, **names)
        return
    scope.router.weigh(tx, "weigh_given", takes=False, **names)
    if scope.router.is_background:
        tx.count("pend_given", Counter.PENDED, Counter.GAINS, **names)
    else:
        tx.count("extend_for_group", Counter.GRANTED, **names)


def after_ended(
    tx: Transaction, scope: Scope, *, by_groups: bool = True, by_subjects: bool = True
) -> None:
    """Take the assignments that were just ended from all who had them, and bury them.

    `by_groups` and `by_subjects` say whether a group, or a membership itself, can hold any of them.
    """
    if by_groups:
        _unmake(tx, scope, ENDED)
    if by_subjects:
        tx.count("drop_direct_for_ended", Counter.REVOKED, o=scope.organization)
    if not (by_groups and scope.router.is_background):
        tx.run("delete_ended_assignments", o=scope.organization)
    tx.run("bury_ended_assignments", o=scope.organization)


def after_role_ended(
    tx: Transaction, scope: Scope, *, role: str, group: str | None, subject: str | None
) -> None:
    """Take the role of one holder that was just ended from all who had it through that holder."""
    if group is None:
        tx.count("drop_ended_of_subject", Counter.REVOKED, o=scope.organization, subject=subject)
        tx.run("delete_ended_of_subject", o=scope.organization, subject=subject)
        return
    names = {"o": scope.organization, "group": group, "role": role}
    if scope.router.begin():
        tx.count_pending("pend_ended_of_group", most=BACKGROUND.most, **names)
    else:
        scope.router.weigh_begun(tx, "weigh_ended_of_group", takes=True, **names)
        tx.count("drop_ended_of_group", Counter.REVOKED, o=scope.organization, group=group)
        tx.run("delete_ended_of_group", o=scope.organization, group=group)


def _unmake(tx: Transaction, scope: Scope, queries: Unmaking, **names: Any) -> None:
    scope.router.weigh(tx, queries.weigh, takes=True, o=scope.organization, **names)
    if scope.router.is_background:
        tx.count(queries.pend, Counter.PENDED, o=scope.organization, **names)
        return
    tx.count(queries.drop, Counter.REVOKED, o=scope.organization, **names)
    if queries.shorten is not None:
        tx.count(queries.shorten, Counter.REVOKED, o=scope.organization, **names)
