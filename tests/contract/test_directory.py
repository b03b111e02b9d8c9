"""The directory without HTTP: units of work, their records and their events, on each engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rescind import Authority
from rescind.directory import groups, memberships, organizations
from rescind.directory.errors import Forbidden, ObjectNotFound
from rescind.directory.events import EventFilter, page_events, show_events
from rescind.directory.follow_log import follow_log
from rescind.directory.groups import CreateGroup
from rescind.directory.idempotency import IdempotencyKey
from rescind.directory.memberships import CreateMembership
from rescind.directory.organizations import CreateOrganization, OrganizationFilter
from rescind.directory.paging import FIRST_KEY, LAST_KEY, Span
from rescind.directory.unit_of_work import Principal, UnitOfWork
from rescind.errors import KeyReused

ALL = EventFilter(organization=None, names="[]", since=0, until=2**62)


def unit_of(authority: Authority, organization: str | None = None, **options: Any) -> UnitOfWork:
    """A new request's unit of work."""
    return UnitOfWork(authority, Principal("key_1", "test", organization), **options)


def write(authority: Authority, work: Callable[[UnitOfWork], Any], **options: Any) -> bytes:
    """The body of a write's answer."""
    unit = unit_of(authority, **options)
    return unit.write(lambda: work(unit), status=200).body


def events_of(authority: Authority) -> list[str]:
    """The names of all events so far."""
    unit = unit_of(authority)
    follow_log(unit, None)
    rows = page_events(unit, ALL, Span(FIRST_KEY, LAST_KEY, "asc", 100))
    return [event["event"] for event in show_events(unit, rows)]


def made(authority: Authority) -> tuple[str, str, str]:
    """The ids of a new organization, a group in it, and a membership."""
    unit = unit_of(authority)
    found: list[str] = []

    def work() -> None:
        organization = organizations.create_organization(unit, CreateOrganization(name="Acme"))[
            "id"
        ]
        group = groups.create_group(unit, organization, CreateGroup(name="Eng"))["id"]
        wanted = CreateMembership(user_id="ada", organization_id=organization)
        member = memberships.create_membership(unit, wanted)["id"]
        found[:] = organization, group, member

    unit.write(work, status=204)
    return found[0], found[1], found[2]


def test_several_operations_are_one_unit_of_work(authority: Authority) -> None:
    """They are committed together, and reported once each, in order."""
    organization, group, member = made(authority)
    unit = unit_of(authority)
    assert groups.find_group(unit, organization, group)[1].name == "Eng"
    assert memberships.find_membership(unit, member).subject == "user:ada"
    expected = ["organization.created", "group.created", "organization_membership.created"]
    assert events_of(authority) == events_of(authority) == expected


def test_what_raises_leaves_nothing(authority: Authority) -> None:
    """No object, no entry and no event of a unit of work whose last operation is refused."""

    def work(unit: UnitOfWork) -> None:
        organizations.create_organization(unit, CreateOrganization(name="Acme"))
        groups.find_group(unit, "org_nowhere", "group_nowhere")

    with pytest.raises(ObjectNotFound):
        write(authority, work)
    assert events_of(authority) == []
    everything = OrganizationFilter(search="%", domains="[]")
    span = Span(FIRST_KEY, LAST_KEY, "asc", 100)
    assert organizations.page_organizations(unit_of(authority), everything, span) == []


def test_a_key_repeats_its_answer(authority: Authority) -> None:
    """The second time nothing is done. (Control: without the key there are two groups.)"""
    organization, *_ = made(authority)

    def create(unit: UnitOfWork) -> Any:
        return groups.create_group(unit, organization, CreateGroup(name="Ops"))

    key = IdempotencyKey("again", digest="of the request")
    first = write(authority, create, idempotency_key=key)
    assert write(authority, create, idempotency_key=key) == first
    assert events_of(authority).count("group.created") == 2
    assert write(authority, create) != first
    assert events_of(authority).count("group.created") == 3
    with pytest.raises(KeyReused):
        write(authority, create, idempotency_key=IdempotencyKey("again", digest="of another"))


def test_a_bound_principal_sees_its_own_organization(authority: Authority) -> None:
    """Any other is not found, and it creates none. (Control: an unbound one finds both.)"""
    mine, other = made(authority)[0], made(authority)[0]
    unit = unit_of(authority, organization=mine)
    assert organizations.find_organization(unit, mine).name == "Acme"
    with pytest.raises(ObjectNotFound):
        organizations.find_organization(unit, other)
    with pytest.raises(Forbidden):
        unit.write(
            lambda: organizations.create_organization(unit, CreateOrganization(name="Third")),
            status=201,
        )
    assert organizations.find_organization(unit_of(authority), other).name == "Acme"
