"""Groups: their members, their nesting, and what flows through them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from rescind import Authority, Direction, changes
from rescind.errors import GroupNotFound, MembershipNotFound
from tests.contract.world import FUTURE, PAST, SOONER
from tests.probe import Probe
from tests.state import dump, may

DEPTH = 40


def test_create_group_makes_an_empty_one(acme: Authority) -> None:
    """It has no members and gives nothing until told so."""
    receipt = acme.apply([changes.CreateGroup(group="new", name="New")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    acme.apply([changes.Assign(role="owner", to="group:new")])
    assert acme.who_can("purge").items == ()


def test_rename_group_keeps_its_id(acme: Authority) -> None:
    """Only what it is called changes."""
    acme.apply([changes.RenameGroup(group="eng", name="Builders")])
    o = acme.check("ada", "read").revision.incarnation
    assert ("eng", "Builders") in acme.store.fetch("read_groups", {"o": o})
    assert may(acme, "user:ada", "write", "doc:1")


def test_delete_group_takes_an_unused_one(acme: Authority) -> None:
    """Nobody loses anything, and the name is unknown afterwards."""
    receipt = acme.apply([changes.DeleteGroup(group="idle")])
    assert (receipt.changed, receipt.direction) == (True, Direction.GRANTS)
    with pytest.raises(GroupNotFound):
        acme.apply([changes.RenameGroup(group="idle", name="x")])


def test_delete_group_cascade_takes_what_it_gave(acme: Authority) -> None:
    """What flowed through it goes, also from the groups below; what came otherwise stays."""
    acme.apply([changes.Assign(role="reader", to="user:bob", on="doc:2")])
    receipt = acme.apply([changes.DeleteGroup(group="staff", cascade=True)])
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, 2)
    assert not may(acme, "user:ada", "read")
    assert not may(acme, "user:bob", "read")
    assert may(acme, "user:bob", "read", "doc:2")
    assert may(acme, "user:ada", "write", "doc:1")


def test_delete_group_frees_its_name(acme: Authority) -> None:
    """A group of the same name has none of the old one's members, nestings or assignments."""
    acme.apply([changes.DeleteGroup(group="staff", cascade=True)])
    acme.apply([changes.CreateGroup(group="staff")])
    assert not may(acme, "user:bob", "read")
    acme.apply([changes.Assign(role="reader", to="group:staff")])
    assert not may(acme, "user:ada", "read")
    acme.apply([changes.AddMembers(group="staff", members=("user:bob",))])
    assert may(acme, "user:bob", "read")


def test_add_members_gives_what_the_group_has(acme: Authority) -> None:
    """Roles of the group and of every group around it, at once."""
    receipt = acme.apply([changes.AddMembers(group="eng", members=("user:cyd", "agent:bot"))])
    assert (receipt.direction, receipt.fan_out) == (Direction.GRANTS, 4)
    for subject in ("user:cyd", "agent:bot"):
        assert may(acme, subject, "read")
        assert may(acme, subject, "write", "doc:1")
    assert not may(acme, "user:cyd", "write")


def test_add_members_sets_the_expiry_anew(acme: Authority) -> None:
    """Shorter, longer and never, for those who are in the group already."""
    for until, is_changed, is_allowed in (
        (FUTURE, True, True),
        (FUTURE, False, True),
        (SOONER, True, True),
        (PAST, True, False),
        (FUTURE, True, True),
        (None, True, True),
        (None, False, True),
    ):
        receipt = acme.apply(
            [changes.AddMembers(group="eng", members=("user:ada",), expires_at=until)]
        )
        assert receipt.changed == is_changed, until
        assert may(acme, "user:ada", "write", "doc:1") == is_allowed, until


def test_add_members_shortened_revokes(acme: Authority) -> None:
    """What expires sooner is taken away sooner."""
    shorten = changes.AddMembers(group="eng", members=("user:ada",), expires_at=PAST)
    receipt = acme.apply([shorten], detail=True)
    assert receipt.direction is Direction.REVOKES
    assert ("user:ada", "read", "organization") in receipt.difference.revoked


def test_remove_members_takes_what_only_the_group_gave(acme: Authority) -> None:
    """What another path gives stays."""
    acme.apply([changes.AddMembers(group="staff", members=("user:ada",))])
    receipt = acme.apply([changes.RemoveMembers(group="eng", members=("user:ada", "user:bob"))])
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, 1)
    assert not may(acme, "user:ada", "write", "doc:1")
    assert may(acme, "user:ada", "read")
    assert may(acme, "user:bob", "read")


def test_replace_members_makes_it_exactly_these(acme: Authority) -> None:
    """Who is not listed leaves, who is new comes without expiry, who stays keeps theirs."""
    acme.apply([changes.AddMembers(group="staff", members=("user:cyd",), expires_at=SOONER)])
    receipt = acme.apply([changes.ReplaceMembers(group="staff", members=("user:cyd", "agent:bot"))])
    assert receipt.direction is Direction.REVOKES
    assert acme.who_can("read").items == ("agent:bot", "user:ada", "user:cyd")
    until = {row[3] for row in dump(acme)["group_member"]}
    assert until == {None, _microseconds(SOONER)}


