"""What a browser gets where access is not allowed. For an API see `rest_framework`."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url

from rescind.integrations.outcomes import AT_LEAST, MEDIA_TYPE, Refused


def answer(
    request: HttpRequest, refused: Refused, *, login_url: str | None, raise_exception: bool
) -> HttpResponseBase:
    """The response to a request that is not let in.

    Who is not signed in is sent to the login page, or with `raise_exception` gets what a denial gets: raises
    PermissionDenied, the application's own page 403. Raises BadRequest for a header that is no token. Without
    a decision it is 503, as problem details.
    """
    refusal = refused.refusal
    if refusal.status == 401 and not raise_exception:
        where = None if login_url is None else resolve_url(login_url)
        return redirect_to_login(request.get_full_path(), where)
    if refusal.status in (401, 403):
        raise PermissionDenied(refusal.detail) from None  # logged with its cause, if it has one
    if refusal.status == 400:
        raise BadRequest(refusal.detail) from refused
    response = HttpResponse(json.dumps(refusal.problem()), MEDIA_TYPE, refusal.status)
    for name, value in refusal.headers.items():
        response[name] = value
    return response


def token_of(request: HttpRequest) -> dict[str, Any]:
    """The token of a change that the check must know of, if the request has one."""
    token = request.headers.get(AT_LEAST)
    return {} if token is None else {"at_least": token}
