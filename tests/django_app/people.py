"""Who is in the world of the tests, and what there is.

ada reads folder 1 by a group, bob edits one document, cyd has a role on the organization, eve has nothing.
root is a superuser without a role. dan reads folder 1 as well, but is not active.
"""

from __future__ import annotations

from typing import Any

from tests.django_app import setup

setup()

from django.contrib.auth.models import Group, User  # noqa: E402

from rescind import changes  # noqa: E402
from rescind.integrations.django import apply  # noqa: E402
from rescind.integrations.django.naming import group_of, subject_of  # noqa: E402
from tests.django_app.shelf.models import Document, Folder, Note, Page  # noqa: E402

NAMES = ("ada", "bob", "cyd", "dan", "eve", "root")


def person(name: str) -> Any:
    """One of them, as Django loads a user for a request."""
    return User.objects.get(username=name)


def make_world() -> None:
    users = {name: User.objects.create_user(name, password=name) for name in NAMES}
    User.objects.filter(username="root").update(is_superuser=True, is_staff=True)
    readers = Group.objects.create(name="Readers")
    for name in ("ada", "dan"):
        users[name].groups.add(readers)
    first, second = (Folder.objects.create(name=name) for name in ("first", "second"))
    for number in range(1, 7):
        folder = first if number % 2 else second
        Document.objects.create(title=f"Document {number}", folder=folder, updated=number * 5 % 7)
    for number in (1, 2):
        Note.objects.create(id=f"00000000-0000-4000-8000-00000000000{number}")
        Page.objects.create(slug=f"page {number}")
    bob = subject_of(users["bob"])
    apply(
        [
            changes.Assign(role="viewer", to=f"group:{group_of(readers)}", on=f"folder:{first.pk}"),
            changes.Assign(role="editor", to=bob, on="doc:2"),
            changes.Assign(role="viewer", to=bob, on="note:00000000-0000-4000-8000-000000000001"),
            changes.Assign(role="viewer", to=bob, on="page:page 2"),
            changes.Assign(role="editor", to=subject_of(users["cyd"])),
        ]
    )
    users["dan"].is_active = False
    users["dan"].save()
