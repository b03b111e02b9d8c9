"""The management API in WorkOS's shape, so that WorkOS's own SDKs can be pointed at it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Router
from litestar.di import NamedDependency, Provide
from litestar.params import HeaderParameter
from msgspec import Meta

from rescind.directory.idempotency import IdempotencyKey
from rescind.directory.unit_of_work import Principal, UnitOfWork
from rescind.http.answers import ACTOR, IDEMPOTENCY_KEY, AtLeast
from rescind.http.auth import caller_of
from rescind.http.server.service import Service
from rescind.http.workos import (
    assignments,
    checks,
    custom_roles,
    environment_roles,
    errors,
    events,
    group_assignments,
    groups,
    memberships,
    organizations,
    permissions,
    resources,
    unsupported,
)
from rescind.http.workos.envelopes import window
from rescind.http.workos.request_values import digest_of
from rescind.http.workos.unsupported import absent

__all__ = ["HANDLERS", "PLACES", "absent", "errors", "router"]

CHOSEN_ID: Final = "Rescind-Id"
Header = Annotated[str | None, Meta(min_length=1, max_length=255)]


async def _unit_of_work(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    at_least: AtLeast = None,
    key: Annotated[Header, HeaderParameter(name=IDEMPOTENCY_KEY)] = None,
    chosen_id: Annotated[Header, HeaderParameter(name=CHOSEN_ID)] = None,
    behalf: Annotated[Header, HeaderParameter(name=ACTOR)] = None,
) -> UnitOfWork:
    """The unit of work of a request."""
    scope = request.scope
    body = await request.body()
    digest = digest_of(scope["method"], scope["path"], scope["query_string"], body, chosen_id)
    caller = caller_of(request)
    return UnitOfWork(
        service.authority,
        Principal(caller.key_id, caller.actor(behalf), caller.organization),
        at_least=at_least,
        idempotency_key=None if key is None else IdempotencyKey(key, digest),
        chosen_id=chosen_id,
        on_applied=service.applied,
    )


HANDLERS: Final = [
    *organizations.HANDLERS,
    *memberships.HANDLERS,
    *groups.HANDLERS,
    *permissions.HANDLERS,
    *environment_roles.HANDLERS,
    *custom_roles.HANDLERS,
    *resources.HANDLERS,
    *assignments.HANDLERS,
    *group_assignments.HANDLERS,
    *checks.HANDLERS,
    *events.HANDLERS,
    *unsupported.HANDLERS,
]

PLACES: Final = unsupported.PLACES | {
    path.split("/")[1] for each in HANDLERS for path in each.paths
}
"""First parts of its paths."""

router = Router(
    path="/",
    route_handlers=HANDLERS,
    dependencies={
        "unit": Provide(_unit_of_work),
        "window": Provide(window, sync_to_thread=False),
    },
    exception_handlers={Exception: errors.respond},
    tags=["management"],
)
