"""The ASGI application of a service: the entry point, the routes, and the OpenAPI document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import deepcopy
from typing import Any, Final

from rescind.errors import RescindError, extra

with extra("server"):
    import httptools  # noqa: F401 - which uvicorn's plain installation lacks
    import prometheus_client  # noqa: F401
    import uvicorn  # noqa: F401
    from litestar import Litestar, Request, Response, Router, get
    from litestar.di import Provide
    from litestar.openapi import OpenAPIConfig
    from litestar.openapi.plugins import JsonRenderPlugin
    from litestar.openapi.spec import Components, SecurityScheme

from rescind.http import problems, workos
from rescind.http.authzen import routes as authzen
from rescind.http.methods import answer_options
from rescind.http.routes import (
    access_history,
    actions,
    advice,
    audits,
    changes,
    checks,
    facts,
    health,
    imports,
    keys,
    lists,
    log_proof,
    look_alikes,
    metrics,
    pending,
    review_proof,
    reviews,
    targets,
)
from rescind.http.server.addresses import Addresses
from rescind.http.server.entry import HttpEntry
from rescind.http.server.escaped_slashes import hide_escaped_slashes, restore_escaped_slashes
from rescind.http.server.fast_routes import Sent
from rescind.http.server.service import Service
from rescind.http.server.threads import Left, Threads
from rescind.http.server.unauthenticated import Document, UnauthenticatedRoutes
from rescind.http.server.uvicorn_config import Applications

VERSION: Final = "1.0"
ABOUT_US: Final = [*health.ROUTES, *metrics.ROUTES]
OURS: Final = [
    *ABOUT_US,
    *checks.ROUTES,
    *lists.ROUTES,
    *facts.ROUTES,
    *look_alikes.ROUTES,
    *changes.ROUTES,
    *log_proof.ROUTES,
    *imports.ROUTES,
    *pending.ROUTES,
    *targets.ROUTES,
    *advice.ROUTES,
    *audits.ROUTES,
    *reviews.ROUTES,
    *review_proof.ROUTES,
    *access_history.ROUTES,
    *keys.ROUTES,
    *actions.ROUTES,
    *authzen.ROUTES,
]


def application(service: Service, *, has_fast_routes: bool = True) -> HttpEntry:
    """The application. Closing the service's authority is the caller's work.

    Without fast routes the framework answers everything that is not public.
    """
    left = Left()
    app = framework(service, left)
    return HttpEntry(
        hide_escaped_slashes(app),
        service,
        fast_routes={**checks.FAST_ROUTES, **authzen.FAST_ROUTES} if has_fast_routes else {},
        direct_routes=changes.DIRECT_ROUTES if has_fast_routes else None,
        addresses=Addresses(app.routes, absent=workos.absent),
        unauthenticated=UnauthenticatedRoutes(service, app, authzen.discovered),
        encode=_encoded,
        left=left,
        canonical_path=authzen.found_below,
        streamed=imports.STREAMED,
    )


def metrics_application(service: Service) -> HttpEntry:
    """An application of the metrics alone, and of whether the process lives and is ready."""
    left = Left()
    app = _framework(service, left, [deepcopy(Router(path="/", route_handlers=ABOUT_US))])
    return HttpEntry(
        hide_escaped_slashes(app),
        service,
        fast_routes={},
        addresses=Addresses(app.routes),
        unauthenticated=UnauthenticatedRoutes(service, app, authzen.discovered),
        left=left,
    )


APPLICATIONS: Final = Applications(application, metrics_application)


def framework(service: Service, left: Left | None = None) -> Litestar:
    """All routes, without the entry point."""
    # A handler is wrapped whenever it is registered; so once: all in one router, which is no other's.
    ours = Router(path="/", route_handlers=[openapi, *OURS])
    return _framework(service, left, [deepcopy(ours), deepcopy(workos.router)])


def _framework(service: Service, left: Left | None, routers: list[Router]) -> Litestar:
    return Litestar(
        route_handlers=routers,
        dependencies={"service": Provide(_always(service), sync_to_thread=False)},
        exception_handlers={Exception: _respond},
        middleware=[restore_escaped_slashes, answer_options],
        openapi_config=_openapi(),
        lifespan=[_threads(left or Left())],
        debug=False,
        logging_config=None,
    )


@get("/openapi.json", include_in_schema=False, sync_to_thread=True)
def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The OpenAPI document of all routes."""
    return Response(Document.of(request.app)[0], media_type="application/json")


def _respond(request: Request[Any, Any, Any], raised: Exception) -> Response[bytes]:
    """What no route has taken is refused in the manner of those that are beside it."""
    if _is_theirs(request.scope["path"]):
        return workos.errors.respond(request, raised)
    return problems.respond(request, raised)


def _encoded(path: str, error: RescindError, request_id: str) -> Sent:
    """What the entry point refuses, in the manner of the routes that are beside it."""
    if _is_theirs(path):
        return workos.errors.encoded(error)
    return problems.encoded(error, request_id)


def _is_theirs(path: str) -> bool:
    return path.strip("/").partition("/")[0] in workos.PLACES


def _always(service: Service) -> Callable[[], Service]:
    def provide() -> Service:
        return service

    return provide


def _threads(left: Left) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Handlers wait for the database in threads of an executor."""

    @asynccontextmanager
    async def threads(_: Litestar) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(Threads(left))
        yield

    return threads


def _openapi() -> OpenAPIConfig:
    key = SecurityScheme(type="http", scheme="bearer", description="An API key.")
    return OpenAPIConfig(
        title="Rescind",
        version=VERSION,
        description="Access by groups and roles; what is revoked is denied when the call returns.",
        path="/schema",
        use_handler_docstrings=True,
        render_plugins=(JsonRenderPlugin(path="/openapi.json"),),
        components=Components(security_schemes={"key": key}),
        security=[{"key": []}],
    )
