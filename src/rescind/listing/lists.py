"""The lists of facts of `Authority`, and its questions about names that do not exist or look alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, Final

from rescind import model
from rescind.decision.router import DecisionRouter
from rescind.errors import GroupNotFound, InvalidArgument, ResourceNotFound, RoleNotFound
from rescind.listing import assignments, members, roles
from rescind.listing.look_alikes import alike
from rescind.listing.names import EARLIEST, Similar, UnknownName
from rescind.listing.reading import (
    FIRST,
    Listed,
    Paging,
    of_holder,
    prefix,
    reading,
    require_holder,
    time,
)
from rescind.model import (
    AlikeIds,
    AssignmentEntry,
    Assurance,
    ExpiryEntry,
    FactPage,
    GroupEntry,
    MemberEntry,
    MembershipEntry,
    Microseconds,
    OrganizationId,
    Page,
    PermissionEntry,
    ResourceEntry,
    RoleEntry,
    moment,
)
from rescind.store import Store
from rescind.store.rows.listing import (
    LISTED_ACTIVE_MEMBERSHIPS,
    LISTED_DEACTIVATED_MEMBERSHIPS,
    LISTED_GROUPS,
    LISTED_GROUPS_AROUND,
    LISTED_GROUPS_OF_MEMBERSHIP,
    LISTED_MEMBERSHIPS,
    LISTED_RESOURCES,
    LISTED_RESOURCES_BELOW,
    ListedMembershipRow,
    ListedPlaceRow,
    ListedResourceRow,
)

SOON: Final = 30 * 86_400 * 1_000_000
"""Microseconds: 30 days."""


class Listings(ABC):
    """What `Authority` lists: recorded facts, and names that do not exist or look alike.

    Expired facts are left out unless `expired` is set. Each method raises OrganizationNotFound,
    InvalidArgument, InvalidCursor, InvalidToken, RevisionUnavailable or another StoreError, and the error
    for a name that does not exist.
    """

    store: Store
    _questions: DecisionRouter
    _similar: Similar

    @abstractmethod
    def _named(self, organization: str | None) -> OrganizationId:
        """The named organization, or the authority's own."""

    @abstractmethod
    def _now(self) -> Microseconds: ...

    # --- groups and memberships -------------------------------------------------------------------

    def list_groups(
        self, of: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[GroupEntry]:
        """The groups of an organization, by name; or those that a subject, or `group:…`, is directly in.

        `paging` is `limit` (1 to 10,000), `cursor` (of the page before) and `at_least`, as for all lists
        of facts. The cost of a list is in proportion to the page.
        """
        name = self._named(organization)
        holder = None if of is None else self._questions.holder(name, model.holder_id(of))
        if holder is None:
            with reading(self.store, "groups", Listed(name), Paging(**paging)) as read:
                (after,) = read.after(EARLIEST)
                rows = read.fetch(LISTED_GROUPS, after=after, limit=read.limit + 1)
                return read.page(
                    rows, lambda row: [row.group], lambda row: GroupEntry(row.group, row.name)
                )
        listed = of_holder(name, holder)
        with reading(self.store, "groups of", listed, Paging(**paging)) as read:
            number = require_holder(read, listed)
            (after,) = read.after(FIRST)
            params = {"after": after, "limit": read.limit + 1}
            if number > 0:
                params["now"] = self._now()
                places = read.fetch(LISTED_GROUPS_OF_MEMBERSHIP, m=number, **params)
            else:
                places = read.fetch(LISTED_GROUPS_AROUND, g=number, **params)
            return read.page(places, lambda row: [row.number], _group)

    def list_members(
        self,
        group: str,
        *,
        organization: str | None = None,
        effective: bool = False,
        expired: bool = False,
        **paging: Any,
    ) -> FactPage[MemberEntry]:
        """The direct members of a group: groups nested in it (`group:…`), then subjects.

        With `effective`, all subjects in it and in groups nested in it, each once. With `expired`, also
        expired places.
        """
        name = self._named(organization)
        spelled = self._questions.group(name, model.group_id(group))
        listed, part = Listed(name, group=spelled), Paging(**paging)
        now = 0 if expired else self._now()
        how = {"effective": effective, "expired": expired}
        with reading(self.store, "members", listed, part, **how) as read:
            if read.numbers.group is None:
                raise GroupNotFound(group=spelled)
            if effective:
                return members.effective(read, now)
            return members.direct(read, now, spelled)

    def list_memberships(
        self,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        active: bool | None = None,
        **paging: Any,
    ) -> FactPage[MembershipEntry]:
        """The memberships of the organization, by subject: all, the `active` ones, or the deactivated."""
        kind = None if subject_kind is None else model.require_subject_kind(subject_kind)
        listed, part = Listed(self._named(organization)), Paging(**paging)
        with reading(self.store, "memberships", listed, part, kind=kind, active=active) as read:
            first, end = prefix(kind)
            (after,) = read.after(first)
            params = {"after": after, "end": end, "limit": read.limit + 1}
            if active is None:
                rows = read.fetch(LISTED_MEMBERSHIPS, **params)
            elif active:
                rows = read.fetch(LISTED_ACTIVE_MEMBERSHIPS, **params)
            else:
                rows = read.fetch(LISTED_DEACTIVATED_MEMBERSHIPS, **params)
            return read.page(rows, lambda row: [row.subject], _membership)

    # --- roles, permissions, resources ------------------------------------------------------------

    def list_roles(self, *, organization: str | None = None, **paging: Any) -> FactPage[RoleEntry]:
        """The roles that can be given, by name, with their permissions."""
        listed = Listed(self._named(organization))
        with reading(self.store, "roles", listed, Paging(**paging)) as read:
            return roles.of_organization(read)

    def list_permissions(
        self, role: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[PermissionEntry]:
        """The permissions that are defined, by name; or those of a role."""
        named = None if role is None else model.role_id(role)
        listed = Listed(self._named(organization), role=named)
        with reading(self.store, "permissions", listed, Paging(**paging)) as read:
            if named is None:
                return roles.permissions(read)
            if read.numbers.role is None:
                raise RoleNotFound(role=named)
            return roles.permissions_of(read, read.numbers.role)

    def list_resources(
        self,
        parent: str | None = None,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **paging: Any,
    ) -> FactPage[ResourceEntry]:
        """The resources, by name, perhaps of one type; or the children of a parent."""
        above = None if parent is None else model.resource_id(parent)
        kind = None if resource_type is None else model.resource_type_id(resource_type)
        listed, part = Listed(self._named(organization), resource=above), Paging(**paging)
        if above is not None and kind is not None:
            raise InvalidArgument(what="type", hint="give either a parent or a type")
        with reading(self.store, "resources", listed, part, kind=kind) as read:
            if above is None:
                first, end = prefix(kind)
                (after,) = read.after(first)
                params = {"after": after, "end": end, "limit": read.limit + 1}
                rows = read.fetch(LISTED_RESOURCES, **params)
                return read.page(rows, lambda row: [row.resource], _resource)
            if read.numbers.resource is None:
                raise ResourceNotFound(resource=above)
            (after,) = read.after(0)
            params = {"r": read.numbers.resource, "after": after, "limit": read.limit + 1}
            below = read.fetch(LISTED_RESOURCES_BELOW, **params)
            return read.page(
                below, lambda row: [row.number], lambda row: ResourceEntry(row.resource, above)
            )

    # --- assignments ------------------------------------------------------------------------------

    def list_assignments(
        self,
        holder: str | None = None,
        *,
        role: str | None = None,
        resource: str | None = None,
        organization: str | None = None,
        effective: bool = False,
        expired: bool = False,
        **paging: Any,
    ) -> FactPage[AssignmentEntry]:
        """Assignments, with who made them and when: all, or those of a holder (a subject or `group:…`), of a
        role, or on a resource.

        With `effective`, also those of the groups that the holder is in. With `expired`, also expired ones.
        """
        name, part = self._named(organization), Paging(**paging)
        held = None if holder is None else self._questions.holder(name, model.holder_id(holder))
        named = None if role is None else model.role_id(role)
        above = None if resource is None else model.resource_id(resource)
        if sum(each is not None for each in (held, named, above)) > 1:
            raise InvalidArgument(what="holder", hint="give one of holder, role and resource")
        if effective and held is None:
            raise InvalidArgument(what="effective", hint="name the holder with it")
        listed = Listed(name, role=named, resource=above)
        if held is not None:
            listed = of_holder(name, held)
        how = {"effective": effective, "expired": expired}
        now = 0 if expired else self._now()
        with reading(self.store, "assignments", listed, part, **how) as read:
            if held is not None:
                number = require_holder(read, listed)
                return assignments.of_holder(read, number, now, effective=effective)
            if named is not None:
                if read.numbers.role is None:
                    raise RoleNotFound(role=named)
                return assignments.of_role(read, read.numbers.role, now)
            if above is not None:
                if read.numbers.resource is None:
                    raise ResourceNotFound(resource=above)
                return assignments.on_resource(read, read.numbers.resource, now)
            return assignments.of_organization(read, now)

    def list_expiring(
        self,
        until: datetime | None = None,
        *,
        organization: str | None = None,
        **paging: Any,
    ) -> FactPage[ExpiryEntry]:
        """Places in groups and assignments in force that expire by a time; by default, within 30 days."""
        listed, part = Listed(self._named(organization)), Paging(**paging)
        end = None if until is None else model.microseconds(until)
        with reading(self.store, "expiring", listed, part, until=end) as read:
            now = self._now()
            return assignments.expiring(read, now, now + SOON if end is None else end)

    def _permissions_of_group(
        self,
        organization: str | None,
        holder: str,
        resource: str | None,
        *,
        assurance: Assurance = "standard",
        **paging: Any,
    ) -> Page:
        """What `group:…` gives its members on a resource; empty if either is unknown."""
        if assurance not in ("standard", "live"):
            hint = "use 'standard' or 'live'"
            raise InvalidArgument(what="assurance", value=repr(assurance), hint=hint)
        name = self._named(organization)
        group = self._questions.group(name, model.group_id(holder.removeprefix("group:")))
        listed, part = (
            Listed(name, group=group, resource=model.resource_id(resource)),
            Paging(**paging),
        )
        with reading(self.store, "permissions of group", listed, part) as read:
            return roles.permissions_of_group(read, self._now())

    # --- names ------------------------------------------------------------------------------------

    def unknown_names(
        self,
        *,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
        organization: str | None = None,
    ) -> tuple[UnknownName, ...]:
        """The names in a question that do not exist, each with similar names of the organization.

        Empty if the organization itself does not exist.
        """
        name = self._named(organization)
        return self._similar.unknown(
            name,
            subject=None
            if subject is None
            else self._questions.holder(name, model.holder_id(subject)),
            permission=None if permission is None else model.permission_id(permission),
            resource=None if resource is None else model.resource_id(resource),
        )

    def similar_organizations(self, name: str) -> tuple[str, ...]:
        """Similar names of organizations. For callers who may know all of them."""
        return self._similar.organizations(model.organization_id(name))

    def look_alikes(self, *, organization: str | None = None, limit: int = 1_000) -> list[AlikeIds]:
        """Sets of ids that look alike: of people, groups, roles and permissions, at most `limit` of each.

        They differ by case, by how characters are composed, by blanks, or by what cannot be seen. Raises
        OrganizationNotFound.
        """
        model.require_number("limit", limit, least=1)
        return alike(self.store, self._named(organization), limit)


def _group(row: ListedPlaceRow) -> GroupEntry:
    return GroupEntry(row.group, row.name, time(row.recorded_at), row.actor, time(row.expires_at))


def _membership(row: ListedMembershipRow) -> MembershipEntry:
    return MembershipEntry(row.subject, row.name, bool(row.active), moment(row.created_at))


def _resource(row: ListedResourceRow) -> ResourceEntry:
    return ResourceEntry(row.resource, row.parent)
