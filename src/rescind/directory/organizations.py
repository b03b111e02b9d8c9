"""Organizations: what can be read of them and done with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from msgspec import UNSET, Struct, UnsetType

from rescind import changes, model
from rescind.directory import directory_entries, objects
from rescind.directory.directory_entries import text
from rescind.directory.errors import conflict, invalid, not_found
from rescind.directory.events import note_event
from rescind.directory.ids import Kind
from rescind.directory.objects import Object
from rescind.directory.paging import PagedQuery, Span
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import OrganizationNumber
from rescind.store.rows.directory import (
    FIND_EXTERNAL_ID,
    FIND_ORGANIZATION_NAMED,
    PAGE_ORGANIZATIONS_ASC,
    PAGE_ORGANIZATIONS_DESC,
    SHOW_ORGANIZATION,
    OrganizationRow,
)

MOST_METADATA: Final = 10
"""Keys of an organization; this and the next three are WorkOS's own limits."""
MOST_KEY: Final = 40
MOST_VALUE: Final = 600
MOST_EXTERNAL_ID: Final = 64
MOST_DOMAINS: Final = 100
OUTSIDE: Final = ("external_id", "stripe_customer_id")
"""Fields by which other systems, and other tenants, know the organization."""
VERIFIED: Final = ("verified", "legacy_verified")
"""States of a domain that say that it is the organization's."""
_ORGANIZATIONS: Final = PagedQuery(PAGE_ORGANIZATIONS_ASC, PAGE_ORGANIZATIONS_DESC)


class DomainData(Struct, forbid_unknown_fields=True):
    """A domain and whether it is verified."""

    domain: str
    state: Literal["pending", "verified", "failed", "legacy_verified"] = "pending"


class _Fields(Struct, kw_only=True, forbid_unknown_fields=True):
    allow_profiles_outside_organization: bool | UnsetType = UNSET
    domains: list[str] | UnsetType = UNSET
    domain_data: list[DomainData] | UnsetType = UNSET
    metadata: dict[str, str | None] | UnsetType | None = UNSET
    external_id: str | UnsetType | None = UNSET


class CreateOrganization(_Fields, kw_only=True):
    name: str


class UpdateOrganization(_Fields, kw_only=True):
    name: str | None = None
    stripe_customer_id: str | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class OrganizationFilter:
    """Which organizations are asked for: LIKE patterns for the name, and for domains as a JSON list."""

    search: str
    domains: str


def find_organization(unit: UnitOfWork, public_id: str) -> OrganizationRow:
    """The organization of an id. Raises ObjectNotFound."""
    place = unit.place(Kind.ORGANIZATION, public_id, "Organization")
    return read_organization(unit, place.organization, public_id)


def read_organization(
    unit: UnitOfWork, number: OrganizationNumber, public_id: str = ""
) -> OrganizationRow:
    """The organization of a number. Raises ObjectNotFound, which names the id."""
    for row in unit.fetch(SHOW_ORGANIZATION, o=number):
        return row
    raise not_found("Organization", public_id)


def find_by_external_id(unit: UnitOfWork, external_id: str) -> Object:
    """An organization by its external id; one that this API did not create by its slug.

    Raises ObjectNotFound.
    """
    named = unit.fetch(FIND_ORGANIZATION_NAMED, organization=external_id)
    if (found := _first_shown(unit, [row.organization for row in named], external_id)) is None:
        known = unit.fetch(FIND_EXTERNAL_ID, external_id=external_id)
        found = _first_shown(unit, [row.organization for row in known], external_id)
    if found is None:
        raise not_found("Organization", external_id)
    return found


def _first_shown(
    unit: UnitOfWork, numbers: list[OrganizationNumber], external_id: str
) -> Object | None:
    for number in numbers:
        row = read_organization(unit, number, external_id)
        found = objects.organization(unit.public_ids, row)
        if unit.may_see(number) and found["external_id"] == external_id:
            return found
    return None


def page_organizations(
    unit: UnitOfWork, wanted: OrganizationFilter, span: Span
) -> list[OrganizationRow]:
    """A span of the organizations that the key may see."""
    params = span.params()
    bound = unit.bound_organization
    if bound is not None:
        params["low"] = max(params["low"], bound - 1)
        params["high"] = min(params["high"], bound + 1)
    return unit.fetch(
        _ORGANIZATIONS.of(span), search=wanted.search, domains=wanted.domains, **params
    )


def create_organization(unit: UnitOfWork, data: CreateOrganization) -> Object:
    """Create an organization. Raises Forbidden for a bound key, and Conflict."""
    unit.require_unbound()
    slug = directory_entries.slug_id(unit, Kind.ORGANIZATION)
    if unit.fetch(FIND_ORGANIZATION_NAMED, organization=slug):
        raise conflict("id_taken", f"There is an organization '{slug}' already.")
    receipt = unit.apply(slug, changes.CreateOrganization(name=text("name", data.name)))
    number = OrganizationNumber(receipt.revision.incarnation)
    directory_entries.create(unit, Kind.ORGANIZATION, number, 0, public_id=slug)
    _set_fields(unit, number, data, metadata={})
    return _with_event(unit, number, "organization.created")


