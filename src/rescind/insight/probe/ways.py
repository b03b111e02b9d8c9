"""The ways in which access is gained and lost here, each as a batch that grants and a batch that revokes.

Every round has subjects, groups, roles and resources of its own, so that probes at the same time do not meet.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    CreateOrganization,
    CreateResource,
    DeactivateMembership,
    DefinePermission,
    DefineResourceType,
    DefineRole,
    DeleteGroup,
    DeleteResource,
    DeleteRole,
    EditRole,
    MoveResource,
    NestGroup,
    ReactivateMembership,
    RemoveMembers,
    RemoveMembership,
    Unassign,
    UnnestGroup,
)
from rescind.model import (
    Question,
    Route,
    organization_id,
    permission_id,
    resource_id,
    subject_id,
)

ORGANIZATION: Final = organization_id("rescind-probe")
"""The organization that the probe writes to; the only one."""
PERMISSION: Final = "probe:use"
TYPE: Final = "probe"
DEFINITIONS: Final[tuple[Change, ...]] = (
    CreateOrganization(),
    DefinePermission(permission=PERMISSION, description="Used by the probe alone"),
    DefineResourceType(type=TYPE, parents=("organization", TYPE)),
)
"""What all rounds share. Applying it again alters nothing."""


LEFT_SECONDS: Final = 3_600.0
"""How long a round may take, at the very most."""
_ROUND_ID: Final = re.compile(r"-([0-9a-f]{8})-[0-9a-f]{8}$")


@dataclass(frozen=True, slots=True)
class Way:
    """One way of gaining and losing access. `prepare` does all but the last step of the grant."""

    name: str
    question: Question
    prepare: tuple[Change, ...]
    grant: tuple[Change, ...]
    revoke: tuple[Change, ...] = ()
    """Empty if access ends because an assignment or a place in a group expires."""
    clean_up: tuple[Change, ...] = ()
    route: Route | None = None
    """How effective roles follow the revocation; None leaves it to the estimate, which is inline."""

    def expiring(self, at: datetime) -> tuple[Change, ...]:
        """The granting batch, with what it gives expiring then."""
        return tuple(
            Assign(role=c.role, to=c.to, on=c.on, expires_at=at)
            if isinstance(c, Assign)
            else AddMembers(group=c.group, members=c.members, expires_at=at)
            if isinstance(c, AddMembers)
            else c
            for c in self.grant
        )


def new_round_id() -> str:
    """Of a round that begins now, as `is_left` reads it."""
    return f"{int(time.time()):08x}-{secrets.token_hex(4)}"


def is_left(name: str, now: float) -> bool:
    """Whether a name is of a round that began so long ago that nobody is at it any more."""
    match = _ROUND_ID.search(name)
    return match is not None and now - int(match[1], 16) > LEFT_SECONDS


def ways(round_id: str) -> Sequence[Way]:
    """All ways, with names that end in the round's id."""
    return [
        _membership(f"membership-{round_id}"),
        _assignment(f"assignment-{round_id}"),
        _place(f"place-{round_id}"),
        _group_role(f"group-role-{round_id}"),
        _nesting(f"nesting-{round_id}"),
        _role_edit(f"edit-{round_id}"),
        _resource_move(f"move-{round_id}"),
        _deactivation(f"deactivation-{round_id}"),
        replace(_assignment(f"expiry-{round_id}"), name="assignment expires", revoke=()),
        replace(_place(f"place-expiry-{round_id}"), name="place in a group expires", revoke=()),
        *_in_the_background(
            _membership(f"membership-later-{round_id}"),
            _assignment(f"assignment-later-{round_id}"),
            _place(f"place-later-{round_id}"),
            _group_role(f"group-role-later-{round_id}"),
            _nesting(f"nesting-later-{round_id}"),
        ),
    ]


def _in_the_background(*of: Way) -> list[Way]:
    """The same ways, with revocations whose effective roles are left to background work: until that is done
    nothing but the fence denies.
    """
    return [replace(way, name=f"{way.name}, background", route=Route.BACKGROUND) for way in of]


