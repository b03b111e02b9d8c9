"""Handlers: resource types and the resource tree."""

from __future__ import annotations

from rescind import changes, model
from rescind.applying.step import Step, hold_definitions, json_list
from rescind.errors import InvalidChange
from rescind.propagation import routing
from rescind.store.contract import Counter


def define_type(step: Step, change: changes.DefineResourceType) -> None:
    parents = json_list(
        parent if parent == model.ROOT else model.resource_type_id(parent)
        for parent in change.parents
    )
    names = {"o": step.number, "type": model.resource_type_id(change.type), "parents": parents}
    hold_definitions(step)
    step.tx.refuse("refuse_resource_types_missing", **names)
    step.tx.refuse("refuse_resource_type_differs", **names)
    step.tx.count("insert_resource_type", Counter.ALTERED, **names)


def delete_type(step: Step, change: changes.DeleteResourceType) -> None:
    names = {"o": step.number, "type": model.resource_type_id(change.type)}
    step.tx.refuse("refuse_resource_type_elsewhere", **names)
    step.tx.note_missing("refuse_resource_type_missing", **names)
    step.tx.refuse("refuse_resource_type_in_use", **names)
    step.tx.count("delete_resource_type", Counter.ALTERED, **names)


def create(step: Step, change: changes.CreateResource) -> None:
    resource, parent = _below_root(change.resource), model.resource_id(change.parent)
    names = {"o": step.number, "resource": resource, "parent": parent}
    _guard_place(step, resource, parent)
    step.tx.refuse("refuse_resource_elsewhere", **names)
    step.tx.count("insert_resource", Counter.ALTERED, Counter.NUMBERS, **names)


def move(step: Step, change: changes.MoveResource) -> None:
    resource, parent = _below_root(change.resource), model.resource_id(change.parent)
    names = {"o": step.number, "resource": resource, "parent": parent}
    step.tx.refuse("refuse_resource_missing", o=step.number, resource=resource)
    _guard_place(step, resource, parent)
    step.tx.refuse("refuse_resource_cycle", **names)
    step.tx.count("note_move_loses_access", Counter.REVOKES, **names)
    step.tx.count("move_resource", Counter.ALTERED, **names)


def delete(step: Step, change: changes.DeleteResource) -> None:
    names = {"o": step.number, "resource": _below_root(change.resource)}
    step.tx.note_missing("refuse_resource_missing", **names)
    if not change.cascade:
        step.tx.refuse("refuse_resource_in_use", now=step.now, **names)
    step.tx.count("note_resource_has_holders", Counter.REVOKES, **names)
    step.tx.count("end_assignments_in_subtree", Counter.TAKES, **names)
    step.tx.run("keep_gone_resources", **names)
    routing.after_ended(step.tx, step.scope)
    step.tx.count("delete_resources_in_subtree", Counter.ALTERED, **names)


def _guard_place(step: Step, resource: str, parent: str) -> None:
    step.tx.refuse(
        "refuse_resource_placing",
        o=step.number,
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
