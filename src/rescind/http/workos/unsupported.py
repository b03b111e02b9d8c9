"""What WorkOS's API has and this one has not, on purpose: 501 with the reason.

Single routes of modules that are here are in REASONS, and whole modules in MODULES.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litestar import HttpMethod, route
from litestar.handlers import HTTPRouteHandler

from rescind.errors import NotSupported, RescindError
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


# --- whole modules ----------------------------------------------------------------------------------


class Module(NamedTuple):
    """A module of WorkOS's SDKs, by its name in the Python one; below which addresses it is; and why it is
    not here. In an address `*` is any one part.
    """

    name: str
    addresses: tuple[str, ...]
    reason: str


_PER_USER: Final = "/user_management/users/*"
_PER_ORGANIZATION: Final = "/organizations/*"
MODULES: Final = (
    Module(
        "feature_flags",
        (
            "/feature-flags",
            f"{_PER_ORGANIZATION}/feature-flags",
            f"{_PER_USER}/feature-flags",
        ),
        "Rescind has no feature flags: ask for a permission",
    ),
    Module(
        "multi_factor_auth",
        ("/auth", f"{_PER_USER}/auth_factors"),
        "Rescind signs nobody in",
    ),
    Module(
        "pipes",
        (
            "/data-integrations",
            f"{_PER_ORGANIZATION}/connected_accounts",
            f"{_PER_ORGANIZATION}/data_providers",
            f"{_PER_USER}/connected_accounts",
            f"{_PER_USER}/data_providers",
        ),
        "Rescind keeps no accounts of other services",
    ),
    Module(
        "pipes_provider",
        (f"{_PER_ORGANIZATION}/data_integration_configurations",),
        "Rescind keeps no accounts of other services",
    ),
    Module(
        "api_keys",
        ("/api_keys", f"{_PER_ORGANIZATION}/api_keys", f"{_PER_USER}/api_keys"),
        "keys of your customers are not kept here; Rescind's own are at /v1/keys",
    ),
    Module(
        "audit_logs",
        ("/audit_logs", f"{_PER_ORGANIZATION}/audit_logs_retention"),
        "the change log is written by Rescind alone: read it at /v1/changes",
    ),
    Module(
        "user_management",
        (
            *(
                f"/user_management/{part}"
                for part in (
                    "authenticate",
                    "authkit_oauth_resources",
                    "authorize",
                    "cors_origins",
                    "email_verification",
                    "invitations",
                    "jwt_template",
                    "magic_auth",
                    "password_reset",
                    "radar_challenges",
                    "redirect_uris",
                    "sessions",
                    "users",
                    "waitlist_entries",
                    "waitlists",
                )
            ),
        ),
        "users and sessions are kept by whoever signs them in; of user_management,"
        " organization_memberships are here",
    ),
    Module("admin_portal", ("/portal",), "Rescind has no portal for your customers"),
    Module("agents", ("/agents",), "Rescind issues no credentials; an agent is a subject"),
    Module("client_api", ("/client",), "Rescind issues no tokens for browsers"),
    Module("connect", ("/connect", "/authkit"), "Rescind is no OAuth server"),
    Module(
        "directory_sync",
        ("/directories", "/directory_groups", "/directory_users"),
        "Rescind has no directories: create, rename and delete groups and memberships instead",
    ),
    Module(
        "organization_domains",
        ("/organization_domains",),
        "Rescind verifies no domains: give them as domain_data of the organization",
    ),
    Module("passwordless", ("/passwordless",), "Rescind signs nobody in"),
    Module("platform_teams", ("/platform",), "Rescind has no teams of a platform"),
    Module("radar", ("/radar",), "Rescind watches no sign-ins"),
    Module("sso", ("/sso", "/connections"), "Rescind signs nobody in"),
    Module("vault", ("/vault",), "Rescind keeps no secrets"),
    Module("webhooks", ("/webhook_endpoints",), "Rescind calls nobody: read on at /events"),
    Module("widgets", ("/widgets",), "Rescind has no widgets"),
)
"""In the order in which an address is looked for: what is below another one's address goes before it."""


PLACES: Final = frozenset(
    address.split("/")[1] for module in MODULES for address in module.addresses
)
"""What their addresses begin with."""


def _below(addresses: tuple[str, ...]) -> str:
    return "|".join(re.escape(address).replace(r"\*", "[^/]+") for address in addresses)


_ADDRESS: Final = re.compile(
    "|".join(f"(?P<{each.name}>(?:{_below(each.addresses)})(?:/|$))" for each in MODULES)
)
"""One look, since what is refused costs no more than a check."""
_MODULES: Final = {module.name: module for module in MODULES}


def module_at(path: str) -> Module | None:
    """The module that has an address, if it is one of these."""
    found = _ADDRESS.match(path)
    return None if found is None else _MODULES[str(found.lastgroup)]


def absent(raw_path: bytes) -> RescindError | None:
    """Why nothing is at an address, if it is one of a module that is not here."""
    module = module_at(raw_path.decode("latin-1"))
    if module is None:
        return None
    return NotSupported(module=module.name, why=module.reason)
