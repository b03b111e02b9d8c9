"""What a question is answered with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rescind.model.enums import DecisionPoint, Reason
from rescind.model.revisions import Revision


@dataclass(frozen=True, slots=True)
class Chain:
    """One reason for access: membership → group(s) → assignment → role → permission → resource.

    `groups` runs from the group that holds the membership to the one that holds the assignment;
    it is empty when the membership holds the assignment itself. A default role has no assignment.
    """

    subject: str
    groups: tuple[str, ...]
    role: str
    permission: str
    assigned_on: str
    resource: str
    expires_at: datetime | None
    is_default_role: bool = False

    def __str__(self) -> str:
        steps = [self.subject, *(f"group:{group}" for group in self.groups)]
        how = "default role" if self.is_default_role else "role"
        steps += [f"{how} {self.role} on {self.assigned_on}", self.permission, self.resource]
        until = f" (until {self.expires_at.isoformat()})" if self.expires_at else ""
        return " → ".join(steps) + until


@dataclass(frozen=True, slots=True)
class Explanation:
    """All the chains that allow, or what stands in the way.

    `is_complete` is false when there were more than the limit of chains or obstacles.
    """

    chains: tuple[Chain, ...] = ()
    obstacles: tuple[str, ...] = ()
    is_complete: bool = True


class Decision:
    """The answer to a check: true when allowed, false when denied.

    `revision` is the state of the facts that it was made on. `explanation` is there when asked for.
    `is_critical` is true for a critical permission, if the decision came to look at the permission.
    """

    __slots__ = ("allowed", "explanation", "is_critical", "point", "reason", "revision")

    def __init__(
        self,
        *,
        allowed: bool,
        reason: Reason,
        point: DecisionPoint,
        revision: Revision | None,
        explanation: Explanation | None = None,
        is_critical: bool = False,
    ) -> None:
        self.allowed = allowed
        self.reason = reason
        self.point = point
        self.revision = revision
        self.explanation = explanation
        self.is_critical = is_critical

    def __bool__(self) -> bool:
        return self.allowed

    def __repr__(self) -> str:
        verdict = "allowed" if self.allowed else f"denied: {self.reason.value}"
        return f"<Decision {verdict}, {self.point.value}, token {self.token}>"

    @property
    def token(self) -> str | None:
        """Hand it back as `at_least` to read no older state; nothing for an unknown organization."""
        return self.revision.token() if self.revision else None


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, in the byte order of its items; `next_cursor` is None on the last page, and only there.

    Pages follow each other in the order in which memberships, resources and permissions were made. A cursor
    stays good while facts change: whatever is on the list during the whole walk is on one page, once.
    """

    items: tuple[str, ...]
    next_cursor: str | None
    revision: Revision
