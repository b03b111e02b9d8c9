"""Rescind: access by groups and roles, with revocations that are enforceable when the call returns."""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.authority import Authority
    from rescind.decision_log import DecisionLog
    from rescind.errors import RescindError
    from rescind.listing import UnknownName
    from rescind.model import (
        ENVIRONMENT,
        AlikeIds,
        AssignmentEntry,
        Chain,
        Decision,
        DecisionPoint,
        Difference,
        Direction,
        EnforcedReplica,
        Enforcement,
        EnforcementOutcome,
        EnforcementStatus,
        ExpiryEntry,
        Explanation,
        FactPage,
        GroupEntry,
        KeptHeads,
        LogEntry,
        LogHead,
        LogPage,
        LookAlike,
        MemberEntry,
        MembershipEntry,
        Missing,
        Page,
        PendingWork,
        PermissionEntry,
        Reason,
        Receipt,
        ReplicaOutcome,
        ResourceEntry,
        Revision,
        RoleEntry,
        Route,
        VerifiedLog,
    )

__all__ = [
    "ENVIRONMENT",
    "AlikeIds",
    "AssignmentEntry",
    "Authority",
    "Chain",
    "Decision",
    "DecisionLog",
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
    "GroupEntry",
    "KeptHeads",
    "LogEntry",
    "LogHead",
    "LogPage",
    "LookAlike",
    "MemberEntry",
    "MembershipEntry",
    "Missing",
    "Page",
    "PendingWork",
    "PermissionEntry",
    "Reason",
    "Receipt",
    "ReplicaOutcome",
    "RescindError",
    "ResourceEntry",
    "Revision",
    "RoleEntry",
    "Route",
    "UnknownName",
    "VerifiedLog",
    "__version__",
]

__version__ = "0.2.0"

_HOMES = {
    "rescind.authority": "Authority",
    "rescind.decision_log": "DecisionLog",
    "rescind.errors": "RescindError",
    "rescind.listing": "UnknownName",
    "rescind.model": (
        "ENVIRONMENT AlikeIds AssignmentEntry Chain Decision DecisionPoint Difference "
        "Direction EnforcedReplica Enforcement EnforcementOutcome EnforcementStatus "
        "ExpiryEntry Explanation FactPage GroupEntry KeptHeads LogEntry LogHead LogPage LookAlike "
        "MemberEntry MembershipEntry Missing Page PendingWork PermissionEntry Reason Receipt "
        "ReplicaOutcome ResourceEntry Revision RoleEntry Route VerifiedLog"
    ),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES, "aio", "changes", "errors", "model")