def _asks(subject: str, resource: str | None = None) -> Question:
    return Question(
        ORGANIZATION, subject_id(subject), permission_id(PERMISSION), resource_id(resource)
    )


def _subject(name: str) -> str:
    return f"service_account:{name}"


def _with_role(
    name: str, *rest: Change, permissions: tuple[str, ...] = (PERMISSION,)
) -> tuple[Change, ...]:
    """A role and a member of the organization, both of that name, and the rest."""
    return (
        DefineRole(role=name, permissions=permissions),
        AddMembership(subject=_subject(name)),
        *rest,
    )


def _without(name: str, *first: Change) -> tuple[Change, ...]:
    return (*first, RemoveMembership(subject=_subject(name)), DeleteRole(role=name, cascade=True))


def _membership(name: str) -> Way:
    subject = _subject(name)
    return Way(
        "membership",
        _asks(subject),
        (DefineRole(role=name, permissions=(PERMISSION,)),),
        (AddMembership(subject=subject), Assign(role=name, to=subject)),
        (RemoveMembership(subject=subject),),
        _without(name),
    )


def _assignment(name: str) -> Way:
    subject = _subject(name)
    return Way(
        "assignment",
        _asks(subject),
        _with_role(name),
        (Assign(role=name, to=subject),),
        (Unassign(role=name, to=subject),),
        _without(name),
    )


def _place(name: str) -> Way:
    subject = _subject(name)
    return Way(
        "place in a group",
        _asks(subject),
        _with_role(name, CreateGroup(group=name), Assign(role=name, to=f"group:{name}")),
        (AddMembers(group=name, members=(subject,)),),
        (RemoveMembers(group=name, members=(subject,)),),
        _without(name, DeleteGroup(group=name, cascade=True)),
    )


def _group_role(name: str) -> Way:
    subject = _subject(name)
    return Way(
        "role of a group",
        _asks(subject),
        _with_role(name, CreateGroup(group=name), AddMembers(group=name, members=(subject,))),
        (Assign(role=name, to=f"group:{name}"),),
        (Unassign(role=name, to=f"group:{name}"),),
        _without(name, DeleteGroup(group=name, cascade=True)),
    )


def _nesting(name: str) -> Way:
    subject, outer = _subject(name), f"outer-{name}"
    return Way(
        "nesting",
        _asks(subject),
        _with_role(
            name,
            CreateGroup(group=outer),
            CreateGroup(group=name),
            Assign(role=name, to=f"group:{outer}"),
            AddMembers(group=name, members=(subject,)),
        ),
        (NestGroup(group=name, into=outer),),
        (UnnestGroup(group=name, out_of=outer),),
        _without(
            name, DeleteGroup(group=name, cascade=True), DeleteGroup(group=outer, cascade=True)
        ),
    )


def _role_edit(name: str) -> Way:
    subject = _subject(name)
    return Way(
        "role edit",
        _asks(subject),
        _with_role(name, Assign(role=name, to=subject), permissions=()),
        (EditRole(role=name, add=(PERMISSION,)),),
        (EditRole(role=name, remove=(PERMISSION,)),),
        _without(name),
    )


def _resource_move(name: str) -> Way:
    subject, folder, resource = _subject(name), f"{TYPE}:folder-{name}", f"{TYPE}:{name}"
    return Way(
        "resource move",
        _asks(subject, resource),
        _with_role(
            name,
            CreateResource(resource=folder),
            CreateResource(resource=resource),
            Assign(role=name, to=subject, on=folder),
        ),
        (MoveResource(resource=resource, parent=folder),),
        (MoveResource(resource=resource),),
        _without(
            name, DeleteResource(resource=resource), DeleteResource(resource=folder, cascade=True)
        ),
    )


def _deactivation(name: str) -> Way:
    subject = _subject(name)
    return Way(
        "deactivation",
        _asks(subject),
        _with_role(name, Assign(role=name, to=subject), DeactivateMembership(subject=subject)),
        (ReactivateMembership(subject=subject),),
        (DeactivateMembership(subject=subject),),
        _without(name),
    )
