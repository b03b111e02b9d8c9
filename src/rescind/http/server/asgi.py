"""The shapes of ASGI that the entry point works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeAlias

from rescind.errors import RescindError
from rescind.http.server.fast_routes import Sent
from rescind.http.server.headers import Fields
from rescind.http.server.service import Service
from rescind.http.server.timeouts import Message

Send: TypeAlias = Callable[[Message], Awaitable[None]]
Encode: TypeAlias = Callable[[str, RescindError, str], Sent]
"""Headers and body of the refusal of an address, with the error and the request's id."""
CanonicalPath: TypeAlias = Callable[[Service, bytes], bytes]
"""The path that a request means: an application may know a route by several."""
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

CACHE: Final = b"cache-control"
_NO_STORE: Final = (CACHE, b"no-store")


async def respond(send: Send, status: int, fields: Fields, body: bytes) -> None:
    """Send a response as a whole. What has no content has no length (RFC 9110, 8.6)."""
    if status != 204:
        fields = [*fields, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def with_common(fields: Iterable[tuple[bytes, bytes]], method: str, request_id: str) -> Fields:
    """The headers of an answer with those that all have: the request's id, and for GET that no cache may keep
    it unless it says something else. What was revoked must not be shown again (RFC 9111, 5.2.2.5).
    """
    found = [*fields, (b"x-request-id", request_id.encode())]
    if method == "GET":
        for name, _ in found:
            if name == CACHE:
                return found
        found.append(_NO_STORE)
    return found
