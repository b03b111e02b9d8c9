"""Organizations with the same numbers do not meet: changes and background work stay within their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Literal

import pytest

from rescind import ENVIRONMENT, Authority, changes
from rescind.changes import Change, Given
from tests.contract.world import FUTURE, PAST, SOONER, WORLD
from tests.sql import ours
from tests.state import may, rows_of

EVERYBODY = ("user:ada", "user:bob", "user:cyd", "agent:bot")
Route = Literal["inline", "background"]

TWIN: list[Change] = [
    *WORLD,
    changes.AddMembers(group="idle", members=EVERYBODY),
    changes.NestGroup(group="idle", into="eng"),
    changes.AddMembers(group="eng", members=EVERYBODY, expires_at=FUTURE),
    changes.AddMembers(group="staff", members=("agent:bot",), expires_at=PAST),
    *(changes.Assign(role=role, to="group:idle") for role in ("owner", "reader", "writer")),
    *(changes.Assign(role="owner", to=subject, on="folder:a") for subject in EVERYBODY),
]
SHIFTED: list[Change] = [WORLD[0], changes.CreateGroup(group="first"), *WORLD[1:]]
"""The same names, and other numbers."""
DEFINITIONS = [c for c in WORLD if isinstance(c, changes.DefinePermission | changes.DefineRole)]
ELSEWHERE: list[Change] = [
    *(changes.AddMembership(subject=f"user:{n}") for n in range(3)),
    *(changes.CreateGroup(group=group) for group in ("far", "farther")),
    changes.NestGroup(group="farther", into="far"),
    changes.AddMembers(group="farther", members=tuple(f"user:{n}" for n in range(3))),
    changes.Assign(role="unused", to="group:far"),
    changes.Assign(role="unused", to="group:farther"),
    changes.Assign(role="unused", to="user:1"),
]
"""In the same organization, and not concerned by STEPS."""
UNSETTLED: list[Change] = [
    changes.ReplaceAssignments(to="group:eng", assignments=()),
    changes.RemoveMembers(group="idle", members=("user:ada", "user:bob")),
    changes.UnnestGroup(group="eng", out_of="staff"),
]
STEPS: list[Change] = [
    changes.AddMembers(group="eng", members=("user:bob", "user:cyd")),
    changes.AddMembers(group="staff", members=("user:ada", "user:cyd"), expires_at=FUTURE),
    changes.AddMembers(group="staff", members=("user:ada",), expires_at=SOONER),
    changes.NestGroup(group="idle", into="eng"),
    changes.AddMembers(group="idle", members=("agent:bot",)),
    changes.Assign(role="reader", to="group:eng"),
    changes.Assign(role="writer", to="group:idle", on="folder:a"),
    changes.Assign(role="owner", to="user:ada"),
    changes.Assign(role="reader", to="group:staff", expires_at=FUTURE),
    changes.RemoveMembers(group="eng", members=("user:bob",)),
    changes.UnnestGroup(group="idle", out_of="eng"),
    changes.NestGroup(group="idle", into="staff"),
    changes.Unassign(role="writer", to="group:idle", on="folder:a"),
    changes.ReplaceMembers(group="staff", members=("user:bob", "agent:bot")),
    changes.ReplaceAssignments(to="group:eng", assignments=(Given(role="owner", on="folder:b"),)),
    changes.ReplaceAssignments(to="user:ada", assignments=(Given(role="reader"),)),
    changes.RemoveMembership(subject="user:cyd"),
    changes.DeleteRole(role="reader", cascade=True),
    changes.DeleteGroup(group="eng", cascade=True),
    changes.DeleteResource(resource="folder:b", cascade=True),
    changes.DeactivateMembership(subject="agent:bot"),
]


@pytest.fixture
def beside(new_database: Callable[[str], str], engine: str) -> Iterator[Authority]:
    """`acme` beside an organization whose members, groups and assignments have the same numbers."""
    with Authority.open(new_database(engine), organization="acme") as authority:
        authority.apply(SHIFTED, organization="shifted")
        authority.apply(WORLD)
        authority.apply(TWIN, organization="twin")
        for change in UNSETTLED:
            authority.apply([change], organization="twin", route="background")
        yield authority


@pytest.fixture
def alone(new_database: Callable[[str], str], engine: str) -> Iterator[Authority]:
    """`acme` with the same numbers; the organization before it is empty."""
    with Authority.open(new_database(engine), organization="acme") as authority:
        authority.apply([WORLD[0], *DEFINITIONS], organization="shifted")
        authority.apply(WORLD)
        yield authority


def step(authority: Authority, change: Change, route: Route) -> int:
    """One change, and its background work; the pairs that were weighed."""
    receipt = authority.apply([change], route=route)
    for work in authority.pending():
        authority.reconcile(work)
    return receipt.fan_out


def differences(beside: Authority, alone: Authority, mode: str, route: Route) -> list[str]:
    """Where `acme` fares otherwise beside its twin than alone, or the twin's rows change."""
    found = []
    set_mode = changes.SetRoleMode(mode=mode)  # type: ignore[arg-type]
    for authority in (beside, alone):
        step(authority, set_mode, route)
    twin = rows_of(beside, "twin")
    for change in STEPS:
        weighed = [step(authority, change, route) for authority in (beside, alone)]
        if weighed[0] != weighed[1]:
            found.append(f"weighed: {change}")
        # `acme` is the second organization of either store: its numbers are the same
        if rows_of(beside, "acme") != rows_of(alone, "acme"):
            found.append(f"acme: {change}")
        if rows_of(beside, "twin") != twin:
            found.append(f"twin: {change}")
    return found


