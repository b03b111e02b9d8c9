"""Search: AuthZEN's lists, page by page. What is unknown gives no results, never an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import UNSET, UnsetType

from rescind.decision_log import unlogged
from rescind.errors import InvalidArgument, InvalidCursor, MalformedId, OrganizationNotFound
from rescind.http.authzen.evaluation import kind_of, resource_name, subject_name
from rescind.http.authzen.shapes import (
    ActionSearchRequest,
    Found,
    PageRequest,
    PageResponse,
    ResourceSearchRequest,
    SearchResponse,
    SubjectSearchRequest,
    asked_of,
)
from rescind.http.server.service import Service
from rescind.model import ROOT, SUBJECT_KINDS, Page, Seals

DEFAULT_LIMIT = 100
_PAGE: Final = "page"
Told = tuple[SearchResponse, str | None]


def subjects(
    service: Service, organization: str, asked: SubjectSearchRequest, at_least: str | None
) -> Told:
    """Subjects of a type that may do it."""
    kind = kind_of(asked.subject.type)
    if kind not in SUBJECT_KINDS:
        return _nothing(service, asked.page)
    return _search(
        service,
        asked.page,
        lambda limit, cursor: service.authority.who_can(
            asked.action.name,
            resource_name(asked.resource, organization),
            subject_kind=kind,
            organization=organization,
            at_least=at_least,
            assurance=asked_of(asked.context).assurance,
            limit=limit,
            cursor=cursor,
        ),
        lambda name: Found(type=asked.subject.type, id=name.partition(":")[2]),
    )


def resources(
    service: Service, organization: str, asked: ResourceSearchRequest, at_least: str | None
) -> Told:
    """Resources of a type that it may be done on."""
    assurance = asked_of(asked.context).assurance

    def ask(limit: int, cursor: str | None) -> Page:
        subject = subject_name(asked.subject)
        if asked.resource.type == ROOT:
            with unlogged():
                decision = service.authority.check(
                    subject,
                    asked.action.name,
                    organization=organization,
                    at_least=at_least,
                    assurance=assurance,
                )
            if decision.revision is None:
                raise OrganizationNotFound(organization=organization)
            return Page((f"{ROOT}:{organization}",) if decision else (), None, decision.revision)
        return service.authority.resources_of(
            subject,
            asked.action.name,
            resource_type=asked.resource.type,
            organization=organization,
            at_least=at_least,
            assurance=assurance,
            limit=limit,
            cursor=cursor,
        )

    return _search(service, asked.page, ask, _entity)


def actions(
    service: Service, organization: str, asked: ActionSearchRequest, at_least: str | None
) -> Told:
    """Actions that the subject may do on the resource."""
    return _search(
        service,
        asked.page,
        lambda limit, cursor: service.authority.permissions_of(
            subject_name(asked.subject),
            resource_name(asked.resource, organization),
            organization=organization,
            at_least=at_least,
            assurance=asked_of(asked.context).assurance,
            limit=limit,
            cursor=cursor,
        ),
        lambda name: Found(name=name),
    )


def _search(
    service: Service,
    page: PageRequest,
    ask: Callable[[int, str | None], Page],
    shown: Callable[[str], Found],
) -> Told:
    limit, cursor = _place(service, page)
    try:
        found = ask(limit or 1, cursor)
    except (MalformedId, OrganizationNotFound):
        return _nothing(service, page)
    items, next_cursor = found.items, found.next_cursor
    if not limit:
        is_more = bool(items) or next_cursor is not None
        items, next_cursor = (), (cursor or "") if is_more else None
    seals = service.authority.store.seals
    more = "" if next_cursor is None else _token(seals, limit, next_cursor)
    results = [shown(item) for item in items]
    return SearchResponse(PageResponse(more, len(results)), results), found.revision.token()


def _nothing(service: Service, page: PageRequest) -> Told:
    _place(service, page)
    return SearchResponse(PageResponse("", 0), []), None


def _entity(item: str) -> Found:
    kind, _, rest = item.partition(":")
    return Found(type=kind, id=rest)


# --- pages ----------------------------------------------------------------------------------------


def _place(service: Service, page: PageRequest) -> tuple[int, str | None]:
    """The limit and cursor of a page. A token keeps its limit, so that it may come alone: the one of an empty
    page, whose limit was 0, then goes on as if none were given.
    """
    most = service.limits.page_items
    asked = DEFAULT_LIMIT if isinstance(page.limit, UnsetType) else page.limit
    if asked < 0:
        raise InvalidArgument(what="page.limit", value=asked, hint="use 0 or more")
    limit = min(asked, most)
    if not page.token:
        return limit, None
    kept, cursor = _opened(service.authority.store.seals, page.token)
    if page.limit is not UNSET:
        if limit != kept:
            raise InvalidCursor(cursor=page.token)
        return limit, cursor or None
    return min(kept or DEFAULT_LIMIT, most), cursor or None


def _token(seals: Seals, limit: int, cursor: str) -> str:
    return seals.seal(_PAGE, limit.to_bytes(4) + cursor.encode())


def _opened(seals: Seals, token: str) -> tuple[int, str]:
    content = seals.unseal(_PAGE, token)
    if content is None:
        raise InvalidCursor(cursor=token)
    return int.from_bytes(content[:4]), content[4:].decode()
