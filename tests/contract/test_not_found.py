"""Taking away what is not there is done already: the rest of the batch is done, and the receipt says what
was not found.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, get_args

import pytest

from rescind import Authority, Missing, Receipt, changes, errors
from rescind.changes import Change, Given
from rescind.errors import RescindError
from rescind.model import IdRule, RoleMode
from rescind.store.postgres.transaction import PostgresTransaction
from rescind.store.sqlite.transaction import SqliteTransaction
from tests.contract.world import FUTURE
from tests.state import dump

NOBODY, NOWHERE = Missing("subject", "user:nobody"), Missing("group", "nowhere")
NO_ROLE, NO_RESOURCE = Missing("role", "none"), Missing("resource", "doc:none")
NO_PERMISSION = Missing("permission", "none")

ABSENT: list[tuple[Change, tuple[Missing, ...]]] = [
    (changes.DeactivateMembership(subject="nobody"), (NOBODY,)),
    (changes.RemoveMembership(subject="nobody"), (NOBODY,)),
    (changes.DeleteGroup(group="nowhere"), (NOWHERE,)),
    (changes.DeleteGroup(group="nowhere", cascade=True), (NOWHERE,)),
    (changes.RemoveMembers(group="nowhere", members=()), (NOWHERE,)),
    (changes.RemoveMembers(group="nowhere", members=("ada", "nobody")), (NOWHERE, NOBODY)),
    (changes.RemoveMembers(group="eng", members=("nobody",)), (NOBODY,)),
    (changes.ReplaceMembers(group="nowhere", members=()), (NOWHERE,)),
    (changes.UnnestGroup(group="nowhere", out_of="eng"), (NOWHERE,)),
    (changes.UnnestGroup(group="eng", out_of="nowhere"), (NOWHERE,)),
    (changes.UnnestGroup(group="nowhere", out_of="nowhere"), (NOWHERE,)),
    (changes.DeletePermission(permission="none"), (NO_PERMISSION,)),
    (changes.DeletePermission(permission="none", cascade=True), (NO_PERMISSION,)),
    (changes.EditRole(role="reader", remove=("none",)), (NO_PERMISSION,)),
    (changes.EditRole(role="none", remove=("read", "none")), (NO_ROLE, NO_PERMISSION)),
    (changes.EditRole(role="none", set=()), (NO_ROLE,)),
    (changes.DeleteRole(role="none"), (NO_ROLE,)),
    (changes.DeleteRole(role="none", cascade=True), (NO_ROLE,)),
    (changes.DeleteResourceType(type="none"), (Missing("type", "none"),)),
    (changes.DeleteResource(resource="doc:none"), (NO_RESOURCE,)),
    (changes.DeleteResource(resource="doc:none", cascade=True), (NO_RESOURCE,)),
    (changes.Unassign(role="reader", to="nobody"), (NOBODY,)),
    (changes.Unassign(role="reader", to="group:nowhere"), (NOWHERE,)),
    (changes.Unassign(role="none", to="group:staff"), (NO_ROLE,)),
    (changes.Unassign(role="none", to="nobody", on="doc:none"), (NOBODY, NO_ROLE, NO_RESOURCE)),
    (changes.ReplaceAssignments(to="nobody", assignments=()), (NOBODY,)),
    (changes.ReplaceAssignments(to="group:nowhere", assignments=()), (NOWHERE,)),
]

TAKING: list[Change] = [
    changes.DeactivateMembership(subject="ada"),
    changes.RemoveMembership(subject="ada"),
    changes.DeleteGroup(group="eng", cascade=True),
    changes.RemoveMembers(group="eng", members=("ada", "bob")),
    changes.ReplaceMembers(group="eng", members=()),
    changes.UnnestGroup(group="eng", out_of="staff"),
    changes.DeletePermission(permission="write", cascade=True),
    changes.EditRole(role="writer", remove=("write",)),
    changes.EditRole(role="writer", set=()),
    changes.DeleteRole(role="writer", cascade=True),
    changes.DeleteResourceType(type="note"),
    changes.DeleteResource(resource="folder:a", cascade=True),
    changes.Unassign(role="writer", to="group:eng", on="folder:a"),
    changes.ReplaceAssignments(to="group:eng", assignments=()),
    changes.DeleteOrganization(cascade=True),
]
"""Each way to take something away."""

GIVING: list[Change] = [
    changes.CreateOrganization(name="Acme"),
    changes.RenameOrganization(name="Other"),
    changes.SetRoleMode(mode="single"),
    changes.SetDefaultRole(role="reader"),
    changes.SetIdRule(rule=IdRule.CASEFOLD),
    changes.AddMembership(subject="user:eve", name="Eve"),
    changes.RenameMembership(subject="user:ada", name="Other"),
    changes.ReactivateMembership(subject="user:ada"),
    changes.CreateGroup(group="new"),
    changes.RenameGroup(group="eng", name="Other"),
    changes.AddMembers(group="eng", members=("bob",), expires_at=FUTURE),
    changes.ReplaceMembers(group="eng", members=("cyd",)),
    changes.NestGroup(group="idle", into="staff"),
    changes.DefinePermission(permission="new"),
    changes.EditPermission(permission="read", description="see"),
    changes.DefineRole(role="new", permissions=("read",)),
    changes.EditRole(role="reader", add=("write",), remove=("read",), name="Reader"),
    changes.DefineResourceType(type="new"),
    changes.CreateResource(resource="doc:new"),
    changes.MoveResource(resource="doc:1", parent="folder:b"),
    changes.Assign(role="owner", to="group:eng"),
    changes.ReplaceAssignments(to="group:staff", assignments=(Given(role="owner"),)),
]


@pytest.mark.parametrize("absent", ABSENT, ids=lambda absent: str(absent[0]))
@pytest.mark.parametrize("mode", ["multiple", "single"])
def test_what_is_not_there_is_said(
    settled: Authority, absent: tuple[Change, tuple[Missing, ...]], mode: str
) -> None:
    """Nothing changes; the receipt names each thing that does not exist, once, and a preview is empty."""
    change, missing = absent
    in_mode: list[Change] = (
        [] if mode == "multiple" else [changes.SetRoleMode(mode=RoleMode.SINGLE)]
    )
    seen: list[Receipt] = []
    before = dump(settled)
    with suppress(ZeroDivisionError), settled.store.connection() as connection:
        settled.apply(in_mode, within=connection)
        seen.append(settled.apply([change, change], within=connection))
        raise ZeroDivisionError
    (receipt,) = seen
    assert not receipt.changed
    assert receipt.not_found == missing
    assert dump(settled) == before
    assert not settled.preview([*in_mode, change]).revoked


GONE: list[Change] = [
    changes.RemoveMembers(group="eng", members=("nobody", "ada")),
    changes.RemoveMembership(subject="nobody"),
    changes.DeactivateMembership(subject="nobody"),
    changes.Unassign(role="reader", to="nobody"),
    changes.Unassign(role="reader", to="group:nowhere"),
]


@pytest.mark.parametrize("change", GONE, ids=str)
def test_what_is_there_is_taken_whoever_has_gone(acme: Authority, change: Change) -> None:
    """One of several has gone: the others lose what they are to lose, and the receipt says who has gone."""
    assert acme.check("user:ada", "write", "doc:1")
    receipt = acme.apply([change, changes.RemoveMembers(group="eng", members=("ada",))])
    assert receipt.changed
    assert len(receipt.not_found) == 1
    assert not acme.check("user:ada", "write", "doc:1")


def _refusing(count: Any) -> Any:
    """A `count_expected` that refuses where it would note what is missing."""

    def counted(tx: Any, *arguments: Any, or_note: str | None = None, **options: Any) -> None:
        if or_note is not None:
            options["or_refuse"] = or_note
        count(tx, *arguments, **options)

    return counted


@pytest.mark.parametrize("change", GONE, ids=str)
def test_control_where_it_is_refused_access_stays(
    acme: Authority, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above would see if a missing name refused the batch, as it does of changes that give."""
    for kind in (SqliteTransaction, PostgresTransaction):
        monkeypatch.setattr(kind, "note_missing", kind.refuse)
        monkeypatch.setattr(kind, "count_expected", _refusing(kind.count_expected))
    with pytest.raises(RescindError):
        acme.apply([change, changes.RemoveMembers(group="eng", members=("ada",))])
    assert acme.check("user:ada", "write", "doc:1")


