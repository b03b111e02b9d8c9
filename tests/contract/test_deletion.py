"""A large organization is deleted by its name at once; the rest is nobody's, and goes little by little."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rescind import ENVIRONMENT, Authority, Direction, Route, changes
from rescind.errors import (
    InvalidChange,
    OrganizationNotFound,
    RescindError,
    ResourceTypeInUse,
    RoleInUse,
)
from rescind.model import Reason
from rescind.propagation.organization_removal import clear
from rescind.propagation.worker import Worker
from rescind.settings import Settings
from rescind.transfer import exported
from tests.contract.world import WORLD
from tests.probe import Probe
from tests.sql import ours
from tests.state import dump, may

DELETE = [changes.DeleteOrganization(cascade=True)]
QUESTIONS = [
    ("user:ada", "read", None),
    ("user:ada", "write", "doc:1"),
    ("agent:bot", "purge", "folder:b"),
]
VIEW = "SELECT count(*) FROM rescind.effective_permission WHERE organization = 'acme'"


def left_of(authority: Authority, o: int) -> set[str]:
    """The tables that have anything of an organization."""
    rows = dump(authority)
    del rows["role_permission"]
    at = dict.fromkeys(rows, 0) | {"role": 1, "permission": 1}
    return {table for table, found in rows.items() if any(row[at[table]] == o for row in found)}


def clear_all(authority: Authority, *, rows: int) -> int:
    """Clear everything away in chunks of so many rows; how many chunks there were."""
    chunks = 0
    while clear(authority.store, rows=rows):
        chunks += 1
    return chunks


def test_nobody_is_answered_from_it(acme: Authority) -> None:
    """When the call returns, every decision point, list and the view know no such organization, and
    what is left of it is still there.
    """
    o = acme.check(*QUESTIONS[0]).revision.incarnation
    acme.store.queries["view"] = ours(acme, VIEW)  # type: ignore[attr-defined]
    assert acme.store.fetch("view", {}) != [(0,)]
    receipt = acme.apply(DELETE, route="background")
    assert (receipt.direction, receipt.route) == (Direction.REVOKES, Route.BACKGROUND)
    assert receipt.settled_at is None
    assert "effective_role" in left_of(acme, o)
    for question in QUESTIONS:
        for assurance in ("standard", "live"):
            assert acme.check(*question, assurance=assurance).reason is Reason.UNKNOWN_ORGANIZATION
        assert not acme.explain(*question)
    for ask in (lambda: acme.who_can("read"), lambda: acme.apply([changes.CreateGroup(group="x")])):
        with pytest.raises(OrganizationNotFound):
            ask()
    assert acme.store.fetch("view", {}) == [(0,)]
    with acme.store.connection() as connection, pytest.raises(OrganizationNotFound):
        acme.apply([changes.CreateGroup(group="x")], within=connection)


def test_with_its_name_it_would_be_answered_from(acme: Authority, probe: Probe) -> None:
    """Control: what is left is enough to be let in."""
    probe.omitted |= {"bury_organization", "delete_all_role_permissions", "delete_all_permissions"}
    acme.apply(DELETE, route="background")
    for question in QUESTIONS:
        assert acme.check(*question, assurance="live")


def test_memory_lets_go_of_it(database: str) -> None:
    """Who holds it in memory, here or in another process, answers nothing from it at return."""
    with (
        Authority.open(database, organization="acme", index=True) as held,
        Authority.open(database, organization="acme") as plain,
    ):
        plain.apply(WORLD)
        assert held.load()
        assert held.check(*QUESTIONS[0])
        plain.apply(DELETE, route="background")
        for question in QUESTIONS:
            assert held.check(*question).reason is Reason.UNKNOWN_ORGANIZATION


@pytest.mark.parametrize("rows", [1, 7, 5_000])
def test_all_of_it_goes(acme: Authority, rows: int) -> None:
    """Chunk by chunk, also where one of the same name was made at once; that one and all others are as
    they were. It is pending as long as anything is left, and settled then.
    """
    acme.apply(WORLD, organization="other")
    acme.apply([changes.SetDefaultRole(role="reader"), changes.SetRoleMode(mode="single")])
    acme.apply([changes.Unassign(role="reader", to="group:staff")])
    deleted = acme.apply(DELETE, route="background", idempotency_key="k")
    o = deleted.revision.incarnation
    made = acme.apply(WORLD)
    assert made.revision.incarnation != o
    assert made.revision.organization == 1
    before = exported(acme, "acme"), exported(acme, "other")
    (work,) = acme.pending()
    assert (work.organization, work.kind, work.done) == ("acme", "organization", 0)
    assert acme.has_due_work()
    chunks = clear_all(acme, rows=rows)
    assert (chunks == 1) == (rows == 5_000)
    assert left_of(acme, o) == {"organization", "change", "idempotency"}
    assert (exported(acme, "acme"), exported(acme, "other")) == before
    assert may(acme, "user:ada", "read")
    assert not acme.pending()
    assert not acme.has_due_work()


def test_it_is_settled_when_all_is_gone(acme: Authority) -> None:
    """The log and the receipt of a repeated call say when; what waited for other work is settled too."""
    acme.apply([changes.RemoveMembers(group="eng", members=("user:ada",))], route="background")
    receipt = acme.apply(DELETE, route="background", idempotency_key="k")
    assert acme.apply(DELETE, idempotency_key="k").settled_at is None
    clear_all(acme, rows=9)
    assert acme.apply(DELETE, idempotency_key="k").settled_at is not None
    assert all(entry.settled_at is not None for entry in acme.log())
    assert list(acme.log())[-1].revision == receipt.revision.organization


@pytest.mark.parametrize("route", ["inline", "background"])
def test_what_is_only_pending_is_revoked_too(authority: Authority, route: str) -> None:
    """What was given and is no effective role yet counts: decision points gave it already."""
    authority.apply([*WORLD[:-4], changes.SetDefaultRole(role=None)])
    authority.apply([changes.Assign(role="reader", to="group:staff")], route="background")
    assert may(authority, "user:ada", "read")
    assert authority.apply(DELETE, route=route).direction is Direction.REVOKES
    assert all(e.settled_at is not None for e in authority.log()) == (route == "inline")


def test_without_the_note_it_would_pass_for_granting(authority: Authority, probe: Probe) -> None:
    """Control: then replicas would not be waited for."""
    authority.apply(WORLD[:-4])
    authority.apply([changes.Assign(role="reader", to="group:staff")], route="background")
    probe.omitted.add("note_assignments_in_force")
    assert authority.apply(DELETE, route="inline").direction is Direction.GRANTS


def test_a_large_one_goes_to_the_background_by_itself(database: str) -> None:
    """And a small one is gone when the call returns."""
    few = Settings(inline_most_pairs=10, critical_inline_most_pairs=10)
    with Authority.open(database, organization="acme", settings=few) as authority:
        authority.apply(WORLD)
        receipt = authority.apply(DELETE)
        assert (receipt.route, receipt.direction) == (Route.BACKGROUND, Direction.REVOKES)
        assert "over the budget" in receipt.route_reason
        authority.apply([changes.CreateOrganization()], organization="small")
        small = authority.apply(DELETE, organization="small")
        assert small.route is Route.INLINE
        assert left_of(authority, small.revision.incarnation) == {"organization", "change"}
        worker = Worker(authority.store, few)
        while worker.work_once():
            pass
        assert left_of(authority, receipt.revision.incarnation) == {"organization", "change"}


@pytest.fixture
def left(authority: Authority) -> Authority:
    """What is defined for all organizations is used by one that was deleted, and is left."""
    authority.apply([c for c in WORLD if _is_shared(c)], organization=ENVIRONMENT)
    authority.apply([c for c in WORLD if not _is_shared(c)])
    authority.apply([changes.DefineRole(role="own"), changes.Assign(role="own", to="group:eng")])
    authority.apply(DELETE, route="background")
    return authority


def _is_shared(change: changes.Change) -> bool:
    return isinstance(change, changes.ON_ENVIRONMENT)


def test_what_it_used_can_be_deleted(left: Authority) -> None:
    """Roles, permissions and types of resources: for those who define them it is gone."""
    receipt = left.apply([changes.DeleteRole(role="reader")], organization=ENVIRONMENT)
    assert receipt.changed
    left.apply(
        [
            changes.DefineRole(role="own"),
            changes.DeleteRole(role="owner", cascade=True),
            changes.DeletePermission(permission="purge"),
            changes.DeleteResourceType(type="doc"),
        ],
        organization=ENVIRONMENT,
    )
    clear_all(left, rows=3)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (changes.DeleteRole(role="reader"), RoleInUse),
        (changes.DeleteResourceType(type="doc"), ResourceTypeInUse),
    ],
)
def test_what_others_use_is_in_use(
    left: Authority, change: changes.Change, error: type[RescindError]
) -> None:
    """Control: it is not for all that in nobody's use."""
    left.apply([c for c in WORLD if not _is_shared(c)], organization="other")
    with pytest.raises(error):
        left.apply([change], organization=ENVIRONMENT)


