"""Which objects are resources of Rescind, and under which ids.

    @resource("doc", parent="folder")
    class Document(models.Model): ...

A Document with the primary key 7 is `doc:7`, in Python and in SQL. Without a registration, the option
RESOURCE_RESOLVER is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Field, Model

from rescind import model as ids
from rescind.integrations.django.options import options
from rescind.store.queries import Engine

M = TypeVar("M", bound=type[Model])
MODELS: Final[dict[type[Model], Registration]] = {}
"""Registered models, by the class that was registered."""
_NUMBERS: Final = (models.IntegerField, models.AutoField)
_TEXTS: Final = (models.CharField, models.SlugField, models.TextField)


class NoResource(LookupError):
    """The object is no resource: its model is not registered, or it is not saved."""


class ResourceSql(NamedTuple):
    """The resource of a row as an expression of its table, and a condition that finds the row by it."""

    expression: str
    lookup: str | None


@dataclass(frozen=True, slots=True)
class Registration:
    """How the objects of a model are resources."""

    model: type[Model]
    type: str
    id_field: str
    parent: str | None
    organization: str | None
    is_synced: bool

    def resource_of(self, instance: Any) -> str:
        """The object's resource. Raises NoResource for an object that is not saved."""
        value = getattr(instance, self.id_field)
        if value is None or value == "" or instance._state.adding:
            raise NoResource(f"{instance!r} is not saved, so it is no resource yet.")
        return f"{self.type}:{value}"

    def parent_of(self, instance: Any) -> str | None:
        """The resource above the object's, or None for the organization."""
        above = None if self.parent is None else getattr(instance, self.parent)
        return None if above is None else resource_of(above)

    def organization_of(self, instance: Any) -> str | None:
        """The organization that the registration names, by the path from the object."""
        found = instance
        for name in (self.organization or "").split("__"):
            found = None if found is None else getattr(found, name)
        return None if found is None else str(found)


def resource_sql(type: str, field: Field[Any, Any], column: str, engine: Engine) -> ResourceSql:
    """Of a row whose quoted column, which has the values of the field, is the id."""
    start, kind = f"'{type}:'", _kind(field)
    rest = f"substr({{slug}}, {len(type) + 2})"
    begins = f"substr({{slug}}, 1, {len(type) + 1}) = {start}"
    if kind == "number" and engine == "sqlite":
        return ResourceSql(f"{start} || {column}", f"{column} = CAST({rest} AS INTEGER)")
    if kind == "number":
        digits = f"ltrim({rest}, '-')"
        is_number = (
            f"{begins} AND {rest} ~ '^-?[0-9]{{1,19}}$' AND (length({digits}) < 19"
            f" OR {digits} <= '9223372036854775807' COLLATE \"C\")"
        )
        key = f"CASE WHEN {is_number} THEN CAST({rest} AS BIGINT) END"
        return ResourceSql(f"{start} || {column}", f"{column} = {key}")
    if kind == "text":
        return ResourceSql(f"{start} || {column}", f"{column} = {rest}")
    if engine == "sqlite":  # Django keeps a UUID as 32 hexadecimal digits
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        spelled = " || '-' || ".join(f"substr({column}, {at}, {size})" for at, size in parts)
        return ResourceSql(f"{start} || {spelled}", f"{column} = replace({rest}, '-', '')")
    is_uuid = f"{begins} AND {rest} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'"
    key = f"CASE WHEN {is_uuid} THEN CAST({rest} AS UUID) END"
    return ResourceSql(f"{start} || {column}", f"{column} = {key}")


def _kind(field: Field[Any, Any]) -> str:
    while field.remote_field is not None:
        field = field.target_field
    if isinstance(field, _NUMBERS):
        return "number"
    if isinstance(field, models.UUIDField):
        return "uuid"
    if isinstance(field, _TEXTS):
        return "text"
    raise ImproperlyConfigured(
        f"{field} cannot be the id of a resource: use a field of whole numbers, text or UUIDs."
    )


def resource(
    type: str,
    *,
    id_field: str = "pk",
    parent: str | None = None,
    organization: str | None = None,
    sync: bool = True,
) -> Callable[[M], M]:
    """Registers a model, as a decorator: its objects are resources `type:<id_field>`.

    `parent` is the attribute with the object above, whose model is registered as well. `organization` is the
    path to the organization's id (`tenant__slug`), for several tenants. With `sync` the resource is created,
    moved and deleted when the object is, in the same transaction. Raises MalformedId for what can be no type,
    and ImproperlyConfigured for one of another model, whose objects have the same numbers.
    """
    ids.resource_type_id(type)

    def register(model: M) -> M:
        _require_own_type(model, type)
        MODELS[model] = Registration(model, type, id_field, parent, organization, sync)
        if apps.ready:  # else the app listens to all models when they are there
            from rescind.integrations.django.signals import follow

            follow(model)
        return model

    return register


def _require_own_type(model: Any, type: str) -> None:
    """Raises ImproperlyConfigured where two rows would be the same resource."""
    if model._meta.abstract:
        hint = (
            "its models would share their resources; decorate each of them, with a type of its own"
        )
        raise ImproperlyConfigured(
            f"@resource({type!r}) is on {model.__name__}, which is abstract: {hint}."
        )
    for other, found in MODELS.items():
        is_same = other._meta.label == model._meta.label  # loaded again
        if found.type != type or is_same or issubclass(model, other) or issubclass(other, model):
            continue
        hint = f"{other._meta.label} has it already, and its objects may have the same ids"
        raise ImproperlyConfigured(f"@resource({type!r}) of {model._meta.label}: {hint}.")


def registration_of(model: type[Model]) -> Registration | None:
    """The registration of a model, or of the nearest model that it inherits from."""
    return next((MODELS[each] for each in model.__mro__ if each in MODELS), None)


def required_registration(model: type[Model]) -> Registration:
    """As `registration_of`. Raises ImproperlyConfigured where there is none."""
    found = registration_of(model)
    if found is None:
        raise ImproperlyConfigured(
            f"{model.__name__} is no resource of Rescind: decorate it with @resource(…)."
        )
    return found


def resource_of(obj: Any) -> str:
    """The resource of an object; a string is one already.

    Raises NoResource where there is none: a question about an object is never one about the organization.
    """
    if isinstance(obj, str):
        return obj
    found = registration_of(type(obj))
    if found is not None:
        return found.resource_of(obj)
    resolver = options().resource_resolver
    named = None if resolver is None else resolver(obj)
    if named is None:
        raise NoResource(f"{type(obj).__name__} is no resource: decorate it with @resource(…).")
    return named
