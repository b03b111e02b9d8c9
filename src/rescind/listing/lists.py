"""The lists of facts of `Authority`, and its questions about names that do not exist or look alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rescind import listing, model
from rescind.errors import GroupNotFound, InvalidArgument, ResourceNotFound, RoleNotFound
from rescind.store import rows as stored

if TYPE_CHECKING:
    from rescind.decision.router import DecisionRouter
    from rescind.listing.names import Similar, UnknownName
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
    )
    from rescind.store import Store
    from rescind.store.rows.listing import (
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
            with listing.reading.reading(
                self.store, "groups", listing.Listed(name), listing.Paging(**paging)
            ) as read:
                (after,) = read.after(listing.names.EARLIEST)
                rows = read.fetch(stored.listing.LISTED_GROUPS, after=after, limit=read.limit + 1)
                return read.page(
                    rows, lambda row: [row.group], lambda row: model.GroupEntry(row.group, row.name)
                )
        listed = listing.of_holder(name, holder)
        with listing.reading.reading(
            self.store, "groups of", listed, listing.Paging(**paging)
        ) as read:
            number = listing.require_holder(read, listed)
            (after,) = read.after(listing.reading.FIRST)
            params = {"after": after, "limit": read.limit + 1}
            if number > 0:
                params["now"] = self._now()
                places = read.fetch(stored.listing.LISTED_GROUPS_OF_MEMBERSHIP, m=number, **params)
            else:
                places = read.fetch(stored.listing.LISTED_GROUPS_AROUND, g=number, **params)
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
        listed, part = listing.Listed(name, group=spelled), listing.Paging(**paging)
        now = 0 if expired else self._now()
        how = {"effective": effective, "expired": expired}
        with listing.reading.reading(self.store, "members", listed, part, **how) as read:
            if read.numbers.group is None:
                raise GroupNotFound(group=spelled)
            if effective:
                return listing.members.effective(read, now)
            return listing.members.direct(read, now, spelled)

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
        listed, part = (
            listing.Listed(self._named(organization)),
            listing.Paging(**paging),
        )
        with listing.reading.reading(
            self.store, "memberships", listed, part, kind=kind, active=active
        ) as read:
            first, end = listing.prefix(kind)
            (after,) = read.after(first)
            params = {"after": after, "end": end, "limit": read.limit + 1}
            if active is None:
                rows = read.fetch(stored.listing.LISTED_MEMBERSHIPS, **params)
            elif active:
                rows = read.fetch(stored.listing.LISTED_ACTIVE_MEMBERSHIPS, **params)
            else:
                rows = read.fetch(stored.listing.LISTED_DEACTIVATED_MEMBERSHIPS, **params)
            return read.page(rows, lambda row: [row.subject], _membership)

    # --- roles, permissions, resources ------------------------------------------------------------

    def list_roles(self, *, organization: str | None = None, **paging: Any) -> FactPage[RoleEntry]:
        """The roles that can be given, by name, with their permissions."""
        listed = listing.Listed(self._named(organization))
        with listing.reading.reading(self.store, "roles", listed, listing.Paging(**paging)) as read:
            return listing.roles.of_organization(read)

    def list_permissions(
        self, role: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[PermissionEntry]:
        """The permissions that are defined, by name; or those of a role."""
        named = None if role is None else model.role_id(role)
        listed = listing.Listed(self._named(organization), role=named)
        with listing.reading.reading(
            self.store, "permissions", listed, listing.Paging(**paging)
        ) as read:
            if named is None:
                return listing.roles.permissions(read)
            if read.numbers.role is None:
                raise RoleNotFound(role=named)
            return listing.roles.permissions_of(read, read.numbers.role)

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
        listed, part = (
            listing.Listed(self._named(organization), resource=above),
            listing.Paging(**paging),
        )
        if above is not None and kind is not None:
            raise InvalidArgument(what="type", hint="give either a parent or a type")
        with listing.reading.reading(self.store, "resources", listed, part, kind=kind) as read:
            if above is None:
                first, end = listing.prefix(kind)
                (after,) = read.after(first)
                params = {"after": after, "end": end, "limit": read.limit + 1}
                rows = read.fetch(stored.listing.LISTED_RESOURCES, **params)
                return read.page(rows, lambda row: [row.resource], _resource)
            if read.numbers.resource is None:
                raise ResourceNotFound(resource=above)
            (after,) = read.after(0)
            params = {"r": read.numbers.resource, "after": after, "limit": read.limit + 1}
            below = read.fetch(stored.listing.LISTED_RESOURCES_BELOW, **params)
            return read.page(
                below,
                lambda row: [row.number],
                lambda row: model.ResourceEntry(row.resource, above),
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
        name, part = self._named(organization), listing.Paging(**paging)
        held = None if holder is None else self._questions.holder(name, model.holder_id(holder))
        named = None if role is None else model.role_id(role)
        above = None if resource is None else model.resource_id(resource)
        if sum(each is not None for each in (held, named, above)) > 1:
            raise InvalidArgument(what="holder", hint="give one of holder, role and resource")
        if effective and held is None:
            raise InvalidArgument(what="effective", hint="name the holder with it")
        listed = listing.Listed(name, role=named, resource=above)
        if held is not None:
            listed = listing.of_holder(name, held)
        how = {"effective": effective, "expired": expired}
        now = 0 if expired else self._now()
        with listing.reading.reading(self.store, "assignments", listed, part, **how) as read:
            if held is not None:
                number = listing.require_holder(read, listed)
                return listing.assignments.of_holder(read, number, now, effective=effective)
            if named is not None:
                if read.numbers.role is None:
                    raise RoleNotFound(role=named)
                return listing.assignments.of_role(read, read.numbers.role, now)
            if above is not None:
                if read.numbers.resource is None:
                    raise ResourceNotFound(resource=above)
                return listing.assignments.on_resource(read, read.numbers.resource, now)
            return listing.assignments.of_organization(read, now)

    def list_expiring(
        self,
        until: datetime | None = None,
        *,
        organization: str | None = None,
        **paging: Any,
    ) -> FactPage[ExpiryEntry]:
        """Places in groups and assignments in force that expire by a time; by default, within 30 days."""
        listed, part = (
            listing.Listed(self._named(organization)),
            listing.Paging(**paging),
        )
        end = None if until is None else model.microseconds(until)
        with listing.reading.reading(self.store, "expiring", listed, part, until=end) as read:
            now = self._now()
            return listing.assignments.expiring(read, now, now + SOON if end is None else end)

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
            listing.Listed(name, group=group, resource=model.resource_id(resource)),
            listing.Paging(**paging),
        )
        with listing.reading.reading(self.store, "permissions of group", listed, part) as read:
            return listing.roles.permissions_of_group(read, self._now())

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
        return listing.look_alikes.alike(self.store, self._named(organization), limit)


def _group(row: ListedPlaceRow) -> GroupEntry:
    return model.GroupEntry(
        row.group,
        row.name,
        listing.reading.time(row.recorded_at),
        row.actor,
        listing.reading.time(row.expires_at),
    )


def _membership(row: ListedMembershipRow) -> MembershipEntry:
    return model.MembershipEntry(
        row.subject, row.name, bool(row.active), model.moment(row.created_at)
    )


def _resource(row: ListedResourceRow) -> ResourceEntry:
    return model.ResourceEntry(row.resource, row.parent)
