"""Which status each error has, and its body by RFC 9457. Nothing else knows statuses.

What the store says (names of databases, the words of a driver) goes to the log, never to a client.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.exceptions import MethodNotAllowedException as LitestarMethodNotAllowed
from litestar.exceptions import NotFoundException as LitestarNotFound

from rescind import errors
from rescind.errors import RescindError
from rescind.errors.base import in_json
from rescind.http.methods import allow_header_of

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 1
MOST_CHARACTERS: Final = 1_000
"""Of one text among an error's facts."""
MOST_OF_A_FACT: Final = 100
"""Texts in one list among them."""
_CHALLENGE: Final = 'Bearer realm="rescind"'

log = logging.getLogger("rescind.http")

_STATUSES: Final[dict[type[RescindError], int]] = {
    errors.RescindError: 500,
    errors.MalformedId: 400,
    errors.InvalidChange: 400,
    errors.InvalidArgument: 400,
    errors.InvalidCursor: 400,
    errors.InvalidToken: 400,
    errors.InvalidRequest: 400,
    errors.RoleNotForResource: 400,
    errors.BadInput: 400,
    errors.UnsupportedConnection: 500,
    errors.ThreadsExhausted: 503,
    errors.Unauthenticated: 401,
    errors.ScopeMissing: 403,
    errors.OrganizationNotFound: 404,
    errors.MembershipNotFound: 404,
    errors.GroupNotFound: 404,
    errors.PermissionNotFound: 404,
    errors.RoleNotFound: 404,
    errors.ResourceTypeNotFound: 404,
    errors.ResourceNotFound: 404,
    errors.RevisionNotFound: 404,
    errors.PastUnavailable: 404,
    errors.ReviewNotFound: 404,
    errors.ApiKeyNotFound: 404,
    errors.RouteNotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.HeadTooSlow: 408,
    errors.BodyTooSlow: 408,
    errors.OrganizationExists: 409,
    errors.GroupExists: 409,
    errors.MembershipExists: 409,
    errors.PermissionExists: 409,
    errors.RoleExists: 409,
    errors.ResourceTypeExists: 409,
    errors.ResourceExists: 409,
    errors.OrganizationInUse: 409,
    errors.GroupInUse: 409,
    errors.PermissionInUse: 409,
    errors.RoleInUse: 409,
    errors.LastHolder: 409,
    errors.ResourceTypeInUse: 409,
    errors.ResourceInUse: 409,
    errors.NestingCycle: 409,
    errors.ResourceCycle: 409,
    errors.ParentTypeRefused: 409,
    errors.IdsLookAlike: 409,
    errors.ReviewExists: 409,
    errors.KeyReused: 409,
    errors.PendingMoved: 409,
    errors.NotCommitted: 409,
    errors.RevisionUnavailable: 412,
    errors.PreconditionFailed: 412,
    errors.BodyTooLarge: 413,
    errors.EncodingNotSupported: 415,
    errors.TooManyRequests: 429,
    errors.HeadTooLarge: 431,
    errors.StoreError: 500,
    errors.InternalError: 500,
    errors.NotSupported: 501,
    errors.PastTooLarge: 501,
    errors.StoreUnavailable: 503,
    errors.StoreBusy: 503,
    errors.StoreReadOnly: 503,
    errors.StoreConflict: 503,
    errors.GroupBusy: 503,
    errors.RequestTimedOut: 503,
    errors.SchemaMissing: 503,
    errors.SchemaDiffers: 503,
    errors.SchemaTooOld: 503,
    errors.SchemaTooNew: 503,
    errors.OutcomeUnknown: 504,
}


def status_of(error: RescindError) -> int:
    """The status of an error: that of its class, or of the nearest one above it."""
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


def as_error(raised: Exception) -> RescindError:
    """Whatever a route raised, as an error of the domain; what is nobody's doing is an InternalError."""
    if isinstance(raised, RescindError):
        return raised
    if isinstance(raised, LitestarNotFound):
        return errors.RouteNotFound()
    if isinstance(raised, LitestarMethodNotAllowed):
        return errors.MethodNotAllowed()
    if isinstance(raised, HTTPException) and raised.status_code < 500:
        return errors.InvalidRequest(why=_why(raised))
    if isinstance(raised, msgspec.MsgspecError | UnicodeDecodeError | RecursionError):
        return errors.InvalidRequest(why=str(raised))
    return errors.InternalError()


