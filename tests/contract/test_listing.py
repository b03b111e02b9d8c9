"""Lists of recorded facts: what they show, page by page, and what they leave out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import ENVIRONMENT, Authority, FactPage, changes
from rescind.errors import (
    GroupNotFound,
    InvalidArgument,
    InvalidCursor,
    MembershipNotFound,
    OrganizationNotFound,
    RescindError,
    ResourceNotFound,
    RevisionUnavailable,
    RoleNotFound,
)
from tests.clock import SettableClock
from tests.contract.world import FUTURE, WORLD

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SOON = NOW + timedelta(days=3)
List = Callable[..., FactPage[Any]]


@pytest.fixture
def acme(authority: Authority, clock: SettableClock) -> Authority:
    """WORLD, and what ends: places in groups and an assignment, at the same time."""
    clock.now = NOW
    authority.apply(WORLD, actor="setup")
    authority.apply(
        [
            changes.AddMembers(group="eng", members=("cyd", "bob"), expires_at=SOON),
            changes.Assign(role="reader", to="ada", on="doc:1", expires_at=SOON),
            changes.DeactivateMembership(subject="cyd"),
        ],
        actor="grace",
        reason="a project",
    )
    return authority


def everything(ask: List, *named: Any, **how: Any) -> list[Any]:
    """All items, page by page of each size; the pages agree."""
    found: list[list[Any]] = []
    for limit in (1, 2, 100):
        cursor, items = None, []
        while True:
            page = ask(*named, limit=limit, cursor=cursor, **how)
            assert len(page.items) <= limit
            items += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        found.append(items)
    assert found[0] == found[1] == found[2]
    return found[0]


def names(found: list[Any]) -> list[str]:
    return [each[0] for each in found]


# --- what they show -------------------------------------------------------------------------------


def test_groups(acme: Authority) -> None:
    """By name; those of somebody with the place's time and maker. A deleted one is gone, its name is free."""
    assert names(everything(acme.list_groups)) == ["eng", "idle", "staff"]
    acme.apply([changes.DeleteGroup(group="staff", cascade=True)])
    acme.apply([changes.CreateGroup(group="staff", name="Again")])
    found = everything(acme.list_groups)
    assert [(each.group, each.name) for each in found] == [
        ("eng", "Engineering"),
        ("idle", None),
        ("staff", "Again"),
    ]
    assert everything(acme.list_groups, "bob") == [("eng", "Engineering", NOW, "grace", SOON)]
    assert everything(acme.list_groups, "group:eng") == []


def test_members(acme: Authority) -> None:
    """Of a group itself: what is nested in it, then subjects; with when, by whom and until when."""
    assert everything(acme.list_members, "staff") == [
        ("group:eng", True, ("staff",), NOW, "setup", None),
        ("user:bob", True, ("staff",), NOW, "setup", None),
    ]
    assert everything(acme.list_members, "staff", effective=True) == [
        ("user:ada", True, ("eng",), NOW, "setup", None),
        ("user:bob", True, ("eng", "staff"), NOW, "setup", None),
        ("user:cyd", False, ("eng",), NOW, "grace", SOON),
    ]
    assert everything(acme.list_groups, "group:eng")[0][:2] == ("staff", None)


def test_effective_members_are_those_who_have_the_groups_roles(acme: Authority) -> None:
    """Whoever is listed and active can what the group can, and nobody else but by another way."""
    listed = {
        e.member for e in everything(acme.list_members, "staff", effective=True) if e.is_active
    }
    assert listed == set(acme.who_can("read").items)


def test_who_was_put_into_a_group_again_is_there_since_then(
    acme: Authority, clock: SettableClock
) -> None:
    """A time set anew leaves since when and by whom; what had ended, or was taken back, begins again."""
    add = changes.AddMembers(group="staff", members=("bob",), expires_at=SOON)
    acme.apply([add], actor="later")
    assert acme.list_members("staff").items[1][3:] == (NOW, "setup", SOON)
    clock.now = SOON
    acme.apply([changes.AddMembers(group="staff", members=("bob",))], actor="again")
    assert acme.list_members("staff").items[1][3:] == (SOON, "again", None)
    acme.apply([changes.UnnestGroup(group="eng", out_of="staff")])
    acme.apply([changes.NestGroup(group="eng", into="staff")], actor="nester")
    assert acme.list_members("staff").items[0][3:] == (SOON, "nester", None)
    acme.apply([changes.ReplaceMembers(group="staff", members=("ada", "bob"))], actor="sync")
    assert [each.by for each in acme.list_members("staff").items] == ["nester", "sync", "again"]


def test_memberships(acme: Authority) -> None:
    """By subject; in a state, of a kind."""
    ask = acme.list_memberships
    assert names(everything(ask)) == ["agent:bot", "user:ada", "user:bob", "user:cyd"]
    assert everything(ask, active=False) == [("user:cyd", None, False, NOW)]
    assert names(everything(ask, active=True, subject_kind="user")) == ["user:ada", "user:bob"]
    assert names(everything(ask, subject_kind="service_account")) == []