def test_every_change_is_here() -> None:
    """Each change takes away, or gives; a changed id does both."""
    both = {changes.ChangeMembershipId, changes.ChangeGroupId}
    assert {type(change) for change in (*TAKING, *GIVING)} | both == set(get_args(Change))


@pytest.mark.parametrize("change", [*TAKING, *GIVING], ids=str)
def test_every_change_may_be_repeated(acme: Authority, change: Change) -> None:
    """Once done, it alters nothing the second time, and is not refused."""
    assert acme.apply([change]).not_found == ()
    before = dump(acme)
    again = acme.apply([change])
    assert not again.changed
    assert dump(acme) == before


@pytest.mark.parametrize("change", TAKING, ids=str)
def test_what_takes_may_be_repeated_after_any_other(settled: Authority, change: Change) -> None:
    """Whatever was done in between, taking away again is not refused, and all of it is gone then; but for a
    whole organization that is not there, of which nothing but its deletion may be repeated.
    """
    before = dump(settled)
    deletes = changes.DeleteOrganization(cascade=True)
    refused = 0
    with suppress(ZeroDivisionError), settled.store.connection() as connection:
        driver: Any = connection
        settled.apply([change], within=connection)
        for other in (*TAKING, *GIVING):
            driver.execute("SAVEPOINT pair")
            try:
                settled.apply([other], within=connection)
            except RescindError:
                refused += 1  # what the change took is not there to be given something
            if other == deletes != change:
                with pytest.raises(errors.OrganizationNotFound):
                    settled.apply([change], within=connection)
            else:
                settled.apply([change], within=connection)
            driver.execute("ROLLBACK TO pair")
        raise ZeroDivisionError
    assert refused < len(GIVING) or change == deletes
    assert dump(settled) == before


