"""Organizations."""

from __future__ import annotations

from typing import Any, Final, Literal

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Struct, UnsetType

from rescind import changes, model
from rescind.http.auth import requires
from rescind.http.workos import entries, shapes
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.entries import text
from rescind.http.workos.envelopes import Key, Paging, Span, page
from rescind.http.workos.errors import conflict, invalid, not_found
from rescind.http.workos.given import domain_pattern, parted, pattern, texts
from rescind.http.workos.ids import Kind

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


class DomainData(Struct):
    """A domain and whether it is verified."""

    domain: str
    state: Literal["pending", "verified", "failed", "legacy_verified"] = "pending"


class _Fields(Struct, kw_only=True):
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


def shown(call: Call, public_id: str) -> shapes.Row:
    """The row of an organization, or not found."""
    o, *_ = call.place(Kind.ORGANIZATION, public_id, "Organization")
    return row_of(call, o, public_id)


def row_of(call: Call, o: int, public_id: str) -> shapes.Row:
    """The row of the organization of a number, or not found."""
    rows = call.fetch("show_organization", o=o)
    if not rows:
        raise not_found("Organization", public_id)
    return rows[0]


@get("/organizations", guards=[requires("read")], sync_to_thread=True)
def list_organizations(
    call: Asked,
    window: Paging,
    domains: FromQuery[str | None] = None,
    search: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """All organizations that the key may see, perhaps of some domains or with a text in their names."""
    named = parted("domains", domains, most=MOST_DOMAINS)
    wanted = [domain_pattern(each) for each in named]
    names = {"search": pattern(search), "domains": texts(wanted)}

    def fetch(span: Span) -> list[Any]:
        params = span.params()
        if call.bound is not None:
            params["low"] = max(params["low"], call.bound - 1)
            params["high"] = min(params["high"], call.bound + 1)
        return call.fetch(f"page_organizations_{span.direction}", **names, **params)

    return page(
        window,
        key_of=lambda cursor: _key(call, cursor),
        fetch=fetch,
        cursor_of=lambda row: call.ids.of(Kind.ORGANIZATION, row[0]),
        show=lambda rows: [shapes.organization(call.ids, row) for row in rows],
    )


def _key(call: Call, cursor: str) -> Key:
    return call.cursor(Kind.ORGANIZATION, cursor).organization, 0


@post("/organizations", guards=[requires("write")], sync_to_thread=True)
def create_organization(
    call: Asked, data: JSONBody[CreateOrganization]
) -> Response[dict[str, Any]]:
    """Create an organization."""

    def work() -> dict[str, Any]:
        call.require_unbound()
        name = entries.own_id(call, Kind.ORGANIZATION)
        if call.fetch("find_organization_named", organization=name):
            raise conflict("id_taken", f"There is an organization '{name}' already.")
        receipt = call.apply(name, changes.CreateOrganization(name=text("name", data.name)))
        o = receipt.revision.incarnation
        entries.made(call, Kind.ORGANIZATION, o, 0, public_id=name)
        _describe(call, o, data, kept={})
        return _told(call, o, "organization.created")

    return call.write(work, status=201)


@get("/organizations/external_id/{external_id:str}", guards=[requires("read")], sync_to_thread=True)
def get_organization_by_external_id(call: Asked, external_id: FromPath[str]) -> dict[str, Any]:
    """An organization by its external id; one that was made elsewhere by its name in the core."""
    for query, given in (
        ("find_organization_named", {"organization": external_id}),
        ("find_external_id", {"external_id": external_id}),
    ):
        for (o,) in call.fetch(query, **given):
            found = shapes.organization(call.ids, row_of(call, o, external_id))
            if call.may_see(o) and found["external_id"] == external_id:
                return found
    raise not_found("Organization", external_id)


@get("/organizations/{organization_id:str}", guards=[requires("read")], sync_to_thread=True)
def get_organization(call: Asked, organization_id: FromPath[str]) -> dict[str, Any]:
    """An organization."""
    return shapes.organization(call.ids, shown(call, organization_id))


@put("/organizations/{organization_id:str}", guards=[requires("write")], sync_to_thread=True)
def update_organization(
    call: Asked, organization_id: FromPath[str], data: JSONBody[UpdateOrganization]
) -> Response[dict[str, Any]]:
    """Change what is given of an organization; keys of its metadata that are null are taken out."""

    def work() -> dict[str, Any]:
        row = shown(call, organization_id)
        o, slug = row[0], row[1]
        call.lock(o)
        _require_inside(call, shapes.organization(call.ids, row), data)
        if data.name is not None:
            call.apply(slug, changes.RenameOrganization(name=text("name", data.name)))
        entries.touch(call, Kind.ORGANIZATION, o, 0, stripe_customer_id=data.stripe_customer_id)
        kept = shapes.organization(call.ids, row_of(call, o, organization_id))["metadata"]
        _describe(call, o, data, kept=kept)
        return _told(call, o, "organization.updated")

    return call.write(work)


@delete(
    "/organizations/{organization_id:str}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_organization(call: Asked, organization_id: FromPath[str]) -> Response[None]:
    """Delete an organization with all that is in it."""

    def work() -> None:
        row = shown(call, organization_id)
        told = shapes.organization(call.ids, row)
        call.apply(row[1], changes.DeleteOrganization(cascade=True))
        call.fetch("forget_entries_of_organization", o=row[0])
        entries.event(call, "organization.deleted", row[0], told)

    return call.write(work, status=204)


def _require_inside(call: Call, now: dict[str, Any], data: UpdateOrganization) -> None:
    """Raises for a bound key where the update alters what the organization is to others.

    An external id is one of all organizations, so its answer would tell a tenant which ones others have;
    that a domain is verified says whose it is.
    """
    outside = {name: getattr(data, name) for name in OUTSIDE}
    verified = {each["domain"] for each in now["domains"] if each["state"] in VERIFIED}
    given = data.domain_data if isinstance(data.domain_data, list) else []
    claimed = {model.canonical(each.domain) for each in given if each.state in VERIFIED}
    if claimed - verified or any(
        value is not UNSET and value != now[name] for name, value in outside.items()
    ):
        call.require_unbound()


def _describe(call: Call, o: int, data: _Fields, *, kept: dict[str, str]) -> None:
    """Set what is given beside the name."""
    if not isinstance(data.external_id, UnsetType):
        entries.set_external_id(
            call, o, text("external_id", data.external_id, most=MOST_EXTERNAL_ID)
        )
    entries.touch(
        call,
        Kind.ORGANIZATION,
        o,
        0,
        allows_outside=data.allow_profiles_outside_organization,
        domains=_domains(data),
        metadata=_metadata(data, kept),
    )


def _domains(data: _Fields) -> Any:
    given: list[dict[str, str]] = []
    if isinstance(data.domain_data, UnsetType) and isinstance(data.domains, UnsetType):
        return UNSET
    if isinstance(data.domains, list):
        given += [{"domain": domain, "state": "pending"} for domain in data.domains]
    if isinstance(data.domain_data, list):
        given += [{"domain": each.domain, "state": each.state} for each in data.domain_data]
    if len(given) > MOST_DOMAINS:
        raise invalid("domains", f"at most {MOST_DOMAINS}")
    by_name = {
        model.canonical(text("domain", each["domain"], most=255)): each["state"] for each in given
    }
    return [{"domain": name, "state": state} for name, state in sorted(by_name.items())]


def _metadata(data: _Fields, kept: dict[str, str]) -> Any:
    """All of the metadata after the request: null for a key takes it away, an empty object or null takes all.

    What is there already may be more than the limits allow: it counts as it is, and may become less.
    """
    given = data.metadata
    if isinstance(given, UnsetType):
        return UNSET
    if not given:
        return {}
    for key, value in given.items():
        _require_plain(f"metadata.{key}", key, MOST_KEY)
        if value is not None:
            _require_plain(f"metadata.{key}", value, MOST_VALUE, empty=True)
    found = {key: value for key, value in {**kept, **given}.items() if value is not None}
    if len(found) > max(MOST_METADATA, len(kept)):
        raise invalid("metadata", f"at most {MOST_METADATA} keys")
    return found


def _require_plain(field: str, value: str, most: int, *, empty: bool = False) -> None:
    if not (value.isascii() and len(value) <= most and (value or empty)) or "\0" in value:
        least = "" if empty else "1 to "
        raise invalid(field[:60], f"{least or 'at most '}{most} ASCII characters, and no NUL")


def _told(call: Call, o: int, event: str) -> dict[str, Any]:
    result = shapes.organization(call.ids, row_of(call, o, ""))
    entries.event(call, event, o, result)
    return result


HANDLERS = [
    list_organizations,
    create_organization,
    get_organization_by_external_id,
    get_organization,
    update_organization,
    delete_organization,
]