@pytest.mark.parametrize("mode", ["multiple", "single"])
@pytest.mark.parametrize("route", ["inline", "background"])
def test_a_neighbour_makes_no_difference(
    beside: Authority, alone: Authority, mode: str, route: Route
) -> None:
    """After each change `acme` has the rows that it has alone, and its neighbour keeps its own."""
    assert differences(beside, alone, mode, route) == []


@pytest.mark.parametrize("route", ["inline", "background"])
def test_control_rows_of_every_organization(
    beside: Authority, alone: Authority, route: Route
) -> None:
    """Control: where what ends is looked for in every organization, the neighbour loses rows."""
    queries: dict[str, str] = beside.store.queries  # type: ignore[attr-defined]
    name = "drop_for_nesting" if route == "inline" else "unmake_whole"
    before = queries[name]
    for parameter in (":o", "%(o)s"):
        queries[name] = queries[name].replace(
            ours(
                beside, f"DELETE FROM rescind.effective_role WHERE organization = {parameter}\nAND"
            ),
            ours(beside, "DELETE FROM rescind.effective_role WHERE"),
        )
    assert queries[name] != before
    assert any(f.startswith("twin") for f in differences(beside, alone, "multiple", route))


@pytest.mark.parametrize("mode", ["multiple", "single"])
def test_what_is_elsewhere_is_not_weighed(acme: Authority, alone: Authority, mode: str) -> None:
    """Other groups of the same organization, their members and assignments do not count."""
    acme.apply(ELSEWHERE)
    for authority in (acme, alone):
        step(authority, changes.SetRoleMode(mode=mode), "inline")  # type: ignore[arg-type]
    for change in STEPS:
        assert step(acme, change, "background") == step(alone, change, "background"), change


@pytest.mark.parametrize("mode", ["multiple", "single"])
def test_a_role_of_all_organizations_counts_where_it_is_given(beside: Authority, mode: str) -> None:
    """Given to everybody in the neighbour, it allows nobody here, whoever has the same number."""
    see: list[Change] = [
        changes.DefinePermission(permission="see"),
        changes.DefineRole(role="viewer", permissions=("see",)),
    ]
    beside.apply(see, organization=ENVIRONMENT)
    given = (Given(role="viewer"), Given(role="viewer", on="doc:1"))
    for holder in (*EVERYBODY, "group:staff"):
        beside.apply(
            [changes.ReplaceAssignments(to=holder, assignments=given)], organization="twin"
        )
    beside.apply([changes.SetRoleMode(mode=mode)])  # type: ignore[arg-type]
    for subject, place in itertools.product(EVERYBODY, (None, "doc:1")):
        assert not may(beside, subject, "see", place)
    assert may(beside, "user:ada", "see", "doc:1", organization="twin")
