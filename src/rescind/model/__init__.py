"""The words of the design as types: ids, directions, decisions and receipts. No I/O.

Ids are the caller's own text. `OrganizationId` and the rest are checked once, at the front door, by
the functions here; everything below trusts them.
"""

from rescind.model.answers import Chain, Decision, Explanation, Page
from rescind.model.names import (
    group_id,
    holder_id,
    organization_id,
    permission_id,
    require_number,
    require_subject_kind,
    require_text,
    resource_id,
    resource_type_id,
    role_id,
    subject_id,
)
from rescind.model.receipts import MOST_NOT_FOUND, Difference, Missing, PendingWork, Receipt
from rescind.model.revisions import Revision
from rescind.model.seals import Seals
from rescind.model.times import microseconds, moment
from rescind.model.words import (
    ENVIRONMENT,
    MAX_ID_LENGTH,
    MAX_TEXT_LENGTH,
    ROOT,
    SUBJECT_KINDS,
    Assurance,
    DecisionPoint,
    Direction,
    GroupId,
    Microseconds,
    OnLoss,
    OrganizationId,
    PermissionId,
    Reason,
    ResourceId,
    ResourceTypeId,
    RoleId,
    RoleMode,
    Route,
    SubjectId,
)

__all__ = [
    "ENVIRONMENT",
    "MAX_ID_LENGTH",
    "MAX_TEXT_LENGTH",
    "MOST_NOT_FOUND",
    "ROOT",
    "SUBJECT_KINDS",
    "Assurance",
    "Chain",
    "Decision",
    "DecisionPoint",
    "Difference",
    "Direction",
    "Explanation",
    "GroupId",
    "Microseconds",
    "Missing",
    "OnLoss",
    "OrganizationId",
    "Page",
    "PendingWork",
    "PermissionId",
    "Reason",
    "Receipt",
    "ResourceId",
    "ResourceTypeId",
    "Revision",
    "RoleId",
    "RoleMode",
    "Route",
    "Seals",
    "SubjectId",
    "group_id",
    "holder_id",
    "microseconds",
    "moment",
    "organization_id",
    "permission_id",
    "require_number",
    "require_subject_kind",
    "require_text",
    "resource_id",
    "resource_type_id",
    "role_id",
    "subject_id",
]