def test_without_taking_the_role_back_from_it(left: Authority, probe: Probe) -> None:
    """Control: the role would be in use for as long as anything is left."""
    probe.omitted.add("forget_role_of_deleted")
    with pytest.raises(RoleInUse):
        left.apply([changes.DeleteRole(role="reader")], organization=ENVIRONMENT)


def test_nothing_comes_after_it(acme: Authority) -> None:
    """In a batch: it would go to an organization that nobody can see."""
    with pytest.raises(InvalidChange, match="last of its batch"):
        acme.apply([*DELETE, changes.CreateGroup(group="new")])
    assert may(acme, "user:ada", "read")


def test_a_preview_tells_all_that_is_lost(acme: Authority) -> None:
    """Exactly, by whatever route."""
    lost = acme.preview(DELETE)
    assert not lost.granted
    assert ("user:ada", "write", "folder:a") in lost.revoked
    assert acme.apply(DELETE, route="background", detail=True).difference == lost


def test_one_clears_at_a_time(new_database: Callable[[str], str]) -> None:
    """What somebody else is at is left to them."""
    with Authority.open(new_database("postgres"), organization="acme") as authority:
        authority.apply(WORLD)
        authority.apply(DELETE, route="background")
        with authority.store.connection() as connection:
            connection.execute("SELECT * FROM rescind.deletion FOR UPDATE")  # type: ignore[attr-defined]
            assert not clear(authority.store)
        assert clear(authority.store)
