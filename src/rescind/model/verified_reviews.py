"""What a verification found of access reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class ReviewFaultKind(StrEnum):
    """In which way a review does not fit."""

    UNRECORDED = "unrecorded"
    MISSING = "missing"
    STARTED_AGAIN = "started_again"
    ALTERED = "altered"
    ACTIONS_DIFFER = "actions_differ"
    LOG_DIFFERS = "log_differs"
    UNCHAINED = "unchained"
    PRUNED = "pruned"
    NOT_REPLAYED = "not_replayed"
    UNPROVEN = "unproven"
    LINES_DIFFER = "lines_differ"
    APPLICATION_DIFFERS = "application_differs"
    NEVER_APPLIED = "never_applied"


REVIEW_MEANINGS: Final[Mapping[ReviewFaultKind, str]] = {
    ReviewFaultKind.UNRECORDED: "it cannot be verified: no service action says that it was started."
    " An earlier version started it, or its row was put in",
    ReviewFaultKind.MISSING: "it was started, and its row is not there any more: it was deleted",
    ReviewFaultKind.STARTED_AGAIN: "it was started more than once: the row of the former one was deleted",
    ReviewFaultKind.ALTERED: "its row is not as it was when it was started",
    ReviewFaultKind.ACTIONS_DIFFER: "it cannot be verified: the log of service actions does not fit",
    ReviewFaultKind.LOG_DIFFERS: "the change log that its lines follow from does not fit",
    ReviewFaultKind.UNCHAINED: "it cannot be verified: the change log had no digest at its revision when it"
    " was started; start another review after `rescind log chain`",
    ReviewFaultKind.PRUNED: "its lines cannot be worked out any more: the log was pruned after its revision",
    ReviewFaultKind.NOT_REPLAYED: "its lines cannot be worked out from the log",
    ReviewFaultKind.UNPROVEN: "it cannot be verified: the log was pruned before, and no service action proves"
    " the snapshot that stands for it",
    ReviewFaultKind.LINES_DIFFER: "its lines are not those that follow from the log: a snapshot was altered",
    ReviewFaultKind.APPLICATION_DIFFERS: "a change that applied its decisions is not the one that was logged",
    ReviewFaultKind.NEVER_APPLIED: "these decisions, with these comments, were never applied",
}


@dataclass(frozen=True, slots=True)
class ReviewFault:
    """The first thing about a review that does not fit. `detail` names it, and may be empty."""

    kind: ReviewFaultKind
    detail: str = ""

    @property
    def meaning(self) -> str:
        """What is wrong, as a sentence about the review."""
        meaning = REVIEW_MEANINGS[self.kind]
        return f"{meaning} ({self.detail})" if self.detail else meaning


@dataclass(frozen=True, slots=True)
class AppliedDecisions:
    """Decisions that were applied, as the log of service actions has it.

    `decisions` is a digest, in hexadecimal: the same decisions in another file or order have the same one.
    `revision` is that of the change which revoked; None if nothing was left to revoke.
    """

    action: int
    """The number of the service action."""
    at: datetime
    actor: str
    decisions: str
    revision: int | None
    revoked: int
    kept: int
    stale: int


@dataclass(frozen=True, slots=True)
class VerifiedReview:
    """What was found of one review."""

    organization: str
    review: str
    revision: int
    """The state that was reviewed, as it was recorded when the review was started; 0 if that is unknown."""
    lines: int
    """Lines that follow from the log, and that an export has."""
    heads: int
    """Heads kept elsewhere that fit, of the three logs that the review rests on."""
    applied: tuple[AppliedDecisions, ...]
    """What was applied of it, oldest first."""
    fault: ReviewFault | None
    """The first thing that does not fit."""

    @property
    def fits(self) -> bool:
        """Whether all of it does."""
        return self.fault is None
