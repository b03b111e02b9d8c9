"""The admin: documents, and the users with the page of their access."""

from django.contrib import admin
from django.contrib.auth.models import User

from library.models import Document, Folder
from rescind.integrations.django.admin import UserAdmin

admin.site.register([Document, Folder])
admin.site.unregister(User)
admin.site.register(User, UserAdmin)
