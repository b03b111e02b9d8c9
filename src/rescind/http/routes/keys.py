"""Keys: made, listed, rotated, revoked. A key that is bound to an organization manages that one's only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from rescind.errors import ApiKeyNotFound
from rescind.http.auth import Caller, Scope, caller_of, request_of, requires
from rescind.http.keys import ApiKey
from rescind.http.routes.lists import Limit, Organization
from rescind.http.server.service import Service


class KeyResponse(Struct, frozen=True):
    """What is known of a key: everything but its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    organization: str | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    former_secret_until: datetime | None
    is_orphan: bool

    @classmethod
    def of(cls, key: ApiKey) -> KeyResponse:
        """The same, as JSON has it."""
        return cls(*(getattr(key, name) for name in cls.__struct_fields__))


class KeySecretResponse(Struct, frozen=True):
    """A key and the text to send, which is shown this once."""

    key: KeyResponse
    secret: str


class KeysResponse(Struct, frozen=True):
    """Keys in the order of their ids; `next_after` is null at the end."""

    keys: list[KeyResponse]
    next_after: str | None


class KeyRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to make; with an organization it is good for that one alone."""

    name: str
    scopes: list[Scope]
    organization: str | None = None
    expires_at: datetime | None = None


class RotateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the secret before stays good."""

    grace_seconds: float = 0.0


@post("/v1/keys", status_code=201, sync_to_thread=True, guards=[requires("admin")])
def create_key(
    request: Request[Any, Any, Any], service: NamedDependency[Service], data: JSONBody[KeyRequest]
) -> KeySecretResponse:
    """Make a key. Its text is in this answer and nowhere else."""
    caller = caller_of(request)
    bound = data.organization is not None or caller.organization is not None
    key, secret = service.keys.create(
        data.name,
        data.scopes,
        organization=caller.organization_for(data.organization) if bound else None,
        expires_at=data.expires_at,
        actor=caller.actor(),
        request=request_of(request),
    )
    return KeySecretResponse(KeyResponse.of(key), secret)


@get("/v1/keys", sync_to_thread=True, guards=[requires("admin")])
def list_keys(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    after: FromQuery[str] = "",
    limit: Limit = None,
) -> KeysResponse:
    """Keys, also revoked ones; of one organization, or of all with a key that is bound to none."""
    caller, most = caller_of(request), service.limits.page(limit)
    everywhere = organization is None and caller.organization is None
    name = None if everywhere else caller.organization_for(organization)
    found = service.keys.list(organization=name, after=after, limit=most + 1)
    more = found[most - 1].id if len(found) > most else None
    return KeysResponse([KeyResponse.of(key) for key in found[:most]], more)


@post(
    "/v1/keys/{key_id:str}/rotate", status_code=200, sync_to_thread=True, guards=[requires("admin")]
)
def rotate_key(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    key_id: FromPath[str],
    data: JSONBody[RotateRequest],
) -> KeySecretResponse:
    """Give a key another secret."""
    caller = caller_of(request)
    _require_own(service, caller, key_id)
    key, secret = service.keys.rotate(
        key_id,
        grace_seconds=data.grace_seconds,
        actor=caller.actor(),
        request=request_of(request),
    )
    return KeySecretResponse(KeyResponse.of(key), secret)


@delete("/v1/keys/{key_id:str}", status_code=200, sync_to_thread=True, guards=[requires("admin")])
def revoke_key(
    request: Request[Any, Any, Any], service: NamedDependency[Service], key_id: FromPath[str]
) -> KeyResponse:
    """Refuse a key from now on."""
    caller = caller_of(request)
    _require_own(service, caller, key_id)
    asked = request_of(request)
    return KeyResponse.of(service.keys.revoke(key_id, actor=caller.actor(), request=asked))


def _require_own(service: Service, caller: Caller, key_id: str) -> None:
    """To a bound key, the keys of others do not exist."""
    key = service.keys.read(key_id)
    if caller.organization is not None and (
        key.organization != caller.organization or key.is_orphan
    ):
        raise ApiKeyNotFound(key=key_id)


ROUTES = [create_key, list_keys, rotate_key, revoke_key]
