"""Events of what was changed elsewhere: by the library, the command line, a worker, or our own routes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.directory import follow_log
from rescind.model import ENVIRONMENT
from rescind.propagation.organization_removal import clear_one
from tests.http.serving import Served
from tests.http.workos.test_events import FOR_ALL, NAMES
from tests.http.workos.world import acme, fresh
from tests.sql import ours

FACTS: list[Change] = [
    changes.CreateOrganization(name="Library"),
    changes.AddMembership(subject="user:ada", name="Ada"),
    changes.AddMembership(subject="user:bob"),
    changes.CreateGroup(group="eng", name="Engineering"),
    changes.AddMembers(group="eng", members=("user:ada",)),
]


def applied(service: Served, name: str, *batches: list[Change]) -> None:
    """Made by the library, each batch as one change."""
    for batch in batches:
        service.service.authority.apply(batch, organization=name, actor="user:root")


def library(service: Served) -> str:
    """The name of a fresh organization that the library has made."""
    name = fresh("library")
    applied(service, name, FACTS)
    return name


def told(sdk: Any, organization_id: str, **options: Any) -> list[Any]:
    """The events of an organization."""
    asked = {"events": NAMES, "organization_id": organization_id, "limit": 100, **options}
    return list(sdk.events.list_events(**asked).data)


def names(found: list[Any]) -> list[str]:
    return [event.event for event in found]


def id_of(sdk: Any, name: str) -> str:
    return str(sdk.organizations.get_organization_by_external_id(name).id)


def test_the_librarys_changes_are_events(sdk: Any, service: Served) -> None:
    """In the order in which they were made, about the objects that the SDK sees."""
    name = library(service)
    org = id_of(sdk, name)
    found = told(sdk, org)
    assert names(found) == [
        "organization.created",
        "organization_membership.created",
        "organization_membership.created",
        "group.created",
        "group.member_added",
    ]
    members = sdk.organization_membership.list_organization_memberships(
        organization_id=org, order="asc"
    ).data
    (group,) = sdk.groups.list_organization_groups(org).data
    assert (found[0].data.id, found[0].data.name) == (org, "Library")
    assert [event.data.id for event in found[1:3]] == [member.id for member in members]
    assert (found[3].data.id, found[3].data.name) == (group.id, "Engineering")
    moved = found[4].data
    assert (moved.group_id, moved.organization_membership_id) == (group.id, members[0].id)
    assert told(sdk, org) == found
    assert told(sdk, org, after=found[2].id) == found[3:]
    assert told(sdk, org, events=["group.created"]) == [found[3]]
    assert told(sdk, org, order="desc") == found[::-1]
    assert told(sdk, org, range_start=datetime.now(UTC) + timedelta(minutes=5)) == []


def test_what_came_and_went_between_is_told(sdk: Any, service: Served) -> None:
    """Under the ids that it had, though nothing of it is left when events are asked for."""
    name = library(service)
    org = id_of(sdk, name)
    ada, _ = sdk.organization_membership.list_organization_memberships(
        organization_id=org, order="asc"
    ).data
    (group,) = sdk.groups.list_organization_groups(org).data
    applied(
        service,
        name,
        [changes.RemoveMembership(subject="user:ada")],
        [changes.AddMembership(subject="user:ada")],
        [changes.DeleteGroup(group="eng", cascade=True)],
        [
            changes.AddMembership(subject="user:cyd"),
            changes.RemoveMembership(subject="user:cyd"),
            changes.AddMembership(subject="user:cyd"),
        ],
    )
    left, *found = told(sdk, org)[5:]
    assert (left.event, left.data.organization_membership_id) == ("group.member_removed", ada.id)
    assert names(found) == [
        "organization_membership.deleted",
        "organization_membership.created",
        "group.deleted",
        "organization_membership.created",
        "organization_membership.deleted",
        "organization_membership.created",
    ]
    assert (found[0].data.id, found[2].data.id) == (ada.id, group.id)
    assert found[3].data.id == found[4].data.id
    alive = sdk.organization_membership.list_organization_memberships(organization_id=org).data
    assert {found[1].data.id, found[5].data.id} < {member.id for member in alive}
    assert len({event.data.id for event in found}) == 5


def test_only_what_altered_something_is_told(sdk: Any, service: Served) -> None:
    """Who is in a group is not told to have come in again; a list that is replaced tells the difference."""
    name = library(service)
    org = id_of(sdk, name)
    told(sdk, org)
    applied(
        service,
        name,
        [changes.AddMembership(subject="user:cyd"), changes.AddMembership(subject="user:ada")],
        [changes.AddMembers(group="eng", members=("user:ada", "user:bob"))],
        [changes.ReplaceMembers(group="eng", members=("user:bob", "user:cyd"))],
        [changes.RemoveMembers(group="eng", members=("user:ada", "user:cyd"))],
        [changes.CreateGroup(group="eng"), changes.RenameGroup(group="eng", name="E")],
        [changes.Assign(role=role(service), to="user:bob")],
    )
    found = told(sdk, org)[5:]
    moves = ["member_added", "member_removed", "member_added", "member_removed"]
    assert names(found) == [
        "organization_membership.created",
        *(f"group.{move}" for move in moves),
        "group.updated",
        "organization_membership.updated",
    ]
    ada, bob, cyd = sdk.organization_membership.list_organization_memberships(
        organization_id=org, order="asc"
    ).data
    moved = [event.data.organization_membership_id for event in found[1:5]]
    assert moved == [bob.id, ada.id, cyd.id, cyd.id]
    assert (found[6].data.id, len(found[6].data.roles)) == (bob.id, 1)


def role(service: Served) -> str:
    """A fresh environment role, made by the library."""
    name = fresh("role")
    applied(service, ENVIRONMENT, [changes.DefineRole(role=name)])
    return name


def test_both_ways_to_write_are_told_in_one_order(sdk: Any, service: Served) -> None:
    """What these routes did is told once, as they told it, among what others did."""
    world, authority = acme(sdk), service.service.authority
    applied(service, world.id, [changes.RemoveMembers(group=world.eng, members=("user_ada",))])
    sdk.groups.create_group_organization_membership(
        world.id, world.eng, organization_membership_id=world.ada
    )
    applied(service, world.id, [changes.RenameGroup(group=world.eng, name="Other")])
    sdk.groups.update_organization_group(world.id, world.eng, description="mine")
    sdk.organizations.update_organization(world.id, metadata={"a": "b"})
    applied(service, world.id, [changes.RenameOrganization(name="Last")])
    found = told(sdk, world.id)[5:]
    assert names(found) == [
        "group.member_removed",
        "group.member_added",
        "group.updated",
        "group.updated",
        "organization.updated",
        "organization.updated",
    ]
    assert [found[place].data.description for place in (2, 3)] == ["mine", "mine"]
    assert [event.data.name for event in found[4:]] == ["Acme", "Last"]
    assert authority.check("user_ada", "none", organization=world.id).reason


def test_a_deleted_organization_is_told_to_the_end(sdk: Any, service: Served) -> None:
    """Also what was never asked for while it was there."""
    name = fresh("short")
    applied(service, name, FACTS)
    org = id_of(sdk, name)
    applied(service, name, [changes.DeleteOrganization(cascade=True)])
    wanted = {"events": NAMES, "limit": 6, "order": "desc"}
    found = list(sdk.events.list_events(**wanted).data)[::-1]
    assert names(found)[0] == "organization.created"
    assert names(found)[-1] == "organization.deleted"
    assert {found[0].data.id, found[-1].data.id} == {org}
    assert found[1].data.user_id == "ada"


@pytest.mark.parametrize("when", ["before", "after", "never"])
def test_of_a_deleted_organization_nothing_is_kept_to_be_told(
    sdk: Any, service: Served, when: str
) -> None:
    """Whether it was told to its end before what is left of it was cleared away, or after; else it waits."""
    name = fresh("cleared")
    applied(service, name, FACTS)
    org = id_of(sdk, name)
    authority: Authority = service.service.authority
    deletion = [changes.DeleteOrganization(cascade=True)]
    o = authority.apply(deletion, organization=name, route="background").revision.incarnation
    wanted = {"events": NAMES, "limit": 6, "order": "desc"}
    if when == "before":
        sdk.events.list_events(**wanted)
    clear_one(authority.store, o, rows=2)
    if when == "after":
        found = list(sdk.events.list_events(**wanted).data)
        assert (found[0].event, found[0].data.id) == ("organization.deleted", org)
    assert kept_to_be_told(authority, o) == (3 if when == "never" else 0)


def test_without_forgetting_it_is_kept_for_good(sdk: Any, service: Served) -> None:
    """The control: what is cleared away after it was told is never told again."""
    name = fresh("cleared")
    applied(service, name, FACTS)
    authority: Authority = service.service.authority
    deletion = [changes.DeleteOrganization(cascade=True)]
    o = authority.apply(deletion, organization=name, route="background").revision.incarnation
    sdk.events.list_events(events=NAMES)
    queries = authority.store.queries  # type: ignore[attr-defined]
    before = queries["forget_gone_of_deleted"]
    forgets_nothing = "DELETE FROM rescind.directory_gone WHERE 1 = 0"
    queries["forget_gone_of_deleted"] = ours(authority, forgets_nothing)
    clear_one(authority.store, o)
    queries["forget_gone_of_deleted"] = before
    assert kept_to_be_told(authority, o) == 3


def kept_to_be_told(authority: Authority, o: int) -> int:
    """How many objects of an organization wait for their end to be told."""
    return len(authority.store.fetch("list_gone", {"o": o}))


def test_what_is_for_all_is_told(sdk: Any, service: Served) -> None:
    """Permissions and roles that the library defined for all organizations, or for one."""
    slug, name = fresh("told"), library(service)
    defined: list[list[Change]] = [
        [changes.DefinePermission(permission=slug), changes.DefineRole(role=slug)],
        [changes.EditRole(role=slug, add=(slug,))],
        [changes.DeleteRole(role=slug), changes.DeletePermission(permission=slug, cascade=True)],
    ]
    applied(service, ENVIRONMENT, *defined)
    found = sdk.events.list_events(events=FOR_ALL, limit=20, order="desc").data
    mine = [event for event in found if event.data.slug == slug][::-1]
    expected = ("permission.created", "role.created", "role.updated", "role.deleted")
    assert names(mine) == [*expected, "permission.deleted"]
    assert mine[0].data.id == mine[4].data.id
    applied(
        service, name, [changes.DefineRole(role=slug)], [changes.EditRole(role=slug, name="Mine")]
    )
    own = told(sdk, id_of(sdk, name))[5:]
    assert names(own) == ["organization_role.created", "organization_role.updated"]
    assert own[1].data.name == "Mine"
    assert own[1].data.organization_id == id_of(sdk, name)


def test_many_who_ask_tell_each_change_once(sdk: Any, service: Served) -> None:
    """At the same time, while changes go on: nobody sees an event twice, in another order, or not at all."""
    name = library(service)
    with service.client() as plain:
        org = id_of(sdk, name)
        asked = {"organization_id": org, "limit": 100, "events": ",".join(NAMES)}

        def ask(_: int) -> list[str]:
            return [event["id"] for event in plain.get("/events", params=asked).json()["data"]]

        def change(number: int) -> list[str]:
            applied(service, name, [changes.CreateGroup(group=f"g{number}")])
            return []

        with ThreadPoolExecutor(6) as pool:
            seen = list(pool.map(lambda n: (change if n % 3 == 0 else ask)(n), range(45)))
        last = ask(0)
    assert len(last) == len(set(last)) == 5 + 15
    for each in seen:
        assert each == last[: len(each)]


def test_without_following_nothing_of_others_is_told(
    sdk: Any, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(follow_log, "MOST_STEPS", 0)
    assert told(sdk, id_of(sdk, library(service))) == []


def test_a_long_log_is_told_in_parts(
    sdk: Any, service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same events as in one go."""
    name = library(service)
    applied(service, name, *([changes.RenameGroup(group="eng", name=str(n))] for n in range(9)))
    monkeypatch.setattr(follow_log, "ENTRIES", 2)
    monkeypatch.setattr(follow_log, "MEMBERS", 1)
    found = told(sdk, id_of(sdk, name))
    assert [event.data.name for event in found[5:]] == [str(n) for n in range(9)]


