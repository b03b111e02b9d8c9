"""What Django's users and groups are in Rescind: the changes that bring memberships and groups in step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rescind import changes
from rescind.changes import Change
from rescind.errors import GroupNotFound, MembershipExists, MembershipNotFound
from rescind.integrations.django.naming import group_of, memberships_of, subject_of
from rescind.integrations.django.transactions import apply
from rescind.model import MAX_TEXT_LENGTH

REASON: Final = "as in Django"


def sync_user(user: Any, *, reactivate: bool = False, is_new: bool = False) -> None:
    """Give the user a membership, which is deactivated if the user is not active.

    One that somebody deactivated stays so, unless `reactivate` says that the user became active. Whose number
    is new (`is_new`) has nothing that somebody of that number had before. Raises what `apply` raises: nothing
    is saved then if the caller is in a transaction.
    """
    subject, name = subject_of(user), name_of(user)
    for organization in memberships_of(user):
        if is_new:
            anew: list[Change] = [
                changes.RemoveMembership(subject=subject),
                changes.AddMembership(subject=subject, name=name),
            ]
            if not user.is_active:
                anew.append(changes.DeactivateMembership(subject=subject))
            apply(anew, organization=organization, reason=REASON)
            continue
        if not user.is_active:
            known: Sequence[Change] = [changes.DeactivateMembership(subject=subject)]
            receipt = apply(known, organization=organization, reason=REASON)
            if not receipt.not_found:
                continue
            new: list[Change] = [changes.AddMembership(subject=subject, name=name), *known]
        else:
            again = [changes.ReactivateMembership(subject=subject)] if reactivate else []
            known = [*again, changes.RenameMembership(subject=subject, name=name)]
            new = [changes.AddMembership(subject=subject, name=name)]
        _either(known if user.is_active else new, new, organization)


def _either(known: Sequence[Change], new: Sequence[Change], organization: str) -> None:
    """What is done with a membership that is there, or else with one that is not, whoever else adds it."""
    try:
        apply(known, organization=organization, reason=REASON)
    except MembershipNotFound:
        try:
            apply(new, organization=organization, reason=REASON)
        except MembershipExists:
            apply(known, organization=organization, reason=REASON)


def name_of(user: Any) -> str:
    """The display name of the user."""
    name = user.get_full_name() if hasattr(user, "get_full_name") else ""
    return str(name or user.get_username()).replace("\0", "")[:MAX_TEXT_LENGTH]


def remove_user(key: Any, organizations: Iterable[str]) -> None:
    """Remove the memberships of the user with the id, with all that they hold."""
    for organization in organizations:
        gone = [changes.RemoveMembership(subject=f"user:{key}")]
        apply(gone, organization=organization, reason=REASON)


def sync_group(group: Any, organization: str, *, is_new: bool = False) -> None:
    """Make the group, or give it its new name. One with a new number has nothing of an earlier one."""
    named = group_of(group)
    if is_new:
        anew: list[Change] = [
            changes.DeleteGroup(group=named, cascade=True),
            changes.CreateGroup(group=named, name=group.name),
        ]
        apply(anew, organization=organization, reason=REASON)
        return
    try:
        renamed = [changes.RenameGroup(group=named, name=group.name)]
        apply(renamed, organization=organization, reason=REASON)
    except GroupNotFound:
        new = [changes.CreateGroup(group=named, name=group.name)]
        apply(new, organization=organization, reason=REASON)


def remove_group(group: Any, organization: str) -> None:
    """Delete the group with all that it gives."""
    gone = [changes.DeleteGroup(group=group_of(group), cascade=True)]
    apply(gone, organization=organization, reason=REASON)


def add_members(group: Any, users: Sequence[Any], organization: str) -> None:
    """Put the users into the group; what is not there yet, because nobody saved it since, is made."""
    try:
        _members(changes.AddMembers, group, users, organization)
    except (GroupNotFound, MembershipNotFound):
        sync_group(group, organization)
        for user in users:
            sync_user(user)
        _members(changes.AddMembers, group, users, organization)


def remove_members(group: Any, users: Iterable[Any], organization: str) -> None:
    """Take the users out of the group, and with it what only the group gave."""
    _members(changes.RemoveMembers, group, users, organization)


def _members(change: Any, group: Any, users: Iterable[Any], organization: str) -> None:
    members = tuple(subject_of(user) for user in users)
    if members:
        batch = [change(group=group_of(group), members=members)]
        apply(batch, organization=organization, reason=REASON)
