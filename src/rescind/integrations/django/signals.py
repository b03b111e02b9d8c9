"""Keeps Rescind in step with Django: users, groups, and objects that are resources.

The changes are made in the transaction that saves the object, if there is one. What Django does without
signals (`bulk_create`, `queryset.update`) is found by `manage.py rescind_sync`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.db.models import signals

from rescind.errors import InvalidArgument
from rescind.integrations.django import memberships, synced_resources
from rescind.integrations.django.naming import is_group, memberships_of, organization_of
from rescind.integrations.django.options import options
from rescind.integrations.django.resources import registration_of

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
    _listen(signals.post_save, saved, model)
    _listen(signals.pre_delete, before_delete, model)
    _listen(signals.post_delete, deleted, model)


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
    instance._rescind_had_no_key = instance.pk is None
    name = field_of_id(instance)
    if name is None or name == "pk" or instance._state.adding or not is_followed(instance, using):
        return
    if update_fields is not None and name not in update_fields:
        return
    field = instance._meta.get_field(name)
    if field.primary_key:
        return
    before = _saved_value(instance, name, using)
    if before in (None, "") or before == field.to_python(getattr(instance, name)):
        return
    hint = f"{name!r} names {instance._meta.label} in Rescind: it never changes"
    raise InvalidArgument(what=name, hint=hint)


def _saved_value(instance: Any, name: str, using: str) -> Any:
    """What the row has, whatever was set on the object since."""
    rows = type(instance)._base_manager.using(using).filter(pk=instance.pk)
    return rows.values_list(name, flat=True).first()


def is_followed(instance: Any, using: str) -> bool:
    """Whether the row is the object that Rescind knows, and not a copy in another database."""
    return using in (options().database, router.db_for_write(type(instance)))


def field_of_id(instance: Any) -> str | None:
    """The field of an object that is followed which has its id in Rescind."""
    if isinstance(instance, get_user_model()):
        return options().user_id_field if options().sync_users else None
    found = registration_of(type(instance))
    return found.id_field if found is not None and found.is_synced else None


def saved(
    instance: Any,
    created: bool,
    using: str,
    update_fields: Any = None,
    raw: bool = False,
    **_: Any,
) -> None:
    """Bring what follows from the saved row in step."""
    if not is_followed(instance, using):
        return
    if isinstance(instance, get_user_model()):
        fields = None if update_fields is None else frozenset(update_fields)
        matters = fields is None or fields & (_NAMES | {options().user_id_field})
        if options().sync_users and (created or matters):
            _saved_user(instance, created=created)
    elif is_group(instance):
        if options().sync_groups:
            is_new = created and synced_resources.is_new(instance)
            for organization in organizations_of_groups():
                memberships.sync_group(instance, organization, is_new=is_new)
    elif (found := registration_of(type(instance))) is not None and not raw:
        synced_resources.saved(instance, found, created=created, fields=update_fields)


def _saved_user(user: Any, *, created: bool) -> None:
    """A membership that was deactivated elsewhere is not activated by a save of something else."""
    was_inactive = getattr(user, "_rescind_was_inactive", False)
    is_new = created and options().user_id_field == "pk" and synced_resources.is_new(user)
    memberships.sync_user(user, reactivate=was_inactive, is_new=is_new)
    if not user.is_active:
        user._rescind_was_inactive = True
    elif was_inactive:  # if it is rolled back, the next save has to do it again
        transaction.on_commit(partial(_forget_inactive, user), using=options().database)


def _forget_inactive(user: Any) -> None:
    user._rescind_was_inactive = not user.is_active


def before_delete(sender: type[Any], instance: Any, using: str, **_: Any) -> None:
    """What is known of the object only while it is there."""
    name = field_of_id(instance)
    if name is None or not is_followed(instance, using) or is_child(sender):
        return
    is_key = name in ("pk", instance._meta.pk.name)
    instance._rescind_id = instance.pk if is_key else _saved_value(instance, name, using)
    if isinstance(instance, get_user_model()):
        instance._rescind_memberships = memberships_of(instance)
    else:
        instance._rescind_below = synced_resources.noted_below(instance, using)


def is_child(model: type[Any]) -> bool:
    """Whether the model adds a row to that of the user or resource, which is deleted by itself, or stays."""
    found = registration_of(model)
    base: Any = None if found is None else found.model
    if issubclass(model, get_user_model()):
        base = get_user_model()
    return base is not None and base._meta.concrete_model is not model._meta.concrete_model


def deleted(sender: type[Any], instance: Any, using: str, **_: Any) -> None:
    """Remove what follows from the row that was deleted."""
    if not is_followed(instance, using) or is_child(sender):
        return
    if isinstance(instance, get_user_model()):
        if options().sync_users:
            memberships.remove_user(instance._rescind_id, instance._rescind_memberships)
    elif is_group(instance):
        if options().sync_groups:
            for organization in organizations_of_groups():
                memberships.remove_group(instance, organization)
    elif (found := registration_of(type(instance))) is not None:
        synced_resources.deleted(instance, found, using)


def _moved(
    instance: Any, action: str, reverse: bool, model: Any, pk_set: Any, using: str, **_: Any
) -> None:
    """Users were put into groups, or are taken out of them."""
    if not options().sync_groups or action not in ("post_add", "post_remove", "pre_clear"):
        return
    if not is_followed(instance, using):
        return
    if action == "pre_clear":
        places: Any = getattr(instance, users_of_groups() if reverse else "groups")
        others: Iterable[Any] = places.using(using)
    else:
        others = model._base_manager.using(using).filter(pk__in=pk_set)
    change = memberships.add_members if action == "post_add" else memberships.remove_members
    pairs = [(instance, list(others))] if reverse else [(other, [instance]) for other in others]
    for organization in organizations_of_groups():
        for group, users in pairs:
            if action == "post_add":
                users = [user for user in users if organization in memberships_of(user)]
            change(group, users, organization)


def users_of_groups() -> str:
    """The name of what Django's groups have their users by."""
    field: Any = get_user_model()._meta.get_field("groups")
    return str(field.remote_field.get_accessor_name())


def organizations_of_groups() -> tuple[str, ...]:
    """Whose groups Django's are: the only organization's. With several tenants they are nobody's, because
    they have members of all.
    """
    found = None if options().organization_resolver else organization_of()
    return () if found is None else (found,)