def test_roles_and_permissions(acme: Authority) -> None:
    """An organization's own and those of all, with their permissions; never another organization's."""
    shared = [
        changes.DefinePermission(permission="audit"),
        changes.DefineRole(role="auditor", permissions=("audit",), name="Auditor"),
        changes.DefineResourceType(type="book"),
        changes.DefineRole(role="zbook", resource_type="book", critical=True, priority=9),
    ]
    acme.apply(shared, organization=ENVIRONMENT)
    acme.apply([changes.CreateOrganization()], organization="other")
    private = [changes.DefinePermission(permission="plot"), changes.DefineRole(role="plotter")]
    acme.apply(private, organization="other")
    roles = {each.role: each for each in everything(acme.list_roles)}
    assert list(roles) == ["auditor", "owner", "reader", "unused", "writer", "zbook"]
    assert roles["auditor"] == ("auditor", "Auditor", True, 0, False, None, ("audit",))
    assert roles["owner"][2:] == (False, 3, False, None, ("purge", "read", "write"))
    assert roles["zbook"][2:] == (True, 9, True, "book", ())
    permissions = everything(acme.list_permissions)
    assert names(permissions) == ["audit", "purge", "read", "spare", "write"]
    assert permissions[1] == ("purge", "", False, True)
    assert names(everything(acme.list_permissions, "owner")) == ["read", "write", "purge"]
    assert names(everything(acme.list_roles, organization=ENVIRONMENT)) == ["auditor", "zbook"]


def test_resources(acme: Authority) -> None:
    """By name, of a type, and what is right below one; the organization itself is the root."""
    ask = acme.list_resources
    by_name = [("doc:1", "folder:a"), ("doc:2", "organization")]
    assert everything(ask, resource_type="doc") == by_name
    assert names(everything(ask)) == ["doc:1", "doc:2", "folder:a", "folder:b"]
    assert names(everything(ask, "organization")) == ["folder:a", "folder:b", "doc:2"]
    assert everything(ask, "folder:a") == by_name[:1]


def test_assignments(acme: Authority) -> None:
    """All, of a holder and its groups, of a role, on a resource; since when, by whom and why."""
    given = ("grace", "a project", SOON)
    ada = ("user:ada", "reader", "doc:1", True, NOW, *given)
    assert everything(acme.list_assignments, "ada") == [ada]
    through = everything(acme.list_assignments, "ada", effective=True)
    assert [(e.holder, e.role, e.resource) for e in through] == [
        ("group:staff", "reader", "organization"),
        ("group:eng", "writer", "folder:a"),
        ("user:ada", "reader", "doc:1"),
    ]
    assert [e.holder for e in everything(acme.list_assignments, "group:eng", effective=True)] == [
        "group:staff",
        "group:eng",
    ]
    holders = [e.holder for e in everything(acme.list_assignments, role="reader")]
    assert holders == ["group:staff", "user:cyd", "user:ada"]
    assert [e.holder for e in everything(acme.list_assignments, resource="doc:2")] == ["user:cyd"]
    assert len(everything(acme.list_assignments)) == 5
    cyd = acme.list_assignments("cyd").items
    assert [(each.is_active, each.expires_at) for each in cyd] == [(False, FUTURE)]


def test_what_a_group_can(acme: Authority) -> None:
    """What it gives its members: its own roles and those of the groups around it, where they hold."""
    ask = acme.permissions_of
    assert ask("group:eng", "doc:1").items == ("read", "write")
    assert ask("group:eng").items == ("read",)
    assert (
        ask("group:idle").items == ask("group:none").items == ask("group:eng", "doc:9").items == ()
    )
    page = ask("group:eng", "doc:1", limit=1)
    assert ask("group:eng", "doc:1", cursor=page.next_cursor).items == ("write",)
    acme.apply([changes.Assign(role="writer", to="group:eng")])
    acme.apply([changes.SetRoleMode(mode="single")])
    assert ask("group:eng").items == ("read", "write")
    acme.apply(
        [changes.DefineRole(role="top", priority=9), changes.Assign(role="top", to="group:eng")]
    )
    assert ask("group:eng").items == ()
    assert ask("group:eng", "doc:1").items == ("read", "write")


def test_what_expires(acme: Authority, clock: SettableClock) -> None:
    """In force now, ending by a time, the next first; within 30 days if no time is given."""
    soon = everything(acme.list_expiring)
    assert [(e.holder, e.group, e.role, e.resource, e.is_active, e.by) for e in soon] == [
        ("user:bob", "eng", None, None, True, "grace"),
        ("user:cyd", "eng", None, None, False, "grace"),
        ("user:ada", None, "reader", "doc:1", True, "grace"),
    ]
    assert {each.expires_at for each in soon} == {SOON}
    far = everything(acme.list_expiring, FUTURE)
    assert [each.expires_at for each in far] == [SOON, SOON, SOON, FUTURE]
    assert everything(acme.list_expiring, SOON - timedelta(seconds=1)) == []
    clock.now = SOON
    assert everything(acme.list_expiring) == []


# --- what they leave out --------------------------------------------------------------------------


