"""What a membership or a group holds itself, and the change that gives it a role, again or anew."""

from __future__ import annotations

from typing import NamedTuple

from rescind import changes, model
from rescind.http.workos.call import Call

RoleAndResource = tuple[str, str]


class Own(NamedTuple):
    """An assignment that is in force."""

    number: int
    expires_at: int | None


OwnRoles = dict[RoleAndResource, Own]


def own_roles(call: Call, o: int, holder: int) -> OwnRoles:
    """What a holder holds itself now."""
    rows = call.fetch("find_assignments", o=o, holder=holder, now=call.now)
    return {(role, resource): Own(number, until) for number, role, resource, until in rows}


def given(key: RoleAndResource, own: OwnRoles) -> changes.Given:
    """A role on a resource. One that is held keeps its time of expiry; to name it gives it again."""
    role, resource = key
    held = own.get(key)
    until = None if held is None or held.expires_at is None else model.moment(held.expires_at)
    return changes.Given(role=role, on=resource, expires_at=until)


def assign(key: RoleAndResource, to: str, own: OwnRoles) -> changes.Assign:
    """The change that gives a holder a role on a resource, as `given`."""
    item = given(key, own)
    return changes.Assign(role=item.role, to=to, on=item.on, expires_at=item.expires_at)
