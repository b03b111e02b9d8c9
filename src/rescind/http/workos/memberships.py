"""Organization memberships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Struct, UnsetType

from rescind import changes, model
from rescind.changes import Change
from rescind.http.auth import requires
from rescind.http.workos import entries, organizations, shapes
from rescind.http.workos.call import Asked, Call
from rescind.http.workos.envelopes import Key, Paging, Span, Window, listed, page
from rescind.http.workos.errors import Refused, invalid, not_found
from rescind.http.workos.held import wide_roles
from rescind.http.workos.ids import Kind
from rescind.http.workos.own import assign, own_roles

WHAT = "Organization membership"
STATUSES = {"active", "inactive", "pending"}
PATH = "/user_management/organization_memberships"


class _Roles(Struct, kw_only=True):
    role_slug: str | UnsetType = UNSET
    role_slugs: list[str] | UnsetType = UNSET


class CreateMembership(_Roles, kw_only=True):
    user_id: str
    organization_id: str


class UpdateMembership(_Roles, kw_only=True):
    """The organization-wide roles that it is to have itself: exactly these."""


def shown(call: Call, public_id: str) -> shapes.Row:
    """The row of a membership, or not found."""
    o, m, *_ = call.place(Kind.MEMBERSHIP, public_id, WHAT)
    return row_of(call, o, m, public_id)


def row_of(call: Call, o: int, m: int, public_id: str = "") -> shapes.Row:
    """The row of the membership of a number, or not found."""
    rows = call.fetch("show_membership", o=o, m=m)
    if not rows:
        raise not_found(WHAT, public_id)
    return rows[0]


def with_roles(call: Call, rows: Sequence[shapes.Row]) -> list[dict[str, Any]]:
    """Memberships with their organization-wide roles."""
    held = wide_roles(call, rows)
    return [shapes.membership(call.ids, row, held.get((row[0], row[1]), [])) for row in rows]


def without_roles(call: Call, rows: Sequence[shapes.Row]) -> list[dict[str, Any]]:
    """Memberships as the shorter lists have them."""
    return [shapes.membership(call.ids, row) for row in rows]


def key_of(call: Call, cursor: str) -> Key:
    """What a cursor of a list of memberships stands for."""
    return call.cursor(Kind.MEMBERSHIP, cursor).number, 0


def cursor_of(call: Call, row: shapes.Row) -> str:
    """The cursor at a membership."""
    return call.ids.of(Kind.MEMBERSHIP, row[0], row[1])


@get(PATH, guards=[requires("read")], sync_to_thread=True)
def list_organization_memberships(
    call: Asked,
    window: Paging,
    organization_id: FromQuery[str | None] = None,
    user_id: FromQuery[str | None] = None,
    statuses: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Those of an organization, of a user, or of both; active ones unless other statuses are named."""
    wanted = set((statuses or "active").split(","))
    if not wanted <= STATUSES:
        raise invalid("statuses", f"use some of {', '.join(sorted(STATUSES))}")
    if user_id:
        return _of_user(call, window, user_id, organization_id, wanted)
    if not organization_id:
        raise invalid("organization_id", "name an organization, a user, or both")
    o = organizations.shown(call, organization_id)[0]
    both = {"active", "inactive"} <= wanted
    status = "all" if both else next(iter(wanted - {"pending"}), "pending")

    def fetch(span: Span) -> list[Any]:
        query = f"page_memberships_{span.direction}"
        return call.fetch(query, o=o, status=status, **span.params())

    return page(
        window,
        key_of=lambda cursor: key_of(call, cursor),
        fetch=fetch,
        cursor_of=lambda row: cursor_of(call, row),
        show=lambda rows: with_roles(call, rows),
    )


def _of_user(
    call: Call, window: Window, user_id: str, organization_id: str | None, wanted: set[str]
) -> dict[str, Any]:
    o = organizations.shown(call, organization_id)[0] if organization_id else None
    rows = [
        row
        for row in _memberships_of(call, user_id)
        if call.may_see(row[0])
        and o in (None, row[0])
        and ("active" if row[4] else "inactive") in wanted
    ]

    def key(cursor: str) -> Key:
        place = call.cursor(Kind.MEMBERSHIP, cursor)
        row = row_of(call, place.organization, place.number, cursor)
        return row[5], row[0]

    return page(
        window,
        key_of=key,
        fetch=lambda span: listed(rows, lambda row: (row[5], row[0]), span),
        cursor_of=lambda row: cursor_of(call, row),
        show=lambda found: with_roles(call, found),
    )


def _subject(call: Call, organization: str, user_id: str) -> model.SubjectId:
    """A user's id as the organization keeps it."""
    subject = model.subject_id(user_id)
    canonical = model.SubjectId(model.canonical_subject(subject))
    if canonical == subject:
        return subject
    ((rule,),) = call.fetch("read_id_rule", organization=organization)
    return canonical if rule == model.IdRule.CASEFOLD else subject


def _memberships_of(call: Call, user_id: str) -> list[shapes.Row]:
    """The rows of a user's memberships, in each organization by the id that it keeps."""
    subject = model.subject_id(user_id)
    names = {subject, model.SubjectId(model.canonical_subject(subject))}
    rows = [row for n in names for row in call.fetch("list_memberships_of_subject", subject=n)]
    found = [row for row in rows if row[2] == _subject(call, row[10], user_id)]
    return sorted(found, key=lambda row: (row[5], row[0]))


