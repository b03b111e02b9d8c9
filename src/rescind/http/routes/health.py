"""Whether the process lives, and whether it is ready."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency

from rescind.errors import RescindError
from rescind.http.problems import detail_of
from rescind.http.server.service import Service
from rescind.http.server.unauthenticated import HealthResponse
from rescind.store.rows.keys import READ_API_KEY


@get("/livez", sync_to_thread=False, tags=["health"], security=[{}])
def livez() -> HealthResponse:
    """The process answers."""
    return HealthResponse("ok", {})


@get("/readyz", sync_to_thread=True, tags=["health"], security=[{}])
def readyz(service: NamedDependency[Service]) -> Response[HealthResponse]:
    """The process can serve: 200, or 503 with what is not ready and why."""
    missing = {}
    if service.is_stopping:
        missing["server"] = "is stopping"
    try:
        service.authority.store.fetch(READ_API_KEY, {"id": ""})
    except RescindError as error:
        missing["database"] = detail_of(error)
    status = "not ready" if missing else "ok"
    return Response(HealthResponse(status, missing), status_code=503 if missing else 200)


ROUTES = [livez, readyz]
