"""The ASGI application that all requests come to: request ids, admission, fast routes, and one log line.

It refuses requests before the framework works on them, in the shape of the routes beside the address. It
answers the few fast routes itself; the fast path asks them without a task if nothing must be waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from rescind.errors import (
    MethodNotAllowed,
    OutcomeUnknown,
    RequestTimedOut,
    RescindError,
)
from rescind.http import problems
from rescind.http.auth import ALTERING, Caller, Scope, admitted
from rescind.http.keys import Credential, parted
from rescind.http.server import admission, decisions
from rescind.http.server.addresses import Address, Addresses
from rescind.http.server.admission import Admission
from rescind.http.server.asgi import App, CanonicalPath, Encode, Send, respond, with_common
from rescind.http.server.direct_routes import MOST_BYTES, Call, DirectRoute, answer_in_thread
from rescind.http.server.fast_routes import FastResponse, FastRoute, Sent
from rescind.http.server.headers import Headers, request_id_of, require_parameters, require_single
from rescind.http.server.logs import log_request
from rescind.http.server.nonblocking import SlowQuestion, WouldBlock
from rescind.http.server.scrapes import is_open
from rescind.http.server.service import Service
from rescind.http.server.threads import GRACE_SECONDS, WORK, Left, Work, in_thread
from rescind.http.server.timeouts import (
    Deadlines,
    Message,
    MessageTimeouts,
    Receive,
    replayed,
    unavailable_in_time,
)
from rescind.http.server.traced import serve_traced
from rescind.http.server.unauthenticated import UnauthenticatedRoutes
from rescind.waiting import NEVER, deadline_within, until

ADMISSION: Final = "admission"
"""Where a request's state has its admission, if that is known before the entry point is asked."""

log = logging.getLogger("rescind.http")


