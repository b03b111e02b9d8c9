"""Changes in Django's transactions: with the caller's rows, or not at all; enforced after the commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.test import TestCase

from rescind import Receipt, changes
from rescind.errors import InvalidArgument, MembershipNotFound
from rescind.integrations.django import (
    access,
    apply,
    assign_perm,
    authority,
    get_perms,
    remove_perm,
    transactions,
)
from rescind.integrations.django.naming import subject_of
from tests.django_app import Current
from tests.django_app.people import person
from tests.django_app.shelf.models import Document

pytestmark = pytest.mark.usefixtures("project")


@contextmanager
def atomic(**options: Any) -> Iterator[None]:
    with transaction.atomic(using=Current.alias, **options):
        yield


@pytest.fixture
def enforced(monkeypatch: pytest.MonkeyPatch) -> list[Receipt]:
    """The receipts that were enforced after a commit."""
    found: list[Receipt] = []
    enforce = Receipt.enforce

    def noted(receipt: Receipt) -> Receipt:
        found.append(receipt)
        return enforce(receipt)

    monkeypatch.setattr(Receipt, "enforce", noted)
    return found


def give(name: str, resource: str = "doc:4") -> Receipt:
    return apply([changes.Assign(role="viewer", to=subject_of(person(name)), on=resource)])


def test_a_change_commits_with_the_callers_rows(enforced: list[Receipt]) -> None:
    """Others see it after the commit, and it is enforced then, once."""
    eve = subject_of(person("eve"))
    with atomic():
        Document.objects.filter(pk=4).update(title="with it")
        receipt = give("eve")
        assert receipt.enforced_at is None
        assert not authority().check(eve, "doc:read", "doc:4")
        assert enforced == []
    assert enforced == [receipt]
    assert authority().check(eve, "doc:read", "doc:4")


def test_nothing_is_left_of_a_transaction_that_is_rolled_back(enforced: list[Receipt]) -> None:
    revision = authority().check("user:1", "doc:read").revision
    with atomic():
        User.objects.create_user("new")
        give("eve")
        transaction.set_rollback(True, using=Current.alias)
    assert not User.objects.filter(username="new").exists()
    assert not person("eve").has_perm("doc:read", "doc:4")
    assert authority().check("user:1", "doc:read").revision == revision
    assert enforced == []


def test_a_savepoint_takes_its_own_changes_back(enforced: list[Receipt]) -> None:
    """What was changed before it stays."""
    eve = person("eve")
    with atomic():
        kept = give("eve", "doc:4")
        with atomic():
            give("eve", "doc:2")
            assert eve.has_perm("doc:read", "doc:2")
            transaction.set_rollback(True, using=Current.alias)
        assert not eve.has_perm("doc:read", "doc:2")
        assert eve.has_perm("doc:read", "doc:4")
    assert enforced == [kept]
    assert eve.has_perm("doc:read", "doc:4")
    assert not eve.has_perm("doc:read", "doc:2")


def test_a_refused_change_leaves_the_transaction_as_it_was() -> None:
    with atomic():
        Document.objects.filter(pk=4).update(title="kept")
        with pytest.raises(MembershipNotFound):
            apply([changes.Assign(role="viewer", to="user:nobody")])
    assert Document.objects.get(pk=4).title == "kept"


def test_a_transaction_sees_its_own_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every way of asking. (Control: without the look at the transaction they are not seen.)"""
    eve, doc = person("eve"), Document.objects.get(pk=4)
    with atomic():
        give("eve")
        assert eve.has_perm("doc:read", doc)
        assert access.allowed(eve, "doc:read", [doc]) == [doc]
        assert get_perms(eve, doc) == ["doc:read"]
        assert list(Document.objects.authorized(eve, "doc:read")) == [doc]
        remove_perm("doc:read", eve, doc)  # which gave nothing
        assert eve.has_perm("doc:read", doc)
        monkeypatch.setattr(access, "within", lambda organization: None)
        assert not eve.has_perm("doc:read", doc)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_transaction_without_changes_sees_every_removal(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it has a snapshot from before. (Control: asked in the transaction, access goes on.)"""
    ada = person("ada")
    with atomic():
        assert Document.objects.exists()  # the snapshot is taken
        gone = [changes.RemoveMembers(group="django-1", members=(subject_of(ada),))]
        authority().apply(gone)
        assert not ada.has_perm("doc:read", "doc:1")
        assert access.allowed(ada, "doc:read", ["doc:1"]) == []
        connection = connections[Current.alias]
        monkeypatch.setattr(access, "within", lambda organization: connection)
        assert ada.has_perm("doc:read", "doc:1")


def test_a_batch_that_changes_nothing_is_no_change_of_the_transaction() -> None:
    """So later questions are not asked in it: it does not hold the organization's lock."""
    with atomic():
        apply([changes.Unassign(role="viewer", to=subject_of(person("eve")), on="doc:4")])
        assert transactions.within("acme") is None
        give("eve")
        assert transactions.within("acme") is not None
        assert transactions.within("other") is None
    assert transactions.within("acme") is None


def test_tests_of_django_run_callbacks_without_a_commit() -> None:
    """`captureOnCommitCallbacks(execute=True)` in a transaction that is rolled back: nothing to enforce."""
    eve = person("eve")
    with atomic():
        with TestCase.captureOnCommitCallbacks(using=Current.alias, execute=True) as callbacks:
            give("eve")
        assert len(callbacks) == 1
        assert eve.has_perm("doc:read", "doc:4")
        transaction.set_rollback(True, using=Current.alias)
    assert not eve.has_perm("doc:read", "doc:4")


def test_a_failure_to_enforce_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """The change is committed then; the block does not end as if it were enforced."""

    def failing(receipt: Receipt) -> Receipt:
        raise ConnectionError

    monkeypatch.setattr(Receipt, "enforce", failing)
    with pytest.raises(ConnectionError), atomic():
        give("eve")
    assert person("eve").has_perm("doc:read", "doc:4")


def test_a_transaction_that_django_does_not_manage_is_refused() -> None:
    connection = connections[Current.alias]
    connection.ensure_connection()
    connection.set_autocommit(False)
    try:
        with pytest.raises(InvalidArgument, match="atomic"):
            give("eve")
    finally:
        connection.rollback()
        connection.set_autocommit(True)


def test_without_a_transaction_it_is_enforced_at_once() -> None:
    assert give("eve").enforced_at is not None
    assert remove_perm("doc:read", person("eve"), "doc:4").enforced_at is not None


def test_the_log_names_who_did_it(project: Any) -> None:
    assign_perm("doc:read", person("eve"), Document.objects.get(pk=4))
    project(ACTOR=lambda: "ada's request")
    remove_perm("doc:read", person("eve"), Document.objects.get(pk=4))
    apply([changes.Assign(role="viewer", to="user:5")], actor="somebody")
    actors = [entry.actor for entry in authority().log()][-3:]
    assert actors == ["django", "ada's request", "somebody"]


def give_three() -> list[Receipt]:
    """Of which a savepoint takes the second back."""
    receipts = [give("eve")]
    with atomic():
        receipts.append(give("eve", "doc:2"))
        transaction.set_rollback(True, using=Current.alias)
    return [*receipts, give("eve", "doc:6")]


def test_changes_are_enforced_before_other_callbacks(enforced: list[Receipt]) -> None:
    """Which may fail: Django runs none after one that does. Those that a savepoint took back are left out."""

    def failing() -> None:
        assert enforced == [first, second]
        raise RuntimeError

    with ExitStack() as block:
        block.enter_context(pytest.raises(RuntimeError))
        block.enter_context(atomic())
        transaction.on_commit(failing, using=Current.alias)
        first, _, second = give_three()
    assert enforced == [first, second]


def test_a_failure_to_enforce_keeps_no_other_change_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enforce, found = Receipt.enforce, list[Receipt]()

    def failing(receipt: Receipt) -> Receipt:
        found.append(receipt)
        if len(found) == 1:
            raise ConnectionError
        return enforce(receipt)

    monkeypatch.setattr(Receipt, "enforce", failing)
    with ExitStack() as block:
        block.enter_context(pytest.raises(ConnectionError))
        block.enter_context(atomic())
        given = give_three()
    assert found == given


def test_callbacks_of_a_test_case_stay_in_their_order() -> None:
    """`captureOnCommitCallbacks` takes those at the end of the list."""
    ran: list[str] = []
    block = transaction.atomic(using=Current.alias)
    block._from_testcase = True
    with block:
        transaction.on_commit(lambda: ran.append("earlier"), using=Current.alias)
        with TestCase.captureOnCommitCallbacks(using=Current.alias, execute=True) as callbacks:
            give("eve")
        assert [type(each).__name__ for each in callbacks] == ["Enforcement"]
        assert ran == []
        transaction.set_rollback(True, using=Current.alias)