def _why(raised: HTTPException) -> str:
    """What Litestar found wrong, with the names of the fields."""
    extra = raised.extra if isinstance(raised.extra, list) else []
    found = [
        f"{each.get('key', '')}: {each.get('message', '')}".removeprefix(": ").removeprefix(
            "data: "
        )
        for each in extra
        if isinstance(each, dict)
    ]
    cause = raised.__cause__
    if isinstance(cause, msgspec.MsgspecError) and not found:
        return str(cause)
    return "; ".join(found) or raised.detail


def headers_of(error: RescindError) -> dict[str, str]:
    """The headers that go with an error."""
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": _CHALLENGE}
    if isinstance(error, errors.ScopeMissing):  # RFC 6750, 3
        more = f'error="insufficient_scope", scope="{error.facts.get("scope", "")}"'
        return {"WWW-Authenticate": f"{_CHALLENGE}, {more}"}
    if isinstance(error, errors.EncodingNotSupported):
        return {"Accept-Encoding": "identity"}
    if "retry_after" in error.facts:
        return {"Retry-After": str(error.facts["retry_after"])}
    return {"Retry-After": str(RETRY_SECONDS)} if status_of(error) == 503 and error.retry else {}


def detail_of(error: RescindError, *, hints: bool = False) -> str:
    """What a client is told in words: all of it, but of the store only what it can do about it. Names like
    the one that is not there are for those who may read names.
    """
    if isinstance(error, errors.StoreError) and status_of(error) >= 500:
        return type(error)().sentence(_in_json)
    return (error if hints else error.without_hint()).sentence(_in_json)


def facts_of(error: RescindError, *, hints: bool = False) -> dict[str, Any]:
    """The facts of an error as JSON, for programs: what `detail_of` tells in words, and nothing else."""
    if isinstance(error, errors.StoreError) and status_of(error) >= 500:
        return {}
    shown = error if hints else error.without_hint()
    return {name: _as_json(value) for name, value in shown.facts.items()}


def _as_json(value: object) -> Any:
    """A fact of bounded size: what is no number, text or list of texts becomes text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, tuple | list):
        return [_bounded(str(each)) for each in value[:MOST_OF_A_FACT]]
    return _bounded(str(value))


def _bounded(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


def _in_json(option: str) -> str:
    return "the header Rescind-At-Least" if option == "at_least" else in_json(option)


def may_read(state: Mapping[str, Any]) -> bool:
    """Whether the caller's key is one that may read names."""
    caller = state.get("caller")
    return caller is not None and caller.has("read")


def body_of(error: RescindError, request_id: str, *, hints: bool = False) -> dict[str, Any]:
    """The problem details of an error (RFC 9457), with its code, its facts, and whether to try again."""
    title = (type(error).__doc__ or "").strip().splitlines()[0].rstrip(".")
    return {
        "type": f"urn:rescind:problem:{error.code}",
        "title": title,
        "status": status_of(error),
        "detail": detail_of(error, hints=hints),
        "code": error.code,
        "retry": error.retry,
        "request_id": request_id,
        "facts": facts_of(error, hints=hints),
    }


def encoded(
    error: RescindError, request_id: str, *, hints: bool = False
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers and the body of an answer that tells the error."""
    body = msgspec.json.encode(body_of(error, request_id, hints=hints))
    return [(b"content-type", MEDIA_TYPE.encode()), *lines_of(error)], body


def lines_of(error: RescindError) -> list[tuple[bytes, bytes]]:
    """The headers that go with an error, as they are sent."""
    return [(name.lower().encode(), value.encode()) for name, value in headers_of(error).items()]


def note(raised: Exception, error: RescindError, request_id: str) -> None:
    """Log what a client is not told."""
    if status_of(error) < 500:
        return
    is_ours = isinstance(error, errors.InternalError)
    facts = {"request_id": request_id, "code": error.code}
    log.error("%s", raised, extra={"facts": facts}, exc_info=raised if is_ours else None)


def respond(request: Request[Any, Any, Any], raised: Exception) -> Response[bytes]:
    """The exception handler of our own routes."""
    error = as_error(raised)
    request_id = str(request.scope["state"].get("request_id", ""))
    note(raised, error, request_id)
    request.scope["state"]["code"] = error.code
    headers = {**headers_of(error), **allow_header_of(raised)}
    hints = may_read(request.scope["state"])
    return Response(
        msgspec.json.encode(body_of(error, request_id, hints=hints)),
        status_code=status_of(error),
        media_type=MEDIA_TYPE,
        headers=headers,
    )
