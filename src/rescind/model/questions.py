"""What is asked."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeAlias

from rescind.model.enums import OrganizationId, PermissionId, ResourceId, SubjectId

At: TypeAlias = datetime | str | int
"""A state in the past: a time, a revision token, or a revision's number."""


class Question(NamedTuple):
    """What a check asks, ids well formed."""

    organization: OrganizationId
    subject: SubjectId
    permission: PermissionId
    resource: ResourceId
