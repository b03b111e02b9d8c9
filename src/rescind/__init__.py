"""Rescind: access by groups and roles, with revocations that are enforceable when the call returns."""

from rescind.authority import Authority
from rescind.changelog import LogEntry, LogPage
from rescind.errors import RescindError
from rescind.listing import UnknownName
from rescind.model import (
    ENVIRONMENT,
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