@post(PATH, guards=[requires("write")], sync_to_thread=True)
def create_organization_membership(
    call: Asked, data: JSONBody[CreateMembership]
) -> Response[dict[str, Any]]:
    """Make a user a member, or an inactive member active again, with the roles that are named."""

    def work() -> dict[str, Any]:
        organization = organizations.shown(call, data.organization_id)
        o, slug = organization[0], organization[1]
        subject = _subject(call, slug, data.user_id)
        public_id = entries.chosen_id(call, Kind.MEMBERSHIP)
        call.lock(o)
        given = _given(data, call.mode(o))
        known = [r for r in call.fetch("list_memberships_of_subject", subject=subject) if r[0] == o]
        if known and known[0][4]:
            told = f"The user '{data.user_id}' is a member of the organization already."
            raise Refused(409, "organization_membership_already_exists", told)
        if known:
            batch: list[Change] = [changes.ReactivateMembership(subject=subject)]
            batch += _to_have(call, o, known[0][1], subject, given)
        else:
            batch = [changes.AddMembership(subject=subject)]
            batch += [changes.Assign(role=role, to=subject) for role in given or ()]
        call.apply(slug, *batch)
        rows = call.fetch("list_memberships_of_subject", subject=subject)
        (m,) = [row[1] for row in rows if row[0] == o]
        if known:
            entries.touch(call, Kind.MEMBERSHIP, o, m)
        else:
            entries.made(call, Kind.MEMBERSHIP, o, m, public_id=public_id)
        return _told(call, o, m, "updated" if known else "created")

    return call.write(work, status=201)


@get(f"{PATH}/{{membership_id:str}}", guards=[requires("read")], sync_to_thread=True)
def get_organization_membership(call: Asked, membership_id: FromPath[str]) -> dict[str, Any]:
    """A membership with its roles."""
    return with_roles(call, [shown(call, membership_id)])[0]


@put(f"{PATH}/{{membership_id:str}}", guards=[requires("write")], sync_to_thread=True)
def update_organization_membership(
    call: Asked, membership_id: FromPath[str], data: JSONBody[UpdateMembership]
) -> Response[dict[str, Any]]:
    """Make the organization-wide roles of a membership itself exactly those named; others stay."""

    def work() -> dict[str, Any]:
        o, m, subject, *_, slug, mode = shown(call, membership_id)
        call.lock(o)
        batch = _to_have(call, o, m, subject, _given(data, mode))
        if batch:
            call.apply(slug, *batch)
        entries.touch(call, Kind.MEMBERSHIP, o, m)
        return _told(call, o, m, "updated")

    return call.write(work)


@put(f"{PATH}/{{membership_id:str}}/deactivate", guards=[requires("write")], sync_to_thread=True)
def deactivate_organization_membership(
    call: Asked, membership_id: FromPath[str]
) -> Response[dict[str, Any]]:
    """Deny a membership everything, keeping what it has."""
    return _set_active(call, membership_id, changes.DeactivateMembership)


@put(f"{PATH}/{{membership_id:str}}/reactivate", guards=[requires("write")], sync_to_thread=True)
def reactivate_organization_membership(
    call: Asked, membership_id: FromPath[str]
) -> Response[dict[str, Any]]:
    """Give a membership back what it has."""
    return _set_active(call, membership_id, changes.ReactivateMembership)


@delete(
    f"{PATH}/{{membership_id:str}}",
    guards=[requires("write")],
    sync_to_thread=True,
    status_code=204,
)
def delete_organization_membership(call: Asked, membership_id: FromPath[str]) -> Response[None]:
    """Remove a membership with its places in groups and its roles."""

    def work() -> None:
        row = shown(call, membership_id)
        o, m, subject, *_, slug, _ = row
        told = with_roles(call, [row])[0]
        call.apply(slug, changes.RemoveMembership(subject=subject))
        call.fetch("keep_public_id", o=o, kind="membership", number=m)
        call.fetch("forget_entry", o=o, kind="membership", number=m)
        entries.event(call, "organization_membership.deleted", o, told)

    return call.write(work, status=204)


def _set_active(call: Call, membership_id: str, change: Any) -> Response[Any]:
    def work() -> dict[str, Any]:
        row = shown(call, membership_id)
        o, m, subject, *_, slug, _ = row
        if not call.apply(slug, change(subject=subject)).changed:
            return with_roles(call, [row])[0]
        entries.touch(call, Kind.MEMBERSHIP, o, m)
        return _told(call, o, m, "updated")

    return call.write(work)


def _given(data: _Roles, mode: str) -> list[str] | None:
    """The roles that a request names, if any. Raises for what contradicts itself or the organization."""
    if not isinstance(data.role_slugs, list):
        return [data.role_slug] if isinstance(data.role_slug, str) else None
    if isinstance(data.role_slug, str):
        raise invalid("role_slugs", "give role_slug or role_slugs, not both")
    named = list(dict.fromkeys(data.role_slugs))
    if not named:
        told = "name a role; to take the last one away, delete its role assignment"
        raise invalid("role_slugs", told)
    if mode == "single" and len(named) > 1:
        raise invalid("role_slugs", "the organization is for single roles: name one")
    return named


def _to_have(call: Call, o: int, m: int, subject: str, given: list[str] | None) -> list[Change]:
    """What makes the membership's own organization-wide roles those that the request names."""
    if given is None:
        return []
    own = own_roles(call, o, m)
    has = {role for role, resource in own if resource == model.ROOT}
    taken = [changes.Unassign(role=slug, to=subject) for slug in sorted(has - set(given))]
    added = [assign((slug, model.ROOT), subject, own) for slug in given]
    return [*added, *taken]


def _told(call: Call, o: int, m: int, what: str) -> dict[str, Any]:
    (result,) = with_roles(call, [row_of(call, o, m)])
    entries.event(call, f"organization_membership.{what}", o, result)
    return result


HANDLERS = [
    list_organization_memberships,
    create_organization_membership,
    get_organization_membership,
    update_organization_membership,
    deactivate_organization_membership,
    reactivate_organization_membership,
    delete_organization_membership,
]
