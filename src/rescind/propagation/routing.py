"""Which route a change's effective roles take, and the statements of both.

Whoever edits a fact calls the function for it: the ones named `before_*` while the fact still stands, the
ones named `after_*` when it is written. Each first has the store choose: *inline*, where effective roles
follow in the transaction of the change by the difference only, Δmemberships × assignments or
memberships × Δassignments; or *background*, where a pending row names what to look at again. The
statements of both routes are sent; those of the other route do nothing.

In a single-role organization that resets on loss, a membership that is about to lose its winning role
first has its remaining organization-wide roles set aside (`role_reset`). That is a fact of the change, not
an effective role, so it is done at once by either route.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rescind.propagation.budget import Budget
from rescind.store import Transaction


@dataclass(frozen=True, slots=True)
class Scope:
    """The organization that a change works in: its number, whether roles can be reset there, and how
    much may be done inline.
    """

    o: int
    is_single_role: bool
    budget: Budget


def before_members_added(
    tx: Transaction, scope: Scope, *, group: str, members: str, expires_at: int | None
) -> None:
    """Choose the route for memberships that join a group, or stay in it until another time."""
    names = {"group": group, "members": members}
    _choose(tx, scope, "members", takes=expires_at is not None, **names)
    counters = ("pended", "gains") if expires_at is None else ("pended", "gains", "revokes")
    tx.count(
        "pend_members_joining",
        *counters,
        o=scope.o,
        expires_at=expires_at,
        direction="grants" if expires_at is None else "revokes",
        **names,
    )


def after_members_shortened(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Let what the group gave the listed memberships expire when the last path to it does."""
    tx.count("shorten_for_members", "revoked", o=scope.o, group=group, members=members)


def after_members_added(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Give the listed memberships what the group holds, or hold it longer."""
    tx.count("extend_for_members", "granted", o=scope.o, group=group, members=members)


def before_members_removed(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Take from the listed memberships what only this group gave them."""
    _unmake(tx, scope, "members", "pend_members_leaving", group=group, members=members)


def before_members_replaced(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Take from the group's other memberships what only this group gave them."""
    _unmake(tx, scope, "others", "pend_others_leaving", group=group, members=members)


def before_members_completed(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Choose the route for those of the listed memberships that are not in the group."""
    names = {"group": group, "members": members}
    _choose(tx, scope, "members", takes=False, **names)
    tx.count("pend_members_missing", "pended", "gains", o=scope.o, direction="grants", **names)


def before_membership_removed(tx: Transaction, scope: Scope, *, subject: str) -> None:
    """Take everything from a membership that is about to be removed."""
    _choose(tx, scope, "membership", takes=True, subject=subject)
    names = {"o": scope.o, "subject": subject}
    tx.count("delete_effective_roles_of_membership", "revoked", **names)
    tx.count("delete_direct_effective_roles", "revoked", **names)
    tx.count("pend_membership", "pended", "revokes", direction="revokes", **names)


def before_nested(tx: Transaction, scope: Scope, *, child: str, parent: str) -> None:
    """Choose the route for a group's members that are about to flow into another group."""
    names = {"child": child, "parent": parent}
    _choose(tx, scope, "new_nesting", takes=False, **names)
    tx.count("pend_nesting", "pended", "gains", o=scope.o, direction="grants", **names)


def after_nested(tx: Transaction, scope: Scope, *, child: str, parent: str) -> None:
    """Give the child's members, at any depth, what the parent and all around it hold."""
    tx.count("extend_for_nesting", "granted", o=scope.o, child=child, parent=parent)


def before_unnested(tx: Transaction, scope: Scope, *, child: str, parent: str | None) -> None:
    """Take from the child's members what reached them only through the parent (none: any parent)."""
    _unmake(tx, scope, "nesting", "pend_unnesting", child=child, parent=parent)


def after_assigned(
    tx: Transaction, scope: Scope, *, subject: str | None, group: str | None, given: str
) -> None:
    """Give the holder, or all its members at any depth, the assignments that were just made."""
    names = {"subject": subject, "group": group, "given": given}
    if group is None:
        tx.count("extend_for_subject", "granted", o=scope.o, **names)
        return
    _choose(tx, scope, "given", takes=False, group=group, given=given)
    tx.count("extend_for_group", "granted", o=scope.o, **names)
    tx.count("pend_given", "pended", "gains", o=scope.o, group=group, direction="grants")


def after_ended(tx: Transaction, scope: Scope, *, by_groups: bool = True) -> None:
    """Take the assignments that were just ended from everybody, and bury them.

    `by_groups` is false where no group can hold any of them.
    """
    if by_groups:
        _unmake(tx, scope, "ended", "pend_ended")
    elif scope.is_single_role:
        tx.run("reset_for_ended", o=scope.o)
        tx.run("forget_for_ended", o=scope.o)
    tx.count("drop_direct_for_ended", "revoked", o=scope.o)
    tx.run("delete_ended_assignments", o=scope.o)
    tx.run("bury_ended_assignments", o=scope.o)


def _choose(tx: Transaction, scope: Scope, what: str, *, takes: bool, **names: Any) -> None:
    tx.choose(f"weigh_{what}", scope.budget, o=scope.o, takes=takes, **names)


def _unmake(tx: Transaction, scope: Scope, what: str, pend: str, **names: Any) -> None:
    _choose(tx, scope, what, takes=True, **names)
    if scope.is_single_role:
        tx.run(f"reset_for_{what}", o=scope.o, **names)
        tx.run(f"forget_for_{what}", o=scope.o, **names)
    tx.count(f"drop_for_{what}", "revoked", o=scope.o, **names)
    if what != "ended":
        tx.count(f"shorten_without_{what}", "revoked", o=scope.o, **names)
    tx.count(pend, "pended", "revokes", o=scope.o, direction="revokes", **names)
