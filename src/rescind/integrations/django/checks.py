"""Checks of `manage.py check`: the settings, the backends, and whether the schema is that of this code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib.auth import get_backends, get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from rescind.errors import RescindError, SchemaMissing, SchemaTooOld, StoreError
from rescind.integrations.django.opened import database_url, engine_of
from rescind.integrations.django.options import Options, options
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
        return [Warning(str(error), hint="Run `manage.py migrate`.", id="rescind.W004")]
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
    register(check_schema, Tags.database)
