"""Sends requests in a thread. Knows connections; not what is asked, nor what to do when it fails."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import httpx

from rescind import forks
from rescind.client.calls import Request
from rescind.client.connecting import (
    Encoded,
    Target,
    TooLarge,
    TooLate,
    closed,
    context_of,
    failure_of,
    lower,
    require_context,
    require_plain,
    timeout_of,
)
from rescind.client.deadlines import DeadlineTransport, is_over, within
from rescind.client.policy import Answer, Failure

FAILURES = (
    httpx.HTTPError,
    httpx.StreamError,
    httpx.InvalidURL,
    TooLarge,
    TooLate,
    Encoded,
    OSError,
)


class Sender:
    """The connections of a `Client`. Safe to use from many threads, and after a fork."""

    def __init__(
        self,
        target: Target,
        connect_seconds: float,
        most_connections: int,
        context: ssl.SSLContext | None,
        transport: Callable[[], httpx.BaseTransport] | None,
    ) -> None:
        require_context(context)
        self.target = target
        self._connect_seconds, self._most_connections = connect_seconds, most_connections
        self._context, self._transport = context, transport
        self._http: httpx.Client | None = None
        self._is_closed = False
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Leave the parent's connections alone; a child makes its own."""
        self._lock = Lock()
        if self._http is not None:
            forks.keep(self._http)
            self._http = None

    def close(self) -> None:
        """Close all connections. Calls under way fail. Closing again does nothing."""
        with self._lock:
            self._is_closed, http, self._http = True, self._http, None
        if http is not None:
            http.close()

    def send(self, request: Request, seconds: float) -> Answer | Failure:
        """The answer to a request, if it is there within so many seconds."""
        most = self.target.most_bytes
        try:
            with within(seconds), self._opened(request, seconds) as response:
                body = bytearray()
                for part in response.iter_raw():
                    body += part
                    if len(body) > most:
                        raise TooLarge
                    if is_over():
                        raise TooLate
                return Answer(response.status_code, lower(response.headers), bytes(body))
        except FAILURES as error:
            return failure_of(error, most)
        except RuntimeError:
            if self._is_closed:  # meanwhile
                raise closed() from None
            raise

    @contextmanager
    def stream(self, request: Request, seconds: float) -> Iterator[Answer | Iterator[bytes]]:
        """A long answer in parts, each of which must be there within so many seconds. It is an Answer if it
        is not one of success. What it raises is for `failure_of`.
        """
        with within(seconds):
            opened = self._opened(request, seconds)
            response = opened.__enter__()
        try:
            if response.status_code == 200:
                yield self._parts(response, seconds)
            else:
                with within(seconds):
                    body = b"".join(self._bounded(response))
                yield Answer(response.status_code, lower(response.headers), body)
        finally:
            opened.__exit__(None, None, None)

    def _parts(self, response: httpx.Response, seconds: float) -> Iterator[bytes]:
        parts = response.iter_raw()
        while True:
            with within(seconds):
                part = next(parts, None)
            if part is None:
                return
            yield part

    def _bounded(self, response: httpx.Response) -> Iterator[bytes]:
        size = 0
        for part in response.iter_raw():
            size += len(part)
            if size > self.target.most_bytes:
                raise TooLarge
            yield part

    @contextmanager
    def _opened(self, request: Request, seconds: float) -> Iterator[httpx.Response]:
        target, http = self.target, self._client()
        sent = http.build_request(
            request.method,
            target.url(request),
            headers=target.headers(request),
            content=request.body,
            timeout=timeout_of(seconds, self._connect_seconds),
        )
        response = http.send(sent, stream=True, follow_redirects=False)
        try:
            require_plain(response.headers)
            yield response
        finally:
            response.close()

    def _client(self) -> httpx.Client:
        with self._lock:
            if self._is_closed:
                raise closed()
            if self._http is None:
                if self._transport is not None:
                    transport = self._transport()
                else:
                    context = context_of(self._context, self.target)
                    transport = DeadlineTransport(context, self._most_connections)
                self._http = httpx.Client(transport=transport, trust_env=False)
            return self._http
