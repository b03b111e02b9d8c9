"""Errors as WorkOS's SDKs read them: `message`, `code`, and `errors` where a field is wrong.

Statuses are those of our own routes; what cannot be read is 400, never 422.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response

from rescind import errors
from rescind.directory.errors import (
    Conflict,
    DirectoryError,
    Forbidden,
    InvalidValue,
    ObjectNotFound,
    invalid,
)
from rescind.http import problems
from rescind.http.methods import allow_header_of

_CODES: Final[dict[type[errors.RescindError], str]] = {
    errors.OrganizationNotFound: "entity_not_found",
    errors.MembershipNotFound: "entity_not_found",
    errors.GroupNotFound: "entity_not_found",
    errors.PermissionNotFound: "entity_not_found",
    errors.RoleNotFound: "entity_not_found",
    errors.ResourceNotFound: "entity_not_found",
    errors.ResourceTypeNotFound: "entity_not_found",
    errors.RoleInUse: "role_has_assignments",
    errors.RoleNotForResource: "invalid_request_parameters",
    errors.InvalidRequest: "invalid_request_parameters",
    errors.InvalidArgument: "invalid_request_parameters",
    errors.MalformedId: "invalid_request_parameters",
}
"""WorkOS's own codes; other errors keep ours."""
_FIELDS: Final[dict[type[errors.RescindError], str]] = {errors.RoleNotForResource: "role_slug"}
"""The field that is wrong, where the error names one."""


_STATUSES: Final[dict[type[DirectoryError], int]] = {
    InvalidValue: 400,
    Forbidden: 403,
    ObjectNotFound: 404,
    Conflict: 409,
}


def encoded(error: errors.RescindError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers and the body of the response to an error."""
    code = _CODES.get(type(error), error.code)
    body = {"message": problems.detail_of(error), "code": code, "retry": error.retry}
    told = [(b"content-type", b"application/json"), *problems.lines_of(error)]
    return told, msgspec.json.encode(body)


def respond(request: Request[Any, Any, Any], raised: Exception) -> Response[bytes]:
    """The exception handler of these routes, and of unknown paths beside them."""
    request_id = str(request.scope["state"].get("request_id", ""))
    headers: dict[str, str] = {}
    if isinstance(raised, DirectoryError):
        status, code = _STATUSES[type(raised)], raised.code
        body = {"message": raised.message, "code": code, **raised.facts}
    else:
        error = problems.as_error(raised)
        problems.note(raised, error, request_id)
        status, code = problems.status_of(error), _CODES.get(type(error), error.code)
        body = {"message": problems.detail_of(error), "code": code, "retry": error.retry}
        if type(error) in _FIELDS:
            body |= invalid(_FIELDS[type(error)], problems.detail_of(error)).facts
        headers = {**problems.headers_of(error), **allow_header_of(raised)}
    request.scope["state"]["code"] = code
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )
