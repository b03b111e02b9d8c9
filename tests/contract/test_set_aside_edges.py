"""What a batch sets aside and gives back, at its edges: what expires now, and roles on resources."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rescind import ENVIRONMENT, Authority, changes
from rescind.changes import Change
from rescind.model import OnLoss, RoleMode
from tests.clock import SettableClock
from tests.contract.world import FUTURE, WORLD
from tests.property.rows import count_rows, role_resets
from tests.state import may

ADA = ("user:ada",)
HELD: list[Change] = [
    changes.SetRoleMode(mode=RoleMode.SINGLE),
    changes.CreateGroup(group="side"),
    changes.AddMembers(group="side", members=("user:ada", "user:bob")),
    changes.Assign(role="unused", to="group:side"),
    changes.Assign(role="unused", to="user:ada"),
    changes.Assign(role="writer", to="user:ada"),
]
"""Ada's roles on everything: writer, reader by her groups, and unused twice."""
EXPIRING: dict[str, list[Change]] = {
    "own": [changes.Assign(role="owner", to="user:ada", expires_at=FUTURE)],
    "group's": [
        changes.AddMembers(group="idle", members=ADA),
        changes.Assign(role="owner", to="group:idle", expires_at=FUTURE),
    ],
    "place": [
        changes.AddMembers(group="idle", members=ADA, expires_at=FUTURE),
        changes.Assign(role="owner", to="group:idle"),
    ],
}
"""The role that wins until FUTURE."""
TAKING: dict[str, Change] = {
    "unassigned": changes.Unassign(role="unused", to="user:ada"),
    "group's unassigned": changes.Unassign(role="unused", to="group:side"),
    "removed": changes.RemoveMembers(group="side", members=ADA),
    "replaced": changes.ReplaceMembers(group="side", members=("user:bob",)),
    "deleted": changes.DeleteRole(role="unused", cascade=True),
}
"""None of them takes the winning role, whichever that is."""


@pytest.mark.parametrize("expiring", EXPIRING)
def test_what_expires_now_is_not_lost(acme: Authority, clock: SettableClock, expiring: str) -> None:
    """At its very instant it wins no more. So a change then takes another role, and sets nothing aside."""
    acme.apply([*HELD, *EXPIRING[expiring]])
    clock.now = FUTURE
    for change in TAKING.values():
        acme.apply([change])
        assert role_resets(acme, "acme") == set(), change


@pytest.mark.parametrize("expiring", EXPIRING)
def test_control_what_expires_later_is_lost(
    acme: Authority, clock: SettableClock, expiring: str
) -> None:
    """A microsecond before, the winning role is lost when it is taken, and the others are set aside."""
    acme.apply([*HELD, *EXPIRING[expiring]])
    clock.now = FUTURE - timedelta(microseconds=1)
    acme.apply([changes.DeleteRole(role="owner", cascade=True)])
    assert ("user:ada", "writer") in role_resets(acme, "acme")


LOSING: dict[str, Change] = {
    "removed": changes.RemoveMembers(group="top", members=ADA),
    "replaced": changes.ReplaceMembers(group="top", members=("user:bob",)),
    "unassigned": changes.Unassign(role="owner", to="group:over"),
    "unnested": changes.UnnestGroup(group="top", out_of="over"),
    "group deleted": changes.DeleteGroup(group="over", cascade=True),
    "role deleted": changes.DeleteRole(role="owner", cascade=True),
}


@pytest.mark.parametrize("expires_at", [None, FUTURE])
@pytest.mark.parametrize("losing", LOSING)
def test_what_a_group_gave_is_lost(
    acme: Authority, clock: SettableClock, losing: str, expires_at: datetime | None
) -> None:
    """By whatever road the winning role of a group around a group goes, the others are set aside."""
    clock.now = FUTURE - timedelta(microseconds=1)
    over = [
        *(changes.CreateGroup(group=group) for group in ("top", "over")),
        changes.NestGroup(group="top", into="over"),
        changes.AddMembers(group="top", members=ADA, expires_at=expires_at),
        changes.Assign(role="owner", to="group:over", expires_at=expires_at),
    ]
    acme.apply([*HELD, *over])
    acme.apply([LOSING[losing]])
    assert role_resets(acme, "acme") == {
        ("user:ada", role) for role in ("reader", "unused", "writer")
    }


@pytest.mark.parametrize("what", ["own", "group's", "place"])
def test_what_expires_now_is_not_given_back(
    acme: Authority, clock: SettableClock, what: str
) -> None:
    """Given until the very instant at which it is given, a role that was set aside stays so."""
    lost: list[Change] = [
        *HELD,
        *EXPIRING["own"],
        changes.AddMembers(group="idle", members=ADA),
        changes.Assign(role="writer", to="group:idle"),
    ]
    acme.apply(lost)
    acme.apply([changes.Unassign(role="owner", to="user:ada")])
    before = role_resets(acme, "acme")
    assert ("user:ada", "writer") in before
    clock.now = FUTURE
    given: dict[str, Change] = {
        "own": changes.Assign(role="writer", to="user:ada", expires_at=FUTURE),
        "group's": changes.Assign(role="writer", to="group:idle", expires_at=FUTURE),
        "place": changes.AddMembers(group="idle", members=ADA, expires_at=FUTURE),
    }
    acme.apply([given[what]])
    assert ("user:ada", "writer") in role_resets(acme, "acme")
    acme.apply([changes.Assign(role="writer", to="user:ada")])
    assert ("user:ada", "writer") not in role_resets(acme, "acme")


