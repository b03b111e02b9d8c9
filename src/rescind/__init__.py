"""Rescind: access by groups and roles, with revocations that are enforceable when the call returns."""

from rescind.authority import Authority
from rescind.changelog import LogEntry
from rescind.errors import RescindError
from rescind.model import (
    ENVIRONMENT,
    Chain,
    Decision,
    DecisionPoint,
    Difference,
    Direction,
    Explanation,
    Missing,
    Page,
    PendingWork,
    Reason,
    Receipt,
    Revision,
    Route,
)

__all__ = [
    "ENVIRONMENT",
    "Authority",
    "Chain",
    "Decision",
    "DecisionPoint",
    "Difference",
    "Direction",
    "Explanation",
    "LogEntry",
    "Missing",
    "Page",
    "PendingWork",
    "Reason",
    "Receipt",
    "RescindError",
    "Revision",
    "Route",
    "__version__",
]

__version__ = "0.1.0"
