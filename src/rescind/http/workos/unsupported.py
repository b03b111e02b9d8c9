"""What WorkOS's API has here and this one has not, on purpose: 501 with the reason."""

from __future__ import annotations

from typing import Final

from litestar import HttpMethod, route
from litestar.handlers import HTTPRouteHandler

from rescind.errors import NotSupported
from rescind.http.auth import requires

_CONTACTS: Final = "Rescind keeps no contacts and sends no mail"
_ORGANIZATION: Final = "/organizations/{organization_id:str}"

REASONS: Final[dict[tuple[HttpMethod, str], str]] = {
    (HttpMethod.GET, f"{_ORGANIZATION}/audit_log_configuration"): (
        "the change log is always on and has no retention: read it at /v1/changes"
    ),
    (HttpMethod.GET, f"{_ORGANIZATION}/authorized_applications"): (
        "Rescind is no OAuth server, so no applications are authorized"
    ),
    (HttpMethod.GET, f"{_ORGANIZATION}/it_contacts"): _CONTACTS,
    (HttpMethod.POST, f"{_ORGANIZATION}/it_contacts"): _CONTACTS,
    (HttpMethod.DELETE, f"{_ORGANIZATION}/it_contacts/{{contact_id:str}}"): _CONTACTS,
    (HttpMethod.POST, f"{_ORGANIZATION}/it_contacts/{{contact_id:str}}/invite"): _CONTACTS,
    (HttpMethod.POST, f"{_ORGANIZATION}/it_contacts/{{contact_id:str}}/revoke"): _CONTACTS,
}


def _refusing(method: HttpMethod, path: str, reason: str) -> HTTPRouteHandler:
    @route(
        path,
        http_method=method,
        guards=[requires("read")],
        sync_to_thread=False,
        status_code=200,
        operation_id=f"unsupported_{method.lower()}_{path.rpartition('organization_id:str}/')[2]}",
        summary="Not supported",
        description=f"Answers 501: {reason}.",
    )
    def refuse() -> None:
        raise NotSupported(why=reason)

    return refuse


HANDLERS = [_refusing(method, path, reason) for (method, path), reason in REASONS.items()]
