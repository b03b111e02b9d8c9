"""What a web application answers where access is not allowed: the same in every framework.

Owns the statuses and the problem details (RFC 9457). A client learns which permission it needs, and nothing
about the facts: the reason of a denial is for `explain`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rescind.errors import InvalidToken, MalformedId, RescindError
from rescind.model import Decision, Reason, SubjectId, subject_id

MEDIA_TYPE: Final = "application/problem+json"
AT_LEAST: Final = "Rescind-At-Least"
"""The request's header with the token of a change that the check must know of."""
RETRY_SECONDS: Final = 1
_NOT_SET_UP: Final = {
    Reason.UNKNOWN_PERMISSION: "the organization has no such permission",
    Reason.UNKNOWN_ORGANIZATION: "there is no such organization",
}
"""Denials that the application's developer has to mend, rather than somebody who gives access."""
_MALFORMED: Final = {
    "subject": "a subject was malformed; give user:…, or nothing",
    "organization": "an organization was malformed, or none was found for a request",
}
"""Of what the application gives, rather than the request's path."""

log = logging.getLogger(__name__)
warned: set[tuple[str, str]] = set()
"""What was said already. Only names that are in the program's text are kept here."""


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


def signed_in(subject: object) -> SubjectId:
    """Who is signed in, as `kind:id`. Raises Refused for nobody, and for what can be no subject."""
    if subject is None:
        raise Refused(UNAUTHENTICATED)
    try:
        return subject_id(subject)
    except MalformedId as error:
        raise Refused(
            Refusal(403, "Forbidden", "A subject of this name can have no access.")
        ) from error


def found_organization(source: object, found: Any) -> Any:
    """The organization of a request, as the application's `source` found it. Raises MalformedId where a
    function found none: None would mean the authority's own, whose people have nothing to do with it.
    """
    if found is None and source is not None:
        hint = "nothing was found for the request; return a name"
        raise MalformedId(what="organization", value=found, hint=hint)
    return found


def let_in(outcome: Decision | RescindError, permission: str) -> Decision:
    """The decision that lets a request in. Raises Refused for a denial, and where nothing was decided.

    A resource in the path that cannot be a name is no resource, so nobody may. Every other failure is 503:
    without a decision nobody is let in. The response does not tell why, so the log does: each 503, and once
    in a process each permission that is refused to everybody, since it is not set up.
    """
    if isinstance(outcome, Decision) and outcome.allowed:
        return outcome
    if isinstance(outcome, Decision | MalformedId):
        _warn_of_set_up(outcome, permission)
        raise Refused(Refusal(403, "Forbidden", f"{permission} is required."))
    if isinstance(outcome, InvalidToken):
        detail = f"The header {AT_LEAST} has no token of a change."
        raise Refused(Refusal(400, "Bad Request", detail)) from outcome
    log.error("%s was not decided, and the request is answered with 503: %s", permission, outcome)
    headers = {"Retry-After": str(RETRY_SECONDS)}
    detail = "Access cannot be decided now."
    raise Refused(Refusal(503, "Service Unavailable", detail, headers)) from outcome


def _warn_of_set_up(outcome: Decision | MalformedId, permission: str) -> None:
    """Log once for a process what refuses a permission to everybody, or to whoever is signed in like this."""
    if isinstance(outcome, Decision):
        why = _NOT_SET_UP.get(outcome.reason)
    else:
        why = _MALFORMED.get(str(outcome.facts.get("what")))
    if why is None or (permission, why) in warned:
        return
    warned.add((permission, why))
    log.warning("%s is refused: %s (said once)", permission, why)
