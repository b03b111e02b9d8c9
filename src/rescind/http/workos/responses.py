"""Answers to writes, and the unit of work as routes take it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from litestar import Response
from litestar.di import NamedDependency

from rescind.directory.unit_of_work import UnitOfWork
from rescind.http.answers import REVISION

Unit: TypeAlias = NamedDependency[UnitOfWork]
"""The unit of work of a request."""


def respond_with(unit: UnitOfWork, work: Callable[[], Any], *, status: int = 200) -> Response[Any]:
    """The response to a write: what `work` returned, or what it returned when the request first came.

    When this returns, the write is committed, and what it revoked is enforced.
    """
    answer = unit.write(work, status=status)
    headers = {} if answer.revision is None else {REVISION: answer.revision.token()}
    return Response(
        answer.body, status_code=answer.status, media_type="application/json", headers=headers
    )
