"""Rescind's tables, version 0032."""

from django.db import migrations

from rescind.integrations.django.schema_migration import UpgradeSchema


class Migration(migrations.Migration):
    """Not atomic for Django: the operation has a transaction of its own, on a connection of its own."""

    atomic = False
    dependencies = (("rescind", "0002_schema_0031"),)
    operations = (UpgradeSchema("0032"),)
