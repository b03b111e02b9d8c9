"""What a web application answers where access is not allowed: the same in every framework.

Owns the statuses and the problem details (RFC 9457). A client learns which permission it needs, and nothing
about the facts: the reason of a denial is for `explain`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rescind.errors import InvalidToken, MalformedId, RescindError
from rescind.model import Decision

MEDIA_TYPE: Final = "application/problem+json"
AT_LEAST: Final = "Rescind-At-Least"
"""The request's header with the token of a change that the check must know of."""
RETRY_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is not let in."""

    status: int
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def problem(self) -> dict[str, object]:
        """The body of the response."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }


UNAUTHENTICATED: Final = Refusal(401, "Unauthorized", "Nobody is signed in.")


class Refused(Exception):
    """The request is not let in."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def let_in(outcome: Decision | RescindError, permission: str) -> Decision:
    """The decision that lets a request in. Raises Refused for a denial, and where nothing was decided.

    A resource in the path that cannot be a name is no resource, so nobody may. Every other failure is 503:
    without a decision nobody is let in.
    """
    if isinstance(outcome, Decision) and outcome.allowed:
        return outcome
    if isinstance(outcome, Decision | MalformedId):
        raise Refused(Refusal(403, "Forbidden", f"{permission} is required."))
    if isinstance(outcome, InvalidToken):
        detail = f"The header {AT_LEAST} has no token of a change."
        raise Refused(Refusal(400, "Bad Request", detail)) from outcome
    headers = {"Retry-After": str(RETRY_SECONDS)}
    detail = "Access cannot be decided now."
    raise Refused(Refusal(503, "Service Unavailable", detail, headers)) from outcome
