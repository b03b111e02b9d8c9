"""Writes to roles, for the routes of `environment_roles` and `custom_roles`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Response

from rescind.directory.roles import RoleOwner
from rescind.directory.unit_of_work import UnitOfWork
from rescind.http.workos.responses import respond_with


def respond_for_owner(
    unit: UnitOfWork,
    organization_id: str | None,
    work: Callable[[RoleOwner], Any],
    *,
    status: int = 200,
) -> Response[Any]:
    """The response to a write to an owner's roles. Those for all organizations need a key that is for all."""

    def work_of_owner() -> Any:
        if organization_id is None:
            unit.require_unbound()
        return work(RoleOwner(unit, organization_id))

    return respond_with(unit, work_of_owner, status=status)
