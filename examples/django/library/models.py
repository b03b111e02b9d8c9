"""Documents in folders. Both are resources: who may read a folder may read what is in it."""

from django.db import models

from rescind.integrations.django import AuthorizedManager, resource


@resource("folder")
class Folder(models.Model):
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


@resource("doc", parent="folder")
class Document(models.Model):
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    updated = models.DateTimeField()

    objects = AuthorizedManager()

    class Meta:
        ordering = ("-updated", "-pk")
        indexes = (models.Index(fields=["-updated", "-id"], name="document_newest_first"),)

    def __str__(self) -> str:
        return self.title
