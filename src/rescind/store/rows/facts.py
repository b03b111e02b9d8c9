"""The facts of an organization, and its change log. Times are microseconds."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import Microseconds, RoleNumber
from rescind.store.rows.query import Query


class RolePermissionRow(NamedTuple):
    role: RoleNumber
    slug: str


class LogRow(NamedTuple):
    """An entry of the change log."""

    revision: int
    recorded_at: Microseconds
    actor: str
    reason: str
    direction: str
    route: str
    fan_out: int
    idempotency_key: str | None
    enforced_at: Microseconds | None
    settled_at: Microseconds | None
    body: str


READ_ROLE_PERMISSIONS = Query("read_role_permissions", RolePermissionRow)
READ_LOG = Query("read_log", LogRow)
