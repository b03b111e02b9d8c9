"""Routes of organizations."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from rescind.directory import objects, organizations
from rescind.directory.ids import Kind
from rescind.directory.organizations import (
    MOST_DOMAINS,
    CreateOrganization,
    OrganizationFilter,
    UpdateOrganization,
)
from rescind.directory.paging import Key
from rescind.directory.query_values import domain_pattern, json_texts, search_pattern
from rescind.http.auth import requires
from rescind.http.workos.envelopes import Paging, page
from rescind.http.workos.request_values import comma_separated
from rescind.http.workos.responses import Unit, respond_with


@get("/organizations", guards=[requires("read")], sync_to_thread=True)
def list_organizations(
    unit: Unit,
    window: Paging,
    domains: FromQuery[str | None] = None,
    search: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The organizations that the key may see, filtered by domains or by a text in their names."""
    named = comma_separated("domains", domains, most=MOST_DOMAINS)
    patterns = json_texts([domain_pattern(domain) for domain in named])
    wanted = OrganizationFilter(search_pattern(search), patterns)

    def key_of(cursor: str) -> Key:
        return unit.cursor_place(Kind.ORGANIZATION, cursor).organization, 0

    return page(
        window,
        key_of=key_of,
        fetch=lambda span: organizations.page_organizations(unit, wanted, span),
        cursor_of=lambda row: unit.public_ids.of(Kind.ORGANIZATION, row.organization),
        show=lambda rows: [objects.organization(unit.public_ids, row) for row in rows],
    )


@post("/organizations", guards=[requires("write")], sync_to_thread=True)
def create_organization(unit: Unit, data: JSONBody[CreateOrganization]) -> Response[dict[str, Any]]:
    """Create an organization."""
    return respond_with(unit, lambda: organizations.create_organization(unit, data), status=201)


@get("/organizations/external_id/{external_id:str}", guards=[requires("read")], sync_to_thread=True)
def get_organization_by_external_id(unit: Unit, external_id: FromPath[str]) -> dict[str, Any]:
    """An organization by its external id. One that this API did not create has its slug as external id."""
    return organizations.find_by_external_id(unit, external_id)


@get("/organizations/{organization_id:str}", guards=[requires("read")], sync_to_thread=True)
def get_organization(unit: Unit, organization_id: FromPath[str]) -> dict[str, Any]:
    """An organization."""
    row = organizations.find_organization(unit, organization_id)
    return objects.organization(unit.public_ids, row)


@put("/organizations/{organization_id:str}", guards=[requires("write")], sync_to_thread=True)
def update_organization(
    unit: Unit, organization_id: FromPath[str], data: JSONBody[UpdateOrganization]
) -> Response[dict[str, Any]]:
    """Change the given fields of an organization. Metadata keys that are null are removed."""
    return respond_with(
        unit, lambda: organizations.update_organization(unit, organization_id, data)
    )


@delete(
    "/organizations/{organization_id:str}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_organization(unit: Unit, organization_id: FromPath[str]) -> Response[None]:
    """Delete an organization with everything in it."""
    return respond_with(
        unit, lambda: organizations.delete_organization(unit, organization_id), status=204
    )


HANDLERS = [
    list_organizations,
    create_organization,
    get_organization_by_external_id,
    get_organization,
    update_organization,
    delete_organization,
]
