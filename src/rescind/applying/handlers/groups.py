"""Handlers: groups, their members and their nesting."""

from __future__ import annotations

from typing import Any

from rescind import changes, model
from rescind.applying.handlers import memberships
from rescind.applying.step import BURIED, Step, folding, json_list
from rescind.propagation import routing
from rescind.store.contract import Counter


def create(step: Step, change: changes.CreateGroup) -> None:
    group = model.group_id(change.group)
    names = {"o": step.number, "group": group, "name": change.name}
    step.tx.refuse("refuse_group_differs", **names)
    searched = {"folded": folding(group), "search_name": model.folded(change.name or group)}
    step.tx.count("insert_group", Counter.ALTERED, Counter.NUMBERS, **searched, **names)


def rename(step: Step, change: changes.RenameGroup) -> None:
    names = {"o": step.number, "group": model.group_id(change.group)}
    step.tx.refuse("refuse_group_missing", **names)
    searched = model.folded(change.name)
    step.tx.count("rename_group", Counter.ALTERED, name=change.name, search_name=searched, **names)


def change_id(step: Step, change: changes.ChangeGroupId) -> None:
    """The number stays, and so does all that goes by it."""
    old, new = model.group_id(change.group), model.group_id(change.new_id)
    names = {"o": step.number, "group": old}
    step.tx.refuse("refuse_group_missing", **names)
    step.tx.refuse("refuse_group_id_taken", new_id=new, **names)
    if old != new:
        searched = {"folded": folding(new), "search_name": model.folded(new)}
        step.tx.count("change_group_id", Counter.ALTERED, new_id=new, **searched, **names)


def delete(step: Step, change: changes.DeleteGroup) -> None:
    tx, group = step.tx, model.group_id(change.group)
    names: dict[str, Any] = {"o": step.number, "group": group}
    tx.note_missing("refuse_group_missing", **names)
    if not change.cascade:
        tx.refuse("refuse_group_in_use", now=step.now, **names)
    tx.count("end_assignments_of_group", Counter.TAKES, **names)
    routing.after_ended(tx, step.scope, by_subjects=False)
    routing.before_unnested(tx, step.scope, child=group, parent=None)
    tx.count("end_nestings_of_group", Counter.TAKES, **names)
    tx.count("end_nestings_into_group", Counter.TAKES, **names)
    tx.run("delete_members_of_group", **names)
    tx.count("bury_group", Counter.ALTERED, buried=BURIED, **names)
    tx.run("delete_ended_nestings", o=step.number)
    tx.run("delete_ended_groups", o=step.number)


def add_members(step: Step, change: changes.AddMembers) -> None:
    tx, scope = step.tx, step.scope
    names = _listed(change)
    expires_at = None if change.expires_at is None else model.microseconds(change.expires_at)
    routing.before_members_added(tx, scope, expires_at=expires_at, **names)
    if expires_at is not None:
        timed = {"o": step.number, "expires_at": expires_at, **names}
        tx.count("shorten_group_members", Counter.ALTERED, Counter.TAKES, **timed)
        routing.after_members_shortened(tx, scope, **names)
    routing.before_members_put(tx, scope, expires_at=expires_at, **names)
    tx.count_expected(
        "put_group_members",
        Counter.ALTERED,
        or_refuse="refuse_members_missing",
        expected=_how_many(change),
        o=step.number,
        expires_at=expires_at,
        now=step.now,
        **names,
    )


def remove_members(step: Step, change: changes.RemoveMembers) -> None:
    names = _listed(change)
    routing.before_members_removed(step.tx, step.scope, **names)
    step.tx.count_expected(
        "delete_group_members",
        Counter.ALTERED,
        Counter.TAKES,
        or_note="refuse_members_missing",
        expected=_how_many(change),
        o=step.number,
        **names,
    )


def replace_members(step: Step, change: changes.ReplaceMembers) -> None:
    tx, scope = step.tx, step.scope
    names = _listed(change)
    if change.create and change.members:
        memberships.create_missing(step, change.members)
    missing = tx.refuse if change.members else tx.note_missing
    missing("refuse_members_missing", o=step.number, **names)
    routing.before_members_replaced(tx, scope, **names)
    tx.count("delete_other_group_members", Counter.ALTERED, Counter.TAKES, o=step.number, **names)
    routing.before_members_completed(tx, scope, now=step.now, **names)
    tx.count("put_missing_group_members", Counter.ALTERED, o=step.number, now=step.now, **names)


def nest(step: Step, change: changes.NestGroup) -> None:
    names = {"child": model.group_id(change.group), "parent": model.group_id(change.into)}
    step.tx.refuse("refuse_nesting", o=step.number, **names)
    routing.before_nested(step.tx, step.scope, **names)
    step.tx.count("insert_nesting", Counter.ALTERED, o=step.number, **names)
    routing.after_nested(step.tx, step.scope, **names)


def unnest(step: Step, change: changes.UnnestGroup) -> None:
    child, parent = model.group_id(change.group), model.group_id(change.out_of)
    for group in (child, parent):
        step.tx.note_missing("refuse_group_missing", o=step.number, group=group)
    routing.before_unnested(step.tx, step.scope, child=child, parent=parent)
    names = {"child": child, "parent": parent}
    step.tx.count("end_nesting", Counter.ALTERED, Counter.TAKES, o=step.number, **names)
    step.tx.run("delete_ended_nestings", o=step.number)


def _listed(
    change: changes.AddMembers | changes.RemoveMembers | changes.ReplaceMembers,
) -> dict[str, str]:
    members = json_list(model.subject_id(member) for member in change.members)
    return {"group": model.group_id(change.group), "members": members}


def _how_many(change: changes.AddMembers | changes.RemoveMembers) -> int:
    """Rows written if all members exist and none has it already; at least one, for the group."""
    return max(len(set(change.members)), 1)
