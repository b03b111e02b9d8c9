"""Routes of organization memberships."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from rescind import changes
from rescind.directory import memberships, organizations
from rescind.directory.errors import invalid
from rescind.directory.ids import Kind
from rescind.directory.memberships import CreateMembership, UpdateMembership
from rescind.directory.paging import Key, Span, cut
from rescind.directory.unit_of_work import UnitOfWork
from rescind.http.auth import requires
from rescind.http.workos.envelopes import Paging, Window, page
from rescind.http.workos.responses import Unit, respond_with
from rescind.model import MembershipNumber
from rescind.store.rows.directory import MembershipRow

STATUSES: Final = {"active", "inactive", "pending"}
PATH: Final = "/user_management/organization_memberships"


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_organization_memberships(
    unit: Unit,
    window: Paging,
    organization_id: FromQuery[str | None] = None,
    user_id: FromQuery[str | None] = None,
    statuses: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The memberships of an organization, of a user, or of both: active ones unless statuses are named."""
    wanted = set((statuses or "active").split(","))
    if not wanted <= STATUSES:
        raise invalid("statuses", f"use some of {', '.join(sorted(STATUSES))}")
    if user_id:
        return _page_of_user(unit, window, user_id, organization_id, wanted)
    if not organization_id:
        raise invalid("organization_id", "name an organization, a user, or both")
    o = organizations.find_organization(unit, organization_id).organization
    both = {"active", "inactive"} <= wanted
    status = "all" if both else next(iter(wanted - {"pending"}), "pending")
    return page(
        window,
        key_of=lambda cursor: memberships.membership_key(unit, cursor),
        fetch=lambda span: memberships.page_memberships(unit, o, status, span),
        cursor_of=lambda row: memberships.membership_cursor(unit, row),
        show=lambda rows: memberships.with_roles(unit, rows),
    )


def _page_of_user(
    unit: UnitOfWork,
    window: Window,
    user_id: str,
    organization_id: str | None,
    wanted: set[str],
) -> dict[str, Any]:
    o = None
    if organization_id:
        o = organizations.find_organization(unit, organization_id).organization
    rows = [
        row
        for row in memberships.memberships_of_user(unit, user_id)
        if unit.may_see(row.organization)
        and o in (None, row.organization)
        and ("active" if row.is_active else "inactive") in wanted
    ]

    def key_of(cursor: str) -> Key:
        place = unit.cursor_place(Kind.MEMBERSHIP, cursor)
        found = memberships.read_membership(
            unit, place.organization, MembershipNumber(place.number), cursor
        )
        return _age(found)

    return page(
        window,
        key_of=key_of,
        fetch=lambda span: cut(rows, _age, span),
        cursor_of=lambda row: memberships.membership_cursor(unit, row),
        show=lambda found: memberships.with_roles(unit, found),
    )


def _age(row: MembershipRow) -> Key:
    """What a user's memberships are ordered by."""
    return row.created_at, row.organization


def page_without_roles(
    unit: UnitOfWork, window: Window, fetch: Callable[[Span], list[MembershipRow]]
) -> dict[str, Any]:
    """A page of memberships as the shorter lists have them."""
    return page(
        window,
        key_of=lambda cursor: memberships.membership_key(unit, cursor),
        fetch=fetch,
        cursor_of=lambda row: memberships.membership_cursor(unit, row),
        show=lambda rows: memberships.without_roles(unit, rows),
    )


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_organization_membership(
    unit: Unit, data: JSONBody[CreateMembership]
) -> Response[dict[str, Any]]:
    """Make a user a member, or reactivate an inactive member, with the named roles."""
    return respond_with(unit, lambda: memberships.create_membership(unit, data), status=201)


@get(f"{PATH}/{{membership_id:str}}", guards=[requires("read")], sync_to_thread=True)
def get_organization_membership(unit: Unit, membership_id: FromPath[str]) -> dict[str, Any]:
    """A membership with its roles."""
    row = memberships.find_membership(unit, membership_id)
    return memberships.with_roles(unit, [row])[0]


@put(f"{PATH}/{{membership_id:str}}", guards=[requires("write")], sync_to_thread=True)
def update_organization_membership(
    unit: Unit, membership_id: FromPath[str], data: JSONBody[UpdateMembership]
) -> Response[dict[str, Any]]:
    """Replace a membership's own organization-wide roles. Roles from groups and on resources stay."""
    return respond_with(unit, lambda: memberships.update_membership(unit, membership_id, data))


@put(f"{PATH}/{{membership_id:str}}/deactivate", guards=[requires("write")], sync_to_thread=True)
def deactivate_organization_membership(
    unit: Unit, membership_id: FromPath[str]
) -> Response[dict[str, Any]]:
    """Deactivate a membership: it is denied everything, and keeps its roles and groups."""
    change = changes.DeactivateMembership
    return respond_with(unit, lambda: memberships.set_active(unit, membership_id, change))


@put(f"{PATH}/{{membership_id:str}}/reactivate", guards=[requires("write")], sync_to_thread=True)
def reactivate_organization_membership(
    unit: Unit, membership_id: FromPath[str]
) -> Response[dict[str, Any]]:
    """Reactivate a membership, with the roles and groups that it kept."""
    change = changes.ReactivateMembership
    return respond_with(unit, lambda: memberships.set_active(unit, membership_id, change))


@delete(
    f"{PATH}/{{membership_id:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_organization_membership(unit: Unit, membership_id: FromPath[str]) -> Response[None]:
    """Remove a membership from the organization, from its groups, and with its roles."""
    return respond_with(
        unit, lambda: memberships.delete_membership(unit, membership_id), status=204
    )


HANDLERS = [
    list_organization_memberships,
    create_organization_membership,
    get_organization_membership,
    update_organization_membership,
    deactivate_organization_membership,
    reactivate_organization_membership,
    delete_organization_membership,
]
