"""States: copies, bytes, and the world of the reference semantics."""

from __future__ import annotations

import zlib

import msgspec
import pytest

from rescind.model import RoleMode
from rescind.semantics import state, state_bytes
from rescind.semantics.access import Assignment
from rescind.semantics.state import (
    Assigned,
    Contained,
    EnvironmentState,
    Group,
    Membership,
    Nesting,
    OrganizationState,
    Permission,
    Place,
    Rank,
    Resource,
    ResourceType,
    Role,
    SetAside,
    Settings,
)


def environment() -> EnvironmentState:
    """One with a permission and a role."""
    return EnvironmentState(
        revision=4,
        recorded_at=40,
        permissions={"read": Permission(False, "to read", 2, 2)},
        roles={
            "viewer": Role(
                {"read": Contained(None, 3)}, 1, False, True, "V", None, Rank(3, 0), 3, 4
            )
        },
        resource_types={"doc": ResourceType(("organization",), 1, 1)},
    )


def organization() -> OrganizationState:
    """One with a fact of every kind."""
    found = OrganizationState(
        "acme",
        revision=9,
        environment=4,
        recorded_at=41,
        settings=Settings("Acme", role_mode=RoleMode.SINGLE, default_role="viewer"),
        memberships={"user:ada": Membership(True, "Ada", 1, 8)},
        groups={"g": Group(None, 2, 2), "h": Group("H", 2, 3)},
        places={("user:ada", "g"): Place(7, 3, 5)},
        nestings={("g", "h"): Nesting(4, 4)},
        permissions={"write": Permission(True, "", 1, 1)},
        roles={
            "writer": Role(
                {"write": Contained(None, 2), "read": Contained(4, 2)},
                0,
                True,
                False,
                None,
                "doc",
                Rank(2, 2),
                2,
                2,
            )
        },
        resource_types={"file": ResourceType((), 1, 1)},
        resources={"organization": Resource(None, 1, 1), "doc:1": Resource("organization", 2, 2)},
        assignments={("group:h", "writer", "doc:1"): Assigned(None, 6, 6)},
        set_aside={("user:ada", "viewer"): SetAside(4, 7)},
    )
    assert all(getattr(found, name) for name in state.ORGANIZATION_TABLES)
    return found


def test_bytes_give_the_same_state_back() -> None:
    assert (
        state_bytes.organization_from_bytes(state_bytes.to_bytes(organization())) == organization()
    )
    assert state_bytes.environment_from_bytes(state_bytes.to_bytes(environment())) == environment()
    nobody = OrganizationState("gone")
    assert state_bytes.organization_from_bytes(state_bytes.to_bytes(nobody)) == nobody


def test_what_is_no_state_is_said_to_be_none() -> None:
    whole = state_bytes.to_bytes(organization())
    other = zlib.compress(msgspec.msgpack.encode(["o", state_bytes.FORMAT + 1, *range(15)]))
    for data in (b"", b"x", whole[:-9], state_bytes.to_bytes(environment()), other):
        with pytest.raises(state_bytes.UnreadableState):
            state_bytes.organization_from_bytes(data)


def test_a_copy_is_not_altered_with_its_state() -> None:
    mine, theirs = organization(), environment()
    ours, shared = mine.copy(), theirs.copy()
    for name in state.ORGANIZATION_TABLES:
        getattr(ours, name).clear()
    for name in state.ENVIRONMENT_TABLES:
        getattr(shared, name).clear()
    assert mine == organization()
    assert theirs == environment()


def test_the_world_has_what_counts() -> None:
    world = state.world(organization(), environment())
    assert world.memberships == {"user:ada": True}
    assert world.members == {("user:ada", "g"): 7}
    assert world.nestings == {("g", "h")}
    assert world.resources == {"organization": None, "doc:1": "organization"}
    assert world.assignments == {Assignment("group:h", "writer", "doc:1"): None}
    assert world.resets == {("user:ada", "viewer")}
    assert world.default_role == "viewer"
    assert world.is_single_role
    assert not world.takes_next_highest
    assert world.roles["writer"].permissions == {"write", "read"}
    assert world.roles["viewer"].permissions == {"read"}
    assert world.roles["writer"].rank < world.roles["viewer"].rank  # was there at 2, that one at 3


def test_what_was_defined_anew_for_all_is_not_what_was_meant() -> None:
    later = environment()
    later.permissions["read"] = Permission(False, "another", 5, 5)
    later.roles["viewer"] = Role({}, 1, False, False, None, None, Rank(5, 0), 5, 5)
    world = state.world(organization(), later)
    assert world.roles["writer"].permissions == {"write"}
    assert world.resets == set()
