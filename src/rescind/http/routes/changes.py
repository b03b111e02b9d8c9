"""Changes: make a batch, or see what it would do; the log, and one change as it stands now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import (
    FromQuery,
    HeaderParameter,
    JSONBody,
    PathParameter,
    QueryParameter,
)
from msgspec import Meta, Struct

from rescind.changes import Change
from rescind.errors import InvalidArgument, RescindError, RevisionNotFound
from rescind.http.answers import (
    ACTOR,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    DifferenceResponse,
    LogEntryResponse,
    OnlyAt,
    ReceiptResponse,
    condition,
    state_headers,
)
from rescind.http.auth import Caller, caller_of, requires
from rescind.http.json_bodies import require_single_keys
from rescind.http.query_times import QueryTime, query_time
from rescind.http.routes.lists import Limit, Organization
from rescind.http.server.fast_routes import Sent
from rescind.http.server.headers import Headers, value_of
from rescind.http.server.service import Service
from rescind.model import Route, require_text

Key = Annotated[
    str | None,
    HeaderParameter(
        name=IDEMPOTENCY_KEY, description="Repeated with it, the changes have one effect."
    ),
]
Behalf = Annotated[
    str | None,
    HeaderParameter(name=ACTOR, description="For whom it is done; the log has it beside the key."),
]
Number = Annotated[int, PathParameter(ge=0, le=2**63 - 1)]
After = Annotated[int, QueryParameter(ge=0, le=2**63 - 1)]


class ChangesRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch: one transaction, one revision. With `dry_run` nothing is done; with `detail` the receipt
    tells the exact difference; with `force` a required role may be left without an active holder.
    """

    changes: Annotated[list[Change], Meta(min_length=1)]
    organization: str | None = None
    reason: str = ""
    route: Route | None = None
    dry_run: bool = False
    detail: bool = False
    force: bool = False


class LogResponse(Struct, frozen=True):
    """Part of the log, oldest first; `next_after` is null at its end."""

    changes: list[LogEntryResponse]
    next_after: int | None


@post("/v1/changes", status_code=200, sync_to_thread=True, guards=[requires("write")])
def make_changes(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    data: JSONBody[ChangesRequest],
    key: Key = None,
    behalf: Behalf = None,
    only_at: OnlyAt = None,
) -> Response[ReceiptResponse | DifferenceResponse]:
    """Apply a batch. When this answers, no check that starts anywhere allows what was revoked."""
    caller = caller_of(request)
    if not data.dry_run:
        told = applied(service, caller, data, key=key, behalf=behalf, only_at=only_at)
        return Response(told, headers=state_headers(told.revision))
    at = condition(only_at)
    _require_few(service, data)
    found = service.authority.preview(
        data.changes,
        organization=caller.organization_for(data.organization),
        if_revision=at,
        force=data.force,
    )
    return Response(DifferenceResponse.of(found))


def applied(
    service: Service,
    caller: Caller,
    data: ChangesRequest,
    *,
    key: str | None,
    behalf: str | None,
    only_at: str | None,
) -> ReceiptResponse:
    """Apply a batch. When this returns, no check that starts anywhere allows what was revoked."""
    at = condition(only_at)
    _require_few(service, data)
    organization = caller.organization_for(data.organization)
    require_text("actor", behalf or "")
    receipt = service.authority.apply(
        data.changes,
        actor=caller.actor(behalf),
        reason=data.reason,
        idempotency_key=key,
        organization=organization,
        detail=data.detail,
        route=data.route,
        inline_most_pairs=service.settings.inline_most_pairs,
        if_revision=at,
        force=data.force,
    )
    service.applied(receipt, data.changes)
    return ReceiptResponse.of(receipt)


def _require_few(service: Service, data: ChangesRequest) -> None:
    most = service.limits.batch_changes
    weight = sum(change.weight for change in data.changes)
    if weight > most:
        hint = f"send at most {most:,}, or import them"
        raise InvalidArgument(what="changes", value=weight, hint=hint)


_decoder = msgspec.json.Decoder(ChangesRequest)
_encoder = msgspec.json.Encoder()


def direct_changes(
    service: Service, caller: Caller, headers: Headers, body: bytes
) -> Callable[[], Sent] | None:
    """The same without the framework; None for a dry run, and for a body that is not as it should be."""
    try:
        require_single_keys(body)
        data = _decoder.decode(body)
    except (RescindError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if data.dry_run:
        return None

    def answer() -> Sent:
        told = applied(
            service,
            caller,
            data,
            key=value_of(headers, IDEMPOTENCY_KEY),
            behalf=value_of(headers, ACTOR),
            only_at=value_of(headers, IF_MATCH),
        )
        fields = state_headers(told.revision).items()
        return [(name.lower().encode(), value.encode()) for name, value in fields], _encoder.encode(
            told
        )

    return answer


@get("/v1/changes", sync_to_thread=True, guards=[requires("read")])
def list_changes(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    after: After = 0,
    limit: Limit = None,
    actor: FromQuery[str | None] = None,
    subject: FromQuery[str | None] = None,
    group: FromQuery[str | None] = None,
    role: FromQuery[str | None] = None,
    resource: FromQuery[str | None] = None,
    since: QueryTime = None,
    until: QueryTime = None,
) -> LogResponse:
    """The organization's changes after a revision's number, oldest first: all, or those by an `actor` (a part
    of it will do), that name a subject, group, role or resource, or of a time.

    A page may be shorter than asked, and be empty: `next_after` goes on.
    """
    most = service.limits.page(limit)
    page = service.authority.log_page(
        organization=caller_of(request).organization_for(organization),
        after=after,
        limit=most,
        actor=actor,
        subject=subject,
        group=group,
        role=role,
        resource=resource,
        since=query_time("since", since),
        until=query_time("until", until),
    )
    found: list[LogEntryResponse] = []
    characters = 0
    for entry in page.items:
        if characters >= service.limits.page_characters:
            return LogResponse(found, found[-1].number)
        found.append(LogEntryResponse.of(entry))
        characters += len(entry.changes)
    return LogResponse(found, page.next_after)


@get("/v1/changes/{number:int}", sync_to_thread=True, guards=[requires("read")])
def read_change(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    number: Number,
    organization: Organization = None,
) -> LogEntryResponse:
    """One change as it stands now: recorded, enforced, settled."""
    name = caller_of(request).organization_for(organization)
    found: list[Any] = []
    if number:
        found = list(service.authority.log(organization=name, after=number - 1, limit=1))
    if not found or found[0].revision != number:
        raise RevisionNotFound(organization=name, number=number)
    return LogEntryResponse.of(found[0])


DIRECT_ROUTES = {b"/v1/changes": direct_changes}
ROUTES = [make_changes, list_changes, read_change]