def test_what_has_ended_is_shown_only_if_asked_for(acme: Authority, clock: SettableClock) -> None:
    """Places in groups and assignments alike, also those that come through groups."""
    clock.now = SOON
    assert names(everything(acme.list_members, "eng")) == ["user:ada"]
    assert names(everything(acme.list_members, "staff", effective=True)) == ["user:ada", "user:bob"]
    assert everything(acme.list_assignments, "ada") == []
    assert [e.role for e in everything(acme.list_assignments, "bob", effective=True)] == ["reader"]
    expired = {"expired": True}
    assert len(everything(acme.list_members, "eng", **expired)) == 3
    assert len(everything(acme.list_members, "staff", effective=True, **expired)) == 3
    assert len(everything(acme.list_assignments, "ada", **expired)) == 1
    assert len(everything(acme.list_assignments, "bob", effective=True, **expired)) == 2


def test_what_was_taken_back_is_not_listed(acme: Authority) -> None:
    """Also while background work still has it on record."""
    taken = [
        changes.UnnestGroup(group="eng", out_of="staff"),
        changes.Unassign(role="writer", to="group:eng", on="folder:a"),
        changes.RemoveMembers(group="eng", members=("bob",)),
    ]
    acme.apply(taken, route="background")
    assert names(everything(acme.list_members, "staff")) == ["user:bob"]
    assert everything(acme.list_groups, "group:eng") == []
    assert everything(acme.list_assignments, "group:eng", effective=True) == []
    assert "user:bob" not in names(everything(acme.list_members, "eng"))
    acme.apply([changes.DeleteGroup(group="eng", cascade=True)], route="background")
    assert [each.group for each in acme.list_expiring().items] == [None]
    assert "eng" not in names(everything(acme.list_groups))


# --- what is refused ------------------------------------------------------------------------------

UNKNOWN: dict[str, tuple[Callable[[Authority], object], type[RescindError]]] = {
    "members": (lambda a: a.list_members("none"), GroupNotFound),
    "groups of a subject": (lambda a: a.list_groups("none"), MembershipNotFound),
    "groups of a group": (lambda a: a.list_groups("group:none"), GroupNotFound),
    "permissions": (lambda a: a.list_permissions("none"), RoleNotFound),
    "resources": (lambda a: a.list_resources("doc:none"), ResourceNotFound),
    "holder": (lambda a: a.list_assignments("none"), MembershipNotFound),
    "holding group": (lambda a: a.list_assignments("group:none"), GroupNotFound),
    "role": (lambda a: a.list_assignments(role="none"), RoleNotFound),
    "resource": (lambda a: a.list_assignments(resource="doc:none"), ResourceNotFound),
    "organization": (lambda a: a.list_groups(organization="none"), OrganizationNotFound),
    "two at once": (lambda a: a.list_assignments("ada", role="reader"), InvalidArgument),
    "nobody's groups": (lambda a: a.list_assignments(effective=True), InvalidArgument),
    "parent and type": (lambda a: a.list_resources("doc:1", resource_type="doc"), InvalidArgument),
    "limit": (lambda a: a.list_groups(limit=0), InvalidArgument),
    "huge limit": (lambda a: a.list_groups(limit=10_001), InvalidArgument),
    "cursor": (lambda a: a.list_groups(cursor="x"), InvalidCursor),
    "cursor of another type": (lambda a: a.list_groups(cursor=3), InvalidCursor),
    "time without an offset": (lambda a: a.list_expiring(datetime(2030, 1, 1)), InvalidArgument),
}


def test_refusals(acme: Authority) -> None:
    """What is named and not there is an error, not an empty list."""
    for ask, (call, error) in UNKNOWN.items():
        with pytest.raises(error):
            pytest.fail(f"{ask}: {call(acme)}")


def test_cursors_are_of_one_question(acme: Authority) -> None:
    """Of one list, of one organization, and asked in one way."""
    acme.apply([changes.CreateOrganization(), changes.CreateGroup(group="a")], organization="other")
    cursor = acme.list_groups(limit=1).next_cursor
    for ask in (
        lambda: acme.list_groups("bob", cursor=cursor),
        lambda: acme.list_groups(organization="other", cursor=cursor),
        lambda: acme.list_roles(cursor=cursor),
        lambda: acme.who_can("read", cursor=cursor),
        lambda: acme.list_members("staff", cursor=cursor),
    ):
        with pytest.raises(InvalidCursor):
            ask()
    members = acme.list_members("staff", limit=1).next_cursor
    with pytest.raises(InvalidCursor):
        acme.list_members("staff", effective=True, cursor=members)


def test_no_older_state_than_asked_for(acme: Authority) -> None:
    """A list is at a revision, and from no older one than a token's."""
    page = acme.list_groups()
    token = acme.apply([changes.CreateGroup(group="new")]).token
    assert "new" in names(list(acme.list_groups(at_least=token).items))
    assert acme.list_groups().revision.token() == token != page.revision.token()
    later = acme.store.seals.revision(page.revision.incarnation, 10**6, 0).token()
    with pytest.raises(RevisionUnavailable):
        acme.list_groups(at_least=later)
