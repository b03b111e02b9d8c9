"""The setting RESCIND, read and validated once.

    RESCIND = {"ORGANIZATION": "acme"}

Functions are given as they are, or by their dotted path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Final, Literal, get_args

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from rescind.errors import InvalidArgument
from rescind.settings import Settings

Superusers = Literal["allow", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The keys of RESCIND, in small letters."""

    organization: str | None = None
    """The organization of everybody and everything."""
    organization_resolver: Callable[..., str | None] | None = None
    """For several tenants: called with `user=` and `obj=`, either of which may be None."""
    memberships_resolver: Callable[[Any], Iterable[str]] | None = None
    """For several tenants: the organizations in which a user has a membership."""
    resource_resolver: Callable[[Any], str | None] | None = None
    """The resource of an object whose model is not registered, or None."""
    database: str = "default"
    """The alias of the database that has Rescind's tables."""
    schema: str = "rescind"
    index: bool = False
    """Whether checks are answered from memory."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of Rescind itself."""
    user_id_field: str = "pk"
    """The field of the user that is the subject's id: `user:<value>`. It must never change or be reused."""
    permissions: Mapping[str, str] = field(default_factory=dict)
    """Permissions by the names that Django's code has for them: `{"docs.view_document": "doc:read"}`."""
    superusers: Superusers = "allow"
    sync_users: bool = True
    sync_groups: bool = True
    actor: str | Callable[[], str] = "django"
    """Who is noted in the log for changes that name nobody."""


_FUNCTIONS: Final = ("organization_resolver", "memberships_resolver", "resource_resolver")


@lru_cache(1)
def options() -> Options:
    """The project's options. Raises ImproperlyConfigured, with the key that is wrong."""
    given = getattr(django_settings, "RESCIND", None)
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured('Set RESCIND = {"ORGANIZATION": "…"} in the settings.')
    known = {each.name.upper(): each.name for each in fields(Options)}
    if unknown := [key for key in given if key not in known]:
        raise ImproperlyConfigured(
            f"RESCIND has no key {unknown[0]!r}; it may have {', '.join(known)}."
        )
    values = {known[key]: value for key, value in given.items()}
    for name in _FUNCTIONS:
        values[name] = _function(name, values.get(name))
    if isinstance(actor := values.get("actor"), str) and "." in actor:
        values["actor"] = _function("actor", actor)
    found = Options(**values)
    _require_sound(found)
    return found


def _function(name: str, value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = import_string(value)
        except ImportError as error:
            raise ImproperlyConfigured(f"RESCIND[{name.upper()!r}]: {error}") from error
    if value is not None and not callable(value):
        hint = "give a function, or its dotted path"
        raise ImproperlyConfigured(f"RESCIND[{name.upper()!r}] is {value!r}; {hint}.")
    return value


def _require_sound(found: Options) -> None:
    if (found.organization is None) == (found.organization_resolver is None):
        raise ImproperlyConfigured(
            "RESCIND needs ORGANIZATION, or ORGANIZATION_RESOLVER for several tenants; not both."
        )
    if found.superusers not in get_args(Superusers):
        raise ImproperlyConfigured(
            f"RESCIND['SUPERUSERS'] is {found.superusers!r}; use 'allow' or 'ask'."
        )
    if found.database not in django_settings.DATABASES:
        raise ImproperlyConfigured(f"RESCIND['DATABASE']: DATABASES has no {found.database!r}.")
    try:
        Settings(**found.settings)
    except (TypeError, InvalidArgument) as error:
        raise ImproperlyConfigured(f"RESCIND['SETTINGS']: {error}") from error


def _forget(*, setting: str, **_: Any) -> None:
    if setting in ("RESCIND", "DATABASES"):
        options.cache_clear()


setting_changed.connect(_forget, dispatch_uid="rescind.options")
