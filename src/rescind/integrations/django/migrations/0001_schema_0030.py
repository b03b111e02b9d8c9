"""Rescind's tables, version 0030."""

from django.db import migrations

from rescind.integrations.django.schema_migration import UpgradeSchema


class Migration(migrations.Migration):
    """Not atomic for Django: the operation has a transaction of its own, on a connection of its own."""

    initial = True
    atomic = False
    dependencies = ()
    operations = (UpgradeSchema("0030"),)
