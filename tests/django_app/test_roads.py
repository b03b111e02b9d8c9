"""Every road by which Django takes access away: it is enforced when the call, or the commit, has returned."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connections, transaction

from rescind import changes
from rescind.integrations.django import (
    apply,
    assign_perm,
    authority,
    memberships,
    synced_resources,
)
from rescind.integrations.django.naming import group_of, subject_of
from rescind.integrations.django.opened import open_authority
from rescind.integrations.django.options import options
from tests.django_app import Current
from tests.django_app.shelf.models import Document, Folder

pytestmark = pytest.mark.usefixtures("project", "immediate")


@pytest.fixture
def immediate(project: Any) -> Iterator[None]:
    """Transactions begin as the how-to has it: on SQLite, one that reads first may be refused a write."""
    named = connections["default"].settings_dict
    connections["default"].close()
    named["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}
    yield
    connections["default"].close()
    named["OPTIONS"] = {}


@dataclass
class Case:
    """Somebody who reads a document by a group's role on its folder."""

    user: Any
    group: Any
    folder: Any
    doc: Any
    subject: str
    resource: str

    def is_allowed(self) -> bool:
        """By the facts, whoever asks and however. All ways must agree."""
        answers = {bool(authority().check(self.subject, "doc:read", self.resource))}
        if User.objects.filter(pk=self.user.pk, is_active=True).exists():
            fresh = User.objects.get(pk=self.user.pk)
            answers |= {user.has_perm("doc:read", self.resource) for user in (fresh, self.user)}
            if Document.objects.filter(pk=self.doc.pk).exists():
                listed = Document.objects.authorized(fresh, "doc:read")
                answers.add(listed.filter(pk=self.doc.pk).exists())
        assert len(answers) == 1, (self, answers)
        return answers.pop()


def case(number: int) -> Case:
    user = User.objects.create_user(f"reader {number}")
    group, folder = Group.objects.create(name=f"group {number}"), Folder.objects.create(name="new")
    doc = Document.objects.create(title="new", folder=folder)
    user.groups.add(group)
    to = f"group:{group_of(group)}"
    apply([changes.Assign(role="viewer", to=to, on=f"folder:{folder.pk}")])
    return Case(user, group, folder, doc, subject_of(user), f"doc:{doc.pk}")


def inactive(case: Case, **named: Any) -> None:
    user = User.objects.get(pk=case.user.pk)
    user.is_active = False
    user.save(**named)


def moved(case: Case, folder: Any, **named: Any) -> None:
    doc = Document.objects.get(pk=case.doc.pk)
    doc.folder = folder
    doc.save(**named)


