"""Resource types and the resource tree."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from rescind import Authority, Direction, Reason, changes
from rescind.errors import (
    InvalidChange,
    ParentTypeRefused,
    ResourceCycle,
    ResourceTypeInUse,
    ResourceTypeNotFound,
)
from tests.state import may

DEPTH = 20


def test_define_resource_type_says_where_it_may_stand(acme: Authority) -> None:
    """Below the types that it names, itself if it does, or anywhere if it names none."""
    define = changes.DefineResourceType(type="page", parents=("doc", "page"))
    assert acme.apply([define]).direction is Direction.GRANTS
    acme.apply([changes.CreateResource(resource="page:1", parent="doc:1")])
    acme.apply([changes.CreateResource(resource="page:2", parent="page:1")])
    for parent in (None, "folder:a"):
        with pytest.raises(ParentTypeRefused):
            acme.apply([changes.CreateResource(resource="page:3", parent=parent)])
    for number, parent in enumerate((None, "folder:a", "page:2")):
        acme.apply([changes.CreateResource(resource=f"note:{number}", parent=parent)])


def test_delete_resource_type_waits_for_its_resources(acme: Authority) -> None:
    """It goes when no resource of it is left; a type whose name begins alike does not count."""
    acme.apply([changes.DefineResourceType(type="notebook")])
    acme.apply([changes.CreateResource(resource="notebook:1")])
    acme.apply([changes.CreateResource(resource="note:1")])
    with pytest.raises(ResourceTypeInUse):
        acme.apply([changes.DeleteResourceType(type="note")])
    acme.apply([changes.DeleteResource(resource="note:1")])
    receipt = acme.apply([changes.DeleteResourceType(type="note")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    with pytest.raises(ResourceTypeNotFound):
        acme.apply([changes.CreateResource(resource="note:1")])
    assert acme.apply([changes.DefineResourceType(type="note", parents=("doc",))]).changed


def test_create_resource_inherits_what_is_above(acme: Authority) -> None:
    """Roles on its ancestors hold on it at once, and on nothing beside."""
    assert acme.check("user:ada", "write", "doc:3").reason is Reason.UNKNOWN_RESOURCE
    receipt = acme.apply([changes.CreateResource(resource="doc:3", parent="folder:a")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    assert may(acme, "user:ada", "write", "doc:3")
    assert may(acme, "user:bob", "read", "doc:3")
    assert not may(acme, "agent:bot", "write", "doc:3")


def test_move_resource_takes_all_below_with_it(acme: Authority) -> None:
    """What was inherited there goes, what is inherited here comes; what is held on it stays."""
    acme.apply([changes.CreateResource(resource="note:1", parent="doc:1")])
    acme.apply([changes.Assign(role="owner", to="user:cyd", on="doc:1")])
    receipt = acme.apply([changes.MoveResource(resource="doc:1", parent="folder:b")])
    assert receipt.direction is Direction.REVOKES
    for resource in ("doc:1", "note:1"):
        assert not may(acme, "user:ada", "write", resource)
        assert may(acme, "agent:bot", "purge", resource)
        assert may(acme, "user:cyd", "purge", resource)
    acme.apply([changes.MoveResource(resource="doc:1")])
    assert not may(acme, "agent:bot", "purge", "note:1")


def test_move_resource_below_itself_is_refused(acme: Authority) -> None:
    """At any depth."""
    acme.apply([changes.CreateResource(resource="folder:c", parent="folder:a")])
    acme.apply([changes.CreateResource(resource="folder:d", parent="folder:c")])
    with pytest.raises(ResourceCycle):
        acme.apply([changes.MoveResource(resource="folder:a", parent="folder:d")])
    assert acme.apply([changes.MoveResource(resource="folder:d")]).changed
    assert acme.apply([changes.MoveResource(resource="folder:a", parent="folder:d")]).changed


def test_delete_resource_takes_an_unused_one(acme: Authority) -> None:
    """Who could reach it cannot any more: that revokes, although no role was taken."""
    acme.apply([changes.CreateResource(resource="doc:3")])
    receipt = acme.apply([changes.DeleteResource(resource="doc:3")])
    assert (receipt.changed, receipt.direction) == (True, Direction.REVOKES)
    assert acme.check("user:ada", "read", "doc:3").reason is Reason.UNKNOWN_RESOURCE


def test_delete_resource_cascade_takes_what_is_below_and_on_it(acme: Authority) -> None:
    """The subtree goes with all assignments in it; what stands beside stays."""
    acme.apply([changes.Assign(role="owner", to="user:cyd", on="doc:1")])
    receipt = acme.apply([changes.DeleteResource(resource="folder:a", cascade=True)])
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, 2)
    for resource in ("folder:a", "doc:1"):
        assert acme.check("user:ada", "read", resource).reason is Reason.UNKNOWN_RESOURCE
    assert acme.resources_of("user:ada", "read").items == ("doc:2", "folder:b", "organization")
    assert acme.resources_of("user:ada", "write").items == ()


def test_delete_resource_frees_its_name(acme: Authority) -> None:
    """One of the same name has no assignments of the old one, and may stand elsewhere."""
    acme.apply([changes.Assign(role="owner", to="user:cyd", on="doc:1")])
    acme.apply([changes.DeleteResource(resource="doc:1", cascade=True)])
    acme.apply([changes.CreateResource(resource="doc:1", parent="folder:b")])
    assert not may(acme, "user:cyd", "purge", "doc:1")
    assert not may(acme, "user:ada", "write", "doc:1")
    assert may(acme, "agent:bot", "purge", "doc:1")


@pytest.mark.parametrize("kind", [changes.CreateResource, changes.MoveResource])
def test_the_root_is_not_a_resource_to_change(acme: Authority, kind: Any) -> None:
    """The organization is made, and deleted, as one."""
    with pytest.raises(InvalidChange, match="created and deleted as one"):
        acme.apply([kind(resource="organization")])
    with pytest.raises(InvalidChange, match="created and deleted as one"):
        acme.apply([changes.DeleteResource(resource="organization", cascade=True)])


def test_create_resource_twenty_deep(acme: Authority) -> None:
    """A role at the top holds at the bottom, for checks, lists and explanations, until it moves."""
    names = [f"folder:level{n:02}" for n in range(DEPTH)]
    batch: list[Any] = [changes.CreateResource(resource=names[0])]
    batch += [changes.CreateResource(resource=low, parent=high) for high, low in pairwise(names)]
    acme.apply([*batch, changes.Assign(role="owner", to="group:idle", on=names[0])])
    acme.apply([changes.AddMembers(group="idle", members=("user:cyd",))])
    assert may(acme, "user:cyd", "purge", names[-1])
    assert acme.resources_of("user:cyd", "purge").items == tuple(names)
    (chain,) = acme.explain("user:cyd", "purge", names[-1]).explanation.chains
    assert (chain.assigned_on, chain.resource) == (names[0], names[-1])
    acme.apply([changes.MoveResource(resource=names[DEPTH // 2])])
    assert not may(acme, "user:cyd", "purge", names[-1])
    assert acme.resources_of("user:cyd", "purge").items == tuple(names[: DEPTH // 2])
