"""Rescind follows what Django saves and deletes: users, groups, and objects that are resources."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import Group, User, update_last_login
from django.contrib.sessions.models import Session
from django.core import serializers
from django.core.management import call_command
from django.db import connections, models, transaction
from django.test.utils import CaptureQueriesContext

from rescind import Authority, changes
from rescind.errors import InvalidArgument, StoreUnavailable
from rescind.integrations.django import apply, authority, signals, synced_resources
from rescind.integrations.django.naming import group_of, subject_of
from tests.django_app import Current
from tests.django_app.conftest import Configure
from tests.django_app.people import person
from tests.django_app.shelf.models import Document, Folder, Page, Report

pytestmark = pytest.mark.usefixtures("project")


def membership(user: Any) -> Any:
    entries = authority().list_memberships(limit=1_000).items
    return next((each for each in entries if each.subject == subject_of(user)), None)


def members(group: Any) -> set[str]:
    return {each.member for each in authority().list_members(group_of(group)).items}


def revision() -> Any:
    return authority().check("user:1", "doc:read").revision


def test_a_user_has_a_membership_while_active() -> None:
    """It is made, renamed, deactivated and made active with the user, and keeps what it holds."""
    user = User.objects.create_user("new", first_name="New", last_name="One")
    assert membership(user).is_active
    assert membership(user).name == "New One"
    apply([changes.Assign(role="viewer", to=subject_of(user), on="doc:4")])
    user.first_name = "Newer"
    user.save()
    assert membership(user).name == "Newer One"
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert not membership(user).is_active
    assert not authority().check(subject_of(user), "doc:read", "doc:4")
    user.is_active = True
    user.save()
    assert authority().check(subject_of(user), "doc:read", "doc:4")


def test_a_deleted_user_leaves_nothing_to_a_later_one() -> None:
    user = User.objects.create_user("new")
    subject = subject_of(user)
    apply([changes.Assign(role="viewer", to=subject, on="doc:4")])
    user.delete()
    apply([changes.AddMembership(subject=subject)])
    assert not authority().check(subject, "doc:read", "doc:4")


def test_a_user_that_is_made_inactive_has_a_place_without_access() -> None:
    user = User.objects.create_user("new", is_active=False)
    assert not membership(user).is_active
    user.groups.add(Group.objects.get(name="Readers"))
    assert not authority().check(subject_of(user), "doc:read", "doc:1")
    user.is_active = True
    user.save()
    assert user.has_perm("doc:read", "doc:1")


def test_a_sign_in_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it ask for a change, which would wait for others."""
    user, asked = person("ada"), []
    monkeypatch.setattr(Authority, "apply", lambda *given, **named: asked.append(given))
    update_last_login(None, user)
    assert asked == []


def test_places_in_groups_follow_from_both_sides() -> None:
    eve, bob = person("eve"), person("bob")
    group = Group.objects.create(name="Editors")
    eve.groups.add(group)
    assert members(group) == {subject_of(eve)}
    group.user_set.add(bob)
    assert members(group) == {subject_of(eve), subject_of(bob)}
    group.user_set.remove(eve)
    assert members(group) == {subject_of(bob)}
    group.user_set.set([eve])
    assert members(group) == {subject_of(eve)}
    eve.groups.set([])
    assert members(group) == set()
    group.user_set.set([eve, bob])
    group.user_set.clear()
    assert members(group) == set()
    eve.groups.add(group)
    eve.groups.clear()
    assert members(group) == set()


def test_a_group_keeps_its_id_when_it_is_renamed() -> None:
    group = Group.objects.get(name="Readers")
    group.name = "Other"
    group.save()
    entry = next(each for each in authority().list_groups().items if each.group == group_of(group))
    assert entry.name == "Other"
    assert person("ada").has_perm("doc:read", "doc:1")
    group.delete()
    assert not person("ada").has_perm("doc:read", "doc:1")


