"""Names that do not exist, and similar names that do.

Searches a bounded number of names, only after a question or a change has failed. Names come from one
organization and the environment; names of another organization are never returned.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final, NamedTuple

from rescind.errors import (
    GroupNotFound,
    MembershipNotFound,
    PermissionNotFound,
    RescindError,
    ResourceNotFound,
    ResourceTypeNotFound,
    RoleNotFound,
    StoreError,
)
from rescind.model import MAX_ID_LENGTH, OrganizationNumber
from rescind.store import Store
from rescind.store.rows import Query
from rescind.store.rows.listing import (
    FIND_UNKNOWN,
    SIMILAR_GROUPS,
    SIMILAR_ORGANIZATIONS,
    SIMILAR_PERMISSIONS,
    SIMILAR_RESOURCES,
    SIMILAR_ROLES,
    SIMILAR_SUBJECTS,
    SIMILAR_TYPES,
    NameRow,
)

EARLIEST: Final = "\x1f"
"""Less than any name. What was deleted has a lesser one."""
NEAR: Final = 100
"""Names of one kind that are compared on each side, and from the first name on."""
MOST: Final = 3
LIKENESS: Final = 0.75
"""The least ratio of similarity by difflib; transposed letters count as similar."""

_QUERIES: Final = {
    "group": SIMILAR_GROUPS,
    "subject": SIMILAR_SUBJECTS,
    "role": SIMILAR_ROLES,
    "permission": SIMILAR_PERMISSIONS,
    "resource": SIMILAR_RESOURCES,
    "type": SIMILAR_TYPES,
}
_ERRORS: Final[dict[type[RescindError], str]] = {
    GroupNotFound: "group",
    MembershipNotFound: "subject",
    RoleNotFound: "role",
    PermissionNotFound: "permission",
    ResourceNotFound: "resource",
    ResourceTypeNotFound: "type",
}
UNKNOWN: Final = tuple(_ERRORS)
"""Errors for something in an organization that does not exist."""


class UnknownName(NamedTuple):
    """A name in a question that does not exist, and similar names, the most similar first."""

    what: str
    name: str
    similar: tuple[str, ...]


class Similar:
    """Finds similar names. Never raises a StoreError: a hint is not worth a failure."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def organizations(self, name: str) -> tuple[str, ...]:
        """Similar names of organizations, for users of the database itself."""
        return self._like(SIMILAR_ORGANIZATIONS, {}, name)

    def unknown(
        self,
        organization: str,
        *,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
    ) -> tuple[UnknownName, ...]:
        """The names in a question that do not exist; empty if the organization does not exist."""
        group = None
        if subject is not None and subject.startswith("group:"):
            group = subject.removeprefix("group:")
        names = {
            "organization": organization,
            "subject": subject,
            "group": group,
            "permission": permission,
            "resource": resource,
        }
        rows = self._store.fetch(FIND_UNKNOWN, names)
        if not rows:
            return ()
        (row,) = rows
        o = row.organization
        asked = (
            ("subject", None if group else subject, row.has_subject),
            ("group", group, row.has_group),
            ("permission", permission, row.has_permission),
            ("resource", resource, row.has_resource),
        )
        return tuple(
            UnknownName(what, name, self.of(o, what, name))
            for what, name, is_there in asked
            if name is not None and not is_there
        )

    def of(self, o: OrganizationNumber, what: str, name: str) -> tuple[str, ...]:
        """Similar names of a kind in an organization. For a subject, also the group of that name."""
        found = self._like(_QUERIES[what], {"o": o}, name)
        bare = name.partition(":")[2] if name.startswith("user:") else ""
        if what == "subject" and bare:
            groups = self._like(_QUERIES["group"], {"o": o}, bare)
            holders = tuple(f"group:{group}" for group in groups)
            found = (*holders, *found) if bare in groups else (*found, *holders)
        return found[:MOST]

    def hinted(self, error: RescindError, organization: str) -> RescindError:
        """The error, with `did_you_mean` if similar names exist."""
        what = _ERRORS.get(type(error))
        name = error.facts.get(what or "")
        if what is None or not isinstance(name, str) or "did_you_mean" in error.facts:
            return error
        try:
            rows = self._store.fetch(FIND_UNKNOWN, _nothing_of(organization))
            similar = self.of(rows[0].organization, what, name) if rows else ()
        except StoreError:
            return error
        return type(error)(**error.facts, did_you_mean=similar) if similar else error

    def _like(
        self, query: Query[NameRow], of: dict[str, OrganizationNumber], name: str
    ) -> tuple[str, ...]:
        name = name[:MAX_ID_LENGTH]
        names = {**of, "name": name, "first": EARLIEST, "limit": NEAR}
        try:
            found = [row.name for row in self._store.fetch(query, names)]
        except StoreError:
            return ()
        return _alike(name, found)


def _alike(name: str, found: list[str]) -> tuple[str, ...]:
    letters = sorted(name)
    turned = [each for each in found if len(each) == len(name) and sorted(each) == letters]
    close = get_close_matches(name, found, n=MOST, cutoff=LIKENESS)
    return tuple(dict.fromkeys([*turned, *close]))[:MOST]


def _nothing_of(organization: str) -> dict[str, str | None]:
    none: dict[str, str | None] = dict.fromkeys(("subject", "group", "permission", "resource"))
    return {**none, "organization": organization}