SIGNALLED: Final[dict[str, Callable[[Case], Any]]] = {
    "remove": lambda case: case.user.groups.remove(case.group),
    "clear": lambda case: case.user.groups.clear(),
    "set": lambda case: case.user.groups.set([Group.objects.get(name="Readers")]),
    "set anew": lambda case: case.user.groups.set([], clear=True),
    "remove from the other side": lambda case: case.group.user_set.remove(case.user),
    "clear from the other side": lambda case: case.group.user_set.clear(),
    "set from the other side": lambda case: case.group.user_set.set([]),
    "delete the group": lambda case: case.group.delete(),
    "delete groups": lambda case: Group.objects.filter(pk=case.group.pk).delete(),
    "deactivate": inactive,
    "deactivate by a field": lambda case: inactive(case, update_fields=["is_active"]),
    "delete the user": lambda case: User.objects.get(pk=case.user.pk).delete(),
    "delete users": lambda case: User.objects.filter(pk=case.user.pk).delete(),
    "move the object": lambda case: moved(case, Folder.objects.create(name="other")),
    "move it to the top": lambda case: moved(case, None, update_fields=["folder"]),
    "update or create": lambda case: Document.objects.update_or_create(
        {"folder": None}, pk=case.doc.pk
    ),
    "delete the object": lambda case: Document.objects.get(pk=case.doc.pk).delete(),
    "delete what is above": lambda case: Folder.objects.filter(pk=case.folder.pk).delete(),
}
OWN: Final[dict[str, Callable[[Case], Any]]] = {
    "unassign": lambda case: apply(
        [
            changes.Unassign(
                role="viewer", to=f"group:{group_of(case.group)}", on=f"folder:{case.folder.pk}"
            )
        ]
    ),
    "remove the membership": lambda case: apply([changes.RemoveMembership(subject=case.subject)]),
    "deactivate the membership": lambda case: apply(
        [changes.DeactivateMembership(subject=case.subject)]
    ),
}
UNSEEN: Final[dict[str, Callable[[Case], Any]]] = {
    "update the user": lambda case: User.objects.filter(pk=case.user.pk).update(is_active=False),
    "bulk_update": lambda case: User.objects.bulk_update(
        [User(pk=case.user.pk, is_active=False)], ["is_active"]
    ),
    "the table of places": lambda case: User.groups.through.objects.filter(
        user=case.user.pk
    ).delete(),
    "update the object": lambda case: Document.objects.filter(pk=case.doc.pk).update(folder=None),
    "SQL": lambda case: run(f"DELETE FROM shelf_document WHERE id = {case.doc.pk}"),
    "SQL on a group": lambda case: run(
        f"DELETE FROM auth_user_groups WHERE group_id = {case.group.pk}",
        f"DELETE FROM auth_group WHERE id = {case.group.pk}",
    ),
    "SQL on a user": lambda case: run(
        f"DELETE FROM auth_user_groups WHERE user_id = {case.user.pk}",
        f"DELETE FROM auth_user WHERE id = {case.user.pk}",
    ),
}


def run(*statements: str) -> None:
    with connections[Current.alias].cursor() as cursor:
        for each in statements:
            cursor.execute(each)


@contextmanager
def transactions(depth: int) -> Any:
    """None, one, or one with savepoints in it."""
    with ExitStack() as stack:
        for _ in range(depth):
            stack.enter_context(transaction.atomic(using=Current.alias))
        yield


def test_access_ends_when_the_call_or_the_commit_returns() -> None:
    """Rolled back, it goes on."""
    for number, road in enumerate({**SIGNALLED, **OWN}.items()):
        name, take_away = road
        found = case(number)
        assert found.is_allowed(), name
        with transactions(1):
            take_away(found)
            transaction.set_rollback(True, using=Current.alias)
        kept = Case(**{**vars(found), "user": User.objects.get(pk=found.user.pk)})
        kept.group = Group.objects.get(name=f"group {number}")
        assert kept.is_allowed(), name
        with transactions(number % 3):
            take_away(kept)
        assert not kept.is_allowed(), name


def test_a_savepoint_that_is_rolled_back_takes_nothing_away() -> None:
    found = case(0)
    with transactions(1):
        with transactions(1):
            found.user.groups.clear()
            transaction.set_rollback(True, using=Current.alias)
        found.group.name = "renamed"
        found.group.save()
    assert found.is_allowed()


