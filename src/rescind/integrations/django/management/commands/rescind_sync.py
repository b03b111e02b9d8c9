"""`manage.py rescind_sync`: brings users, groups and registered objects that are there already in step.

For a project that takes up Rescind, and after `bulk_create` or `queryset.update`, which send no signals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from rescind import changes
from rescind.changes import Change
from rescind.errors import MembershipExists, ResourceExists
from rescind.integrations.django import memberships, pruning, synced_resources
from rescind.integrations.django.naming import (
    group_of,
    memberships_of,
    organization_of,
    subject_of,
)
from rescind.integrations.django.options import options
from rescind.integrations.django.resources import MODELS, Registration
from rescind.integrations.django.signals import organizations_of_groups, users_of_groups
from rescind.integrations.django.transactions import apply

BATCH: Final = 1_000


class Command(BaseCommand):
    """Repeating it does nothing where nothing has changed. What only Rescind knows is left alone."""

    help = (
        "Bring memberships, groups and resources in step with Django's users, groups and objects."
    )

    def add_arguments(self, parser: Any) -> None:
        """`--reactivate`, because who deactivated a membership may not have been Django."""
        text = "also activate the deactivated memberships of active users"
        parser.add_argument("--reactivate", action="store_true", help=text)
        text = "remove memberships, groups and resources whose user, group or object is gone"
        parser.add_argument("--prune", action="store_true", help=text)

    def handle(self, *_: Any, reactivate: bool = False, prune: bool = False, **__: Any) -> None:
        if options().sync_users:
            self._told("user", "users", _users(reactivate=reactivate))
        if options().sync_groups:
            self._told("group", "groups", _groups())
        for model, found in sorted(MODELS.items(), key=lambda each: _depth(each[1])):
            if found.is_synced:
                names = model._meta.verbose_name, model._meta.verbose_name_plural
                self._told(*names, _resources(found))
        self._leftovers(prune=prune)

    def _leftovers(self, *, prune: bool) -> None:
        """Remove what is of nobody, or say how much there is."""
        numbers: Counter[str] = Counter()
        for what, organization, batch in pruning.leftovers():
            numbers[what] += len(batch)
            if prune:
                apply(batch, organization=organization, reason=memberships.REASON)
        for what, number in numbers.items():
            is_done = "removed" if prune else "without a row; --prune removes them"
            self.stdout.write(
                f"{number} {what.removesuffix('s') if number == 1 else what} {is_done}"
            )

    def _told(self, one: Any, many: Any, numbers: Iterable[int]) -> None:
        number = sum(numbers)
        self.stdout.write(f"{number} {one if number == 1 else many}")


def _users(*, reactivate: bool) -> Iterator[int]:
    for users in _pieces(get_user_model()._default_manager.order_by("pk")):
        by_organization: dict[str, list[Any]] = {}
        for user in users:
            for organization in memberships_of(user):
                by_organization.setdefault(organization, []).append(user)
        for organization, members in by_organization.items():
            new: list[Change] = [
                changes.AddMembership(subject=subject_of(user), name=memberships.name_of(user))
                for user in members
                if user.is_active
            ]
            try:
                apply(new, organization=organization, reason=memberships.REASON)
            except MembershipExists:  # some are renamed or deactivated: one by one
                for user in members:
                    memberships.sync_user(user, reactivate=reactivate)
            else:
                for user in members:
                    if not user.is_active:
                        memberships.sync_user(user)
        yield len(users)


def _groups() -> Iterator[int]:
    from django.contrib.auth.models import Group

    if not hasattr(get_user_model(), "groups"):
        return
    for group in Group.objects.order_by("pk"):
        for organization in organizations_of_groups():
            memberships.sync_group(group, organization)
            members = tuple(subject_of(user) for user in getattr(group, users_of_groups()).all())
            batch = [changes.ReplaceMembers(group=group_of(group), members=members, create=True)]
            apply(batch, organization=organization, reason=memberships.REASON)
        yield 1


def _resources(found: Registration) -> Iterator[int]:
    queryset = found.model._default_manager.order_by("pk")
    if found.parent is not None:
        queryset = queryset.select_related(found.parent)
    for instances in _pieces(queryset):
        by_organization: dict[str, list[Any]] = {}
        for each in instances:
            if (organization := organization_of(obj=each)) is not None:
                by_organization.setdefault(organization, []).append(each)
        for organization, ours in by_organization.items():
            try:
                synced_resources.create(ours, found)
            except ResourceExists:  # some are elsewhere: moved, one by one
                for each in ours:
                    _move(each, found, organization)
        yield len(instances)


def _move(instance: Any, found: Registration, organization: str) -> None:
    try:
        synced_resources.create([instance], found)
    except ResourceExists:
        resource, parent = found.resource_of(instance), found.parent_of(instance)
        moved = [changes.MoveResource(resource=resource, parent=parent)]
        apply(moved, organization=organization, reason=memberships.REASON)


def _depth(found: Registration, seen: tuple[str, ...] = ()) -> int:
    """How many registered models are above: their objects are made first."""
    if found.parent is None or found.type in seen:
        return 0
    above = found.model._meta.get_field(found.parent).related_model
    if above not in MODELS:
        return 0
    return 1 + _depth(MODELS[above], (*seen, found.type))


def _pieces(queryset: Any) -> Iterator[list[Any]]:
    """The objects, a batch at a time, by their key: none is left out because another is deleted meanwhile."""
    last = None
    while True:
        rest = queryset if last is None else queryset.filter(pk__gt=last)
        piece = list(rest[:BATCH])
        if not piece:
            return
        yield piece
        last = piece[-1].pk