def test_replace_members_makes_who_is_missing(acme: Authority) -> None:
    """With `create`, in the same change and once; who is there stays as they are. (Control: without it they
    are refused, and nothing is made.)
    """
    acme.apply([changes.DeactivateMembership(subject="user:bob")])
    listed = ("user:new", "user:bob", "agent:new", "user:new")
    wanted = changes.ReplaceMembers(group="staff", members=listed)
    with pytest.raises(MembershipNotFound):
        acme.apply([wanted])
    create = msgspec.structs.replace(wanted, create=True)
    assert acme.preview([create]).granted
    receipt = acme.apply([create], idempotency_key="sync", detail=True)
    assert receipt.changed
    assert receipt.not_found == ()
    assert receipt.difference is not None
    assert {subject for subject, *_ in receipt.difference.granted} == {"user:new", "agent:new"}
    assert acme.apply([create], idempotency_key="sync", detail=False) == receipt
    assert not acme.apply([create]).changed
    assert acme.who_can("read").items == ("agent:new", "user:ada", "user:new")
    assert not may(acme, "user:bob", "read")
    acme.apply([changes.ReactivateMembership(subject="user:bob")])
    assert may(acme, "user:bob", "read")


def test_replace_members_makes_nobody_for_a_group_that_is_not_there(acme: Authority) -> None:
    """Nor where the list is empty."""
    before = dump(acme)
    for members in (("user:new",), ()):
        change = changes.ReplaceMembers(group="nowhere", members=members, create=True)
        if members:
            with pytest.raises(GroupNotFound):
                acme.apply([change])
        else:
            assert [each.name for each in acme.apply([change]).not_found] == ["nowhere"]
    assert dump(acme) == before


def test_replace_members_says_nothing_of_what_is_not_asked_for() -> None:
    """Its text, and so the digest that is kept with a key, is that of earlier versions."""
    change = changes.ReplaceMembers(group="eng", members=("user:ada",))
    assert "create" not in changes.to_object(change)


def test_replace_members_makes_who_is_missing_in_one_statement(
    acme: Authority, probe: Probe
) -> None:
    """More than without, however many they are."""
    sent: list[str] = []
    acme.apply([changes.ReplaceMembers(group="staff", members=("user:ada", "user:cyd"))])
    probe.before = sent.append
    counts = []
    for create in (False, True):
        members = ("user:ada", *(f"user:n{n}" for n in range(9 * create)))
        sent.clear()
        acme.apply([changes.ReplaceMembers(group="staff", members=members, create=create)])
        counts.append(len(sent))
    assert counts[1] == counts[0] + 1


def test_nest_group_gives_what_is_around(acme: Authority) -> None:
    """Members at any depth below get what the group and all around it hold."""
    acme.apply([changes.AddMembers(group="idle", members=("user:cyd",))])
    receipt = acme.apply([changes.NestGroup(group="idle", into="eng")])
    assert (receipt.direction, receipt.fan_out) == (Direction.GRANTS, 2)
    assert may(acme, "user:cyd", "read")
    assert may(acme, "user:cyd", "write", "doc:1")


def test_unnest_group_takes_what_came_through(acme: Authority) -> None:
    """What another nesting or place gives stays."""
    acme.apply([changes.NestGroup(group="idle", into="staff")])
    acme.apply([changes.AddMembers(group="idle", members=("user:cyd",))])
    acme.apply([changes.NestGroup(group="eng", into="idle")])
    receipt = acme.apply([changes.UnnestGroup(group="eng", out_of="staff")])
    assert (receipt.direction, receipt.fan_out) == (Direction.GRANTS, 0)
    assert may(acme, "user:ada", "read")
    receipt = acme.apply([changes.UnnestGroup(group="idle", out_of="staff")])
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, 2)
    assert not may(acme, "user:ada", "read")
    assert not may(acme, "user:cyd", "read")
    assert may(acme, "user:bob", "read")


def test_nest_group_forty_deep(acme: Authority) -> None:
    """Checks, lists and explanations see a role at the top from the bottom, until a link goes."""
    names = [f"level{n:02}" for n in range(DEPTH)]
    batch: list[Any] = [changes.CreateGroup(group=name) for name in names]
    batch += [changes.NestGroup(group=low, into=high) for low, high in pairwise(names)]
    batch += [
        changes.AddMembers(group=names[0], members=("user:cyd",)),
        changes.Assign(role="owner", to=f"group:{names[-1]}"),
    ]
    acme.apply(batch)
    assert may(acme, "user:cyd", "purge", "doc:1")
    (chain,) = acme.explain("user:cyd", "purge", "doc:1").explanation.chains
    assert chain.groups == tuple(names)
    acme.apply([changes.UnnestGroup(group=names[DEPTH // 2], out_of=names[DEPTH // 2 + 1])])
    assert not may(acme, "user:cyd", "purge", "doc:1")


def _microseconds(moment: Any) -> int:
    return int(moment.timestamp()) * 1_000_000