def test_resources_follow_their_objects() -> None:
    """They are made below what is above, moved with it, and deleted."""
    ada, (first, second) = person("ada"), Folder.objects.order_by("pk")
    doc = Document.objects.create(title="new", folder=first)
    assert ada.has_perm("doc:read", doc)
    doc.folder = second
    doc.save()
    assert not ada.has_perm("doc:read", doc)
    found = Document.objects.get(pk=doc.pk)
    before = revision()
    found.title = "changed"
    found.save()
    assert revision() == before
    found.folder_id = first.pk
    found.save(update_fields=["folder"])
    assert ada.has_perm("doc:read", doc)
    number = doc.pk
    found.delete()
    assert not ada.has_perm("doc:read", f"doc:{number}")


def test_a_deleted_folder_takes_its_documents_along() -> None:
    Folder.objects.get(name="first").delete()
    assert not person("cyd").has_perm("doc:read", "doc:1")
    assert person("cyd").has_perm("doc:read", "doc:2")


def test_what_cannot_follow_is_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a transaction. (Elsewhere the row is there already: Django saves before it sends the signal.)"""

    def unavailable(*_: object, **__: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(Authority, "apply", unavailable)
    with pytest.raises(StoreUnavailable), transaction.atomic(using=Current.alias):
        User.objects.create_user("new")
    assert not User.objects.filter(username="new").exists()


def test_what_was_brought_in_step_is_counted() -> None:
    """One is no plural."""
    output = io.StringIO()
    call_command("rescind_sync", stdout=output)
    assert {"1 group", "2 folders", "0 invoices"} <= {*output.getvalue().splitlines()}


def test_what_is_saved_without_signals_is_brought_in_step() -> None:
    """By the command, which does nothing when it is run again, and leaves other facts alone."""
    first = Folder.objects.get(name="first")
    Document.objects.bulk_create([Document(title=f"bulk {n}", folder=first) for n in range(3)])
    User.objects.bulk_create([User(username="one"), User(username="two", is_active=False)])
    User.objects.filter(username="cyd").update(is_active=False, first_name="C")
    Document.objects.filter(title="Document 2").update(folder=first)
    group = Group.objects.bulk_create([Group(name="Bulk")])[0]
    Group.user_set.through.objects.bulk_create(
        [Group.user_set.through(group=group, user=person("eve"))]
    )
    output = io.StringIO()
    call_command("rescind_sync", stdout=output)
    assert output.getvalue().splitlines()[-1] == "9 documents"
    assert person("ada").has_perm("doc:read", Document.objects.get(title="bulk 2"))
    assert person("ada").has_perm("doc:read", Document.objects.get(title="Document 2"))
    assert membership(person("one")).is_active
    assert not membership(person("two")).is_active
    assert not membership(person("cyd")).is_active
    assert members(group) == {subject_of(person("eve"))}
    assert person("bob").has_perm("doc:write", Document.objects.get(title="Document 2"))
    before = revision()
    call_command("rescind_sync", stdout=output)
    assert revision() == before


def test_it_may_be_left_to_others(project: Configure) -> None:
    """A directory, for instance: then users and groups of Django change nothing here."""
    project(SYNC_USERS=False, SYNC_GROUPS=False)
    before = revision()
    user = User.objects.create_user("new")
    group = Group.objects.create(name="New")
    user.groups.add(group)
    user.is_active = False
    user.save()
    group.delete()
    user.delete()
    assert revision() == before


def test_a_membership_that_was_deactivated_elsewhere_stays_so() -> None:
    """By an administrator of Rescind: a new password does not undo it. Django's own activation does."""
    user = User.objects.create_user("new")
    apply([changes.DeactivateMembership(subject=subject_of(user))])
    user.set_password("other")
    user.save()
    User.objects.get(pk=user.pk).save()
    user.groups.add(Group.objects.get(name="Readers"))
    call_command("rescind_sync", stdout=io.StringIO())
    assert not membership(user).is_active
    assert not user.has_perm("doc:read", "doc:1")
    User.objects.filter(pk=user.pk).update(is_active=False)
    again = User.objects.get(pk=user.pk)
    again.is_active = True
    again.save()
    assert membership(user).is_active
    apply([changes.DeactivateMembership(subject=subject_of(user))])
    again.save()
    assert not membership(user).is_active
    call_command("rescind_sync", "--reactivate", stdout=io.StringIO())
    assert membership(user).is_active


