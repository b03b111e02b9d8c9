"""Questions: may a membership, what may it, what can it reach, and who can. Asked of the decision points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from rescind.http.answers import REVISION
from rescind.http.auth import requires
from rescind.http.server.addresses import IS_CHECK
from rescind.http.workos import memberships, organizations, permissions, shapes, targets
from rescind.http.workos.assignments import MEMBERSHIP
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.envelopes import Paging, Span, Window, page
from rescind.http.workos.errors import invalid, not_found
from rescind.http.workos.given import texts
from rescind.http.workos.ids import Kind
from rescind.http.workos.resources import BY_EXTERNAL_ID, BY_ID, page_of
from rescind.http.workos.targets import Target
from rescind.model import ROOT, Page, Reason

MOST_AT_ONCE = 10_000


class Check(Target, kw_only=True):
    """A permission, on a resource or on the organization."""

    permission_slug: str


_UNKNOWN = {
    Reason.UNKNOWN_ORGANIZATION: "Organization membership",
    Reason.UNKNOWN_SUBJECT: "Organization membership",
    Reason.UNKNOWN_PERMISSION: "Permission",
    Reason.UNKNOWN_RESOURCE: "Resource",
}


@post(
    f"{MEMBERSHIP}/check",
    guards=[requires("check")],
    sync_to_thread=True,
    status_code=200,
    opt=IS_CHECK,
)
def check(
    call: Asked, membership_id: FromPath[str], data: JSONBody[Check]
) -> Response[dict[str, bool]]:
    """Whether a membership has a permission on a resource, decided on a state as of now or later."""
    place = call.place(Kind.MEMBERSHIP, membership_id, memberships.WHAT)
    names = call.fetch("name_membership", o=place.organization, m=place.number)
    if not names:
        raise not_found(memberships.WHAT, membership_id)
    organization, subject = names[0]
    decision = call.authority.check(
        subject,
        data.permission_slug,
        _resource(call, place.organization, data),
        organization=organization,
        at_least=call.token_for(place.organization),
    )
    if decision.reason in _UNKNOWN:
        named = {"Permission": data.permission_slug, "Resource": data.resource_external_id or ""}
        what = _UNKNOWN[decision.reason]
        raise not_found(what, named.get(what, membership_id))
    headers = {} if decision.token is None else {REVISION: decision.token}
    return Response({"authorized": decision.allowed}, headers=headers)


def _resource(call: Call, o: int, target: Target) -> str:
    """The name of a resource in the core; the decision finds out whether there is one of it."""
    type_slug, external_id = target.resource_type_slug, target.resource_external_id
    if target.resource_id is None and type_slug not in (None, ROOT) and external_id is not None:
        return f"{type_slug}:{external_id}"
    return str(targets.resource(call, o, target)[2])


# --- what a membership may ------------------------------------------------------------------------


def _permissions(
    call: Call, window: Window, membership_id: str, row_of: Callable[[int], shapes.Row]
) -> dict[str, Any]:
    o, _, subject, *_, slug, _ = memberships.shown(call, membership_id)
    row = row_of(o)
    if row[0] != o:
        raise not_found("Resource", membership_id)

    def more(cursor: str | None) -> Page:
        return call.authority.permissions_of(
            subject,
            row[2],
            organization=slug,
            limit=MOST_AT_ONCE,
            cursor=cursor,
            at_least=call.token_for(o),
        )

    found = texts(_all(more))

    def fetch(span: Span) -> list[Any]:
        query = f"page_permissions_among_{span.direction}"
        return call.fetch(query, o=o, permissions=found, **span.params())

    return page(
        window,
        key_of=lambda cursor: permissions.key_of(call, cursor),
        fetch=fetch,
        cursor_of=lambda row: permissions.cursor_of(call, row),
        show=lambda rows: [shapes.permission(call.ids, row) for row in rows],
    )


def _all(more: Callable[[str | None], Page]) -> Iterator[str]:
    """The items of all pages."""
    cursor: str | None = None
    while True:
        part = more(cursor)
        yield from part.items
        cursor = part.next_cursor
        if cursor is None:
            return


@get(
    f"{MEMBERSHIP}/resources/{{resource_id:str}}/permissions",
    guards=[requires("check")],
    sync_to_thread=True,
)
def list_effective_permissions(
    call: Asked, window: Paging, membership_id: FromPath[str], resource_id: FromPath[str]
) -> dict[str, Any]:
    """All permissions that a membership has on a resource."""
    return _permissions(
        call,
        window,
        membership_id,
        lambda o: targets.resource(call, o, Target(resource_id=resource_id)),
    )


@get(
    f"{MEMBERSHIP}/resources/{{resource_type_slug:str}}/{{external_id:str}}/permissions",
    guards=[requires("check")],
    sync_to_thread=True,
)
def list_effective_permissions_by_external_id(
    call: Asked,
    window: Paging,
    membership_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
) -> dict[str, Any]:
    """All permissions that a membership has on a resource, by the resource's external id."""
    return _permissions(
        call,
        window,
        membership_id,
        lambda o: targets.by_external_id(call, o, resource_type_slug, external_id),
    )