def test_what_is_remembered_is_what_there_is(sdk: Any, service: Served) -> None:
    """Who was told to be in which group is who is in it, whatever was done, and nothing else is left over."""
    name = library(service)
    authority: Authority = service.service.authority
    applied(
        service,
        name,
        [changes.CreateGroup(group="ops"), changes.AddMembership(subject="user:cyd")],
        [changes.AddMembers(group="ops", members=("user:cyd", "user:ada"))],
        [changes.RemoveMembership(subject="user:ada")],
        [changes.DeleteGroup(group="eng", cascade=True), changes.CreateGroup(group="eng")],
        [changes.ReplaceMembers(group="eng", members=("user:bob",))],
    )
    told(sdk, id_of(sdk, name))
    authority.store.queries.update(  # type: ignore[attr-defined]
        {
            query: ours(authority, sql)
            for query, sql in {
                "in fact": 'SELECT organization, "group", membership FROM rescind.group_member',
                "as told": 'SELECT organization, "group", membership FROM rescind.directory_member',
                "gone": "SELECT organization FROM rescind.directory_gone",
                "notes": "SELECT organization FROM rescind.directory_note",
            }.items()
        }
    )
    o = authority.apply([changes.RenameOrganization(name="x")], organization=name).revision
    rows = {
        query: sorted(row for row in authority.store.fetch(query, {}) if row[0] == o.incarnation)
        for query in ("in fact", "as told", "gone", "notes")
    }
    assert rows["in fact"] == rows["as told"] != []
    assert rows["gone"] == rows["notes"] == []
