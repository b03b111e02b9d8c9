"""Answers: what is unknown, malformed or critical, and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rescind import Authority, DecisionPoint, Reason, changes
from rescind.errors import (
    InvalidArgument,
    InvalidChange,
    InvalidToken,
    MalformedId,
    OrganizationNotFound,
)
from tests.contract.world import WORLD
from tests.sql import ours
from tests.state import may

Ask = Callable[[Authority], Any]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (("user:nobody", "read", None), Reason.UNKNOWN_SUBJECT),
        (("user:ada", "fly", None), Reason.UNKNOWN_PERMISSION),
        (("user:ada", "read", "doc:none"), Reason.UNKNOWN_RESOURCE),
        (("user:ada", "read", "ship:1"), Reason.UNKNOWN_RESOURCE),
        (("user:ada", "purge", "doc:1"), Reason.NO_ROLE),
        (("agent:ada", "read", None), Reason.UNKNOWN_SUBJECT),
        (("user:Ada", "read", None), Reason.UNKNOWN_SUBJECT),
        (("user:ada", "READ", None), Reason.UNKNOWN_PERMISSION),
        (("user:ada", "read%", None), Reason.UNKNOWN_PERMISSION),
        (("user:ada", "read", "doc:'1"), Reason.UNKNOWN_RESOURCE),
    ],
)
def test_the_unknown_is_denied(
    settled: Authority, question: tuple[str, str, str | None], reason: Reason
) -> None:
    """With the reason, by each decision point, alone, together and explained; lists are empty."""
    for assurance in ("standard", "live"):
        decisions = [
            settled.check(*question, assurance=assurance),
            settled.explain(*question, assurance=assurance),
            *settled.check_many([question], assurance=assurance),
        ]
        assert [(d.allowed, d.reason) for d in decisions] == [(False, reason)] * 3
        assert decisions[0].token is not None
        (obstacle,) = decisions[1].explanation.obstacles
        assert question[{"no_membership": 0, "unknown_resource": 2}.get(reason, 1)] in obstacle
    subject, permission, resource = question
    if reason is not Reason.NO_ROLE:
        assert subject not in settled.who_can(permission, resource).items
        assert permission not in settled.permissions_of(subject, resource).items
        assert resource not in settled.resources_of(subject, permission).items


def test_an_unknown_organization_is_denied(settled: Authority) -> None:
    """A check has an answer, and no token; a list has nothing to be about."""
    decision = settled.check("user:ada", "read", organization="none")
    assert (decision.allowed, decision.reason) == (False, Reason.UNKNOWN_ORGANIZATION)
    assert decision.token is None
    explained = settled.explain("user:ada", "read", organization="none").explanation
    assert explained.obstacles == ("there is no organization none",)
    for ask in (settled.who_can, settled.permissions_of):
        with pytest.raises(OrganizationNotFound):
            ask("user:ada", organization="none")
    with pytest.raises(OrganizationNotFound):
        settled.resources_of("user:ada", "read", organization="none")
    with pytest.raises(OrganizationNotFound):
        list(settled.log(organization="none"))


MALFORMED: list[Ask] = [
    lambda a: a.check("", "read"),
    lambda a: a.check("robot:ada", "read"),
    lambda a: a.check("user:", "read"),
    lambda a: a.check(" ada", "read"),
    lambda a: a.check("ada\n", "read"),
    lambda a: a.check("ada\0", "read"),
    lambda a: a.check("a" * 256, "read"),
    lambda a: a.check(None, "read"),
    lambda a: a.check(7, "read"),
    lambda a: a.check("ada", ""),
    lambda a: a.check("ada", "read", "doc"),
    lambda a: a.check("ada", "read", "doc:"),
    lambda a: a.check("ada", "read", ":1"),
    lambda a: a.check("ada", "read", "7up:1"),
    lambda a: a.check("ada", "read", "organization:acme"),
    lambda a: a.check("ada", "read", organization=""),
    lambda a: a.check_many([("ada", "read", None), ("ada", "", None)]),
    lambda a: a.who_can("read", "doc"),
    lambda a: a.permissions_of("robot:ada"),
    lambda a: a.resources_of("ada", ""),
    lambda a: a.resources_of("ada", "read", resource_type="7up"),
    lambda a: list(a.log(organization=" ")),
    lambda a: a.apply([changes.AddMembership(subject="robot:ada")]),
    lambda a: a.apply([changes.AddMembership(subject="a\ud800")]),
    lambda a: a.apply([changes.CreateGroup(group="")]),
    lambda a: a.apply([changes.AddMembers(group="eng", members=("ada", ""))]),
    lambda a: a.apply([changes.Assign(role="reader", to="group:")]),
    lambda a: a.apply([changes.Assign(role="reader", to="ada", on="doc")]),
    lambda a: a.apply([changes.DefineResourceType(type="organization")]),
    lambda a: a.apply([changes.CreateResource(resource="organization:x")]),
    lambda a: a.apply([changes.DefinePermission(permission="x" * 256)]),
    lambda a: a.apply([changes.CreateOrganization()], organization="\x7f"),
]


@pytest.mark.parametrize("ask", MALFORMED)
def test_the_malformed_is_an_error(settled: Authority, ask: Ask) -> None:
    """It is not taken for something unknown, cut short, or guessed at."""
    with pytest.raises((MalformedId, InvalidChange)):
        ask(settled)


def test_ids_are_taken_as_they_are(acme: Authority) -> None:
    """Whatever the script, however long, and with what means something in SQL, JSON or patterns."""
    odd = (
        "ü",
        "日本語",
        "a b",
        "%",
        "_",
        "'",
        '"',
        "\\",
        "{}",
        ":o",
        "%(o)s",
        "x" * 250,
        "🦀",
        "e\u0301",
    )
    acme.apply([changes.AddMembership(subject=f"user:{name}") for name in odd])
    acme.apply([changes.CreateGroup(group=name) for name in odd])
    for name in odd:
        acme.apply([changes.AddMembers(group=name, members=(f"user:{name}",))])
        acme.apply([changes.Assign(role="writer", to=f"group:{name}")])
        assert acme.who_can("write").items == (f"user:{name}",)
        assert may(acme, f"user:{name}", "write")
        acme.apply([changes.Unassign(role="writer", to=f"group:{name}")])


def test_the_critical_is_decided_live(acme: Authority) -> None:
    """Whatever is asked for, at once when it becomes critical, and by the facts alone."""
    acme.apply([changes.Assign(role="owner", to="group:staff")])
    assert acme.check("user:ada", "purge").point is DecisionPoint.LIVE
    assert acme.check("user:ada", "read").point is DecisionPoint.EFFECTIVE
    assert acme.check("user:ada", "read", assurance="live").point is DecisionPoint.LIVE
    points = [
        decision.point
        for decision in acme.check_many([("user:ada", "purge", None), ("user:ada", "read", None)])
    ]
    assert points == [DecisionPoint.LIVE, DecisionPoint.EFFECTIVE]
    _lose_effective_roles(acme)
    assert acme.check("user:ada", "purge")
    assert acme.who_can("purge").items == ("user:ada", "user:bob")
    assert not acme.check("user:ada", "write")
    acme.apply([changes.EditPermission(permission="write", critical=True)])
    assert acme.check("user:ada", "write")


def _lose_effective_roles(authority: Authority) -> None:
    """Damage: what only effective roles tell is gone, the facts are there."""
    authority.store.queries["lose"] = ours(authority, "DELETE FROM rescind.effective_role")
    authority.store.transact(lambda tx: tx.run("lose"))


def test_a_token_of_elsewhere_is_an_error(acme: Authority) -> None:
    """Of another organization, of the environment, or of nobody."""
    other = acme.apply(WORLD, organization="other").token
    shared = acme.apply([changes.DefinePermission(permission="all")], organization="*").token
    for token in (other, shared, "", "x", "☃", "MS4x", other[:-2]):
        with pytest.raises(InvalidToken):
            acme.check("user:ada", "read", at_least=token)
        with pytest.raises(InvalidToken):
            acme.who_can("read", at_least=token)
    with pytest.raises(InvalidToken):
        acme.check("user:ada", "read", organization="none", at_least=other)
    with pytest.raises(InvalidArgument, match="assurance"):
        acme.check("user:ada", "read", assurance="maybe")
