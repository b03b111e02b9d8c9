"""`manage.py demo`: a library of 100,000 documents, of which ada may read one of a hundred."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from library.models import Document, Folder
from rescind import changes
from rescind.integrations.django import apply

PASSWORD = "demo"  # noqa: S105
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = [
    changes.DefinePermission(permission="doc:read"),
    changes.DefinePermission(permission="doc:write"),
    changes.DefineRole(role="viewer", permissions=("doc:read",)),
    changes.DefineRole(role="editor", permissions=("doc:read", "doc:write")),
]


class Command(BaseCommand):
    help = "Make the documents, the users ada, grace and eve (password: demo), and what they may."

    def add_arguments(self, parser):
        parser.add_argument("--documents", type=int, default=100_000)

    def handle(self, *, documents: int, **_):
        apply(ROLES)
        with transaction.atomic():
            few, rest = (
                Folder.objects.create(name="Handbooks"),
                Folder.objects.create(name="Archive"),
            )
            people = {
                name: User.objects.create_user(name, password=PASSWORD)
                for name in ("ada", "grace", "eve")
            }
            readers = Group.objects.create(name="Readers")
            people["ada"].groups.add(readers)
            Document.objects.bulk_create(
                (
                    Document(
                        folder=few if number % 100 == 7 else rest,
                        title=f"Document {number}",
                        updated=FIRST + timedelta(seconds=(number * 7919) % 200_003),
                    )
                    for number in range(1, documents + 1)
                ),
                batch_size=5_000,
            )
            apply(
                [
                    changes.Assign(
                        role="viewer", to=f"group:django-{readers.pk}", on=f"folder:{few.pk}"
                    ),
                    changes.Assign(role="editor", to=f"user:{people['grace'].pk}"),
                ],
                actor="demo",
            )
        call_command("rescind_sync", stdout=self.stdout)  # bulk_create sends no signals
