"""What has expired is as if it were not there: for what a change refuses, gives and leaves in force."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from rescind import Authority, Direction, changes, model
from rescind import transfer as exchange
from rescind.changes import Change, Given
from rescind.errors import RescindError
from rescind.model import Route
from rescind.semantics import access
from tests.clock import SettableClock
from tests.contract.test_not_found import GIVING, TAKING
from tests.contract.world import FUTURE, PAST, WORLD
from tests.state import may

START = PAST
EXPIRY = START + timedelta(hours=1)
LATER = EXPIRY + timedelta(hours=1)

EXPIRING: list[Change] = [
    changes.AddMembers(group="eng", members=("bob",), expires_at=EXPIRY),
    changes.AddMembers(group="idle", members=("cyd", "ada"), expires_at=EXPIRY),
    changes.Assign(role="reader", to="group:idle", expires_at=EXPIRY),
    changes.Assign(role="unused", to="user:ada", expires_at=EXPIRY),
    changes.Assign(role="owner", to="user:bob", on="doc:2", expires_at=EXPIRY),
    changes.Assign(role="writer", to="user:ada", on="folder:b", expires_at=EXPIRY),
]
"""What has expired where the world is `late`, and never was where it is `acme`."""

ABOUT_THEM: list[Change] = [
    changes.ReplaceMembers(group="eng", members=("ada", "bob")),
    changes.ReplaceMembers(group="idle", members=("cyd",)),
    changes.AddMembers(group="eng", members=("bob",)),
    changes.AddMembers(group="eng", members=("bob", "cyd"), expires_at=FUTURE),
    changes.AddMembers(group="eng", members=("bob",), expires_at=EXPIRY),
    changes.RemoveMembers(group="eng", members=("bob",)),
    changes.RemoveMembers(group="idle", members=("ada", "cyd")),
    changes.DeleteGroup(group="idle"),
    changes.DeleteRole(role="unused"),
    changes.DeleteResource(resource="doc:2"),
    changes.DeleteResource(resource="folder:b"),
    changes.Assign(role="unused", to="user:ada"),
    changes.Assign(role="owner", to="user:bob", on="doc:2", expires_at=FUTURE),
    changes.Assign(role="owner", to="user:bob", on="doc:2", expires_at=EXPIRY),
    changes.Assign(role="reader", to="group:idle"),
    changes.Unassign(role="owner", to="user:bob", on="doc:2"),
    changes.Unassign(role="reader", to="group:idle"),
    changes.ReplaceAssignments(to="user:bob", assignments=(Given(role="owner", on="doc:2"),)),
    changes.ReplaceAssignments(to="group:idle", assignments=(Given(role="reader"),)),
    changes.NestGroup(group="idle", into="eng"),
    changes.RemoveMembership(subject="bob"),
    changes.DeactivateMembership(subject="ada"),
]


OTHERS = [
    change
    for change in (*TAKING, *GIVING)
    if not isinstance(change, changes.DeleteOrganization)  # of which nothing is in force
]


@pytest.fixture
def clock() -> SettableClock:
    """The authority's."""
    return SettableClock(START)


@pytest.fixture
def twins(authority: Authority, clock: SettableClock) -> Authority:
    """Two organizations alike but for what has expired in one of them."""
    authority.apply(WORLD)
    authority.apply([*WORLD, *EXPIRING], organization="late")
    clock.now = LATER
    return authority


def outcome(authority: Authority, organization: str, change: Change, route: Route) -> Any:
    """What a change does in an organization, taken back again: its refusal, or its difference, what it did
    not find, the facts in force after it, and whether it may have revoked.
    """
    o = authority.store.fetch("plan", {"organization": organization})[0][0]
    now = model.microseconds(LATER)
    found: list[Any] = []
    with suppress(ZeroDivisionError), authority.store.connection() as connection:
        try:
            receipt = authority.apply(
                [change], organization=organization, route=route, detail=True, within=connection
            )
        except RescindError as error:
            found.append((error.code, error.facts))
        else:
            facts = [
                {row for row in rows if access.in_force(row[-1], now)}
                for rows in (
                    authority.store.fetch(query, {"o": o}, within=connection)
                    for query in ("read_group_members", "read_assignments")
                )
            ]
            revokes = receipt.direction is Direction.REVOKES
            found.append((receipt.difference, receipt.not_found, facts, revokes))
        raise ZeroDivisionError
    return found[0]


def differing(authority: Authority, route: Route, tried: list[Change]) -> Iterator[Change]:
    """The changes that do one thing where something has expired, and another where it never was.

    Of receipts only the direction may differ: taking away what has expired may be said to revoke.
    """
    for change in tried:
        absent, expired = (outcome(authority, name, change, route) for name in ("acme", "late"))
        if absent[:3] != expired[:3] or absent[3:] > expired[3:]:
            yield change


