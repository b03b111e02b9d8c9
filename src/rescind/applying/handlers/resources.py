"""Recording: resource types and the resource tree."""

from __future__ import annotations

from rescind import changes, model
from rescind.applying.step import Step, hold_definitions, json_list
from rescind.errors import InvalidChange
from rescind.propagation import routing
from rescind.store.contract import Counter


def define_type(context: Step, change: changes.DefineResourceType) -> None:
    parents = json_list(
        parent if parent == model.ROOT else model.resource_type_id(parent)
        for parent in change.parents
    )
    names = {"o": context.o, "type": model.resource_type_id(change.type), "parents": parents}
    hold_definitions(context)
    context.tx.refuse("refuse_resource_types_missing", **names)
    context.tx.refuse("refuse_resource_type_differs", **names)
    context.tx.count("insert_resource_type", Counter.ALTERED, **names)


def delete_type(context: Step, change: changes.DeleteResourceType) -> None:
    names = {"o": context.o, "type": model.resource_type_id(change.type)}
    context.tx.refuse("refuse_resource_type_elsewhere", **names)
    context.tx.note_missing("refuse_resource_type_missing", **names)
    context.tx.refuse("refuse_resource_type_in_use", **names)
    context.tx.count("delete_resource_type", Counter.ALTERED, **names)


def create(context: Step, change: changes.CreateResource) -> None:
    resource, parent = _below_root(change.resource), model.resource_id(change.parent)
    names = {"o": context.o, "resource": resource, "parent": parent}
    _guard_place(context, resource, parent)
    context.tx.refuse("refuse_resource_elsewhere", **names)
    context.tx.count("insert_resource", Counter.ALTERED, Counter.NUMBERS, **names)


def move(context: Step, change: changes.MoveResource) -> None:
    resource, parent = _below_root(change.resource), model.resource_id(change.parent)
    names = {"o": context.o, "resource": resource, "parent": parent}
    context.tx.refuse("refuse_resource_missing", o=context.o, resource=resource)
    _guard_place(context, resource, parent)
    context.tx.refuse("refuse_resource_cycle", **names)
    context.tx.count("note_move_loses_access", Counter.REVOKES, **names)
    context.tx.count("move_resource", Counter.ALTERED, **names)


def delete(context: Step, change: changes.DeleteResource) -> None:
    names = {"o": context.o, "resource": _below_root(change.resource)}
    context.tx.note_missing("refuse_resource_missing", **names)
    if not change.cascade:
        context.tx.refuse("refuse_resource_in_use", now=context.now, **names)
    context.tx.count("note_resource_has_holders", Counter.REVOKES, **names)
    context.tx.count("end_assignments_in_subtree", Counter.TAKES, **names)
    context.tx.run("keep_gone_resources", **names)
    routing.after_ended(context.tx, context.scope)
    context.tx.count("delete_resources_in_subtree", Counter.ALTERED, **names)


def _guard_place(context: Step, resource: str, parent: str) -> None:
    context.tx.refuse(
        "refuse_resource_placing",
        o=context.o,
        parent=parent,
        type=resource.partition(":")[0],
        parent_type=parent.partition(":")[0],
    )


def _below_root(value: str) -> model.ResourceId:
    resource = model.resource_id(value)
    if resource == model.ROOT:
        raise InvalidChange(
            resource=value, hint="the organization itself is created and deleted as one"
        )
    return resource
