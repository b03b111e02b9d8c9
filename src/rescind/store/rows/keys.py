"""Keys of the HTTP service."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import Microseconds, OrganizationId
from rescind.store.rows.query import Query


class ListedKeyRow(NamedTuple):
    """A key as it may be shown. An orphan is bound to an organization that was deleted."""

    id: str
    name: str
    scopes: str
    organization: OrganizationId | None
    created_at: Microseconds
    expires_at: Microseconds | None
    used_at: Microseconds | None
    revoked_at: Microseconds | None
    former_until: Microseconds | None
    is_orphan: bool


class KeyRow(NamedTuple):
    """A key with the digests of its secret, and of the one before it."""

    id: str
    name: str
    scopes: str
    organization: OrganizationId | None
    created_at: Microseconds
    expires_at: Microseconds | None
    used_at: Microseconds | None
    revoked_at: Microseconds | None
    former_until: Microseconds | None
    is_orphan: bool
    digest: str
    former_digest: str | None


READ_API_KEY = Query("read_api_key", KeyRow)
LIST_API_KEYS = Query("list_api_keys", ListedKeyRow)