@pytest.mark.parametrize("by", ["nesting", "place"])
def test_a_role_on_a_resource_gives_nothing_back(acme: Authority, by: str) -> None:
    """Who comes to hold a role on a resource does not get the same role back on everything."""
    acme.apply([*HELD, *EXPIRING["own"], changes.CreateGroup(group="far")])
    acme.apply(
        [
            changes.Assign(role="writer", to="group:far", on="folder:b"),
            changes.Unassign(role="owner", to="user:ada"),
        ]
    )
    before = role_resets(acme, "acme")
    assert ("user:ada", "writer") in before
    reach: dict[str, Change] = {
        "nesting": changes.NestGroup(group="side", into="far"),
        "place": changes.AddMembers(group="far", members=ADA),
    }
    acme.apply([reach[by]])
    assert role_resets(acme, "acme") == before
    acme.apply([changes.Assign(role="writer", to="group:far")])
    assert ("user:ada", "writer") not in role_resets(acme, "acme")


def test_a_batch_that_changes_what_a_loss_leaves_and_back(acme: Authority) -> None:
    """It sets nothing aside, also for what it took before."""
    acme.apply([*HELD, *EXPIRING["own"]])
    batch = [
        changes.Unassign(role="owner", to="user:ada"),
        changes.SetRoleMode(mode=RoleMode.SINGLE, on_loss=OnLoss.NEXT_HIGHEST),
        changes.SetRoleMode(mode=RoleMode.SINGLE, on_loss=OnLoss.DEFAULT),
    ]
    acme.apply(batch)
    assert role_resets(acme, "acme") == set()
    acme.apply([changes.Assign(role="owner", to="user:ada")])
    acme.apply(batch[:1])
    assert role_resets(acme, "acme") != set()


def test_only_what_was_set_aside_of_a_deleted_role_is_forgotten(acme: Authority) -> None:
    """A later role may get its number. What was set aside of others stays so."""
    top = changes.DefineRole(role="top", priority=9)
    acme.apply([*HELD, *EXPIRING["own"], top, changes.Assign(role="top", to="user:ada")])
    acme.apply([changes.Unassign(role="top", to="user:ada")])
    left = {("user:ada", role) for role in ("owner", "reader", "writer")}
    assert role_resets(acme, "acme") == left | {("user:ada", "unused")}
    acme.apply([changes.DeleteRole(role="unused", cascade=True)])
    assert role_resets(acme, "acme") == left
    assert count_rows(acme, "acme", "role_reset") == len(left)


def test_what_is_set_aside_elsewhere_counts_here(acme: Authority) -> None:
    """Of a role of all organizations, for the membership with the same number in the one next to it."""
    shared: list[Change] = [
        changes.DefinePermission(permission="see"),
        changes.DefineRole(role="viewer", permissions=("see",), priority=8),
        changes.DefineRole(role="top", priority=9),
    ]
    acme.apply(shared, organization=ENVIRONMENT)
    acme.apply(WORLD, organization="twin")
    single = changes.SetRoleMode(mode=RoleMode.SINGLE)
    given = [changes.Assign(role=role, to="user:ada") for role in ("viewer", "top")]
    acme.apply([single, *given], organization="twin")
    acme.apply([single, given[0]])
    acme.apply([changes.Unassign(role="top", to="user:ada")], organization="twin")
    assert ("user:ada", "viewer") in role_resets(acme, "twin")
    assert not may(acme, "user:ada", "see", organization="twin")
    assert may(acme, "user:ada", "see")


def with_names_swapped() -> list[Change]:
    """The set-up of WORLD, in which members and groups have the numbers of others."""
    made = WORLD[: WORLD.index(changes.NestGroup(group="eng", into="staff"))]
    swapped = list(made)
    for kind in (changes.AddMembership, changes.CreateGroup):
        places = [n for n, change in enumerate(made) if isinstance(change, kind)]
        for place, other in zip(places, reversed(places), strict=True):
            swapped[place] = made[other]
    return swapped


@pytest.mark.parametrize(
    ("holder", "who"),
    [("user:ada", "user:ada"), ("group:idle", "user:cyd")],
    ids=["own", "group's"],
)
def test_it_counts_again_for_who_is_named_here(acme: Authority, holder: str, who: str) -> None:
    """And for nobody else, though another organization has the same names with other numbers."""
    everybody = ("user:ada", "user:bob", "user:cyd", "agent:bot")
    acme.apply(with_names_swapped(), organization="shifted")
    acme.apply(
        [
            changes.SetRoleMode(mode=RoleMode.SINGLE),
            changes.AddMembers(group="idle", members=("user:cyd",)),
            *(changes.Assign(role=r, to=s) for s in everybody for r in ("writer", "owner")),
        ]
    )
    acme.apply([changes.Unassign(role="owner", to=subject) for subject in everybody])
    acme.apply([changes.Assign(role="writer", to=holder)])
    found = {subject for subject, role in role_resets(acme, "acme") if role == "writer"}
    assert found == set(everybody) - {who}
