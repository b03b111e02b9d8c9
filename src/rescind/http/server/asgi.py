"""The shapes of ASGI that the entry point works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

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


async def respond(send: Send, status: int, fields: Fields, body: bytes) -> None:
    """Send a response as a whole. What has no content has no length (RFC 9110, 8.6)."""
    if status != 204:
        fields = [*fields, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
