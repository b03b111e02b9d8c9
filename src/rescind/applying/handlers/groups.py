"""Recording: groups, their members and their nesting."""

from __future__ import annotations

from typing import Any

from rescind import changes, model
from rescind.applying.handlers import memberships
from rescind.applying.step import BURIED, Step, folding, json_list
from rescind.propagation import routing
from rescind.store.contract import Counter


def create(context: Step, change: changes.CreateGroup) -> None:
    group = model.group_id(change.group)
    names = {"o": context.o, "group": group, "name": change.name}
    context.tx.refuse("refuse_group_differs", **names)
    searched = {"folded": folding(group), "search_name": model.folded(change.name or group)}
    context.tx.count("insert_group", Counter.ALTERED, Counter.NUMBERS, **searched, **names)


def rename(context: Step, change: changes.RenameGroup) -> None:
    names = {"o": context.o, "group": model.group_id(change.group)}
    context.tx.refuse("refuse_group_missing", **names)
    searched = model.folded(change.name)
    context.tx.count(
        "rename_group", Counter.ALTERED, name=change.name, search_name=searched, **names
    )


def change_id(context: Step, change: changes.ChangeGroupId) -> None:
    """The number stays, and so does all that goes by it."""
    old, new = model.group_id(change.group), model.group_id(change.new_id)
    names = {"o": context.o, "group": old}
    context.tx.refuse("refuse_group_missing", **names)
    context.tx.refuse("refuse_group_id_taken", new_id=new, **names)
    if old != new:
        searched = {"folded": folding(new), "search_name": model.folded(new)}
        context.tx.count("change_group_id", Counter.ALTERED, new_id=new, **searched, **names)


def delete(context: Step, change: changes.DeleteGroup) -> None:
    tx, group = context.tx, model.group_id(change.group)
    names: dict[str, Any] = {"o": context.o, "group": group}
    tx.note_missing("refuse_group_missing", **names)
    if not change.cascade:
        tx.refuse("refuse_group_in_use", now=context.now, **names)
    tx.count("end_assignments_of_group", Counter.TAKES, **names)
    routing.after_ended(tx, context.scope, by_subjects=False)
    routing.before_unnested(tx, context.scope, child=group, parent=None)
    tx.count("end_nestings_of_group", Counter.TAKES, **names)
    tx.count("end_nestings_into_group", Counter.TAKES, **names)
    tx.run("delete_members_of_group", **names)
    tx.count("bury_group", Counter.ALTERED, buried=BURIED, **names)
    tx.run("delete_ended_nestings", o=context.o)
    tx.run("delete_ended_groups", o=context.o)


def add_members(context: Step, change: changes.AddMembers) -> None:
    tx, scope = context.tx, context.scope
    names = _listed(change)
    expires_at = None if change.expires_at is None else model.microseconds(change.expires_at)
    routing.before_members_added(tx, scope, expires_at=expires_at, **names)
    if expires_at is not None:
        timed = {"o": context.o, "expires_at": expires_at, **names}
        tx.count("shorten_group_members", Counter.ALTERED, Counter.TAKES, **timed)
        routing.after_members_shortened(tx, scope, **names)
    routing.before_members_put(tx, scope, expires_at=expires_at, **names)
    tx.count_expected(
        "put_group_members",
        Counter.ALTERED,
        or_refuse="refuse_members_missing",
        expected=_how_many(change),
        o=context.o,
        expires_at=expires_at,
        now=context.now,
        **names,
    )


def remove_members(context: Step, change: changes.RemoveMembers) -> None:
    names = _listed(change)
    routing.before_members_removed(context.tx, context.scope, **names)
    context.tx.count_expected(
        "delete_group_members",
        Counter.ALTERED,
        Counter.TAKES,
        or_note="refuse_members_missing",
        expected=_how_many(change),
        o=context.o,
        **names,
    )


def replace_members(context: Step, change: changes.ReplaceMembers) -> None:
    tx, scope = context.tx, context.scope
    names = _listed(change)
    if change.create and change.members:
        memberships.create_missing(context, change.members)
    missing = tx.refuse if change.members else tx.note_missing
    missing("refuse_members_missing", o=context.o, **names)
    routing.before_members_replaced(tx, scope, **names)
    tx.count("delete_other_group_members", Counter.ALTERED, Counter.TAKES, o=context.o, **names)
    routing.before_members_completed(tx, scope, now=context.now, **names)
    tx.count("put_missing_group_members", Counter.ALTERED, o=context.o, now=context.now, **names)


def nest(context: Step, change: changes.NestGroup) -> None:
    names = {"child": model.group_id(change.group), "parent": model.group_id(change.into)}
    context.tx.refuse("refuse_nesting", o=context.o, **names)
    routing.before_nested(context.tx, context.scope, **names)
    context.tx.count("insert_nesting", Counter.ALTERED, o=context.o, **names)
    routing.after_nested(context.tx, context.scope, **names)


def unnest(context: Step, change: changes.UnnestGroup) -> None:
    child, parent = model.group_id(change.group), model.group_id(change.out_of)
    for group in (child, parent):
        context.tx.note_missing("refuse_group_missing", o=context.o, group=group)
    routing.before_unnested(context.tx, context.scope, child=child, parent=parent)
    names = {"child": child, "parent": parent}
    context.tx.count("end_nesting", Counter.ALTERED, Counter.TAKES, o=context.o, **names)
    context.tx.run("delete_ended_nestings", o=context.o)


def _listed(
    change: changes.AddMembers | changes.RemoveMembers | changes.ReplaceMembers,
) -> dict[str, str]:
    members = json_list(model.subject_id(member) for member in change.members)
    return {"group": model.group_id(change.group), "members": members}


def _how_many(change: changes.AddMembers | changes.RemoveMembers) -> int:
    """Rows that are written where all is there and nothing is so already; one at least, for the group."""
    return max(len(set(change.members)), 1)
