"""The inline route: effective roles follow in the transaction of the change, by the difference only.

Whoever edits a fact calls the function for it: the ones named `before_*` while the fact still stands, the
ones named `after_*` when it is written. Each touches Δmemberships × assignments or memberships ×
Δassignments, never a group's whole product.

In a single-role organization that resets on loss, a membership that is about to lose its winning role
first has its remaining organization-wide roles set aside (`role_reset`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rescind.store import Transaction


@dataclass(frozen=True, slots=True)
class Scope:
    """The organization that a change works in: its number, and whether roles can be reset there."""

    o: int
    is_single_role: bool


def after_members_added(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Give the listed memberships what the group holds, or hold it longer."""
    tx.count("extend_for_members", "granted", o=scope.o, group=group, members=members)


def after_members_shortened(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Let what the group gave the listed memberships expire when the last path to it does."""
    tx.count("shorten_for_members", "revoked", o=scope.o, group=group, members=members)


def before_members_removed(tx: Transaction, scope: Scope, *, group: str, members: str) -> None:
    """Take from the listed memberships what only this group gave them."""
    _unmake(tx, scope, "members", group=group, members=members)


def before_other_members_removed(
    tx: Transaction, scope: Scope, *, group: str, members: str
) -> None:
    """Take from the group's other memberships what only this group gave them."""
    _unmake(tx, scope, "others", group=group, members=members)


def after_nested(tx: Transaction, scope: Scope, *, child: str, parent: str) -> None:
    """Give the child's members, at any depth, what the parent and all around it hold."""
    tx.count("extend_for_nesting", "granted", o=scope.o, child=child, parent=parent)


def before_unnested(tx: Transaction, scope: Scope, *, child: str, parent: str | None) -> None:
    """Take from the child's members what reached them only through the parent (none: any parent)."""
    _unmake(tx, scope, "nesting", child=child, parent=parent)


def after_assigned(
    tx: Transaction, scope: Scope, *, subject: str | None, group: str | None, given: str
) -> None:
    """Give the holder, or all its members at any depth, the assignments that were just made."""
    tx.count("extend_for_holder", "granted", o=scope.o, subject=subject, group=group, given=given)


def after_ended(tx: Transaction, scope: Scope) -> None:
    """Take the assignments that were just ended from everybody, and bury them."""
    if scope.is_single_role:
        tx.run("reset_for_ended", o=scope.o)
        tx.run("forget_for_ended", o=scope.o)
    tx.count("drop_for_ended", "revoked", o=scope.o)
    tx.run("delete_ended_assignments", o=scope.o)


def _unmake(tx: Transaction, scope: Scope, what: str, **names: Any) -> None:
    if scope.is_single_role:
        tx.run(f"reset_for_{what}", o=scope.o, **names)
        tx.run(f"forget_for_{what}", o=scope.o, **names)
    tx.count(f"drop_for_{what}", "revoked", o=scope.o, **names)
    tx.count(f"shorten_without_{what}", "revoked", o=scope.o, **names)
