"""What is asked."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model.enums import OrganizationId, PermissionId, ResourceId, SubjectId


class Question(NamedTuple):
    """What a check asks, ids well formed."""

    organization: OrganizationId
    subject: SubjectId
    permission: PermissionId
    resource: ResourceId
