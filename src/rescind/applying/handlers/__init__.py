"""Each typed change as statements on the facts, in the order that the guarantees need.

A function here guards (is what the change names there?), notes (does it take access away?), lets
`propagation` move the effective roles, and edits the facts. It never waits for a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from rescind import changes, model
from rescind.applying.handlers import (
    assignments,
    groups,
    memberships,
    organizations,
    resources,
    roles,
)
from rescind.applying.step import Step
from rescind.changes import ON_ENVIRONMENT, Change
from rescind.errors import InvalidChange
from rescind.model import ENVIRONMENT

__all__ = ["Step", "record", "together"]

_HANDLERS: dict[type[Change], Callable[[Step, Any], None]] = {
    changes.CreateOrganization: organizations.create,
    changes.RenameOrganization: organizations.rename,
    changes.DeleteOrganization: organizations.delete,
    changes.SetRoleMode: organizations.set_role_mode,
    changes.SetDefaultRole: organizations.set_default_role,
    changes.SetIdRule: organizations.set_id_rule,
    changes.AddMembership: memberships.add,
    changes.RenameMembership: memberships.rename,
    changes.ChangeMembershipId: memberships.change_id,
    changes.DeactivateMembership: memberships.deactivate,
    changes.ReactivateMembership: memberships.reactivate,
    changes.RemoveMembership: memberships.remove,
    changes.CreateGroup: groups.create,
    changes.RenameGroup: groups.rename,
    changes.ChangeGroupId: groups.change_id,
    changes.DeleteGroup: groups.delete,
    changes.AddMembers: groups.add_members,
    changes.RemoveMembers: groups.remove_members,
    changes.ReplaceMembers: groups.replace_members,
    changes.NestGroup: groups.nest,
    changes.UnnestGroup: groups.unnest,
    changes.DefinePermission: roles.define_permission,
    changes.EditPermission: roles.edit_permission,
    changes.DeletePermission: roles.delete_permission,
    changes.DefineRole: roles.define_role,
    changes.EditRole: roles.edit_role,
    changes.DeleteRole: roles.delete_role,
    changes.DefineResourceType: resources.define_type,
    changes.DeleteResourceType: resources.delete_type,
    changes.CreateResource: resources.create,
    changes.MoveResource: resources.move,
    changes.DeleteResource: resources.delete,
    changes.Assign: assignments.assign,
    changes.Unassign: assignments.unassign,
    changes.ReplaceAssignments: assignments.replace,
}
_TEXTS = {
    kind: [name for name in ("name", "description") if name in kind.__struct_fields__]
    for kind in _HANDLERS
}
"""What else a change says that every engine has to keep."""


def together(batch: Sequence[Change]) -> Iterator[tuple[int, Sequence[Change]]]:
    """The batch in order, in parts that `record` takes, each with the place of its first change.

    Memberships of different subjects that are added one after the other are one part.
    """
    place = 0
    while place < len(batch):
        subjects: set[str] = set()
        end = place
        while end < len(batch) and isinstance(added := batch[end], changes.AddMembership):
            subject = model.subject_id(added.subject)
            if subject in subjects:
                break
            subjects.add(subject)
            end += 1
        end = max(end, place + 1)
        yield place, batch[place:end]
        place = end


def record(step: Step, part: Sequence[Change]) -> None:
    """Queue the statements of a part of a batch, as `together` makes them.

    Raises MalformedId, InvalidArgument or InvalidChange before anything is queued for it; what only
    the store can know is refused there.
    """
    for change in part:
        handler = _handler(step, change)
    if len(part) > 1:
        memberships.add_many(step, cast(Sequence[changes.AddMembership], part))
    else:
        handler(step, change)


def _handler(step: Step, change: Change) -> Callable[[Step, Any], None]:
    handler = _HANDLERS.get(type(change))
    if handler is None:
        raise InvalidChange(got=type(change).__qualname__, hint="pass a change of rescind.changes")
    if step.organization == ENVIRONMENT and not isinstance(change, ON_ENVIRONMENT):
        raise InvalidChange(
            change=type(change).__name__,
            hint="only permissions, roles and resource types are for all organizations;"
            " name an organization",
        )
    for text in _TEXTS[type(change)]:
        if isinstance(value := getattr(change, text), str):
            model.require_text(text, value)
    return handler
