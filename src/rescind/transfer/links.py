"""What a change names, gives, takes and chooses, as values that can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rescind import changes, model
from rescind.changes import Change

_KINDS: Final = {
    "subject": model.subject_id,
    "group": model.group_id,
    "role": model.role_id,
    "permission": model.permission_id,
    "resource": model.resource_id,
}
_FIELDS: Final = {
    "subject": "subject",
    "group": "group",
    "into": "group",
    "role": "role",
    "permission": "permission",
    "resource": "resource",
    "parent": "resource",
    "on": "resource",
}
"""Of which kind the thing is that a field of a change names."""


def normal(kind: str, name: str) -> str:
    """The name of a thing of a kind, as it is kept."""
    return str(_KINDS[kind](name))


def named_in(change: Change) -> Iterator[tuple[str, str]]:
    """The kind and the name of each single thing that a change names."""
    for name, kind in _FIELDS.items():
        value = getattr(change, name, None)
        if isinstance(value, str):
            yield kind, normal(kind, value)
    to = getattr(change, "to", None)
    if isinstance(to, str):
        holder = model.holder_id(to)
        is_group = holder.startswith("group:")
        yield ("group", holder.removeprefix("group:")) if is_group else ("subject", holder)


def choice_of(
    change: changes.MoveResource | changes.SetDefaultRole,
) -> tuple[tuple[str, ...], str]:
    """What a change chooses one of, as a link, and in words."""
    if isinstance(change, changes.SetDefaultRole):
        return ("default",), "the default role"
    resource = model.resource_id(change.resource)
    return ("place", resource), f"the parent of {resource}"


def links_of(change: Change) -> Iterator[tuple[str, ...]]:
    """The places in groups, the nestings and the assignments that a change makes or takes."""
    if isinstance(change, changes.AddMembers | changes.RemoveMembers):
        group = model.group_id(change.group)
        for member in change.members:
            yield "member", group, model.subject_id(member)
    elif isinstance(change, changes.NestGroup):
        yield "nesting", model.group_id(change.group), model.group_id(change.into)
    elif isinstance(change, changes.UnnestGroup):
        yield "nesting", model.group_id(change.group), model.group_id(change.out_of)
    elif isinstance(change, changes.Assign | changes.Unassign):
        role, holder = model.role_id(change.role), model.holder_id(change.to)
        yield "assignment", role, holder, model.resource_id(change.on)
