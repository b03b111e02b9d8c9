"""The span of a request, around all that is done for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rescind.tracing import Spans

Serve = Callable[[Any, Any, Any], Awaitable[None]]


async def serve_traced(spans: Spans, serve: Serve, scope: Any, receive: Any, send: Any) -> None:
    """Serve a request within a span that tells its method, path and status."""
    with spans.request(scope["method"], dict(scope["headers"])) as span:
        span.note(path=scope["path"])

        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                span.note(status=message["status"])
            await send(message)

        await serve(scope, receive, noted)
