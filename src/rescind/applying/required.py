"""A required role keeps its last active holder.

A batch is judged by its end. Before its first change the required roles that somebody holds are kept, and
after its last one each must still be held. The statements are in `required.sql`; where no role is required,
none of them is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rescind import changes, model
from rescind.applying.step import Step, json_list
from rescind.changes import Change

FOREVER: Final = 2**62
"""A time in microseconds by which everything that ever expires has expired."""
TAKING: Final = (
    changes.RemoveMembership,
    changes.DeactivateMembership,
    changes.RemoveMembers,
    changes.ReplaceMembers,
    changes.UnnestGroup,
    changes.DeleteGroup,
    changes.Unassign,
    changes.ReplaceAssignments,
    changes.DeleteRole,
    changes.SetRoleMode,
)
"""What may take a role from somebody whatever the mode; so does a time of expiry that is set."""


def may_take(step: Step, batch: Sequence[Change]) -> bool:
    """Whether a batch may take an organization-wide role from somebody. In a single-role organization even
    what gives may, since one role displaces another.
    """
    return step.is_single_role or any(
        isinstance(change, TAKING) or getattr(change, "expires_at", None) is not None
        for change in batch
    )


def alters(batch: Sequence[Change]) -> bool:
    """Whether a batch may alter which roles are required."""
    return any(
        isinstance(change, changes.DeleteRole)
        or isinstance(getattr(change, "required", None), bool)
        for change in batch
    )


def remember_holders(step: Step) -> None:
    """Before the first change: note which required roles somebody holds, now and for good."""
    _remember(step, is_lasting=False)
    _remember(step, is_lasting=True)


def require_holders(step: Step, batch: Sequence[Change], *, is_elsewhere: bool = False) -> None:
    """After the last change: refuse the batch where one of those roles has no active holder left, or the
    batch itself sets the time at which it will have none. Note those that only holders who expire have left.
    """
    names = {"o": step.number, "now": step.now, "is_elsewhere": is_elsewhere}
    step.tx.refuse("refuse_required_lost", is_lasting=False, **names)
    lasting = {"o": step.number, "now": FOREVER, "is_lasting": True}
    expiring = _expiring(batch)
    if expiring is None or expiring:
        roles = None if expiring is None else json_list(expiring)
        step.tx.refuse("refuse_required_expiring", roles=roles, **lasting)
    step.tx.note_missing("warn_required_expiring", **lasting)
    step.tx.run("forget_required", o=step.number)


def _remember(step: Step, *, is_lasting: bool) -> None:
    now = FOREVER if is_lasting else step.now
    step.tx.run("remember_required", o=step.number, now=now, is_lasting=is_lasting)


def _expiring(batch: Sequence[Change]) -> set[str] | None:
    """The roles that a batch gives until a time; None where it may be any, since a place in a group ends."""
    roles: set[str] = set()
    for change in batch:
        match change:
            case changes.AddMembers() if change.expires_at is not None:
                return None
            case changes.Assign() if change.expires_at is not None:
                roles.add(model.role_id(change.role))
            case changes.ReplaceAssignments():
                timed = [given for given in change.assignments if given.expires_at is not None]
                roles |= {model.role_id(given.role) for given in timed}
    return roles
