"""The words of the design as types: ids, directions, decisions and receipts. No I/O.

Ids are the caller's own text. `OrganizationId` and the rest are checked once, at the front door, by
the functions here; everything below trusts them.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.model.answers import Chain, Decision, Explanation, Page
    from rescind.model.enforcement import (
        EnforcedReplica,
        Enforcement,
        EnforcementStatus,
        ReplicaOutcome,
        decode_enforcement,
        encode_enforcement,
        plain_name,
    )
    from rescind.model.enums import (
        ENVIRONMENT,
        ENVIRONMENT_NUMBER,
        MAX_ID_LENGTH,
        MAX_TEXT_LENGTH,
        ROOT,
        SUBJECT_KINDS,
        AssignmentNumber,
        Assurance,
        DecisionPoint,
        Direction,
        EnforcementOutcome,
        GroupId,
        GroupNumber,
        HolderNumber,
        MembershipNumber,
        Microseconds,
        OnLoss,
        OrganizationId,
        OrganizationNumber,
        PermissionId,
        PermissionNumber,
        Reason,
        ResourceId,
        ResourceNumber,
        ResourceTypeId,
        RoleId,
        RoleMode,
        RoleNumber,
        Route,
        SubjectId,
    )
    from rescind.model.facts import (
        AssignmentEntry,
        ExpiryEntry,
        FactPage,
        GroupEntry,
        MemberEntry,
        MembershipEntry,
        PermissionEntry,
        ResourceEntry,
        RoleEntry,
    )
    from rescind.model.ids import (
        group_id,
        holder_id,
        organization_id,
        permission_id,
        require_flag,
        require_number,
        require_part,
        require_subject_kind,
        require_text,
        resource_id,
        resource_named,
        resource_type_id,
        role_id,
        subject_id,
    )
    from rescind.model.log import ChainLink, LogEntry, LogPage
    from rescind.model.periods import (
        AccessHistory,
        AccessPeriod,
        Cause,
        CauseKind,
        IdChange,
        OrganizationLife,
    )
    from rescind.model.proof import Action, Fault, FaultKind, KeptHeads, LogHead, VerifiedLog
    from rescind.model.questions import At, AtOf, Question
    from rescind.model.receipts import (
        MOST_LOOK_ALIKES,
        MOST_NOT_FOUND,
        AlikeIds,
        Difference,
        LookAlike,
        Missing,
        PendingWork,
        Receipt,
    )
    from rescind.model.reviews import (
        LineDecision,
        LineSource,
        Review,
        ReviewCounts,
        ReviewFilter,
        ReviewLine,
        ReviewOutcome,
        StaleLine,
        Verdict,
    )
    from rescind.model.revisions import Revision
    from rescind.model.seals import Seals
    from rescind.model.spelling import IdRule, canonical, canonical_subject, folded
    from rescind.model.times import microseconds, moment
    from rescind.model.verified_reviews import (
        AppliedDecisions,
        ReviewFault,
        ReviewFaultKind,
        VerifiedReview,
    )

__all__ = [
    "ENVIRONMENT",
    "ENVIRONMENT_NUMBER",
    "MAX_ID_LENGTH",
    "MAX_TEXT_LENGTH",
    "MOST_LOOK_ALIKES",
    "MOST_NOT_FOUND",
    "ROOT",
    "SUBJECT_KINDS",
    "AccessHistory",
    "AccessPeriod",
    "Action",
    "AlikeIds",
    "AppliedDecisions",
    "AssignmentEntry",
    "AssignmentNumber",
    "Assurance",
    "At",
    "AtOf",
    "Cause",
    "CauseKind",
    "Chain",
    "ChainLink",
    "Decision",
    "DecisionPoint",
    "Difference",
    "Direction",
    "EnforcedReplica",
    "Enforcement",
    "EnforcementOutcome",
    "EnforcementStatus",
    "ExpiryEntry",
    "Explanation",
    "FactPage",
    "Fault",
    "FaultKind",
    "GroupEntry",
    "GroupId",
    "GroupNumber",
    "HolderNumber",
    "IdChange",
    "IdRule",
    "KeptHeads",
    "LineDecision",
    "LineSource",
    "LogEntry",
    "LogHead",
    "LogPage",
    "LookAlike",
    "MemberEntry",
    "MembershipEntry",
    "MembershipNumber",
    "Microseconds",
    "Missing",
    "OnLoss",
    "OrganizationId",
    "OrganizationLife",
    "OrganizationNumber",
    "Page",
    "PendingWork",
    "PermissionEntry",
    "PermissionId",
    "PermissionNumber",
    "Question",
    "Reason",
    "Receipt",
    "ReplicaOutcome",
    "ResourceEntry",
    "ResourceId",
    "ResourceNumber",
    "ResourceTypeId",
    "Review",
    "ReviewCounts",
    "ReviewFault",
    "ReviewFaultKind",
    "ReviewFilter",
    "ReviewLine",
    "ReviewOutcome",
    "Revision",
    "RoleEntry",
    "RoleId",
    "RoleMode",
    "RoleNumber",
    "Route",
    "Seals",
    "StaleLine",
    "SubjectId",
    "Verdict",
    "VerifiedLog",
    "VerifiedReview",
    "canonical",
    "canonical_subject",
    "decode_enforcement",
    "encode_enforcement",
    "folded",
    "group_id",
    "holder_id",
    "microseconds",
    "moment",
    "organization_id",
    "permission_id",
    "plain_name",
    "require_flag",
    "require_number",
    "require_part",
    "require_subject_kind",
    "require_text",
    "resource_id",
    "resource_named",
    "resource_type_id",
    "role_id",
    "subject_id",
]

_HOMES = {
    "rescind.model.answers": "Chain Decision Explanation Page",
    "rescind.model.enforcement": (
        "EnforcedReplica Enforcement EnforcementStatus ReplicaOutcome "
        "decode_enforcement encode_enforcement plain_name"
    ),
    "rescind.model.enums": (
        "ENVIRONMENT ENVIRONMENT_NUMBER MAX_ID_LENGTH MAX_TEXT_LENGTH ROOT SUBJECT_KINDS "
        "AssignmentNumber Assurance DecisionPoint Direction EnforcementOutcome GroupId GroupNumber "
        "HolderNumber MembershipNumber Microseconds OnLoss OrganizationId OrganizationNumber PermissionId "
        "PermissionNumber Reason ResourceId ResourceNumber ResourceTypeId RoleId RoleMode "
        "RoleNumber Route SubjectId"
    ),
    "rescind.model.facts": (
        "AssignmentEntry ExpiryEntry FactPage GroupEntry MemberEntry MembershipEntry "
        "PermissionEntry ResourceEntry RoleEntry"
    ),
    "rescind.model.ids": (
        "group_id holder_id organization_id permission_id require_flag require_number "
        "require_part require_subject_kind require_text resource_id resource_named "
        "resource_type_id role_id subject_id"
    ),
    "rescind.model.log": "ChainLink LogEntry LogPage",
    "rescind.model.periods": "AccessHistory AccessPeriod Cause CauseKind IdChange OrganizationLife",
    "rescind.model.proof": "Action Fault FaultKind KeptHeads LogHead VerifiedLog",
    "rescind.model.questions": "At AtOf Question",
    "rescind.model.receipts": (
        "MOST_LOOK_ALIKES MOST_NOT_FOUND AlikeIds Difference LookAlike Missing PendingWork Receipt"
    ),
    "rescind.model.reviews": (
        "LineDecision LineSource Review ReviewCounts ReviewFilter ReviewLine ReviewOutcome "
        "StaleLine Verdict"
    ),
    "rescind.model.revisions": "Revision",
    "rescind.model.seals": "Seals",
    "rescind.model.spelling": "IdRule canonical canonical_subject folded",
    "rescind.model.times": "microseconds moment",
    "rescind.model.verified_reviews": (
        "AppliedDecisions ReviewFault ReviewFaultKind VerifiedReview"
    ),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
