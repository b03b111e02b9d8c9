"""The way in: request ids, keys, rates, bodies within limits, and one log line; the same for every route.

A request that is refused here still goes to its route, whose guard raises the refusal: so each family of
routes tells it in its own shape. Lanes are the few routes that answer here, for speed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from rescind.errors import (
    BodyTooLarge,
    InvalidRequest,
    RescindError,
    Unauthenticated,
)
from rescind.http import problems
from rescind.http.at_hand import NotAtHand
from rescind.http.auth import Caller, admitted
from rescind.http.limits import require_shallow
from rescind.http.patience import Message, Patience, Receive
from rescind.http.service import Service

Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = dict[bytes, bytes]
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

STREAMED: Final = frozenset({"/v1/import"})
"""Routes that read their body themselves, piece by piece."""
NDJSON: Final = b"application/x-ndjson"
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")

log = logging.getLogger("rescind.http")


class Lane(Protocol):
    """A route that is answered without the framework. Needs the scope `check`."""

    def __call__(
        self, service: Service, caller: Caller, headers: Headers, body: bytes
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Headers and body of the answer, whose status is 200. Raises what was wrong."""


class Gate:
    """The ASGI application that all requests come to."""

    def __init__(self, app: App, service: Service, lanes: Mapping[str, Lane]) -> None:
        self._app, self._service, self._lanes = app, service, lanes
        self._patience = Patience(service.limits.body_seconds)
        self._tasks: set[asyncio.Future[Any]] = set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Any, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        headers: Headers = dict(scope["headers"])
        request_id = _request_id(headers)
        state = scope.setdefault("state", {})
        state.update(request_id=request_id, caller=None, refusal=None, code=None)
        status, lane = 0, None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            body = await self._admit(scope, headers, state, receive)
            lane = self._lanes.get(scope["path"]) if scope["method"] == "POST" else None
            if lane is not None and body is not None:
                await self._run(lane, state, headers, body, answer)
            else:
                await self._app(scope, _replayed(body, receive), answer)
        except ConnectionResetError:
            state["code"] = "client_gone"
        finally:
            is_lane = lane is not None and status == 200
            self._log(scope, state, status, start, logging.DEBUG if is_lane else logging.INFO)

    # --- letting in -------------------------------------------------------------------------------

    async def _admit(
        self, scope: Any, headers: Headers, state: dict[str, Any], receive: Receive
    ) -> bytes | None:
        """Recognize the caller and read the body. What is wrong is left in the state as `refusal`."""
        try:
            caller = await self._caller(headers)
            if caller is None:
                return None
            state["caller"] = caller
            self._service.rates.spend(caller.key_id)
            if scope["path"] in STREAMED:
                return None
            return await self._body(scope["method"], headers, receive)
        except RescindError as error:
            state["refusal"] = error
            return None

    async def _caller(self, headers: Headers) -> Caller | None:
        given = headers.get(b"authorization")
        if given is None:
            return None
        scheme, _, text = given.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated()
        text, keys = text.strip(), self._service.keys
        caller = keys.known(text)
        if caller is None:
            caller = await self.in_thread(keys.recognize, text)
        if keys.is_use_to_note(caller):
            self._in_background(keys.note_use, caller)
        return caller

    async def _body(self, method: str, headers: Headers, receive: Receive) -> bytes:
        limits = self._service.limits
        with contextlib.suppress(ValueError):
            if int(headers.get(b"content-length", b"0")) > limits.body_bytes:
                raise BodyTooLarge(limit=f"{limits.body_bytes} bytes")
        message = await self._patience.next(receive)
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            parts, size = [body], len(body)
            deadline = time.monotonic() + limits.body_seconds
            while message.get("more_body"):
                message = await self._patience.next(receive, deadline)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limits.body_bytes:
                    raise BodyTooLarge(limit=f"{limits.body_bytes} bytes")
            body = b"".join(parts)
        if body or method in WITH_BODY:
            _require_json(method, headers, body)
            require_shallow(body, limits.depth)
        return body

    # --- answering --------------------------------------------------------------------------------

    async def _run(
        self, lane: Lane, state: dict[str, Any], headers: Headers, body: bytes, send: Send
    ) -> None:
        try:
            caller = admitted(state, "check")
            extra, answer = await self._answer(lane, caller, headers, body)
            status, media = 200, b"application/json"
        except Exception as raised:
            error = problems.as_error(raised)
            problems.note(raised, error, state["request_id"])
            state["code"] = error.code
            status, media = problems.status_of(error), problems.MEDIA_TYPE.encode()
            answer = msgspec.json.encode(problems.body_of(error, state["request_id"]))
            extra = _encoded(problems.headers_of(error).items())
        size = str(len(answer)).encode()
        sent = [(b"content-type", media), (b"content-length", size), *extra]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, lane: Lane, caller: Caller, headers: Headers, body: bytes) -> Any:
        """Out of memory where it can be; what may wait for a database does so in a thread."""
        service = self._service
        if service.answers_at_once:
            return lane(service, caller, headers, body)
        if service.at_hand is not None:
            with contextlib.suppress(NotAtHand):
                return lane(service.at_hand, caller, headers, body)
        return await self.in_thread(lane, service, caller, headers, body)

    async def in_thread(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a call that may wait for the database."""
        return await asyncio.get_running_loop().run_in_executor(None, call, *arguments)

    def _in_background(self, call: Callable[..., Any], *arguments: Any) -> None:
        future = asyncio.get_running_loop().run_in_executor(None, call, *arguments)
        self._tasks.add(future)
        future.add_done_callback(self._forget)

    def _forget(self, future: asyncio.Future[Any]) -> None:
        self._tasks.discard(future)
        if not future.cancelled() and (error := future.exception()) is not None:
            log.warning("the use of a key was not noted: %s", error)

    def _log(
        self, scope: Any, state: Mapping[str, Any], status: int, start: float, level: int
    ) -> None:
        """Nothing of a query, a header or a body: those may hold secrets."""
        if not log.isEnabledFor(level):
            return
        caller: Caller | None = state["caller"]
        facts = {
            "request_id": state["request_id"],
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round((time.perf_counter() - start) * 1000, 3),
            "key": caller.key_id if caller else None,
            "code": state["code"],
        }
        log.log(level, "request", extra={"facts": facts})


def _request_id(headers: Headers) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _require_json(method: str, headers: Headers, body: bytes) -> None:
    """InvalidRequest unless what is sent is said to be JSON; no body needs no type."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" and (body or (kind and method in WITH_BODY)):
        shown = kind.decode("latin-1")
        raise InvalidRequest(what="content type", value=repr(shown), mend="send application/json")


def _replayed(body: bytes | None, receive: Receive) -> Receive:
    """A body that was read, to be read again; then whatever comes after it."""
    if body is None:
        return receive
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay


def _encoded(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in pairs]
