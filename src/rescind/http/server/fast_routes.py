"""Routes that are answered without the framework: what such a route is, and what it answers."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias

from rescind.errors import RescindError
from rescind.http import problems
from rescind.http.auth import Caller
from rescind.http.server.headers import Fields, Headers, header_lines
from rescind.http.server.service import Service

Sent: TypeAlias = tuple[Fields, bytes]
"""Headers and body."""


class FastRoute(Protocol):
    """A route that is answered without the framework. Needs the scope `check`."""

    def __call__(self, service: Service, caller: Caller, headers: Headers, body: bytes) -> Sent:
        """Headers and body of the answer, whose status is 200. Raises what was wrong."""


class FastResponse(NamedTuple):
    """What a fast route answered, with the status 200."""

    request_id: str
    headers: Fields
    body: bytes

    def encoded(self, first_lines: bytes) -> bytes:
        """The response as HTTP/1.1 sends it, after its status line and the server's own headers."""
        return (
            b"%bcontent-type: application/json\r\ncontent-length: %d\r\n%bx-request-id: %b\r\n\r\n%b"
            % (
                first_lines,
                len(self.body),
                header_lines(self.headers),
                self.request_id.encode(),
                self.body,
            )
        )


def encoded_refusal(error: RescindError, request_id: str, common: Fields) -> bytes:
    """An error as HTTP/1.1 sends it, after its status line; `common` are the server's own headers."""
    fields, body = problems.encoded(error, request_id)
    own = [
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    return header_lines([*common, *fields, *own]) + b"\r\n" + body
