"""Every error that Rescind raises. The docstring is the message, the keywords are the facts.

`code` is stable and safe to match on. `retry` says whether the same call may succeed later as it
stands. `hint` says what the caller can do; a fact of that name says it for one case.
"""

from __future__ import annotations

import re
from typing import Final

from rescind.errors.arguments import (
    InvalidArgument,
    InvalidChange,
    InvalidCursor,
    InvalidToken,
    MalformedId,
)
from rescind.errors.base import RescindError
from rescind.errors.conflicts import (
    GroupExists,
    GroupInUse,
    GroupNotFound,
    IdsLookAlike,
    KeyReused,
    LastHolder,
    MembershipExists,
    MembershipNotFound,
    NestingCycle,
    OrganizationExists,
    OrganizationInUse,
    OrganizationNotFound,
    ParentTypeRefused,
    PermissionExists,
    PermissionInUse,
    PermissionNotFound,
    ResourceCycle,
    ResourceExists,
    ResourceInUse,
    ResourceNotFound,
    ResourceTypeExists,
    ResourceTypeInUse,
    ResourceTypeNotFound,
    ReviewExists,
    ReviewNotFound,
    RoleExists,
    RoleInUse,
    RoleNotForResource,
    RoleNotFound,
)
from rescind.errors.database import (
    DecisionUnavailable,
    GroupBusy,
    LogDamaged,
    NotCommitted,
    OutcomeUnknown,
    PendingMoved,
    RevisionUnavailable,
    SchemaDiffers,
    SchemaMissing,
    SchemaTooNew,
    SchemaTooOld,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
    ThreadsExhausted,
    TimedOut,
    UnsupportedConnection,
)
from rescind.errors.extras import EXTRAS, ExtraMissing, extra
from rescind.errors.probe import TargetFailed
from rescind.errors.service import (
    ApiKeyNotFound,
    BodyTooLarge,
    BodyTooSlow,
    EncodingNotSupported,
    HeadTooLarge,
    HeadTooSlow,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotSupported,
    PastTooLarge,
    PastUnavailable,
    PreconditionFailed,
    RequestTimedOut,
    RevisionNotFound,
    RouteNotFound,
    ScopeMissing,
    TooManyRequests,
    Unauthenticated,
)
from rescind.errors.unreadable import BadInput

__all__ = [
    "EXTRAS",
    "ApiKeyNotFound",
    "BadInput",
    "BodyTooLarge",
    "BodyTooSlow",
    "DecisionUnavailable",
    "EncodingNotSupported",
    "ExtraMissing",
    "GroupBusy",
    "GroupExists",
    "GroupInUse",
    "GroupNotFound",
    "HeadTooLarge",
    "HeadTooSlow",
    "IdsLookAlike",
    "InternalError",
    "InvalidArgument",
    "InvalidChange",
    "InvalidCursor",
    "InvalidRequest",
    "InvalidToken",
    "KeyReused",
    "LastHolder",
    "LogDamaged",
    "MalformedId",
    "MembershipExists",
    "MembershipNotFound",
    "MethodNotAllowed",
    "NestingCycle",
    "NotCommitted",
    "NotSupported",
    "OrganizationExists",
    "OrganizationInUse",
    "OrganizationNotFound",
    "OutcomeUnknown",
    "ParentTypeRefused",
    "PastTooLarge",
    "PastUnavailable",
    "PendingMoved",
    "PermissionExists",
    "PermissionInUse",
    "PermissionNotFound",
    "PreconditionFailed",
    "RequestTimedOut",
    "RescindError",
    "ResourceCycle",
    "ResourceExists",
    "ResourceInUse",
    "ResourceNotFound",
    "ResourceTypeExists",
    "ResourceTypeInUse",
    "ResourceTypeNotFound",
    "ReviewExists",
    "ReviewNotFound",
    "RevisionNotFound",
    "RevisionUnavailable",
    "RoleExists",
    "RoleInUse",
    "RoleNotForResource",
    "RoleNotFound",
    "RouteNotFound",
    "SchemaDiffers",
    "SchemaMissing",
    "SchemaTooNew",
    "SchemaTooOld",
    "ScopeMissing",
    "StoreBusy",
    "StoreConflict",
    "StoreError",
    "StoreReadOnly",
    "StoreUnavailable",
    "TargetFailed",
    "ThreadsExhausted",
    "TimedOut",
    "TooManyRequests",
    "Unauthenticated",
    "UnsupportedConnection",
    "class_of",
    "extra",
    "refusal",
]


def class_of(code: str) -> type[RescindError] | None:
    """The class of the error with a code; None if this version has none."""
    return _by_code(RescindError).get(code)


def _by_code(root: type[RescindError]) -> dict[str, type[RescindError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found.update(_by_code(child))
    return found


_COUNTS: Final = ("used_by", "contents")
"""Facts that are counts in words, which SQL has in the plural."""
_BAR: Final = " | "
"""Between a count and the first few of what was counted."""
_ONE: Final = re.compile(r"\b1 ((?:nested )?[a-z]+)s\b")


def refusal(code: str, facts: dict[str, object]) -> RescindError:
    """The error for a refusal that a guard in SQL returned."""
    told: dict[str, object] = {}
    for fact, value in facts.items():
        if fact in _COUNTS:
            counts, _, names = str(value).partition(_BAR)
            told[fact] = _ONE.sub(r"1 \1", counts)
            told |= {"such_as": names} if names else {}
        else:
            told[fact] = value
    return _by_code(RescindError)[code](**told)