# --- what a membership can reach ------------------------------------------------------------------


@get(f"{MEMBERSHIP}/resources", guards=[requires("check")], sync_to_thread=True)
def list_resources_for_membership(
    call: Asked,
    window: Paging,
    membership_id: FromPath[str],
    permission_slug: FromQuery[str],
    parent_resource_id: FromQuery[str | None] = None,
    parent_resource_type_slug: FromQuery[str | None] = None,
    parent_resource_external_id: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The children of a resource on which a membership has a permission, however it came by it."""
    o, _, subject, *_, slug, _ = memberships.shown(call, membership_id)
    parent = Target(
        resource_id=parent_resource_id,
        resource_external_id=parent_resource_external_id,
        resource_type_slug=parent_resource_type_slug,
    )
    if parent == Target():
        raise invalid("parent_resource_id", "name a parent resource")
    row = targets.resource(call, o, parent)
    permissions.shown(call, o, permission_slug)
    asked = {"organization": slug, "at_least": call.token_for(o)}
    if call.authority.check(subject, permission_slug, row[2], **asked):  # so it has on all below
        return _children(call, window, o, row[1], None)

    def more(cursor: str | None) -> Page:
        return call.authority.resources_of(
            subject, permission_slug, limit=MOST_AT_ONCE, cursor=cursor, **asked
        )

    return _children(call, window, o, row[1], texts(_all(more)))


def _children(call: Call, window: Window, o: int, parent: int, among: str | None) -> dict[str, Any]:
    def fetch(span: Span) -> list[Any]:
        names = {"o": o, "parent": parent, "resources": among, **span.params()}
        if among is not None:
            return call.fetch(f"page_resources_among_{span.direction}", **names)
        bounds = {"low_o": o, "high_o": o, "type": "", "type_end": "", "external_id": ""}
        return call.fetch(f"page_resources_{span.direction}", **{**bounds, **names})

    return page_of(call, window, fetch, key=lambda _, r: (r, 0))


# --- who can --------------------------------------------------------------------------------------


def _memberships(
    call: Call, window: Window, row: shapes.Row, permission: str, assignment: str | None
) -> dict[str, Any]:
    o, r, resource, *_ = row
    slug = organizations.row_of(call, o, "")[1]
    permissions.shown(call, o, permission)

    def more(cursor: str | None) -> Page:
        return call.authority.who_can(
            permission,
            resource,
            organization=slug,
            limit=MOST_AT_ONCE,
            cursor=cursor,
            at_least=call.token_for(o),
        )

    can = set(_all(more))
    if assignment == "direct":
        given = call.fetch("list_subjects_given", o=o, r=r, permission=permission, now=call.now)
        can &= {subject for (subject,) in given}
    subjects = texts(can)

    def fetch(span: Span) -> list[Any]:
        query = f"page_memberships_among_{span.direction}"
        return call.fetch(query, o=o, subjects=subjects, **span.params())

    return page(
        window,
        key_of=lambda cursor: memberships.key_of(call, cursor),
        fetch=fetch,
        cursor_of=lambda found: memberships.cursor_of(call, found),
        show=lambda rows: memberships.without_roles(call, rows),
    )


@get(f"{BY_ID}/organization_memberships", guards=[requires("check")], sync_to_thread=True)
def list_memberships_for_resource(
    call: Asked,
    window: Paging,
    resource_id: FromPath[str],
    permission_slug: FromQuery[str],
    assignment: FromQuery[Literal["direct", "indirect"] | None] = None,
) -> dict[str, Any]:
    """Who has a permission on a resource: by what was given on it itself, or also further up."""
    row = targets.by_id(call, resource_id)
    return _memberships(call, window, row, permission_slug, assignment or "direct")


@get(f"{BY_EXTERNAL_ID}/organization_memberships", guards=[requires("check")], sync_to_thread=True)
def list_memberships_for_resource_by_external_id(
    call: Asked,
    window: Paging,
    organization_id: FromPath[str],
    resource_type_slug: FromPath[str],
    external_id: FromPath[str],
    permission_slug: FromQuery[str],
    assignment: FromQuery[Literal["direct", "indirect"] | None] = None,
) -> dict[str, Any]:
    """Who has a permission on a resource, by the resource's external id."""
    row = targets.of_organization(call, organization_id, resource_type_slug, external_id)
    return _memberships(call, window, row, permission_slug, assignment or "direct")


HANDLERS = [
    check,
    list_effective_permissions,
    list_effective_permissions_by_external_id,
    list_resources_for_membership,
    list_memberships_for_resource,
    list_memberships_for_resource_by_external_id,
]
