"""The SDK's `groups`."""

from __future__ import annotations

from typing import Any

import pytest
from workos import BadRequestError, NotFoundError

from rescind.directory.ids import Kind, PublicIds
from rescind.store.rows.directory import FIND_PUBLIC_ID, READ_DIRECTORY_SECRET
from tests.http.serving import Served
from tests.http.workos.world import acme, fresh, may


def test_a_group_lives(sdk: Any) -> None:
    """Created, read, changed, listed, deleted; with it goes what only the group gave."""
    world, groups = acme(sdk), sdk.groups
    made = groups.create_organization_group(world.id, name="Support", description="answers")
    assert made.id.startswith("group_")
    assert (made.name, made.description, made.organization_id) == ("Support", "answers", world.id)
    assert groups.get_organization_group(world.id, made.id) == made
    changed = groups.update_organization_group(world.id, made.id, name="Help")
    assert (changed.name, changed.description) == ("Help", "answers")
    cleared = groups.update_organization_group(world.id, made.id, description=None)
    assert (cleared.name, cleared.description) == ("Help", None)
    listed = groups.list_organization_groups(world.id)
    assert [each.id for each in listed.data] == [made.id, world.eng]
    assert groups.list_organization_groups(world.id, search="hel").data == [cleared]
    sdk.authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    assert may(sdk, world.ada, world.permission, world.whole())
    groups.delete_organization_group(world.id, world.eng)
    assert not may(sdk, world.ada, world.permission, world.whole())
    with pytest.raises(NotFoundError):
        groups.get_organization_group(world.id, world.eng)


def test_members_come_and_go(sdk: Any) -> None:
    """One by one or together; adding twice is no error, removing who is not there is."""
    world, groups = acme(sdk), sdk.groups

    def members() -> list[str]:
        found = groups.list_group_organization_memberships(world.id, world.eng, order="asc")
        return [each.id for each in found.data]

    for _ in range(2):
        group = groups.create_group_organization_membership(
            world.id, world.eng, organization_membership_id=world.bob
        )
        assert group.id == world.eng
        assert members() == [world.ada, world.bob]
    groups.delete_group_organization_membership(world.id, world.eng, world.bob)
    assert members() == [world.ada]
    with pytest.raises(NotFoundError):
        groups.delete_group_organization_membership(world.id, world.eng, world.bob)
    change = groups.update_group_organization_memberships
    change(world.id, world.eng, add=[world.bob], remove=[world.ada])
    assert members() == [world.bob]
    change(world.id, world.eng, add=[world.bob], remove=[world.ada])
    assert members() == [world.bob]
    for wrong in (
        {},
        {"add": [world.ada], "remove": [world.ada]},
        {"add": [f"om_{number}" for number in range(101)]},
    ):
        with pytest.raises(BadRequestError):
            change(world.id, world.eng, **wrong)
    assert members() == [world.bob]


def test_a_membership_that_is_named_twice_is_one(service: Served, sdk: Any) -> None:
    """It joins and leaves once, by whichever of its ids, and so the events say."""
    world, store = acme(sdk), service.service.authority.store
    options = {"extra_headers": {"Rescind-Id": f"om_{fresh('chosen').replace('-', '')}"}}
    cyd = sdk.organization_membership.create_organization_membership(
        user_id="user_cyd", organization_id=world.id, request_options=options
    ).id
    (place,) = store.fetch(FIND_PUBLIC_ID, {"public_id": cyd})
    (row,) = store.fetch(READ_DIRECTORY_SECRET, {})
    same = PublicIds(row.secret).of(Kind.MEMBERSHIP, place.organization, place.number)
    change = sdk.groups.update_group_organization_memberships
    change(world.id, world.eng, add=[cyd, same, cyd, world.bob])
    with pytest.raises(BadRequestError):
        change(world.id, world.eng, add=[same], remove=[cyd])
    change(world.id, world.eng, remove=[cyd, cyd, same])

    def moved(what: str) -> list[str]:
        found = sdk.events.list_events(events=[f"group.member_{what}"], organization_id=world.id)
        return [event.data.organization_membership_id for event in found.data]

    assert moved("added") == [world.ada, cyd, world.bob]
    assert moved("removed") == [cyd]


def test_a_group_is_of_its_organization(sdk: Any) -> None:
    """It is not found through another, and takes no members of another."""
    world, other = acme(sdk), acme(sdk)
    with pytest.raises(NotFoundError):
        sdk.groups.get_organization_group(other.id, world.eng)
    with pytest.raises(NotFoundError):
        sdk.groups.create_group_organization_membership(
            world.id, world.eng, organization_membership_id=other.bob
        )
