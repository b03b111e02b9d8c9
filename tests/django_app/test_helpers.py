"""Helpers with the names of django-guardian's."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from rescind import changes
from rescind.errors import InvalidArgument, RoleExists
from rescind.integrations.django import (
    apply,
    assign_perm,
    authority,
    get_group_perms,
    get_groups_with_perms,
    get_objects_for_user,
    get_perms,
    get_user_perms,
    get_users_with_perms,
    remove_perm,
)
from rescind.integrations.django.naming import subject_of
from tests.django_app import Current
from tests.django_app.conftest import Configure
from tests.django_app.people import person
from tests.django_app.shelf.models import Document, Folder

pytestmark = pytest.mark.usefixtures("project")


def names(users: Any) -> list[str]:
    return sorted(user.username for user in users)


def test_one_permission_is_given_and_taken_back() -> None:
    """To a user and to a group; what a role gives beside it stays."""
    eve, doc = person("eve"), Document.objects.get(pk=4)
    readers = Group.objects.get(name="Readers")
    assign_perm("print_document", eve, doc)
    assert eve.has_perm("shelf.print_document", doc)
    assert get_perms(eve, doc) == ["shelf.print_document"]
    assign_perm("view_document", readers, doc)
    assert person("ada").has_perm("doc:read", doc)
    assert get_perms(readers, doc) == ["doc:read"]
    remove_perm("print_document", eve, doc)
    remove_perm("view_document", readers, doc)
    assert get_perms(eve, doc) == get_perms(readers, doc) == []
    assert get_perms(readers, Document.objects.get(pk=1)) == ["doc:read"]


def test_a_permission_may_be_given_on_the_organization_or_until_a_time() -> None:
    from datetime import UTC, datetime, timedelta

    eve, doc = person("eve"), Document.objects.get(pk=4)
    assign_perm("doc:read", eve)
    assert eve.has_perm("doc:read", doc)
    remove_perm("doc:read", eve)
    assign_perm("doc:read", eve, doc, expires_at=datetime.now(UTC) + timedelta(days=1))
    assert eve.has_perm("doc:read", doc)
    assign_perm("doc:read", eve, doc, expires_at=datetime.now(UTC) - timedelta(days=1))
    assert not eve.has_perm("doc:read", doc)


def test_several_objects_are_one_change() -> None:
    eve = person("eve")
    receipt = assign_perm("view_document", eve, Document.objects.filter(pk__gte=4))
    assert [doc.pk for doc in get_objects_for_user(eve, "doc:read", Document)] == [4, 5, 6]
    assert remove_perm("view_document", eve, list(Document.objects.filter(pk__gte=4))).changed
    assert not get_objects_for_user(eve, "doc:read", Document).exists()
    assert receipt.changed


def test_what_is_not_there_is_made(project: Configure) -> None:
    """A user and a row that Rescind has never heard of, in the same transaction."""
    User.objects.bulk_create([User(username="new")])
    Document.objects.bulk_create([Document(title="new", folder=Folder.objects.get(pk=2))])
    new, doc = person("new"), Document.objects.get(title="new")
    with transaction.atomic(using=Current.alias):
        assign_perm("change_document", new, doc)
        assert new.has_perm("doc:write", doc)
        transaction.set_rollback(True, using=Current.alias)
    assert not new.has_perm("doc:write", doc)
    assign_perm("change_document", new, doc)
    assert new.has_perm("doc:write", doc)


def test_who_is_deactivated_stays_so() -> None:
    """What is given is there for a later reactivation."""
    dan, doc = person("dan"), Document.objects.get(pk=4)
    assign_perm("view_document", dan, doc)
    assert not dan.has_perm("doc:read", doc)
    assert not authority().check(subject_of(dan), "doc:read", "doc:4")


def test_a_role_of_that_name_with_more_in_it_is_not_given() -> None:
    eve = person("eve")
    apply([changes.DefineRole(role="doc:read", permissions=("doc:read", "doc:write"))])
    Document.objects.bulk_create([Document(title="new")])
    with pytest.raises(RoleExists):
        assign_perm("view_document", eve, Document.objects.get(title="new"))
    with pytest.raises(RoleExists):
        assign_perm("view_document", eve, Document.objects.get(pk=4))
    assert not eve.has_perm("doc:write", Document.objects.get(pk=4))


def test_objects_of_a_user_are_a_queryset() -> None:
    bob, cyd = person("bob"), person("cyd")
    both = ["doc:read", "doc:write"]
    assert [doc.pk for doc in get_objects_for_user(bob, both, Document)] == [2]
    ada = person("ada")
    assert not get_objects_for_user(ada, both, Document).exists()
    either = get_objects_for_user(ada, both, Document.objects.order_by("pk"), any_perm=True)
    assert [doc.pk for doc in either] == [1, 3, 5]
    assert get_objects_for_user(cyd, both, Document.objects).count() == 6
    with pytest.raises(InvalidArgument):
        get_objects_for_user(bob, [], Document)


def test_users_of_an_object_are_a_queryset() -> None:
    doc = Document.objects.get(pk=1)
    assert names(get_users_with_perms(doc)) == ["ada", "cyd"]
    assert names(get_users_with_perms(doc, only_with_perms_in=["change_document"])) == ["cyd"]
    assert names(get_users_with_perms(doc, with_superusers=True)) == ["ada", "cyd", "root"]
    assert names(get_users_with_perms(doc).filter(username__startswith="a")) == ["ada"]
    assert names(get_users_with_perms(doc, only_with_perms_in=[])) == []


def test_groups_of_an_object_are_those_that_were_given_something_on_it() -> None:
    folder, readers = Folder.objects.get(pk=1), Group.objects.get(name="Readers")
    assert list(get_groups_with_perms(folder)) == [readers]
    assert not get_groups_with_perms(Document.objects.get(pk=1)).exists()
    odd = ("django-x", "django-01", "django-")
    apply([changes.CreateGroup(group=each) for each in odd])
    apply([changes.Assign(role="viewer", to=f"group:{each}", on="folder:1") for each in odd])
    assert list(get_groups_with_perms(folder)) == [readers]
    Document.objects.bulk_create([Document(title="new")])
    assert not get_groups_with_perms(Document.objects.get(title="new")).exists()


def test_permissions_are_told_apart_by_where_they_come_from() -> None:
    ada, bob = person("ada"), person("bob")
    first, second = Document.objects.get(pk=1), Document.objects.get(pk=2)
    assert (get_user_perms(ada, first), get_group_perms(ada, first)) == ([], ["doc:read"])
    assert (get_user_perms(bob, second), get_group_perms(bob, second)) == (
        ["doc:read", "doc:write"],
        [],
    )


def test_a_row_of_djangos_permissions_is_its_name() -> None:
    """As django-guardian takes it."""
    eve, doc = person("eve"), Document.objects.get(pk=4)
    row = Permission.objects.get(codename="print_document")
    assign_perm(row, eve, doc)
    assert eve.has_perm("shelf.print_document", doc)
    remove_perm(row, eve, doc)
    assert not eve.has_perm("shelf.print_document", doc)
