"""Handlers: permissions and roles, of one organization or of the environment."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from rescind import changes, model
from rescind.applying.step import Step, hold_definitions, json_list
from rescind.errors import InvalidChange
from rescind.model import ENVIRONMENT
from rescind.propagation import routing
from rescind.store.contract import Counter


def define_permission(step: Step, change: changes.DefinePermission) -> None:
    names = {
        "o": step.number,
        "permission": model.permission_id(change.permission),
        "critical": change.critical,
        "description": change.description,
    }
    hold_definitions(step)
    step.tx.refuse("refuse_permission_differs", **names)
    step.tx.count("insert_permission", Counter.ALTERED, **names)


def edit_permission(step: Step, change: changes.EditPermission) -> None:
    names = {"o": step.number, "permission": model.permission_id(change.permission)}
    step.tx.refuse("refuse_permission_missing", **names)
    count = step.tx.count
    if change.critical is not UNSET:
        count("set_permission_critical", Counter.ALTERED, critical=change.critical, **names)
    if change.description is not UNSET:
        described = {"description": change.description, **names}
        count("set_permission_description", Counter.ALTERED, **described)


def delete_permission(step: Step, change: changes.DeletePermission) -> None:
    names = {"o": step.number, "permission": model.permission_id(change.permission)}
    step.tx.refuse("refuse_permission_elsewhere", **names)
    step.tx.note_missing("refuse_permission_missing", **names)
    if change.cascade:
        step.tx.count("note_permission_in_force", Counter.REVOKES, **names)
        step.tx.run("delete_permission_from_roles", **names)
    else:
        step.tx.refuse("refuse_permission_in_use", **names)
    step.tx.count("delete_permission", Counter.ALTERED, **names)


def define_role(step: Step, change: changes.DefineRole) -> None:
    names = {"o": step.number, "role": model.role_id(change.role)}
    permissions = _permissions(change.permissions)
    about = {
        "priority": _priority(change.priority),
        "critical": change.critical,
        "required": change.required is True,
        "name": change.name,
        "resource_type": _resource_type(change.resource_type),
    }
    hold_definitions(step)
    step.tx.refuse("refuse_permissions_missing", o=step.number, permissions=permissions)
    step.tx.refuse("refuse_role_differs", permissions=permissions, **names, **about)
    step.tx.count("insert_role", Counter.ALTERED, **names, **about)
    step.tx.count("put_role_permissions", Counter.ALTERED, permissions=permissions, **names)


def edit_role(step: Step, change: changes.EditRole) -> None:
    tx = step.tx
    names: dict[str, Any] = {"o": step.number, "role": model.role_id(change.role)}
    if change.set is not UNSET and (change.add or change.remove):
        raise InvalidChange(role=change.role, hint="give either `set`, or `add` and `remove`")
    if common := set(change.add) & set(change.remove):
        raise InvalidChange(
            role=change.role, hint=f"name {min(common)} in `add` or in `remove`, not in both"
        )
    if _only_takes(change):
        tx.refuse("refuse_role_elsewhere", **names)
        tx.note_missing("refuse_own_role_missing", **names)
    else:
        tx.refuse("refuse_own_role_missing", **names)
    if change.remove:
        removed = _permissions(change.remove)
        tx.note_missing("refuse_permissions_missing", o=step.number, permissions=removed)
        tx.count(
            "note_role_permissions_lost", Counter.REVOKES, listed=True, permissions=removed, **names
        )
        tx.count("delete_role_permissions", Counter.ALTERED, permissions=removed, **names)
    if not isinstance(change.set, tuple):
        added = change.add
    else:
        added, kept = change.set, _permissions(change.set)
        tx.count(
            "note_role_permissions_lost", Counter.REVOKES, listed=False, permissions=kept, **names
        )
        tx.count("delete_other_role_permissions", Counter.ALTERED, permissions=kept, **names)
    if added:
        listed = _permissions(added)
        tx.refuse("refuse_permissions_missing", o=step.number, permissions=listed)
        tx.count("put_role_permissions", Counter.ALTERED, permissions=listed, **names)
    if isinstance(change.priority, int):
        priority = _priority(change.priority)
        tx.count("note_role_ranks", Counter.REVOKES, priority=priority, **names)
        tx.count("set_role_priority", Counter.ALTERED, priority=priority, **names)
    if isinstance(change.critical, bool):
        tx.count("set_role_critical", Counter.ALTERED, critical=change.critical, **names)
    if isinstance(change.required, bool):
        tx.count("set_role_required", Counter.ALTERED, required=change.required, **names)
    if isinstance(change.name, str):
        tx.count("set_role_name", Counter.ALTERED, name=change.name, **names)


def delete_role(step: Step, change: changes.DeleteRole) -> None:
    """Of the environment's roles, what other organizations had of it was taken back before."""
    names = {"o": step.number, "role": model.role_id(change.role)}
    step.tx.refuse("refuse_role_elsewhere", **names)
    step.tx.note_missing("refuse_own_role_missing", **names)
    if step.organization == ENVIRONMENT:
        step.tx.run("forget_role_of_deleted", **names)
    if change.cascade:
        end_role(step, owner=step.number, role=names["role"])
    step.tx.refuse("refuse_role_in_use", now=step.now, **names)
    if not change.cascade:
        end_expired(step, owner=step.number, role=names["role"])
    step.tx.run("delete_all_permissions_of_role", **names)
    step.tx.run("delete_role_resets_of_role", **names)
    step.tx.count("delete_role", Counter.ALTERED, **names)


def end_role(step: Step, *, owner: int, role: Any) -> None:
    """Take a role back from everybody in the organization, and stop it being the default."""
    tx, names = step.tx, {"o": step.number, "owner": owner, "role": role}
    tx.count("end_assignments_of_role", Counter.ALTERED, Counter.TAKES, **names)
    routing.after_ended(tx, step.scope)
    tx.count("note_is_default_role", Counter.REVOKES, **names)
    tx.count("unset_default_role", Counter.ALTERED, **names)


def end_expired(step: Step, *, owner: int, role: Any) -> None:
    """Take what has expired of a role from everybody in the organization, so that nothing refers to it."""
    names = {"o": step.number, "owner": owner, "role": role, "now": step.now}
    step.tx.count("end_expired_assignments_of_role", Counter.ALTERED, Counter.TAKES, **names)
    routing.after_ended(step.tx, step.scope)


def _only_takes(change: changes.EditRole) -> bool:
    """Whether it takes permissions away, and asks for nothing that needs the role to be there."""
    others = (change.priority, change.critical, change.name, change.required)
    takes = bool(change.remove) or change.set == ()
    return takes and not change.add and all(value is UNSET for value in others)


def _permissions(slugs: tuple[str, ...]) -> str:
    return json_list(model.permission_id(slug) for slug in slugs)


def _resource_type(value: str | None) -> str | None:
    return value if value in (None, model.ROOT) else model.resource_type_id(value)


def _priority(value: int) -> int:
    if not -(2**31) <= value < 2**31:
        raise InvalidChange(priority=value, hint="use a number between -2147483648 and 2147483647")
    return value
