"""The metrics, for a scraper that has a key. Who needs none is answered by `http/server/scrapes.py`."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from rescind.errors import ScopeMissing
from rescind.http.auth import caller_of, requires
from rescind.http.server.scrapes import scrape
from rescind.http.server.service import Service


@get("/metrics", include_in_schema=False, sync_to_thread=True, guards=[requires("read")])
def metrics(request: Request[Any, Any, Any], service: NamedDependency[Service]) -> Response[bytes]:
    """All metrics, as Prometheus or OpenMetrics has them."""
    if caller_of(request).organization is not None:
        hint = "use one that is bound to no organization: the metrics are of all together"
        raise ScopeMissing(scope="read", hint=hint)
    content_type, text = scrape(service, request.headers.get("accept", ""))
    if content_type.startswith("text/"):  # the framework adds it
        content_type = content_type.removesuffix("; charset=utf-8")
    return Response(text, media_type=content_type)


ROUTES = [metrics]
