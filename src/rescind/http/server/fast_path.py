"""HTTP/1.1 on a connection: heads have a size and a deadline; fast routes are answered as they are read.

uvicorn's protocol does the rest. A POST to a fast route that has arrived whole, on a connection where nothing
else is under way, is answered without a task, by the same rules as all requests. If that is not possible, it
takes uvicorn's way as if nothing had been tried.
"""

from __future__ import annotations

import heapq
import math
from contextlib import ExitStack, suppress
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from rescind import waiting
from rescind.errors import HeadTooLarge, HeadTooSlow, InvalidRequest, RescindError
from rescind.http import problems
from rescind.http.server import headers as request_headers
from rescind.http.server.admission import Admission
from rescind.http.server.entry import ADMISSION, HttpEntry, log
from rescind.http.server.fast_routes import FastResponse, encoded_refusal
from rescind.http.server.headers import Headers, header_lines, request_id_of
from rescind.http.server.timeouts import Watch, reset

LAST_SECONDS: Final = 5.0
"""How long a client may take to read its answer when the service ends."""
SPARE: Final = 32
"""Connections beyond the most that are open at a time, until there is room again."""
AT_ONCE: Final = 16
"""Requests of one connection that are answered in one go; then others have their turn."""


class FastPathConnections:
    """Makes the protocols of one server's connections. For one event loop."""

    def __init__(self, entry: HttpEntry) -> None:
        self.entry, self.limits = entry, entry.service.limits
        self.fast_routes = {path.encode(): path for path in entry.fast_routes}
        self.watch = Watch(self.limits)
        self._first_lines: tuple[object, bytes] = (None, b"")
        self._ready: list[FastPathProtocol] = []

    def __call__(
        self, config: Config, server_state: ServerState, **options: Any
    ) -> FastPathProtocol:
        """The protocol of a new connection."""
        return FastPathProtocol(self, config, server_state, **options)

    def first_lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """The beginning of an answer of 200, with the headers that all answers have."""
        if self._first_lines[0] is not headers:
            self._first_lines = headers, STATUS_LINE[200] + header_lines(headers)
        return self._first_lines[1]

    def ready(self, connection: FastPathProtocol) -> None:
        """Have a connection's request answered with those of others that arrived at the same time."""
        self._ready.append(connection)
        if len(self._ready) == 1:
            connection.loop.call_soon(self._answer_all)

    def make_room(self, new: FastPathProtocol) -> None:
        """Close connections on which nothing is under way, those first that would be closed first.

        Where there are too few, the new one is closed at once: it costs a descriptor.
        """
        most, connections = (
            new.limit_concurrency or 0,
            cast("set[FastPathProtocol]", new.connections),
        )
        busy = {new, *self.watch.unread}
        idle = [each for each in connections if each.due < math.inf and each not in busy]
        for each in heapq.nsmallest(1 + most // 16, idle, key=lambda connection: connection.due):
            reset(each.transport)
            connections.discard(each)
        if len(connections) > most + SPARE:
            reset(new.transport)

    def _answer_all(self) -> None:
        """All of them had begun by now, so that one look is enough."""
        connections, self._ready = self._ready, []
        with ExitStack() as stack:
            with suppress(Exception), waiting.AT_ONCE:  # else each looks for itself, and tells it
                stack.enter_context(self.entry.service.authority.together())
            for connection in connections:
                connection.answer()


class FastPathProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        fast_path: FastPathConnections,
        config: Config,
        server_state: ServerState,
        **options: Any,
    ) -> None:
        super().__init__(config, server_state, **options)
        self._fast_path, self._limits = fast_path, fast_path.limits
        self._fast_route: str | None = None
        self._fast_headers: Headers = {}
        self._fast_body = b""
        self._is_ready = False
        """Whether the fast route's request is there as a whole, with nothing after it."""
        self._answered = 0
        self._data = b""
        self._is_in_head = self._has_moved = self._has_body = self._is_refused = False
        self._read = self._reads = 0
        """Bytes of the read in which a head or a piece of a body came last; and bytes read after it."""
        self._refusal: RescindError | None = None
        self.due = math.inf
        """When what is to come next must be there, by the loop's clock."""

    # --- what arrives -----------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """The first head has its time from now on."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self._fast_path.make_room(self)
        self.due = self.loop.time() + self._limits.head_seconds
        self._fast_path.watch.over(self.connections, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more can be read or written."""
        self._fast_path.watch.has_read(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Requests are answered in their order."""
        if self._is_ready:
            self.answer()
        if self._is_refused:
            return
        self._data = data
        self._answered, self._has_moved, self._has_body = 0, False, False
        self._reads += len(data)
        super().data_received(data)
        self._data = b""
        if self._is_ready:
            self._fast_path.ready(self)
        elif self._fast_route is not None:
            self._take_the_long_way()
        if self._has_moved:
            self._wait()
        if self._has_moved or self._has_body:
            self._read, self._reads = len(data), 0
        elif self._reads > self._limits.head_bytes:
            self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._is_ready:  # only where what looks like the end of a head is none
            self._is_ready, self._refusal = (
                False,
                InvalidRequest(why="the end of a head is not clear"),
            )
            raise self._refusal
        self._is_in_head = self._has_moved = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. What comes after a body is none (RFC 9110, 6.5): proxies do not look there."""
        if not self._is_in_head:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """A request is under way: ours until more of it must be waited for, or uvicorn's."""
        if self._read + self._reads > self._limits.head_bytes:
            self._require_short_head()
        headers = dict(self.headers)
        version = self.parser.get_http_version()
        flaw = request_headers.flaw_of(version, self.url, self.headers, headers)
        if flaw is not None:
            self._refusal = InvalidRequest(why=flaw)
            raise self._refusal
        self._is_in_head, self._has_moved = False, True
        fast_route = self._fast_path.fast_routes.get(self.url)
        if fast_route is not None and version == "1.1" and self._is_free(headers):
            self._fast_route, self._fast_headers, self._fast_body = fast_route, headers, b""
        else:
            self._begin()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._has_body = True
        if self._fast_route is None:
            super().on_body(body)
        else:
            self._fast_body += body

    def on_message_complete(self) -> None:
        """A request is there as a whole."""
        if self._fast_route is None:
            super().on_message_complete()
            return
        self._is_ready = True
        head = self._data.find(b"\r\n\r\n") + len(b"\r\n\r\n")
        if head + len(self._fast_body) != len(self._data):  # there is more in this read
            self.answer()

    def answer(self) -> None:
        """Answer the request that is ready, or let uvicorn have it."""
        if not self._is_ready:
            return
        self._is_ready = False
        if self._fast_route is None or self.transport.is_closing():
            self._fast_route = None
            return
        found = self._fast_path.entry.at_once(self._fast_route, self._fast_headers, self._fast_body)
        if isinstance(found, FastResponse):
            self._fast_route = None
            self._send(found)
        else:
            self._take_the_long_way(found)
            super().on_message_complete()
            self._wait()

    def shutdown(self) -> None:
        """What has arrived is answered. What was answered is to be read soon."""
        self.answer()
        super().shutdown()
        if self in self._fast_path.watch.unread:
            self._fast_path.watch.begin_reading(self, seconds=LAST_SECONDS)

    def _is_free(self, headers: Headers) -> bool:
        """Whether a request with a body may be answered before uvicorn knows of it.

        One that has a header twice may not, since it might have to be refused.
        """
        parser, limit = self.parser, self.limit_concurrency
        return (
            (self.cycle is None or self.cycle.response_complete)
            and self._answered < AT_ONCE
            and not self.flow.write_paused
            and not self.expect_100_continue
            and not self._fast_path.entry.service.is_stopping
            and parser.get_method() == b"POST"
            and len(headers) == len(self.headers)
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and (limit is None or max(len(self.connections), len(self.tasks)) < limit)
            and not self.transport.is_closing()
        )

    def _begin(self) -> None:
        """Let uvicorn begin with a request. A service that is to end closes the connection after it."""
        super().on_headers_complete()
        if self._fast_path.entry.service.is_stopping and self.cycle is not None:
            self.cycle.keep_alive = False

    def _take_the_long_way(self, known: Admission | None = None) -> None:
        """Let uvicorn have the request as far as it has come."""
        self._fast_route = None
        if known is not None:
            self.scope["state"][ADMISSION] = known
        self._begin()
        if self._fast_body:
            super().on_body(self._fast_body)
            self._fast_body = b""

    def _send(self, found: FastResponse) -> None:
        self._answered += 1
        self.server_state.total_requests += 1
        first_lines = self._fast_path.first_lines(self.server_state.default_headers)
        self.transport.write(found.encoded(first_lines))
        self._await_reading()

    # --- what does not arrive, or should not ------------------------------------------------------

    def on_response_complete(self) -> None:
        """The next request may be under way already."""
        super().on_response_complete()
        self._await_reading()
        self._wait()

    def pause_writing(self) -> None:
        """The client does not keep up with what is written."""
        super().pause_writing()
        self._await_reading()

    def resume_writing(self) -> None:
        """It has taken most of it."""
        super().resume_writing()
        self._fast_path.watch.has_read(self)

    def _await_reading(self) -> None:
        if self.transport.get_write_buffer_size():
            self._fast_path.watch.begin_reading(self)

    def _wait(self) -> None:
        """From now on, what is to come next has its time; all of it, while an answer is under way."""
        is_busy = self.cycle is not None and not self.cycle.response_complete
        seconds = self._limits.head_seconds if self._is_in_head else self.timeout_keep_alive
        self.due = math.inf if is_busy else self.loop.time() + seconds

    def end_late(self) -> None:
        """End the connection, since nothing came, or not all of a head, until it was due."""
        if self._is_in_head:
            self._refuse(HeadTooSlow(limit=f"{self._limits.head_seconds:g} s"))
        else:
            self.transport.close()

    def _too_large(self) -> HeadTooLarge:
        return HeadTooLarge(limit=f"{self._limits.head_bytes} bytes")

    def _require_short_head(self) -> None:
        fields = sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)
        if len(self.url) + fields > self._limits.head_bytes:
            self._refusal = self._too_large()
            raise self._refusal

    def send_400_response(self, msg: str) -> None:
        """What the parser refused, told as our own errors are."""
        self._refuse(self._refusal or InvalidRequest(why=msg))

    def _refuse(self, error: RescindError) -> None:
        """Take nothing more. Answer the error and close, if that is in turn; else close when it is."""
        self._is_refused, self._fast_route = True, None
        cycle = self.cycle
        if self.transport.is_closing():
            return
        if cycle is None or cycle.response_complete:
            self._send_refusal(error)
        elif not cycle.more_body:  # answers are under way, and the refused is after them
            cycle.keep_alive = False
        elif self.pipeline or cycle.response_started:
            self.transport.close()
        else:
            self._send_refusal(error)

    def _send_refusal(self, error: RescindError) -> None:
        headers: Headers = dict(self.headers) if self._is_in_head else {}
        request_id, status = request_id_of(headers), problems.status_of(error)
        common = self.server_state.default_headers
        self.transport.write(STATUS_LINE[status] + encoded_refusal(error, request_id, common))
        self.transport.close()
        facts = {"request_id": request_id, "status": status, "code": error.code}
        log.info("request", extra={"facts": facts})
