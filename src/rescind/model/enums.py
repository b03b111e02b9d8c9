"""The kinds of ids, and the words that directions, routes, modes and reasons are told in."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, NewType, TypeAlias

OrganizationId = NewType("OrganizationId", str)
SubjectId = NewType("SubjectId", str)
"""`user:alice`, `service_account:ci`, `agent:triage`."""
GroupId = NewType("GroupId", str)
RoleId = NewType("RoleId", str)
PermissionId = NewType("PermissionId", str)
ResourceTypeId = NewType("ResourceTypeId", str)
ResourceId = NewType("ResourceId", str)
"""`document:1`; the organization itself is `organization`."""
OrganizationNumber = NewType("OrganizationNumber", int)
"""A row's number in its table. Numbers are never ids: no caller sees them."""
MembershipNumber = NewType("MembershipNumber", int)
GroupNumber = NewType("GroupNumber", int)
"""Negative, so that a holder's number tells memberships (positive) from groups."""
HolderNumber: TypeAlias = MembershipNumber | GroupNumber
RoleNumber = NewType("RoleNumber", int)
ResourceNumber = NewType("ResourceNumber", int)
AssignmentNumber = NewType("AssignmentNumber", int)
PermissionNumber = NewType("PermissionNumber", int)
Microseconds = NewType("Microseconds", int)
"""Since the Unix epoch, UTC: how the store keeps times."""

ENVIRONMENT: Final = OrganizationId("*")
"""Where permissions, roles and resource types for all organizations are defined."""
ENVIRONMENT_NUMBER: Final = OrganizationNumber(0)
ROOT: Final = ResourceId("organization")
"""The root of every organization's resource tree."""
SUBJECT_KINDS: Final = ("user", "service_account", "agent")
MAX_ID_LENGTH: Final = 255
MAX_TEXT_LENGTH: Final = 10_000
"""Of names, descriptions, reasons, actors and idempotency keys."""


class Direction(StrEnum):
    """Whether a change takes something away from somebody (G7)."""

    GRANTS = "grants"
    REVOKES = "revokes"


class Route(StrEnum):
    """How effective roles follow a change."""

    INLINE = "inline"
    """In the same transaction."""
    BACKGROUND = "background"
    """By pending work, which is never trusted for a revocation that it has not finished."""


class RoleMode(StrEnum):
    """How many organization-wide roles of a membership count."""

    MULTIPLE = "multiple"
    SINGLE = "single"


class OnLoss(StrEnum):
    """What a membership of a single-role organization falls to when it loses its winning role."""

    DEFAULT = "default"
    NEXT_HIGHEST = "next-highest"


class EnforcementOutcome(StrEnum):
    """How an enforcement ended, counting the replicas of other processes."""

    ALONE = "alone"
    """No other process held the organization."""
    ACKNOWLEDGED = "acknowledged"
    """Every replica acknowledged, or held it no more."""
    WAITED_OUT = "waited_out"
    """At least one lease had to expire."""


class DecisionPoint(StrEnum):
    """What answered a question."""

    INDEX = "index"
    EFFECTIVE = "effective"
    LIVE = "live"
    PAST = "past"
    """The facts as they were, from the log. It tells what was allowed, and never allows anything."""


class Reason(StrEnum):
    """Why a check was allowed or denied; stable, safe to match on."""

    ALLOWED = "allowed"
    UNKNOWN_ORGANIZATION = "unknown_organization"
    UNKNOWN_SUBJECT = "no_membership"
    DEACTIVATED = "membership_deactivated"
    UNKNOWN_PERMISSION = "unknown_permission"
    UNKNOWN_RESOURCE = "unknown_resource"
    NO_ROLE = "no_role"


Assurance = Literal["standard", "live"]
