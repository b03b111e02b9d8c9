"""Starts access reviews. A review is a row, and a service action that proves the row: `review_actions`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from rescind import model
from rescind.decision.spelling import folds_ids
from rescind.errors import (
    GroupNotFound,
    InvalidArgument,
    MembershipNotFound,
    PermissionNotFound,
    RescindError,
    ResourceNotFound,
    ReviewExists,
    RoleNotFound,
)
from rescind.history.review_actions import Started, action_of, digest_at, filter_text
from rescind.history.review_filters import folded
from rescind.history.reviews import find, number_of
from rescind.listing.names import Similar
from rescind.model import (
    ENVIRONMENT,
    ENVIRONMENT_NUMBER,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
    Review,
    ReviewFilter,
)
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows import Query
from rescind.store.rows.imports import (
    FIND_NAMED_GROUPS,
    FIND_NAMED_MEMBERSHIPS,
    FIND_NAMED_PERMISSIONS,
    FIND_NAMED_RESOURCES,
    FIND_NAMED_ROLES,
)
from rescind.store.rows.organizations import READ_REVISION
from rescind.store.rows.reconcile import READ_PURGED, PurgedRow

_NAMED: Final[dict[str, tuple[Query[Any], str, type[RescindError]]]] = {
    "subject": (FIND_NAMED_MEMBERSHIPS, "subjects", MembershipNotFound),
    "group": (FIND_NAMED_GROUPS, "groups", GroupNotFound),
    "role": (FIND_NAMED_ROLES, "roles", RoleNotFound),
    "resource": (FIND_NAMED_RESOURCES, "resources", ResourceNotFound),
    "permission": (FIND_NAMED_PERMISSIONS, "permissions", PermissionNotFound),
}
"""By condition of a filter: how to find what it names, and the error if there is none."""


def checked_filter(**conditions: Any) -> ReviewFilter:
    """A filter of names that are well formed. Raises MalformedId and InvalidArgument."""
    checks: dict[str, Callable[[Any], Any]] = {
        "subject": model.subject_id,
        "group": model.group_id,
        "role": model.role_id,
        "resource": model.resource_id,
        "permission": model.permission_id,
        "critical": partial(model.require_flag, "critical"),
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    for name in given.keys() & checks.keys():
        given[name] = checks[name](given[name])
    return ReviewFilter(**given)


def start(
    store: Store,
    organization: OrganizationId,
    name: str,
    chosen: ReviewFilter,
    *,
    actor: str,
    request: str,
    now: Microseconds,
) -> Review:
    """Start a review of the organization as it is now.

    Raises OrganizationNotFound, ReviewExists, and what says which name of the filter does not exist.
    """
    if organization == ENVIRONMENT:
        hint = "name an organization; all organizations (*) have no members of their own"
        raise InvalidArgument(what="organization", value=organization, hint=hint)
    number = number_of(store, organization)
    _require_names(store, organization, number, chosen)
    (state,) = store.fetch(READ_REVISION, {"o": number})
    detail = Started(
        revision=state.organization,
        environment_revision=state.environment,
        digest=digest_at(store, number, state.organization),
        environment_digest=digest_at(store, ENVIRONMENT_NUMBER, state.environment),
        only=chosen.as_object(),
    )
    action = action_of(name, detail, o=number, actor=actor, request=request, now=now)
    row = {
        "o": number,
        "organization": organization,
        "name": name,
        "revision": state.organization,
        "environment": state.environment,
        "now": now,
        "actor": actor,
        "filter": filter_text(chosen),
    }
    tallies: list[Callable[[], list[PurgedRow]]] = []

    def start(tx: Transaction) -> None:
        tx.count("start_review", Counter.ALTERED, **row)
        tallies[:] = [tx.read_later(READ_PURGED)]
        tx.note_action(action)

    store.transact(start)
    found = find(store, organization, name)
    if not tallies[0]()[0].altered:
        at = found.started_at.isoformat(sep=" ", timespec="seconds")
        raise ReviewExists(review=name, started_at=at, by=found.actor)
    return found


def _require_names(
    store: Store, organization: OrganizationId, o: OrganizationNumber, chosen: ReviewFilter
) -> None:
    """Raises for a name in a filter that does not exist: a review of nothing would look like a proof that
    nobody has anything.
    """
    if folds_ids(store, organization):
        chosen = folded(chosen)
    for what, (query, parameter, error) in _NAMED.items():
        name = getattr(chosen, what)
        if name is None or (what == "resource" and name == model.ROOT):
            continue
        if not store.fetch(query, {"o": o, parameter: json.dumps([name])}):
            unknown = error(organization=organization, **{what: name})
            raise Similar(store).hinted(unknown, organization)
