"""Questions about a user of Django: one place for all of the integration.

Owns who is asked about at all: nobody who is not active may do anything; what superusers may is an option.
No answer is remembered between two questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from rescind import model as ids
from rescind.errors import InvalidArgument, MalformedId, RescindError
from rescind.integrations.django.naming import organization_of, permission_of, subject_of
from rescind.integrations.django.opened import authority
from rescind.integrations.django.options import options
from rescind.integrations.django.resources import NoResource, resource_of
from rescind.integrations.django.transactions import within
from rescind.integrations.outcomes import UNAUTHENTICATED, Refusal, Refused, let_in
from rescind.model import Decision

T = TypeVar("T")
MOST_AT_ONCE = 1_000
"""Objects of one question to the authority."""


def preset(user: Any) -> bool | None:
    """What holds for the user without a question: nothing for one who is not active; everything for a
    superuser, unless SUPERUSERS is `ask`. Else None.
    """
    if not getattr(user, "is_active", False) or getattr(user, "is_anonymous", True):
        return False
    if getattr(user, "is_superuser", False) and options().superusers == "allow":
        return True
    return None


def is_allowed(user: Any, permission: str, obj: Any = None, **asked: Any) -> bool:
    """Whether the user may. Without `obj`, on the organization itself.

    What cannot be a name is no permission and no resource, so nobody may. Raises a StoreError where nothing
    could be decided, and NoResource for an object that is no resource.
    """
    known = preset(user)
    if known is not None:
        return known
    decision = _decided(user, permission, obj, **asked)
    return decision is not None and decision.allowed


def check(user: Any, permission: str, obj: Any = None, **asked: Any) -> Decision:
    """The decision of the facts about an active user, whoever it is: superusers are no exception here.

    `asked` as for `Authority.check`. Raises MalformedId, InvalidArgument where there is no organization, and
    what `Authority.check` raises.
    """
    organization = _organization(asked.pop("organization", None), user, obj)
    if organization is None:
        raise InvalidArgument(what="organization", hint="the resolver of the tenant names none")
    where = None if obj is None else resource_of(obj)
    if (connection := within(organization)) is not None:
        asked.setdefault("within", connection)
    return authority().check(
        subject_of(user),
        permission_of(permission, obj),
        where,
        organization=organization,
        **asked,
    )


def explain(user: Any, permission: str, obj: Any = None, **asked: Any) -> Decision:
    """As `check`, with the chains that allow it, or with what is missing."""
    return check(user, permission, obj, explain=True, **asked)


def _organization(asked: str | None, user: Any, obj: Any) -> str | None:
    """The one that was asked about. An empty name is nobody's, and not that of the options."""
    return organization_of(user, obj) if asked is None else asked


def _decided(user: Any, permission: str, obj: Any, **asked: Any) -> Decision | None:
    if _organization(asked.get("organization"), user, obj) is None:
        return None
    try:
        return check(user, permission, obj, **asked)
    except MalformedId:
        return None


def require(user: Any, permission: str, obj: Any = None, **asked: Any) -> None:
    """Let the user go on. Raises Refused: 401 for nobody, 403, 400 for a bad token, 503 for no decision."""
    known = preset(user)
    if known:
        return
    if getattr(user, "is_anonymous", True):
        raise Refused(UNAUTHENTICATED)
    forbidden = Refusal(403, "Forbidden", f"{permission} is required.")
    if known is False:
        raise Refused(forbidden)
    outcome: Decision | RescindError | None
    try:
        outcome = _decided(user, permission, obj, **asked)
    except RescindError as error:
        outcome = error
    if outcome is None:
        raise Refused(forbidden)
    let_in(outcome, permission)


def allowed(user: Any, permission: str, objects: Iterable[T], **asked: Any) -> list[T]:
    """Those of the objects on which the user may: one question for a thousand of them, not one each.

    Raises as `is_allowed`.
    """
    found = list(objects)
    known = preset(user)
    if known is not None:
        return found if known else []
    chosen: list[T] = []
    for start in range(0, len(found), MOST_AT_ONCE):
        chosen += _allowed(user, permission, found[start : start + MOST_AT_ONCE], **asked)
    return chosen


def _allowed(user: Any, permission: str, objects: Sequence[T], **asked: Any) -> list[T]:
    by_organization: dict[str, list[int]] = {}
    for number, obj in enumerate(objects):
        organization = _organization(asked.get("organization"), user, obj)
        if organization is not None:
            by_organization.setdefault(organization, []).append(number)
    may: set[int] = set()
    subject = subject_of(user)
    for organization, numbers in by_organization.items():
        questions = {}
        for each in numbers:
            question = subject, permission_of(permission, objects[each]), resource_of(objects[each])
            if _can_be(*question):
                questions[each] = question
        decisions = authority().check_many(
            list(questions.values()), organization=organization, within=within(organization)
        )
        may |= {each for each, decision in zip(questions, decisions, strict=True) if decision}
    return [obj for number, obj in enumerate(objects) if number in may]


def _can_be(subject: str, permission: str, resource: str) -> bool:
    try:
        ids.subject_id(subject)
        ids.permission_id(permission)
        ids.resource_id(resource)
    except MalformedId:
        return False
    return True


def permissions(user: Any, obj: Any = None, *, organization: str | None = None) -> frozenset[str]:
    """All permissions of an active user on an object, or on the organization, by their names in Rescind.

    Superusers are no exception here. Raises as `is_allowed`.
    """
    if preset(user) is False:
        return frozenset()
    name = _organization(organization, user, obj)
    if name is None:
        return frozenset()
    where = None if obj is None else resource_of(obj)
    return permissions_of(subject_of(user), where, name)


def permissions_by_chains(user: Any, obj: Any = None, *, by_group: bool) -> frozenset[str]:
    """Those that a role of a group gives, or else those that a role of the user's own gives.

    One explanation for each permission. Raises as `is_allowed`.
    """
    found = set()
    for permission in permissions(user, obj):
        explanation = explain(user, permission, obj).explanation
        chains = () if explanation is None else explanation.chains
        if any(bool(chain.groups) is by_group for chain in chains):
            found.add(permission)
    return frozenset(found)


def permissions_of(holder: str, resource: str | None, organization: str) -> frozenset[str]:
    """All permissions of a subject, or that `group:…` gives, on a resource. Raises as `is_allowed`."""
    found: set[str] = set()
    asked: dict[str, Any] = {"organization": organization, "limit": 1_000}
    if not holder.startswith("group:"):
        asked["within"] = within(organization)
    try:
        while True:
            page = authority().permissions_of(holder, resource, **asked)
            found.update(page.items)
            if page.next_cursor is None:
                return frozenset(found)
            asked["cursor"] = page.next_cursor
    except MalformedId:
        return frozenset()


__all__ = [
    "NoResource",
    "allowed",
    "check",
    "explain",
    "is_allowed",
    "permissions",
    "permissions_by_chains",
    "permissions_of",
    "preset",
    "require",
]
