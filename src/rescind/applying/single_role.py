"""What a batch sets aside and gives back in a single-role organization.

A batch is judged by its end. Before its first change the winning roles that it may take are kept, and after
its last one they are compared with what is held then. The statements are in `single_role.sql`, the rule is in
docs/explanation/guarantees.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rescind import changes, model
from rescind.applying.step import Step, holder_names, json_list
from rescind.changes import Change
from rescind.model import OrganizationNumber
from rescind.store.contract import Counter

Statement = tuple[str, dict[str, Any]]
"""A query and its parameters, but for the organization and the time."""


def remember_roles(step: Step, batch: Sequence[Change]) -> bool:
    """Remember the winning roles that a batch may take, before its first change. Whether it may take any.

    If it may, `require_same_definitions` belongs after the log's entry.
    """
    takes = [statement for change in batch for statement in _takes(change, step.number, step.now)]
    if takes:
        step.tx.run("remember_definitions")
    _run(step, takes)
    return bool(takes)


def set_aside(step: Step, batch: Sequence[Change], *, takes: bool) -> None:
    """Set aside what those hold who have lost their winning role, less what the batch gave."""
    if takes:
        settle_losses(step)
    for query, names in [statement for change in batch for statement in _gives(change)]:
        step.tx.count(query, Counter.ALTERED, Counter.GAINS, o=step.number, now=step.now, **names)


def require_same_definitions(step: Step) -> None:
    """Try the batch again if the log has it at another revision of `*` than the one it was judged at.

    Replay judges it by the roles as they were at the revision in the log.
    """
    step.tx.refuse("refuse_moved_definitions", o=step.number)


def remember_holders(step: Step, *, role: str, owner: int) -> None:
    """Remember whose winning role a role may be that is about to be deleted."""
    _run(step, [("remember_roles_of_holders", {"role": role, "owner": owner})])


def settle_losses(step: Step) -> None:
    """Compare what was kept with what is held now."""
    step.tx.run("set_aside", o=step.number, now=step.now)
    step.tx.run("forget_roles_before", o=step.number)


def _run(step: Step, statements: Iterable[Statement]) -> None:
    for query, names in statements:
        step.tx.run(query, o=step.number, now=step.now, **names)


def _takes(change: Change, o: OrganizationNumber, now: int) -> Iterator[Statement]:
    """What keeps the roles of the memberships that a change can take an organization-wide role from."""
    match change:
        case changes.RemoveMembers():
            yield "remember_roles_of_members", _listed(change)
        case changes.ReplaceMembers():
            yield "remember_roles_of_others", _listed(change)
        case changes.AddMembers() if _is_past(change.expires_at, now):
            yield "remember_roles_of_members", _listed(change)
        case changes.UnnestGroup() | changes.DeleteGroup():
            yield "remember_roles_below", {"subject": None, "group": model.group_id(change.group)}
        case changes.Unassign() if _is_wide(change.on):
            yield "remember_roles_below", holder_names(change.to)
        case changes.Assign() if _is_wide(change.on) and _is_past(change.expires_at, now):
            yield "remember_roles_below", holder_names(change.to)
        case changes.ReplaceAssignments():
            yield "remember_roles_below", holder_names(change.to)
        case changes.DeleteRole():
            yield "remember_roles_of_holders", {"role": model.role_id(change.role), "owner": o}


def _gives(change: Change) -> Iterator[Statement]:
    """What gives back the organization-wide roles that a change names, if they are held by that now."""
    match change:
        case changes.AddMembers() | changes.ReplaceMembers():
            yield "give_back_to_members", _listed(change)
        case changes.NestGroup():
            groups = {"child": model.group_id(change.group), "parent": model.group_id(change.into)}
            yield "give_back_by_nesting", groups
        case changes.Assign() if _is_wide(change.on):
            yield "give_back_to_holder", _given(change.to, [change.role])
        case changes.ReplaceAssignments():
            roles = [given.role for given in change.assignments if _is_wide(given.on)]
            if roles:
                yield "give_back_to_holder", _given(change.to, roles)


def _is_wide(on: str | None) -> bool:
    return model.resource_id(on) == model.ROOT


def _is_past(expires_at: Any, now: int) -> bool:
    return expires_at is not None and model.microseconds(expires_at) <= now


def _listed(
    change: changes.AddMembers | changes.RemoveMembers | changes.ReplaceMembers,
) -> dict[str, Any]:
    members = json_list(model.subject_id(member) for member in change.members)
    return {"group": model.group_id(change.group), "members": members}


def _given(to: str, roles: Iterable[str]) -> dict[str, Any]:
    items = [
        {"role": role, "on": model.ROOT} for role in sorted({model.role_id(role) for role in roles})
    ]
    return {**holder_names(to), "given": json.dumps(items, ensure_ascii=False)}
