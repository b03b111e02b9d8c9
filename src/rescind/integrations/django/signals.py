"""Keeps Rescind in step with Django: users, groups, and objects that are resources.

The changes are made in the transaction that saves the object, if there is one. What Django does without
signals (`bulk_create`, `queryset.update`) is found by `manage.py rescind_sync`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import signals

from rescind.errors import InvalidArgument
from rescind.integrations.django import memberships, synced_resources
from rescind.integrations.django.naming import is_group, memberships_of, organization_of
from rescind.integrations.django.options import options
from rescind.integrations.django.resources import registration_of
from rescind.integrations.django.transactions import is_atomic

_NAMES: Final = frozenset(("is_active", "first_name", "last_name", "username", "email"))
"""Fields of a user that matter here. A sign-in saves another one, `last_login`, alone."""


def connect() -> None:
    """Listen to the models of this project, once."""
    for model in apps.get_models():
        follow(model)
    signals.class_prepared.connect(_prepared, dispatch_uid="rescind.prepared")
    if (groups := _places()) is not None:
        signals.m2m_changed.connect(_moved, sender=groups, dispatch_uid="rescind.groups")


def follow(model: type[Any]) -> None:
    """Listen to a model of users, groups or resources. All others are left alone: Django deletes rows of
    models that nobody listens to in one statement.
    """
    found = registration_of(model)
    is_user = issubclass(model, get_user_model())
    if is_user:
        _listen(signals.post_init, _note_active, model)
    elif found is not None and found.is_synced:
        if found.parent is not None:
            _listen(signals.post_init, synced_resources.note_parent, model)
    elif not _is_model_of_groups(model):
        return
    _listen(signals.pre_save, _before_save, model)
    _listen(signals.post_save, _saved, model)
    _listen(signals.pre_delete, _before_delete, model)
    _listen(signals.post_delete, _deleted, model)


def _listen(signal: Any, handler: Callable[..., None], model: type[Any]) -> None:
    signal.connect(handler, sender=model, dispatch_uid=f"rescind.{handler.__name__}")


def _prepared(sender: type[Any], **_: Any) -> None:
    if apps.ready:
        follow(sender)


def _is_model_of_groups(model: type[Any]) -> bool:
    return apps.is_installed("django.contrib.auth") and issubclass(
        model, apps.get_model("auth", "Group")
    )


def _places() -> Any:
    """The table of users' places in groups; None if this project's users have no groups of Django's."""
    field: Any = getattr(get_user_model(), "groups", None)
    rel = getattr(field, "rel", None)
    is_djangos = rel is not None and rel.model is apps.get_model("auth", "Group")
    return field.through if is_djangos else None


def _note_active(instance: Any, **_: Any) -> None:
    """Remember that a loaded user is not active, so that it is seen when the user becomes active."""
    if instance.__dict__.get("is_active") is False:
        instance._rescind_was_inactive = True


def _before_save(instance: Any, using: str, update_fields: Any = None, **_: Any) -> None:
    """Refuse another id for the same object: what is held by the old one would be whoever's takes it next."""
    name = field_of_id(instance)
    if name is None or name == "pk" or instance._state.adding:
        return
    if update_fields is not None and name not in update_fields:
        return
    field = instance._meta.get_field(name)
    if field.primary_key:
        return
    rows = type(instance)._base_manager.using(using).filter(pk=instance.pk)
    before = rows.values_list(name, flat=True).first()
    if before in (None, "") or before == field.to_python(getattr(instance, name)):
        return
    hint = f"{name!r} names {instance._meta.label} in Rescind: it never changes"
    raise InvalidArgument(what=name, hint=hint)


def field_of_id(instance: Any) -> str | None:
    """The field of an object that is followed which has its id in Rescind."""
    if isinstance(instance, get_user_model()):
        return options().user_id_field if options().sync_users else None
    found = registration_of(type(instance))
    return found.id_field if found is not None and found.is_synced else None


def _saved(
    instance: Any,
    created: bool,
    update_fields: Any = None,
    raw: bool = False,
    **_: Any,
) -> None:
    if isinstance(instance, get_user_model()):
        fields = None if update_fields is None else frozenset(update_fields)
        matters = fields is None or fields & (_NAMES | {options().user_id_field})
        if options().sync_users and (created or matters):
            _saved_user(instance)
    elif is_group(instance):
        if options().sync_groups:
            for organization in organizations_of_groups():
                memberships.sync_group(instance, organization)
    elif (found := registration_of(type(instance))) is not None and not raw:
        synced_resources.saved(instance, found, created=created, fields=update_fields)


def _saved_user(user: Any) -> None:
    """A membership that was deactivated elsewhere is not activated by a save of something else."""
    was_inactive = getattr(user, "_rescind_was_inactive", False)
    memberships.sync_user(user, reactivate=was_inactive)
    if not user.is_active:
        user._rescind_was_inactive = True
    elif not is_atomic():  # else it may be rolled back, and the next save has to do it again
        user._rescind_was_inactive = False


def _before_delete(instance: Any, **_: Any) -> None:
    """What is known of the object only while it is there."""
    if isinstance(instance, get_user_model()) and options().sync_users:
        instance._rescind_memberships = memberships_of(instance)


def _deleted(instance: Any, **_: Any) -> None:
    if isinstance(instance, get_user_model()):
        if options().sync_users:
            memberships.remove_user(instance, instance._rescind_memberships)
    elif is_group(instance):
        if options().sync_groups:
            for organization in organizations_of_groups():
                memberships.remove_group(instance, organization)
    elif (found := registration_of(type(instance))) is not None:
        synced_resources.deleted(instance, found)


def _moved(
    instance: Any, action: str, reverse: bool, model: Any, pk_set: Any, using: str, **_: Any
) -> None:
    """Users were put into groups, or are taken out of them."""
    if not options().sync_groups or action not in ("post_add", "post_remove", "pre_clear"):
        return
    if action == "pre_clear":
        others: Iterable[Any] = (instance.user_set if reverse else instance.groups).using(using)
    else:
        others = model._base_manager.using(using).filter(pk__in=pk_set)
    change = memberships.add_members if action == "post_add" else memberships.remove_members
    pairs = [(instance, list(others))] if reverse else [(other, [instance]) for other in others]
    for organization in organizations_of_groups():
        for group, users in pairs:
            if action == "post_add":
                users = [user for user in users if organization in memberships_of(user)]
            change(group, users, organization)


def organizations_of_groups() -> tuple[str, ...]:
    """Whose groups Django's are: the only organization's. With several tenants they are nobody's, because
    they have members of all.
    """
    found = None if options().organization_resolver else organization_of()
    return () if found is None else (found,)
