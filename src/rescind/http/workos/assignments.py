"""Role assignments of memberships: their own, and those that they have through groups."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from rescind import changes
from rescind.http.auth import requires
from rescind.http.workos import memberships, shapes, targets
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.envelopes import LAST, Key, Paging, Span, Window, page
from rescind.http.workos.errors import conflict, not_found
from rescind.http.workos.ids import Kind
from rescind.http.workos.own import assign, own_roles
from rescind.http.workos.resources import BY_EXTERNAL_ID, BY_ID
from rescind.http.workos.targets import Target

MEMBERSHIP = "/authorization/organization_memberships/{membership_id:str}"
PATH = f"{MEMBERSHIP}/role_assignments"
WHAT = "Role assignment"


class RoleOnTarget(Target, kw_only=True):
    """A role, on a resource or on the organization."""

    role_slug: str


def page_of(call: Call, window: Window, query: str, *, m: int = 0, **names: Any) -> dict[str, Any]:
    """A page of assignments as memberships hold them, newest first."""

    def key_of(cursor: str) -> Key:
        place = call.cursor(Kind.ROLE_ASSIGNMENT, cursor)
        return abs(place.number), place.second

    def fetch(span: Span) -> list[Any]:
        (low, low_m), (high, high_m) = span.low, span.high
        bounds = {"low": low, "low_m": low_m, "high": min(high, LAST), "high_m": min(high_m, LAST)}
        if m:
            names["m"] = m
        query_name = f"page_assignments_{query}_{span.direction}"
        return call.fetch(query_name, now=call.now, limit=span.limit, **bounds, **names)

    return page(
        window,
        key_of=key_of,
        fetch=fetch,
        cursor_of=lambda row: call.ids.of(Kind.ROLE_ASSIGNMENT, row[0], row[1], row[8]),
        show=lambda rows: [shapes.assignment(call.ids, row) for row in rows],
    )


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_role_assignments(
    call: Asked,
    window: Paging,
    membership_id: FromPath[str],
    resource_id: FromQuery[str | None] = None,
    resource_external_id: FromQuery[str | None] = None,
    resource_type_slug: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """What a membership holds now, itself or through groups, perhaps on one resource."""
    o, m, *_ = memberships.shown(call, membership_id)
    target = Target(
        resource_id=resource_id,
        resource_external_id=resource_external_id,
        resource_type_slug=resource_type_slug,
    )
    r = None if target == Target() else targets.resource(call, o, target)[1]
    return page_of(call, window, "of_membership", m=m, o=o, r=r, role="")


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def assign_role(
    call: Asked, membership_id: FromPath[str], data: JSONBody[RoleOnTarget]
) -> Response[dict[str, Any]]:
    """Give a membership a role on a resource; what it holds itself already stays as it is."""

    def work() -> dict[str, Any]:
        o, m, subject, *_, slug, _ = memberships.shown(call, membership_id)
        resource = targets.resource(call, o, data)
        call.lock(o)
        key = (data.role_slug, resource[2])
        call.apply(slug, assign(key, subject, own_roles(call, o, m)))
        return _shown(call, o, m, own_roles(call, o, m)[key].number)

    return call.write(work, status=201)


@delete(PATH, guards=[requires("write")], sync_to_thread=True, status_code=204)
def remove_role(
    call: Asked, membership_id: FromPath[str], data: JSONBody[RoleOnTarget]
) -> Response[None]:
    """Take a role on a resource back from a membership that holds it itself."""

    def work() -> None:
        o, m, subject, *_, slug, _ = memberships.shown(call, membership_id)
        resource = targets.resource(call, o, data)
        if (data.role_slug, resource[2]) not in own_roles(call, o, m):
            raise not_found(WHAT, data.role_slug)
        call.apply(slug, changes.Unassign(role=data.role_slug, to=subject, on=resource[2]))

    return call.write(work, status=204)


@delete(
    f"{PATH}/{{role_assignment_id:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def remove_role_assignment(
    call: Asked, membership_id: FromPath[str], role_assignment_id: FromPath[str]
) -> Response[None]:
    """Take an assignment back from a membership that holds it itself."""

    def work() -> None:
        o, m, subject, *_, slug, _ = memberships.shown(call, membership_id)
        place = call.place(Kind.ROLE_ASSIGNMENT, role_assignment_id, WHAT)
        if (place.organization, place.second) != (o, m):
            raise not_found(WHAT, role_assignment_id)
        for (role, resource), own in own_roles(call, o, m).items():
            if own.number == place.number:
                call.apply(slug, changes.Unassign(role=role, to=subject, on=resource))
                return
        if _held(call, o, m, place.number):
            told = "The assignment comes from a group: take it off the group, or leave the group."
            raise conflict("role_assignment_from_group", told)
        raise not_found(WHAT, role_assignment_id)

    return call.write(work, status=204)


def _held(call: Call, o: int, m: int, a: int) -> list[Any]:
    key = abs(a)
    return call.fetch(
        "page_assignments_of_membership_asc",
        o=o,
        m=m,
        r=None,
        role="",
        now=call.now,
        limit=1,
        low=key - 1,
        low_m=LAST,
        high=key + 1,
        high_m=-1,
    )


def _shown(call: Call, o: int, m: int, a: int) -> dict[str, Any]:
    return shapes.assignment(call.ids, _held(call, o, m, a)[0])


@get(f"{BY_ID}/role_assignments", guards=[requires("read")], sync_to_thread=True)
def list_role_assignments_for_resource(
    call: Asked, window: Paging, resource_id: FromPath[str], role_slug: FromQuery[str | None] = None
) -> dict[str, Any]:
    """Who holds what was given on a resource itself."""
    o, r, *_ = targets.by_id(call, resource_id)
    return page_of(call, window, "on_resource", o=o, r=r, role=role_slug or "")


@get(f"{BY_EXTERNAL_ID}/role_assignments", guards=[requires("read")], sync_to_thread=True)
def list_role_assignments_for_resource_by_external_id(
    call: Asked,
    window: Paging,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
    role_slug: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Who holds what was given on a resource itself, by the resource's external id."""
    row = targets.of_organization(call, organization_id, resource_type_slug, external_id)
    return page_of(call, window, "on_resource", o=row[0], r=row[1], role=role_slug or "")


HANDLERS = [
    list_role_assignments,
    assign_role,
    remove_role,
    remove_role_assignment,
    list_role_assignments_for_resource,
    list_role_assignments_for_resource_by_external_id,
]