def test_an_activation_that_is_rolled_back_is_made_by_the_next_save() -> None:
    dan = person("dan")
    dan.is_active = True
    with transaction.atomic(using=Current.alias):
        dan.save()
        transaction.set_rollback(True, using=Current.alias)
    assert not membership(dan).is_active
    dan.save()
    assert membership(dan).is_active


def test_a_move_that_is_rolled_back_is_made_by_the_next_save(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else who reads the old folder would go on. (Control: without the look at the transaction they do.)"""
    ada, second = person("ada"), Folder.objects.get(name="second")

    def moved_twice(number: int) -> bool:
        doc = Document.objects.get(pk=number)
        doc.folder = second
        with transaction.atomic(using=Current.alias):
            doc.save()
            transaction.set_rollback(True, using=Current.alias)
        assert ada.has_perm("doc:read", doc)
        doc.save()
        return not ada.has_perm("doc:read", doc)

    assert moved_twice(1)
    monkeypatch.setattr(synced_resources, "is_atomic", lambda: False)
    assert not moved_twice(3)


def test_a_resource_is_where_its_row_is() -> None:
    """A save of other fields moves neither; there and back in one transaction moves neither."""
    ada, (first, second) = person("ada"), Folder.objects.order_by("pk")
    doc = Document.objects.get(pk=1)
    doc.folder, doc.title = second, "changed"
    doc.save(update_fields=["title"])
    assert ada.has_perm("doc:read", doc)
    doc.save(update_fields=["folder_id"])
    assert not ada.has_perm("doc:read", doc)
    with transaction.atomic(using=Current.alias):
        doc.folder = first
        doc.save()
        doc.folder = second
        doc.save()
    assert not ada.has_perm("doc:read", doc)


def test_an_id_never_changes(project: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """(Control: without the guard, the next object with the old id has the roles of the one before.)"""
    project(USER_ID_FIELD="username")
    bob, page = User(username="bobby"), Page.objects.get(slug="page 2")
    bob.save()
    apply([changes.Assign(role="viewer", to="user:bobby", on="page:page 2")])
    page.slug = "renamed"
    with pytest.raises(InvalidArgument, match="never changes"):
        page.save()
    bob.username = "robert"
    with pytest.raises(InvalidArgument, match="never changes"):
        bob.save()
    bob.save(update_fields=["last_login"])
    assert User.objects.filter(username="bobby").exists()
    monkeypatch.setattr(signals, "field_of_id", lambda instance: None)
    bob.save()
    assert User.objects.create(username="bobby").has_perm(
        "doc:read", Page.objects.get(slug="page 2")
    )


def test_models_of_others_are_left_alone() -> None:
    """Django deletes their rows in one statement, which it does not where somebody listens."""
    with CaptureQueriesContext(connections[Current.alias]) as sent:
        Session.objects.filter(session_key="none").delete()
    assert [each["sql"].split()[0] for each in sent if "session" in each["sql"]] == ["DELETE"]


def test_objects_of_a_fixture_are_brought_in_step_afterwards() -> None:
    """What is above may be loaded later, so nothing is asked while they are loaded."""
    saved = [Document(pk=77, title="new", folder_id=88), Folder(pk=88, name="new")]
    with transaction.atomic(using=Current.alias):
        for each in serializers.deserialize("python", serializers.serialize("python", saved)):
            each.save()
    cyd = person("cyd")
    assert not cyd.has_perm("doc:read", "doc:77")
    call_command("rescind_sync", stdout=io.StringIO())
    assert cyd.has_perm("doc:read", "doc:77")


def test_what_is_deleted_is_the_row_whatever_was_set_on_the_object(project: Configure) -> None:
    """Else another object's roles go, and the next one with the id of the row has the roles that stay."""
    project(USER_ID_FIELD="username")
    carl, page = User.objects.create(username="carl"), Page.objects.get(slug="page 2")
    User.objects.create(username="dora")
    apply(
        [
            changes.Assign(role="viewer", to=f"user:{name}", on=f"page:page {number}")
            for name in ("carl", "dora")
            for number in (1, 2)
        ]
    )
    page.slug, carl.username = "page 1", "dora"
    page.delete()
    carl.delete()
    again = User.objects.create(username="carl")
    Page.objects.create(slug="page 2")
    assert not again.has_perm("doc:read", "page:page 1")
    assert not person("dora").has_perm("doc:read", "page:page 2")
    assert person("dora").has_perm("doc:read", "page:page 1")


def test_the_row_of_a_child_is_not_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be deleted alone. (Control: where that is not seen, the roles on the document are lost.)"""
    report = Report.objects.create(title="Report")
    apply([changes.Assign(role="viewer", to=subject_of(person("eve")), on=f"doc:{report.pk}")])
    pk = report.pk
    report.delete(keep_parents=True)
    assert person("eve").has_perm("doc:read", Document.objects.get(pk=pk))
    Report.objects.create(pk=None, title="Other").delete()
    assert person("eve").has_perm("doc:read", Document.objects.get(pk=pk))
    monkeypatch.setattr(signals, "is_child", lambda model: False)
    report = Report(document_ptr_id=pk)
    report.save_base(raw=True)
    report.delete(keep_parents=True)
    assert not person("eve").has_perm("doc:read", Document.objects.get(pk=pk))


def test_a_copy_in_another_database_is_another_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing follows it. (Control: where it is taken for the object, its deletion takes the roles.)"""
    doc, sent = Document.objects.get(pk=1), {"sender": Document, "using": "elsewhere"}
    signals.before_delete(instance=doc, **sent)
    signals.deleted(instance=doc, **sent)
    signals.saved(instance=doc, created=True, **sent)
    assert person("ada").has_perm("doc:read", doc)
    monkeypatch.setattr(signals, "is_followed", lambda instance, using: True)
    signals.before_delete(instance=doc, **sent)
    signals.deleted(instance=doc, **sent)
    assert not person("ada").has_perm("doc:read", doc)


def test_an_activation_is_remembered_until_it_commits() -> None:
    """Then a later save of the same object does not undo what an administrator of Rescind did."""
    dan = person("dan")
    with transaction.atomic(using=Current.alias):
        dan.is_active = True
        dan.save()
    assert membership(dan).is_active
    apply([changes.DeactivateMembership(subject=subject_of(dan))])
    dan.save()
    assert not membership(dan).is_active


def test_what_stays_when_the_object_above_is_deleted_keeps_its_own_roles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As by SET_NULL, of which no signal tells; what the folder gave is gone. (Control: they go with it.)"""
    field: Any = Document.folder.field
    monkeypatch.setattr(field.remote_field, "on_delete", models.SET_NULL)
    eve, ada, second = person("eve"), person("ada"), Folder.objects.get(name="second")
    Document.objects.bulk_create([Document(title="without a resource", folder_id=1)])
    apply([changes.Assign(role="viewer", to=subject_of(eve), on=f"doc:{pk}") for pk in (1, 2)])
    Folder.objects.get(name="first").delete()
    doc = Document.objects.get(pk=1)
    assert doc.folder is None
    assert eve.has_perm("doc:read", doc)
    assert not ada.has_perm("doc:read", doc)
    monkeypatch.setattr(synced_resources, "noted_below", lambda instance, using: [])
    second.delete()
    assert not eve.has_perm("doc:read", Document.objects.get(pk=2))