@pytest.mark.parametrize("route", list(Route))
def test_what_has_expired_is_as_if_it_were_not_there(twins: Authority, route: Route) -> None:
    """Each change is refused alike, gives and takes alike, and leaves the same in force."""
    assert not list(differing(twins, route, [*ABOUT_THEM, *OTHERS]))


GUARDS = {
    "refuse_group_in_use": changes.DeleteGroup(group="idle"),
    "refuse_role_in_use": changes.DeleteRole(role="unused"),
    "refuse_resource_in_use": changes.DeleteResource(resource="doc:1"),
    "put_missing_group_members": changes.ReplaceMembers(group="eng", members=("ada", "bob")),
    "end_expired_assignments_of_role": changes.DeleteRole(role="unused"),
}


@pytest.mark.parametrize("query", GUARDS)
def test_control_a_statement_that_forgets_time_is_seen(twins: Authority, query: str) -> None:
    """What the test above would see if one statement took what has expired for there, or for never there."""
    store: Any = twins.store
    change = GUARDS[query]
    if query == "refuse_resource_in_use":
        late = [changes.Assign(role="reader", to="ada", on="doc:1", expires_at=EXPIRY)]
        twins.apply(late, organization="late")
    tried = [change]
    assert not list(differing(twins, Route.INLINE, tried))
    now = "%(now)s" if store.engine == "postgres" else ":now"
    sql = store.queries[query]
    store.queries[query] = sql.replace(f"> {now}", f"> {now} - {now}").replace(
        f"<= {now}", f"<= {now} - {now}"
    )
    assert store.queries[query] != sql
    with suppress(RescindError):
        assert list(differing(twins, Route.INLINE, tried)) == tried


@pytest.mark.parametrize("route", list(Route))
def test_an_expired_member_is_put_back(twins: Authority, route: Route) -> None:
    """Replacing members by a list with somebody who was in the group until a while ago gives it back."""
    assert not may(twins, "user:bob", "write", "doc:1", organization="late")
    receipt = twins.apply(
        [changes.ReplaceMembers(group="eng", members=("ada", "bob"))],
        organization="late",
        route=route,
    )
    assert receipt.changed
    for work in twins.pending():
        twins.reconcile(work)
    assert may(twins, "user:bob", "write", "doc:1", organization="late")
    again = [changes.ReplaceMembers(group="eng", members=("ada", "bob"))]
    assert not twins.apply(again, organization="late").changed


def test_an_export_leaves_out_what_has_expired(twins: Authority) -> None:
    """Both organizations export alike."""
    absent, expired = (exchange.exported(twins, name) for name in ("acme", "late"))
    assert json.dumps([changes.to_object(change) for change in absent], default=str) == json.dumps(
        [changes.to_object(change) for change in expired], default=str
    )


def test_a_role_of_all_organizations_is_deleted_once_it_has_expired_everywhere(
    authority: Authority, clock: SettableClock
) -> None:
    """Until then it is in use; afterwards no assignment refers to it any more."""
    delete = changes.DeleteRole(role="temporary")
    authority.apply([changes.DefineRole(role="temporary")], organization="*")
    authority.apply(WORLD)
    authority.apply([changes.Assign(role="temporary", to="ada", expires_at=EXPIRY)])
    with pytest.raises(RescindError, match="1 assignment"):
        authority.apply([delete], organization="*")
    assert authority.check("user:ada", "read").revision.organization == 2
    clock.now = LATER
    authority.apply([delete], organization="*")
    o = authority.store.fetch("plan", {"organization": "acme"})[0][0]
    held = authority.store.fetch("read_assignments", {"o": o})
    assert "temporary" not in {role for _, role, *_ in held}
    assert [entry.revision for entry in authority.log()] == [1, 2, 3]


def test_roles_of_all_organizations_deleted_together_are_one_change_elsewhere(
    authority: Authority,
) -> None:
    """Of each organization that used them: one revision, one entry in its log, with both deletions."""
    roles = ("one", "two")
    authority.apply([changes.DefineRole(role=role) for role in roles], organization="*")
    for name in ("acme", "late"):
        authority.apply(WORLD, organization=name)
        authority.apply([changes.Assign(role=r, to="ada") for r in roles], organization=name)
    authority.apply(
        [changes.DeleteRole(role=role, cascade=True) for role in roles], organization="*"
    )
    for name in ("acme", "late"):
        *_, last = authority.log(organization=name)
        assert last.revision == 3
        assert [change["role"] for change in json.loads(last.changes)] == ["one", "two"]