class HttpEntry:
    """The ASGI application that all requests come to."""

    def __init__(
        self,
        app: App,
        service: Service,
        fast_routes: Mapping[str, FastRoute],
        *,
        addresses: Addresses | None = None,
        unauthenticated: UnauthenticatedRoutes | None = None,
        direct_routes: Mapping[bytes, DirectRoute] | None = None,
        canonical_path: CanonicalPath | None = None,
        streamed: Collection[str] = (),
        encode: Encode | None = None,
        left: Left | None = None,
    ) -> None:
        """Without addresses there are only the fast routes. A route whose path is `streamed` reads its body
        itself, piece by piece, and has a time limit of its own.
        """
        self.service, self.fast_routes = service, fast_routes
        self.app, self.unauthenticated = app, unauthenticated
        self._canonical_path = canonical_path or (lambda _, raw_path: raw_path)
        self._direct_routes = direct_routes or {}
        self._streamed = frozenset(path.encode() for path in streamed)
        self._addresses = addresses or Addresses(())
        self._encode = encode or (lambda _, error, request_id: problems.encoded(error, request_id))
        self._timeouts = MessageTimeouts(service.limits.body_seconds)
        self.deadlines = Deadlines(service.limits.request_seconds)
        self._check_seconds = service.settings.check_seconds
        self._tasks: set[asyncio.Future[Any]] = set()
        self._left = left or Left()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            if self.service.spans.is_on:
                await serve_traced(self.service.spans, self._serve, scope, receive, send)
            else:
                await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    def at_once(self, path: str, headers: Headers, body: bytes) -> FastResponse | Admission | None:
        """The answer of the fast route of a path to a POST that is here as a whole, without waiting.

        Whatever else there is to say is said by the application: it is to be called then, with the
        admission in the request's state; or without, where None says that nothing is known.
        """
        if self.service.spans.is_on:
            return None
        start = time.perf_counter()
        known = admission.at_once(self.service, "POST", headers, body, needed="check")
        nonblocking = self.service.nonblocking_for(body)
        if known is None or known.refusal is not None or nonblocking is None:
            return known
        caller = known.caller
        if caller is None:
            return known
        request_id = request_id_of(headers)
        try:
            with decisions.held(self.service, request_id, caller, headers):
                sent = self.fast_routes[path](nonblocking, caller, headers, body)
        except Exception:  # the application comes to the same, and tells it
            return known
        if log.isEnabledFor(logging.DEBUG):
            state = {"request_id": request_id, "caller": caller, "code": None}
            log_request(log, "POST", path, state, 200, start, logging.DEBUG)
        return FastResponse(request_id, *sent)

    async def _serve(self, scope: Any, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        headers: Headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        state = scope.setdefault("state", {})
        known: Admission | None = state.pop(ADMISSION, None)
        state.update(request_id=request_id, caller=None, body=None, refusal=None, code=None)
        status, fast_route, needed, is_check = 0, None, None, False

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                fields = message.get("headers", ())
                message["headers"] = with_common(fields, scope["method"], request_id)
            await send(message)

        method = scope["method"]
        if method == "HEAD":  # as GET; the server leaves out the body
            scope = {**scope, "method": "GET"}
        raw_path = self._canonical_path(
            self.service, scope.get("raw_path") or scope["path"].encode()
        )
        address: Address | None = None
        work = Work()
        WORK.set(work)
        if raw_path not in self._streamed:
            self.deadlines.begin()
        try:
            fast_route = self._fast_route(scope, raw_path)
            if fast_route is None:
                address = self._addresses.find(raw_path)
                is_check = scope["method"] in address.checks
                needed = address.scope_for(scope["method"])
                state["address"] = address
                needed = None if is_open(self.service, raw_path, scope, headers) else needed
                if scope["method"] == "OPTIONS":
                    await respond(answer, 204, [(b"allow", address.allow.encode())], b"")
                    return
                if needed is None:
                    assert self.unauthenticated is not None
                    told = await self.unauthenticated.answer(raw_path, scope["scheme"], headers)
                    await respond(answer, *told)
                    return
            else:
                needed, is_check = "check", True
            if known is None:
                known = await self._admit(scope, headers, state, receive, needed, is_check)
            state["caller"], body, state["refusal"] = known
            state["body"] = body
            admitted(state, needed)
            if address is not None:
                address.require_evaluated(scope["method"], headers)
            decisions.begin(self.service, state, headers)
            if not is_check:
                self._left.require_few()
            with self._in_time(is_check):
                if fast_route is not None and body is not None:
                    await self._run(fast_route, state, headers, body, answer)
                elif is_check:
                    with unavailable_in_time():
                        async with asyncio.timeout(self._check_seconds + GRACE_SECONDS):
                            await self.app(scope, replayed(body, receive), answer)
                elif (call := self._direct_call(scope, raw_path, headers, known)) is not None:
                    await answer_in_thread(call, state, answer)
                else:
                    await self.app(scope, replayed(body, receive), answer)
        except ConnectionResetError:
            state["code"] = "client_gone"
        except RescindError as error:
            fields, body = self._refused(scope["path"], error, state)
            if isinstance(error, MethodNotAllowed) and address is not None:
                fields.append((b"allow", address.allow.encode()))
            await respond(answer, problems.status_of(error), fields, body)
        except asyncio.CancelledError:
            if not self.deadlines.is_over():
                raise
            self._left.give_up(work)
            late = self._late(scope["method"], needed)
            fields, body = self._refused(scope["path"], late, state)
            if not status:  # else the connection is closed, since the answer is not whole
                await respond(answer, problems.status_of(late), fields, body)
        finally:
            self.deadlines.end()
            decisions.end(self.service, state, status, is_check)
            level = logging.DEBUG if fast_route is not None and status == 200 else logging.INFO
            log_request(log, method, scope["path"], state, status, start, level)

    def _late(self, method: str, needed: Scope | None) -> RescindError:
        """What a request that takes too long is told.

        Work that has begun goes on in its thread, and what it was to alter may be altered; what waits for a
        thread is not begun.
        """
        if needed in ALTERING and method != "GET":
            return OutcomeUnknown()
        return RequestTimedOut(limit=f"{self.deadlines.seconds:g} s")

    def _fast_route(self, scope: Any, raw_path: bytes) -> FastRoute | None:
        """A fast route reads no query: where there is one, the framework's route tells what it may have."""
        if scope["method"] != "POST" or scope["query_string"]:
            return None
        return self.fast_routes.get(raw_path.decode("latin-1"))

    def _direct_call(
        self, scope: Any, raw_path: bytes, headers: Headers, known: Admission
    ) -> Call | None:
        """What answers a request without the framework, if that is possible."""
        route = self._direct_routes.get(raw_path) if scope["method"] == "POST" else None
        if route is None or known.caller is None or not known.body or scope["query_string"]:
            return None
        if len(known.body) > MOST_BYTES:
            return None
        return route(self.service, known.caller, headers, known.body)

    def _refused(self, path: str, error: RescindError, state: dict[str, Any]) -> Sent:
        request_id: str = state["request_id"]
        state["code"] = error.code
        problems.note(error, error, request_id)
        return self._encode(path, error, request_id)

    # --- letting in -------------------------------------------------------------------------------

    async def _admit(
        self,
        scope: Any,
        headers: Headers,
        state: dict[str, Any],
        receive: Receive,
        needed: Scope,
        is_check: bool,
    ) -> Admission:
        """Recognize the caller and read the body. Who calls is in the state as soon as it is known."""
        caller, limits = None, self.service.limits
        try:
            require_single(scope["headers"], headers)
            if (address := state.get("address")) is not None:
                require_parameters(scope["query_string"], *address.query_of(scope["method"]))
            with self._in_time(is_check):
                credential = await self._credential(headers)
            if credential is None:
                return Admission()
            caller = state["caller"] = credential.caller
            self.service.rates.spend(caller.key_id)
            caller.require(needed)
            if scope["path"].encode() in self._streamed:
                admission.require_plain(headers)
                state["credential"] = credential
                return Admission(caller)
            admission.require_size(headers, limits)
            body = await self._timeouts.body(receive, limits.body_bytes)
            if credential.remembered() is None:  # it may have been revoked while the body came
                with self._in_time(is_check):
                    await in_thread(credential.recognize)
            admission.require_form(scope["method"], headers, body, limits)
            return Admission(caller, body)
        except RescindError as error:
            return Admission(caller, refusal=error)

    async def _credential(self, headers: Headers) -> Credential | None:
        text, keys = admission.key_of(headers), self.service.keys
        if text is None:
            return None
        caller = keys.known(text)
        if caller is None:
            parted(text)
            caller = await in_thread(keys.recognize, text)
        if keys.is_use_to_note(caller):
            self._in_background(keys.note_use, caller)
        return Credential(keys, text, caller)

    # --- answering --------------------------------------------------------------------------------

    async def _run(
        self,
        fast_route: FastRoute,
        state: dict[str, Any],
        headers: Headers,
        body: bytes,
        send: Send,
    ) -> None:
        try:
            caller = admitted(state, "check")
            extra, answer = await self._answer(fast_route, state, caller, headers, body)
            status, fields = 200, [(b"content-type", b"application/json"), *extra]
        except Exception as raised:
            error = problems.as_error(raised)
            problems.note(raised, error, state["request_id"])
            state["code"], status = error.code, problems.status_of(error)
            fields, answer = problems.encoded(error, state["request_id"])
        await respond(send, status, fields, answer)

    async def _answer(
        self, route: FastRoute, state: dict[str, Any], caller: Caller, headers: Headers, body: bytes
    ) -> Sent:
        """Out of memory where it can be; what may wait for a database does so in a thread."""
        nonblocking = self.service.nonblocking_for(body)
        sent: Sent
        try:
            if nonblocking is not None:
                held = decisions.held(self.service, state["request_id"], caller, headers)
                with contextlib.suppress(WouldBlock), held:
                    return route(nonblocking, caller, headers, body)
            sent = await in_thread(route, self.service, caller, headers, body)
        except SlowQuestion:
            decisions.leave_out(state)
            self._left.require_few()
            with until(NEVER):
                sent = await in_thread(route, self.service, caller, headers, body)
        return sent

    def _in_time(self, is_check: bool) -> until:
        """The time of a check, from here on, also for what waits for a thread; of nothing else."""
        return until(deadline_within(self._check_seconds) if is_check else NEVER)

    def _in_background(self, call: Callable[..., Any], *arguments: Any) -> None:
        future = asyncio.get_running_loop().run_in_executor(None, call, *arguments)
        self._tasks.add(future)
        future.add_done_callback(self._forget)

    def _forget(self, future: asyncio.Future[Any]) -> None:
        self._tasks.discard(future)
        if not future.cancelled() and (error := future.exception()) is not None:
            log.warning("the use of a key was not noted: %s", error)
