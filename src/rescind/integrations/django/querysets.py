"""Lists of objects that a user may use: one query, in the database, exact for every page.

class Document(models.Model):
    objects = AuthorizedManager()

Document.objects.authorized(request.user, "doc:read").order_by("-updated")[:20]
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Manager, Q, QuerySet
from django.db.models.sql import Query

from rescind import model as ids
from rescind.errors import MalformedId
from rescind.integrations.django.access import preset
from rescind.integrations.django.authorized_sql import (
    Allowed,
    AuthorizedQuery,
    HoldsPermission,
    ListQuestion,
    UserQuestion,
)
from rescind.integrations.django.naming import organization_of, permission_of, subject_of
from rescind.integrations.django.options import options
from rescind.integrations.django.resources import required_registration, resource_of

Q_ = TypeVar("Q_", bound="QuerySet[Any]")


def authorized(queryset: Q_, user: Any, permission: str, *, organization: str | None = None) -> Q_:
    """The objects of a queryset on which the user has the permission, as `has_perm` has it.

    It filters like any other condition: filters, orders, slices, counts, updates and deletions are of these
    objects only. The user's access is decided when the query runs. Of a model with tenants the objects are
    those of one organization. Raises ImproperlyConfigured for a model that is not registered.
    """
    registration = required_registration(queryset.model)
    chosen = options()
    name = organization_of(user=user) if organization is None else organization
    known = preset(user)
    if known is False or name is None:
        return queryset.none()
    found = queryset.using(chosen.database)
    if registration.organization is not None:
        found = found.filter(**{registration.organization: name})
    if known:
        return found
    try:
        question = ListQuestion(
            registration=registration,
            model=queryset.model,
            organization=ids.organization_id(name),
            subject=ids.subject_id(subject_of(user)),
            permission=ids.permission_id(permission_of(permission, queryset.model)),
            alias=chosen.database,
            schema=chosen.schema,
        )
    except MalformedId:
        return queryset.none()
    found = found.filter(Allowed(F("pk"), question))
    if type(found.query) is Query:
        found.query = found.query.chain(AuthorizedQuery)
    return found


class AuthorizedQuerySet(QuerySet[Any]):
    """A queryset with `authorized`."""

    def authorized(
        self, user: Any, permission: str, *, organization: str | None = None
    ) -> AuthorizedQuerySet:
        """See the function `authorized`."""
        return authorized(self, user, permission, organization=organization)


AuthorizedManager = Manager.from_queryset(AuthorizedQuerySet, "AuthorizedManager")


def users_with(
    permission: str | None, obj: Any, *, organization: str | None, superusers: bool
) -> QuerySet[Any]:
    """The users who have a permission, or any, on an object or on the organization; decided when it runs.

    With `superusers` also those who are active. Raises NoResource.
    """
    chosen = options()
    users = get_user_model()._default_manager.using(chosen.database)
    where = ids.ROOT if obj is None else resource_of(obj)
    if organization is None:
        return users.none()
    question = UserQuestion(organization, permission, where, chosen.database, chosen.schema)
    field = chosen.user_id_field
    if field != "pk" and not get_user_model()._meta.get_field(field).unique:
        raise ImproperlyConfigured(f"RESCIND['USER_ID_FIELD']: {field!r} is not unique.")
    condition = Q(HoldsPermission(F(field), question)) & Q(is_active=True)
    if superusers:
        condition |= Q(is_superuser=True, is_active=True)
    return users.filter(condition)
