"""What lets a request in: its key, the key's rate, and a body within the limits. Each rule is here once."""

from __future__ import annotations

import contextlib
from typing import Final, NamedTuple

from rescind.errors import (
    BodyTooLarge,
    EncodingNotSupported,
    InvalidRequest,
    RescindError,
    Unauthenticated,
)
from rescind.http.auth import Caller, Scope
from rescind.http.json_bodies import require_shallow
from rescind.http.server.headers import Headers
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service

WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class Admission(NamedTuple):
    """Who calls, and the body that came with it where it was read; or why the request is refused."""

    caller: Caller | None = None
    body: bytes | None = None
    refusal: RescindError | None = None


def at_once(
    service: Service, method: str, headers: Headers, body: bytes, *, needed: Scope
) -> Admission | None:
    """The admission of a request that is here as a whole; waits for nothing.

    None where the key is not remembered, or its use is to be noted: then the request is not counted.
    """
    keys = service.keys
    try:
        text = key_of(headers)
    except Unauthenticated:
        return None
    caller = None if text is None else keys.known(text)
    if caller is None or keys.is_use_to_note(caller):
        return None
    try:
        service.rates.spend(caller.key_id)
        caller.require(needed)
        require_size(headers, service.limits)
        require_form(method, headers, body, service.limits)
    except RescindError as error:
        return Admission(caller, refusal=error)
    return Admission(caller, body)


def key_of(headers: Headers) -> str | None:
    """The text of the key that is sent, if any is. Raises Unauthenticated for another scheme."""
    given = headers.get(b"authorization")
    if given is None:
        return None
    scheme, _, text = given.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated()
    return text.strip()


def require_size(headers: Headers, limits: Limits) -> None:
    """BodyTooLarge where more is announced than may be sent."""
    with contextlib.suppress(ValueError):
        if int(headers.get(b"content-length", b"0")) > limits.body_bytes:
            raise BodyTooLarge(limit=f"{limits.body_bytes} bytes")


def require_plain(headers: Headers) -> None:
    """EncodingNotSupported unless the body is sent as it is (RFC 9110, 8.4)."""
    given = headers.get(b"content-encoding", b"")
    if any(each.strip().lower() not in (b"", b"identity") for each in given.split(b",")):
        raise EncodingNotSupported(encoding=repr(given.decode("latin-1")))


def require_form(method: str, headers: Headers, body: bytes, limits: Limits) -> None:
    """BodyTooLarge; EncodingNotSupported; InvalidRequest unless it is said to be JSON and not too deep."""
    if len(body) > limits.body_bytes:
        raise BodyTooLarge(limit=f"{limits.body_bytes} bytes")
    if body or method in WITH_BODY:
        require_plain(headers)
        _require_json(method, headers, body)
        require_shallow(body, limits.depth)


def _require_json(method: str, headers: Headers, body: bytes) -> None:
    """No body needs no type."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" and (body or (kind and method in WITH_BODY)):
        shown = kind.decode("latin-1")
        raise InvalidRequest(what="content type", value=repr(shown), hint="send application/json")