def test_what_was_not_found_is_kept_with_the_key(acme: Authority) -> None:
    """Repeated with its key, a change has the same receipt, whether or not it altered anything, also when
    they exist by then.
    """
    takes = changes.RemoveMembers(group="eng", members=("ada", "nobody"))
    first = acme.apply([takes], idempotency_key="one")
    nothing = acme.apply([changes.RemoveMembership(subject="nobody")], idempotency_key="two")
    acme.apply([changes.AddMembership(subject="nobody")])
    assert acme.apply([takes], idempotency_key="one") == first
    again = acme.apply([changes.RemoveMembership(subject="nobody")], idempotency_key="two")
    assert first.not_found == nothing.not_found == again.not_found == (NOBODY,)
    assert acme.apply([changes.Assign(role="reader", to="nobody")]).not_found == ()


def test_one_transaction_of_several_changes_says_it_of_each(acme: Authority) -> None:
    """Within a caller's transaction, a receipt has what its own change did not find."""
    with acme.store.connection() as connection:
        first = acme.apply([changes.RemoveMembership(subject="nobody")], within=connection)
        second = acme.apply([changes.DeleteGroup(group="nowhere")], within=connection)
        third = acme.apply([changes.DeleteGroup(group="idle")], within=connection)
    assert (first.not_found, second.not_found, third.not_found) == ((NOBODY,), (NOWHERE,), ())


def test_a_deleted_organization_is_deleted(acme: Authority) -> None:
    """Deleting it again, or one that never was, says so; other changes of it are refused."""
    delete = changes.DeleteOrganization(cascade=True)
    last = acme.apply([delete])
    for _ in range(2):
        again = acme.apply([delete], detail=True)
        assert not again.changed
        assert again.not_found == (Missing("organization", "acme"),)
        assert again.revision == last.revision
    never = acme.apply([delete], organization="never")
    assert never.not_found == (Missing("organization", "never"),)
    assert acme.preview([delete], organization="never").revoked == ()
    batches: list[list[Change]] = [
        [changes.RemoveMembership(subject="ada")],
        [changes.RenameOrganization(name="x"), delete],
    ]
    for batch in batches:
        with pytest.raises(errors.OrganizationNotFound):
            acme.apply(batch)
    with pytest.raises(errors.OrganizationNotFound):
        acme.apply([delete], if_revision=last.token)


def test_what_is_there_for_all_organizations_is_not_missing(acme: Authority) -> None:
    """An organization cannot delete what was defined for all of them: that is refused, not passed over."""
    for_all: list[Change] = [
        changes.DefinePermission(permission="shared"),
        changes.DefineRole(role="shared", permissions=("shared",)),
        changes.DefineResourceType(type="shared"),
    ]
    acme.apply(for_all, organization="*")
    for change, kind in (
        (changes.DeletePermission(permission="shared"), errors.PermissionNotFound),
        (changes.DeleteRole(role="shared", cascade=True), errors.RoleNotFound),
        (changes.EditRole(role="shared", remove=("shared",)), errors.RoleNotFound),
        (changes.DeleteResourceType(type="shared"), errors.ResourceTypeNotFound),
    ):
        with pytest.raises(kind):
            acme.apply([change])


def test_the_list_is_bounded(acme: Authority) -> None:
    """More names than can be wanted are not kept; what is there is taken all the same."""
    names = tuple(f"n{number}" for number in range(10_100))
    receipt = acme.apply([changes.RemoveMembers(group="eng", members=(*names, "ada"))])
    assert len(receipt.not_found) == 10_000
    assert not acme.check("user:ada", "write", "doc:1")
