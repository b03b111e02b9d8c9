"""Background work is settled by whoever calls, without a worker: by a group's name, or by what is pending."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rescind import ENVIRONMENT, Authority, changes
from rescind.errors import GroupBusy, GroupNotFound
from rescind.propagation.audit import audit
from tests.contract.world import WORLD
from tests.state import may

DELETE_GROUP = changes.DeleteGroup(group="eng", cascade=True)
SHARED = (changes.DefinePermission, changes.DefineRole, changes.DefineResourceType)
DELETE_ALL = changes.DeleteOrganization(cascade=True)


def settle_all(authority: Authority) -> None:
    """What a scheduler of one's own does."""
    for work in authority.pending():
        authority.reconcile(work)


def test_a_deleted_groups_work_is_settled(acme: Authority) -> None:
    """The group has no name to call it by any more; what is pending for it is settled nevertheless."""
    receipt = acme.apply([DELETE_GROUP], route="background", idempotency_key="k")
    assert receipt.settled_at is None
    assert {work.group for work in acme.pending()} == {None}
    with pytest.raises(GroupNotFound):
        acme.reconcile("eng")
    settle_all(acme)
    assert acme.pending() == []
    assert not acme.has_due_work()
    assert acme.apply([DELETE_GROUP], idempotency_key="k").settled_at is not None
    assert audit(acme.store).is_clean


def test_parked_work_is_settled_too(acme: Authority) -> None:
    """Of a group that was deleted as of any other."""
    acme.apply([changes.Unassign(role="reader", to="group:staff")], route="background")
    acme.apply([DELETE_GROUP], route="background")
    for work in acme.pending():
        acme.park(work)
    settle_all(acme)
    assert acme.pending() == []
    assert audit(acme.store).is_clean


def test_an_item_is_of_its_own_organization(acme: Authority) -> None:
    """Whatever organization the authority is for, or the call names."""
    acme.apply(WORLD, organization="other")
    leave = changes.RemoveMembers(group="eng", members=("user:ada",))
    for name in ("acme", "other"):
        acme.apply([leave], organization=name, route="background")
    (work,) = acme.pending(organization="other")
    acme.reconcile(work, organization="acme")
    assert acme.pending(organization="other") == []
    assert len(acme.pending(organization="acme")) == 1


def test_a_group_made_anew_is_another(acme: Authority) -> None:
    """By its name, only that one's work is settled; the deleted one's has its item."""
    acme.apply([DELETE_GROUP], route="background")
    (before,) = {work.group_number for work in acme.pending()}
    acme.apply([changes.CreateGroup(group="eng")])
    acme.apply([changes.AddMembers(group="eng", members=("user:bob",))], route="background")
    acme.apply([changes.Assign(role="owner", to="group:eng")], route="background")
    acme.reconcile("eng")
    assert {work.group_number for work in acme.pending()} == {before}
    settle_all(acme)
    assert may(acme, "user:bob", "purge")
    assert not may(acme, "user:ada", "write", "doc:1")


def test_what_is_left_of_an_organization_is_cleared_away(acme: Authority) -> None:
    """Of that one; whatever else is pending stays so."""
    acme.apply([DELETE_ALL], route="background")
    acme.apply(WORLD, organization="other")
    acme.apply([DELETE_ALL], organization="other", route="background")
    (work,) = acme.pending(organization="other")
    acme.reconcile(work)
    assert acme.pending(organization="other") == []
    assert [left.organization for left in acme.pending()] == ["acme"]
    settle_all(acme)
    acme.reconcile(work)  # a repeated call does nothing
    assert not acme.has_due_work()
    assert list(acme.log(organization="other"))[-1].settled_at is not None


def test_a_role_of_all_is_followed_in_each(authority: Authority) -> None:
    """Where a change of all organizations left work in some, that is settled item by item."""
    shared = [change for change in WORLD if isinstance(change, SHARED)]
    others = [change for change in WORLD if not isinstance(change, SHARED)]
    authority.apply(shared, organization=ENVIRONMENT)
    for name in ("acme", "other"):
        authority.apply(others, organization=name)
    delete = changes.DeleteRole(role="reader", cascade=True)
    authority.apply([delete], organization=ENVIRONMENT, route="background")
    assert len({work.organization for work in authority.pending()}) == 2
    settle_all(authority)
    assert authority.pending() == []
    assert audit(authority.store).is_clean


def test_who_is_at_it_is_left_to_it(new_database: Callable[[str], str]) -> None:
    """The call says so, and can be repeated."""
    with Authority.open(new_database("postgres"), organization="acme") as authority:
        authority.apply(WORLD)
        for change, table in ((DELETE_GROUP, '"group"'), (DELETE_ALL, "deletion")):
            authority.apply([change], route="background")
            work = authority.pending()[0]
            with authority.store.connection() as connection:
                connection.execute(f"SELECT * FROM rescind.{table} FOR UPDATE")  # type: ignore[attr-defined]
                with pytest.raises(GroupBusy):
                    authority.reconcile(work)
            authority.reconcile(work)
            assert authority.pending() == []
