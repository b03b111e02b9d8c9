"""The SDK's `events`: what was done through the API, read on without missing any."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from workos import BadRequestError, NotFoundError

from tests.http.serving import Served
from tests.http.workos.conftest import on_postgres
from tests.http.workos.world import acme, fresh

NAMES = [
    *(f"organization.{what}" for what in ("created", "updated", "deleted")),
    *(f"organization_membership.{what}" for what in ("created", "updated", "deleted")),
    *(f"group.{what}" for what in ("created", "updated", "deleted")),
    "group.member_added",
    "group.member_removed",
    *(f"organization_role.{what}" for what in ("created", "updated", "deleted")),
]
FOR_ALL = [
    *(f"role.{what}" for what in ("created", "updated", "deleted")),
    *(f"permission.{what}" for what in ("created", "updated", "deleted")),
]


def test_everything_is_told(sdk: Any) -> None:
    """Of each kind one, in order, with the object as it was then."""
    world = acme(sdk)
    sdk.organizations.update_organization(world.id, name="ACME")
    sdk.groups.update_organization_group(world.id, world.eng, name="Eng")
    sdk.groups.delete_group_organization_membership(world.id, world.eng, world.ada)
    sdk.groups.delete_organization_group(world.id, world.eng)
    sdk.organization_membership.deactivate_organization_membership(world.bob)
    sdk.organization_membership.delete_organization_membership(world.bob)
    role = sdk.authorization.create_organization_role(world.id, name="R").slug
    sdk.authorization.update_organization_role(world.id, role, name="S")
    sdk.authorization.delete_organization_role(world.id, role)
    found = list(sdk.events.list_events(events=NAMES, organization_id=world.id, limit=100).data)
    assert [event.event for event in found] == [
        "organization.created",
        "organization_membership.created",
        "organization_membership.created",
        "group.created",
        "group.member_added",
        "organization.updated",
        "group.updated",
        "group.member_removed",
        "group.deleted",
        "organization_membership.updated",
        "organization_membership.deleted",
        "organization_role.created",
        "organization_role.updated",
        "organization_role.deleted",
    ]
    assert (found[0].data.id, found[0].data.name, found[5].data.name) == (world.id, "Acme", "ACME")
    assert found[4].data.organization_membership_id == world.ada
    assert (found[8].data.id, found[8].data.name) == (world.eng, "Eng")
    assert (found[10].data.id, found[10].data.status) == (world.bob, "inactive")
    assert found[12].data.name == "S"
    sdk.organizations.delete_organization(world.id)
    with pytest.raises(NotFoundError):
        sdk.events.list_events(events=NAMES, organization_id=world.id)
    (last,) = sdk.events.list_events(events=["organization.deleted"], order="desc", limit=1).data
    assert (last.event, last.data.id) == ("organization.deleted", world.id)


def test_what_is_for_all_is_told(sdk: Any, service: Served) -> None:
    """Permissions and environment roles."""
    slug = fresh("told")
    sdk.authorization.create_permission(slug=slug, name="A")
    sdk.authorization.update_permission(slug, name="B")
    sdk.authorization.create_environment_role(slug=slug, name="A")
    sdk.authorization.add_environment_role_permission(slug, body_slug=slug)
    with service.client() as plain:
        assert plain.delete(f"/authorization/roles/{slug}").status_code == 204
    sdk.authorization.delete_permission(slug)
    found = sdk.events.list_events(events=FOR_ALL, limit=100, order="desc").data
    mine = [event for event in found if event.data.slug == slug][::-1]
    assert [event.event for event in mine] == [
        "permission.created",
        "permission.updated",
        "role.created",
        "role.updated",
        "role.deleted",
        "permission.deleted",
    ]
    assert mine[3].data.permissions == [slug]


def test_events_are_read_on(sdk: Any) -> None:
    """From a cursor, from a time, and only of some names."""
    world = acme(sdk)
    asked = {"events": NAMES, "organization_id": world.id}
    first = sdk.events.list_events(limit=2, **asked)
    rest = sdk.events.list_events(limit=100, after=first.after, **asked)
    whole = sdk.events.list_events(limit=100, **asked)
    assert [*first.data, *rest.data] == whole.data
    assert whole.after is None
    only = sdk.events.list_events(events=["group.created"], organization_id=world.id)
    assert [event.data.id for event in only.data] == [world.eng]
    now = datetime.now(UTC)
    for start, end, count in (
        (now - timedelta(minutes=5), None, len(whole.data)),
        (now + timedelta(minutes=5), None, 0),
        (None, now - timedelta(minutes=5), 0),
    ):
        found = sdk.events.list_events(range_start=start, range_end=end, limit=100, **asked)
        assert len(found.data) == count
    for wrong in ({"range_start": "yesterday"}, {"after": "event_x"}, {"limit": 101}):
        with pytest.raises(BadRequestError):
            sdk.events.list_events(**{**asked, **wrong})


@on_postgres
def test_nobody_reads_past_an_event_that_is_not_committed(client: Any, service: Served) -> None:
    """What was begun before and is committed later is not skipped by whoever reads on."""
    store = service.service.authority.store
    world = acme(client)
    asked = {"events": NAMES, "organization_id": world.id, "limit": 100}
    assert len(client.events.list_events(**asked).data) == 5
    began, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with psycopg.connect(store.url) as connection:  # type: ignore[attr-defined]
            connection.execute("SELECT pg_current_xact_id()")
            began.set()
            finish.wait()

    thread = threading.Thread(target=slow)
    thread.start()
    began.wait()
    before = client.events.list_events(**asked).data
    client.groups.update_organization_group(world.id, world.eng, name="Later")
    assert client.events.list_events(**asked).data == before
    finish.set()
    thread.join()
    assert len(client.events.list_events(**asked).data) == len(before) + 1