def test_without_the_signals_access_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: where nothing follows Django, each of its roads leaves the access."""
    cases = {name: case(number) for number, name in enumerate(SIGNALLED)}
    nothing = SimpleNamespace(changed=False, not_found=())
    for module in (memberships, synced_resources):
        monkeypatch.setattr(module, "apply", lambda *_, **__: nothing)
    for name, found in cases.items():
        SIGNALLED[name](found)
        assert authority().check(found.subject, "doc:read", found.resource), name


def test_what_has_no_signal_ends_with_the_command() -> None:
    """Also what is left of rows that are gone, which `--prune` removes. Before, it is only counted."""
    for number, road in enumerate(UNSEEN.items()):
        name, take_away = road
        found = case(number)
        take_away(found)
        assert authority().check(found.subject, "doc:read", found.resource), name
        output = io.StringIO()
        call_command("rescind_sync", stdout=output)
        is_row_gone = name.startswith("SQL")
        assert ("1 " in output.getvalue() and "--prune" in output.getvalue()) is is_row_gone, name
        if is_row_gone:
            call_command("rescind_sync", "--prune", stdout=output)
            assert " removed" in output.getvalue()
        assert not authority().check(found.subject, "doc:read", found.resource), name


def test_only_what_follows_django_is_pruned() -> None:
    """Other kinds of subjects, groups and resources, and ids that no row can have, are of others."""
    kept: list[changes.Change] = [
        changes.AddMembership(subject="service_account:build"),
        changes.AddMembership(subject="user:from-elsewhere"),
        changes.CreateGroup(group="staff"),
        changes.CreateGroup(group="django-x"),
        changes.DefineResourceType(type="repo"),
        changes.CreateResource(resource="repo:1"),
        changes.CreateResource(resource="doc:x1"),
    ]
    apply([*kept, changes.AddMembership(subject="user:4711")])
    call_command("rescind_sync", "--prune", stdout=io.StringIO())
    assert not apply(kept).changed
    assert apply([changes.AddMembership(subject="user:4711")]).changed


def test_a_flush_leaves_nothing_to_who_gets_the_numbers_next() -> None:
    """Django gives numbers again after it. (Control: its rows are gone, and nothing of Rescind's before.)"""
    found = case(0)
    assign_perm("doc:read", found.user)
    connections[Current.alias].close()
    call_command("flush", interactive=False, database=Current.alias, verbosity=0)
    assert not authority().list_memberships().items
    assert not authority().list_groups().items
    assert not authority().list_resources().items
    user = User.objects.create_user("new", pk=found.user.pk)
    assert not user.has_perm("doc:read")
    assert authority().check("user:1", "doc:read").reason.value != "unknown_permission"


def test_a_new_number_has_nothing_of_an_earlier_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a restore of Django's tables alone. (Control: where it is not seen, the roles are there.)"""

    def numbers() -> tuple[Any, Any, Any]:
        group = Group.objects.create(name=f"g{Group.objects.count()}{User.objects.count()}")
        user = User.objects.create_user(f"u{User.objects.count()}")
        return user, group, Folder.objects.create(name="new")

    def left_behind() -> None:
        """What rows with the next numbers had."""
        user, group, folder = (each.pk + 1 for each in numbers())
        apply(
            [
                changes.AddMembership(subject=f"user:{user}", name="earlier"),
                changes.CreateGroup(group=f"django-{group}"),
                changes.CreateResource(resource=f"folder:{folder}"),
                changes.Assign(role="viewer", to=f"user:{user}"),
                changes.Assign(role="viewer", to=f"group:django-{group}"),
                changes.Assign(role="viewer", to="user:5", on=f"folder:{folder}"),
            ]
        )

    def has() -> list[bool]:
        user, group, folder = numbers()
        eve = User.objects.get(username="eve")
        own = [user.has_perm("doc:read"), eve.has_perm("doc:read", folder)]
        eve.groups.add(group)
        by_group = eve.has_perm("doc:read")
        eve.groups.clear()
        return [*own, by_group]

    left_behind()
    assert has() == [False, False, False]
    monkeypatch.setattr(synced_resources, "is_new", lambda instance: False)
    left_behind()
    assert has() == [True, True, True]


def test_what_is_taken_away_is_gone_in_other_processes() -> None:
    """Also in one that answers from memory: whether in a transaction or not."""
    with open_authority(options(), index=True) as other:
        for number in range(2):
            found = case(number)
            token = authority().check(found.subject, "doc:read", found.resource).token
            asked = (found.subject, "doc:read", found.resource)
            assert other.check(*asked, organization="acme", at_least=token)
            with transactions(number):
                found.user.groups.clear()
            assert not other.check(*asked, organization="acme")
