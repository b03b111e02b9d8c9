"""Recording: groups, their members and their nesting."""

from __future__ import annotations

from typing import Any

from rescind import changes, model
from rescind.propagation import inline
from rescind.recording.context import Context, json_list


def create(context: Context, change: changes.CreateGroup) -> None:
    names = {"o": context.o, "group": model.group_id(change.group), "name": change.name}
    context.tx.guard("refuse_group_differs", **names)
    context.tx.count("insert_group", "altered", "numbers", **names)


def rename(context: Context, change: changes.RenameGroup) -> None:
    names = _known(context, change.group)
    context.tx.count("rename_group", "altered", name=change.name, **names)


def delete(context: Context, change: changes.DeleteGroup) -> None:
    names = _known(context, change.group)
    tx, group = context.tx, names["group"]
    if change.cascade:
        tx.run("end_assignments_of_group", **names)
        inline.after_ended(tx, context.scope)
        inline.before_unnested(tx, context.scope, child=group, parent=None)
        tx.run("delete_nestings_of_group", **names)
        tx.run("delete_members_of_group", **names)
    else:
        tx.guard("refuse_group_in_use", **names)
    tx.count("delete_group", "altered", **names)


def add_members(context: Context, change: changes.AddMembers) -> None:
    tx, scope = context.tx, context.scope
    names = _listed(change)
    expires_at = None if change.expires_at is None else model.microseconds(change.expires_at)
    tx.guard("refuse_members_missing", o=context.o, **names)
    if expires_at is not None:
        tx.count("shorten_group_members", "altered", o=context.o, expires_at=expires_at, **names)
        inline.after_members_shortened(tx, scope, **names)
    tx.count("put_group_members", "altered", o=context.o, expires_at=expires_at, **names)
    inline.after_members_added(tx, scope, **names)


def remove_members(context: Context, change: changes.RemoveMembers) -> None:
    names = _listed(change)
    context.tx.guard("refuse_members_missing", o=context.o, **names)
    inline.before_members_removed(context.tx, context.scope, **names)
    context.tx.count("delete_group_members", "altered", o=context.o, **names)


def replace_members(context: Context, change: changes.ReplaceMembers) -> None:
    tx, scope = context.tx, context.scope
    names = _listed(change)
    tx.guard("refuse_members_missing", o=context.o, **names)
    inline.before_other_members_removed(tx, scope, **names)
    tx.count("delete_other_group_members", "altered", o=context.o, **names)
    tx.count("put_missing_group_members", "altered", o=context.o, **names)
    inline.after_members_added(tx, scope, **names)


def nest(context: Context, change: changes.NestGroup) -> None:
    names = {"child": model.group_id(change.group), "parent": model.group_id(change.into)}
    context.tx.guard("refuse_nesting", o=context.o, **names)
    context.tx.count("insert_nesting", "altered", o=context.o, **names)
    inline.after_nested(context.tx, context.scope, **names)


def unnest(context: Context, change: changes.UnnestGroup) -> None:
    child, parent = model.group_id(change.group), model.group_id(change.out_of)
    for group in (child, parent):
        context.tx.guard("refuse_group_missing", o=context.o, group=group)
    inline.before_unnested(context.tx, context.scope, child=child, parent=parent)
    context.tx.count("delete_nesting", "altered", o=context.o, child=child, parent=parent)


def _listed(
    change: changes.AddMembers | changes.RemoveMembers | changes.ReplaceMembers,
) -> dict[str, str]:
    members = json_list(model.subject_id(member) for member in change.members)
    return {"group": model.group_id(change.group), "members": members}


def _known(context: Context, group: str) -> dict[str, Any]:
    names = {"o": context.o, "group": model.group_id(group)}
    context.tx.guard("refuse_group_missing", **names)
    return names
