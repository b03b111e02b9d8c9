"""Objects that are resources, by every kind of id, and some that are none."""

from __future__ import annotations

import uuid

from django.db import models

from rescind.integrations.django import AuthorizedManager, resource


@resource("folder")
class Folder(models.Model):
    name = models.CharField(max_length=50)


@resource("doc", parent="folder")
class Document(models.Model):
    folder = models.ForeignKey(Folder, models.CASCADE, null=True, related_name="documents")
    title = models.CharField(max_length=50)
    updated = models.IntegerField(default=0, db_index=True)

    objects = AuthorizedManager()

    class Meta:
        permissions = (("print_document", "Print"),)


@resource("note")
class Note(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    objects = AuthorizedManager()


@resource("page", id_field="slug")
class Page(models.Model):
    slug = models.CharField(max_length=50, unique=True)
    objects = AuthorizedManager()


class Report(Document):
    """Its table has no number of its own: it is the document's."""

    pages = models.IntegerField(default=1)


class Tenant(models.Model):
    slug = models.CharField(max_length=50, unique=True)


@resource("invoice", organization="tenant__slug")
class Invoice(models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE)
    objects = AuthorizedManager()


class Plain(models.Model):
    """No resource."""

    title = models.CharField(max_length=50)
