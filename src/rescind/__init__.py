"""Rescind: access by groups and roles, with revocations that are enforceable when the call returns."""

from rescind.authority import Authority
from rescind.changelog import LogEntry, LogPage
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
    ExpiryEntry,
    Explanation,
    FactPage,
    GroupEntry,
    LookAlike,
    MemberEntry,
    MembershipEntry,
    Missing,
    Page,
    PendingWork,
    PermissionEntry,
    Reason,
    Receipt,
    ResourceEntry,
    Revision,
    RoleEntry,
    Route,
)

__all__ = [
    "ENVIRONMENT",
    "AlikeIds",
    "AssignmentEntry",
    "Authority",
    "Chain",
    "Decision",
    "DecisionPoint",
    "Difference",
    "Direction",
    "ExpiryEntry",
    "Explanation",
    "FactPage",
    "GroupEntry",
    "LogEntry",
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
    "RescindError",
    "ResourceEntry",
    "Revision",
    "RoleEntry",
    "Route",
    "UnknownName",
    "__version__",
]

__version__ = "0.1.0"