def update_organization(unit: UnitOfWork, public_id: str, data: UpdateOrganization) -> Object:
    """Change the given fields of an organization. Metadata keys that are null are removed."""
    row = find_organization(unit, public_id)
    number = row.organization
    unit.lock(number)
    _require_inside(unit, objects.organization(unit.public_ids, row), data)
    if data.name is not None:
        unit.apply(row.slug, changes.RenameOrganization(name=text("name", data.name)))
    directory_entries.touch(
        unit, Kind.ORGANIZATION, number, 0, stripe_customer_id=data.stripe_customer_id
    )
    present = objects.organization(unit.public_ids, read_organization(unit, number, public_id))
    _set_fields(unit, number, data, metadata=present["metadata"])
    return _with_event(unit, number, "organization.updated")


def delete_organization(unit: UnitOfWork, public_id: str) -> None:
    """Delete an organization with everything in it."""
    row = find_organization(unit, public_id)
    deleted = objects.organization(unit.public_ids, row)
    unit.apply(row.slug, changes.DeleteOrganization(cascade=True))
    unit.execute("forget_entries_of_organization", o=row.organization)
    note_event(unit, "organization.deleted", row.organization, deleted)


def _require_inside(unit: UnitOfWork, present: Object, data: UpdateOrganization) -> None:
    """Raises Forbidden for a bound key where the update changes what others know the organization by.

    External ids are unique among all organizations, so the answer would tell a tenant which ones others have;
    a verified domain says whose it is.
    """
    outside = {name: getattr(data, name) for name in OUTSIDE}
    verified = {each["domain"] for each in present["domains"] if each["state"] in VERIFIED}
    domains = data.domain_data if isinstance(data.domain_data, list) else []
    claimed = {model.canonical(each.domain) for each in domains if each.state in VERIFIED}
    if claimed - verified or any(
        value is not UNSET and value != present[name] for name, value in outside.items()
    ):
        unit.require_unbound()


def _set_fields(
    unit: UnitOfWork, number: OrganizationNumber, data: _Fields, *, metadata: dict[str, str]
) -> None:
    """Set the given fields beside the name."""
    if not isinstance(data.external_id, UnsetType):
        external_id = text("external_id", data.external_id, most=MOST_EXTERNAL_ID)
        directory_entries.set_external_id(unit, number, external_id)
    directory_entries.touch(
        unit,
        Kind.ORGANIZATION,
        number,
        0,
        allows_outside=data.allow_profiles_outside_organization,
        domains=_domains(data),
        metadata=_metadata(data, metadata),
    )


def _domains(data: _Fields) -> Any:
    """The domains after the request; UNSET where it names none."""
    named: list[tuple[str, str]] = []
    if isinstance(data.domain_data, UnsetType) and isinstance(data.domains, UnsetType):
        return UNSET
    if isinstance(data.domains, list):
        named += [(domain, "pending") for domain in data.domains]
    if isinstance(data.domain_data, list):
        named += [(each.domain, each.state) for each in data.domain_data]
    if len(named) > MOST_DOMAINS:
        raise invalid("domains", f"at most {MOST_DOMAINS}")
    states = {model.canonical(text("domain", domain, most=255)): state for domain, state in named}
    return [{"domain": domain, "state": state} for domain, state in sorted(states.items())]


def _metadata(data: _Fields, present: dict[str, str]) -> Any:
    """The metadata after the request: null for a key removes it, an empty object or null removes all.

    Present metadata may exceed the limits: it counts as it is, and may become less.
    """
    metadata = data.metadata
    if isinstance(metadata, UnsetType):
        return UNSET
    if not metadata:
        return {}
    for key, value in metadata.items():
        _require_plain(f"metadata.{key}", key, MOST_KEY)
        if value is not None:
            _require_plain(f"metadata.{key}", value, MOST_VALUE, empty=True)
    merged = {key: value for key, value in {**present, **metadata}.items() if value is not None}
    if len(merged) > max(MOST_METADATA, len(present)):
        raise invalid("metadata", f"at most {MOST_METADATA} keys")
    return merged


def _require_plain(field: str, value: str, most: int, *, empty: bool = False) -> None:
    if not (value.isascii() and len(value) <= most and (value or empty)) or "\0" in value:
        least = "" if empty else "1 to "
        raise invalid(field[:60], f"{least or 'at most '}{most} ASCII characters, and no NUL")


def _with_event(unit: UnitOfWork, number: OrganizationNumber, event: str) -> Object:
    """The organization as it is now, after noting an event that carries it."""
    result = objects.organization(unit.public_ids, read_organization(unit, number))
    note_event(unit, event, number, result)
    return result
