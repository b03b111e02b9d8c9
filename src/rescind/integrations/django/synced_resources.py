"""The resources of registered objects: created, moved and deleted with them, in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from django.db import models

from rescind import changes
from rescind.changes import Change
from rescind.errors import InvalidArgument, ResourceNotFound, ResourceTypeNotFound
from rescind.integrations.django.naming import organization_of
from rescind.integrations.django.resources import MODELS, Registration
from rescind.integrations.django.transactions import apply, is_atomic
from rescind.model import Receipt

REASON = "as in Django"
_TAKING_ALONG = (models.CASCADE, models.PROTECT, models.RESTRICT)


def saved(
    instance: Any, found: Registration, *, created: bool, fields: Collection[str] | None
) -> None:
    """Create the object's resource, or move it if the object above was saved and has changed.

    `fields` are those that were saved, or None for all.
    """
    if created:
        create([instance], found, are_new=is_new(instance))
        _note(instance, found)
    elif _has_moved(instance, found, fields):
        resource, parent = found.resource_of(instance), found.parent_of(instance)
        apply(
            [changes.MoveResource(resource=resource, parent=parent)],
            organization=_organization(instance),
            reason=REASON,
        )
        if is_atomic():
            instance._rescind_parent = ...  # it may be rolled back: the next save moves it again
        else:
            _note(instance, found)


def is_new(instance: Any) -> bool:
    """Whether the database has just given the saved row its number, so that nothing can be about it yet."""
    return bool(getattr(instance, "_rescind_had_no_key", False))


def create(instances: Sequence[Any], found: Registration, *, are_new: bool = False) -> None:
    """Create the resources of objects of one organization, and their type if it is new.

    Those with new numbers have nothing that an earlier object of that number left.
    """
    batch: list[Change] = [
        changes.CreateResource(resource=found.resource_of(each), parent=found.parent_of(each))
        for each in instances
    ]
    if are_new:
        gone = [
            changes.DeleteResource(resource=found.resource_of(each), cascade=True)
            for each in instances
        ]
        batch = [*gone, *batch]
    if batch:
        defining_type(batch, found, _organization(instances[0]))


def defining_type(batch: Sequence[Change], found: Registration, organization: str) -> Receipt:
    """Apply a batch that names resources of the type; define the type before, if nobody has."""
    try:
        return apply(batch, organization=organization, reason=REASON)
    except ResourceTypeNotFound:
        types: list[Change] = [changes.DefineResourceType(type=found.type)]
        return apply([*types, *batch], organization=organization, reason=REASON)


def noted_below(instance: Any, using: str) -> list[tuple[Registration, list[Any]]]:
    """The objects directly below one that is about to be deleted which stay, as by SET_NULL."""
    noted = []
    for model, found in MODELS.items():
        field: Any = None if found.parent is None else model._meta.get_field(found.parent)
        if field is None or not found.is_synced or not isinstance(instance, field.related_model):
            continue
        if field.remote_field.on_delete not in _TAKING_ALONG:
            rows = model._base_manager.using(using).filter(**{field.name: instance})
            noted.append((found, list(rows.values_list("pk", flat=True))))
    return [(found, keys) for found, keys in noted if keys]


def deleted(instance: Any, found: Registration, using: str) -> None:
    """Delete the resource, the assignments on it, and what is below it. Objects that stay keep theirs, and
    are below what their rows have now.
    """
    for below, keys in instance._rescind_below:
        for each in below.model._base_manager.using(using).filter(pk__in=keys):
            resource, parent = below.resource_of(each), below.parent_of(each)
            with suppress(ResourceNotFound):  # it was saved without a signal
                apply(
                    [changes.MoveResource(resource=resource, parent=parent)],
                    organization=_organization(each),
                    reason=REASON,
                )
    apply(
        [changes.DeleteResource(resource=f"{found.type}:{instance._rescind_id}", cascade=True)],
        organization=_organization(instance),
        reason=REASON,
    )


def note_parent(sender: Any, instance: Any, **_: Any) -> None:  # noqa: ARG001
    """Remember which object is above, so that a move is seen when the object is saved."""
    from rescind.integrations.django.resources import registration_of

    found = registration_of(type(instance))
    if found is not None:
        _note(instance, found)


def _note(instance: Any, found: Registration) -> None:
    if (name := _attribute(instance, found)) is not None and name in instance.__dict__:
        instance._rescind_parent = instance.__dict__[name]


def _has_moved(instance: Any, found: Registration, fields: Collection[str] | None) -> bool:
    name = _attribute(instance, found)
    if name is None or name not in instance.__dict__:
        return False
    if fields is not None and not {name, found.parent} & set(fields):
        return False
    before = instance.__dict__.get("_rescind_parent", ...)
    return before is ... or before != instance.__dict__[name]


def _attribute(instance: Any, found: Registration) -> str | None:
    """The attribute that changes when the object above does."""
    if found.parent is None:
        return None
    return str(instance._meta.get_field(found.parent).attname)


def _organization(instance: Any) -> str:
    organization = organization_of(obj=instance)
    if organization is None:
        hint = f"the organization of {instance!r} is not known; give it one before it is saved"
        raise InvalidArgument(what="organization", hint=hint)
    return organization
