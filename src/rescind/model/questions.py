"""What is asked."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeAlias

from rescind.model.enums import (
    OrganizationId,
    OrganizationNumber,
    PermissionId,
    ResourceId,
    SubjectId,
)


class AtOf(NamedTuple):
    """A state in the past of this organization alone, not of others that had its name before."""

    organization: OrganizationNumber
    at: datetime | str | int


At: TypeAlias = datetime | str | int | AtOf
"""A state in the past: a time, a revision token, or a revision's number."""


class Question(NamedTuple):
    """What a check asks, ids well formed."""

    organization: OrganizationId
    subject: SubjectId
    permission: PermissionId
    resource: ResourceId
