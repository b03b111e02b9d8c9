"""Checks of `manage.py check`: the settings, the backends, and whether the schema is that of this code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib.auth import get_backends, get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import DatabaseError, connections, router

from rescind.errors import RescindError, SchemaMissing, SchemaTooOld, StoreError
from rescind.integrations.django.opened import database_url, engine_of
from rescind.integrations.django.options import Options, options
from rescind.integrations.django.resources import (
    MODELS,
    Registration,
    registration_of,
    resource_sql,
)
from rescind.store.queries import named
from rescind.store.schema import require_usable

BACKEND: Final = "rescind.integrations.django.backend.RescindModelBackend"


def check_settings(**_: Any) -> list[CheckMessage]:
    """E001: RESCIND or the database cannot be used. W001 to W003: another than Rescind decides."""
    try:
        chosen = options()
        database_url(chosen)
    except (ImproperlyConfigured, RescindError) as error:
        return [Error(str(error), id="rescind.E001")]
    return [*_check_backends(), *_check_superusers(chosen)]


def _check_backends() -> list[CheckMessage]:
    from rescind.integrations.django.backend import RescindBackend

    backends = get_backends()
    if not any(isinstance(each, RescindBackend) for each in backends):
        hint = f"Set AUTHENTICATION_BACKENDS = [{BACKEND!r}]."
        return [Warning("user.has_perm does not ask Rescind.", hint=hint, id="rescind.W001")]
    others = [
        type(each).__qualname__
        for each in backends
        if not isinstance(each, RescindBackend) and _answers(each)
    ]
    if not others:
        return []
    hint = f"Take it out, or use {BACKEND} alone, which knows Django's passwords."
    text = f"user.has_perm is also true where {', '.join(others)} allows what Rescind denies."
    return [Warning(text, hint=hint, id="rescind.W002")]


def _answers(backend: Any) -> bool:
    """Whether a backend can allow anything: one that only authenticates has what Django's base class has."""
    from django.contrib.auth.backends import BaseBackend

    names = ("has_perm", "get_user_permissions", "get_group_permissions", "get_all_permissions")
    kind = type(backend)
    return any(
        getattr(kind, name, None) is not getattr(BaseBackend, name)
        for name in names
        if hasattr(kind, name)
    )


def _check_superusers(chosen: Options) -> list[CheckMessage]:
    from django.contrib.auth.models import PermissionsMixin

    has_perm = getattr(get_user_model(), "has_perm", None)
    if chosen.superusers == "allow" or has_perm is not PermissionsMixin.has_perm:
        return []
    hint = "Base the user model on rescind.integrations.django.users.PermissionsByFacts."
    text = "Django's user.has_perm is true for superusers, whatever RESCIND['SUPERUSERS'] says."
    return [Warning(text, hint=hint, id="rescind.W003")]


def check_resources(**_: Any) -> list[CheckMessage]:
    """E003: a registered model cannot be resources as it says. W005: it is in another database."""
    try:
        chosen = options()
    except (ImproperlyConfigured, RescindError):
        return []  # E001
    messages: list[CheckMessage] = []
    for model, found in MODELS.items():
        wrong = _wrong_with(found)
        if wrong is not None:
            messages.append(Error(wrong, obj=model, id="rescind.E003"))
    followed = [get_user_model(), *(model for model, found in MODELS.items() if found.is_synced)]
    for model in followed:
        alias = router.db_for_write(model)
        if alias != chosen.database:
            text = f"It is written to {alias!r}, and what follows from it to {chosen.database!r}."
            hint = "They do not commit together: a roll-back leaves what it gave. Use one database."
            messages.append(Warning(text, hint=hint, obj=model, id="rescind.W005"))
    return messages


def _wrong_with(found: Registration) -> str | None:
    """Why no two rows have ids of their own, or why no resource is above them."""
    meta = found.model._meta
    try:
        field = meta.pk if found.id_field == "pk" else meta.get_field(found.id_field)
        resource_sql(found.type, field, "id", "sqlite")
        above = None if found.parent is None else meta.get_field(found.parent)
        first = (found.organization or "").partition("__")[0]
        if first:
            meta.get_field(first)
    except (FieldDoesNotExist, ImproperlyConfigured) as error:
        return str(error)
    if not field.unique:
        return f"{field} is not unique, so two objects would be one resource: add unique=True."
    if above is not None and (
        above.related_model is None or registration_of(above.related_model) is None
    ):
        return f"{above} leads to no registered model: decorate that one with @resource as well."
    return None


def check_schema(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """W004: the schema is older than this code, or not there. E002: this code may not use it."""
    try:
        chosen = options()
        if chosen.database not in (databases or ()):
            return []
        require_usable_schema(chosen)
    except (ImproperlyConfigured, DatabaseError):
        return []  # E001 tells of the settings, and Django of a database that is away
    except (SchemaMissing, SchemaTooOld) as error:
        text = f"Rescind's tables in {chosen.database!r} are missing or older than this version."
        hint = f"`manage.py migrate` makes or upgrades them. ({error.code})"
        return [Warning(text, hint=hint, id="rescind.W004")]
    except StoreError as error:
        return [Error(str(error), id="rescind.E002")]
    return []


def require_usable_schema(chosen: Options) -> None:
    """Raises SchemaMissing, SchemaTooOld, SchemaTooNew, SchemaDiffers, or Django's DatabaseError."""
    engine = engine_of(chosen.database)
    with connections[chosen.database].cursor() as cursor:

        def execute(statement: str, parameters: Sequence[str] = ()) -> Any:
            cursor.execute(statement, parameters)
            return cursor

        if engine == "sqlite":
            known = "SELECT count(*) FROM sqlite_schema WHERE name = 'rescind_schema_version'"
            is_there = execute(known).fetchone()[0]
        else:
            known = "SELECT count(to_regclass(%s))"
            is_there = execute(known, [f"{chosen.schema}.schema_version"]).fetchone()[0]
        if not is_there:
            raise SchemaMissing()
        require_usable(execute, lambda statement: named(statement, engine, chosen.schema))


def connect() -> None:
    """Register the checks."""
    register(check_settings, Tags.security)
    register(check_resources, Tags.models)
    register(check_schema, Tags.database)
