"""The proof of access reviews: whether each is as it was when it was started."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from rescind.errors import InvalidArgument
from rescind.history.reviews import count
from rescind.http.auth import caller_of, requires
from rescind.http.routes.lists import Organization
from rescind.http.routes.log_proof import KeptHead, required_heads
from rescind.http.routes.reviews import DecisionRequest, LifeNumber, decided, life_for
from rescind.http.server.service import Service
from rescind.http.server.turns import Turns
from rescind.model import ENVIRONMENT, KeptHeads, LineDecision, VerifiedReview, organization_id
from rescind.store.rows.actions import FIND_ACTION_HEAD

MOST_REPLAYED: Final = 100_000
"""Changes of an organization's log, and of that of `*`, that one request verifies and replays, at most."""
MOST_ACTIONS: Final = 500_000
"""Service actions that one request verifies, at most."""
MOST_REVIEWS: Final = 20
"""Reviews of one request. The lines of each are worked out twice."""
AT_ONCE: Final = 2
"""Requests of one process that do so at a time, each for another organization."""
TURNS: Final = Turns(AT_ONCE, why="requests verify reviews")
ReviewName = Annotated[str | None, QueryParameter(description="The review. Default: all.")]


class VerifyReviewRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A review to verify, and what it must fit: decisions that were applied, and heads of the organization
    that were kept elsewhere.
    """

    review: str | None = None
    organization: str | None = None
    life: int | None = None
    decisions: Annotated[list[DecisionRequest], Meta(min_length=1)] | None = None
    heads: Annotated[list[KeptHead], Meta(min_length=1)] | None = None


class ReviewFaultResponse(Struct, frozen=True):
    """The first thing that does not fit: `meaning` says why, and `detail` names it."""

    kind: str
    detail: str
    meaning: str


class AppliedDecisionsResponse(Struct, frozen=True):
    """Decisions that were applied. The same ones in another order have the same digest, `decisions`."""

    action: int
    at: datetime
    actor: str
    decisions: str
    revision: int | None
    revoked: int
    kept: int
    stale: int


class VerifiedReviewResponse(Struct, frozen=True):
    """What was found of a review. It fits if its row, lines and applications are as they were logged."""

    organization: str
    review: str
    fits: bool
    revision: int
    lines: int
    heads: int
    applied: list[AppliedDecisionsResponse]
    fault: ReviewFaultResponse | None

    @classmethod
    def of(cls, found: VerifiedReview) -> VerifiedReviewResponse:
        """The same, as JSON has it."""
        fault = None
        if (bad := found.fault) is not None:
            fault = ReviewFaultResponse(bad.kind.value, bad.detail, bad.meaning)
        applied = [AppliedDecisionsResponse(**asdict(each)) for each in found.applied]
        names = [each for each in cls.__struct_fields__ if each not in ("fault", "applied")]
        return cls(**{name: getattr(found, name) for name in names}, applied=applied, fault=fault)


class VerifiedReviewsResponse(Struct, frozen=True):
    """A result for each review, by name."""

    reviews: list[VerifiedReviewResponse]


@get("/v1/reviews/verify", sync_to_thread=True, guards=[requires("read")])
def verify_reviews(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    review: ReviewName = None,
    organization: Organization = None,
    life: LifeNumber = None,
) -> VerifiedReviewsResponse:
    """Compare reviews with the log of service actions and with the change log, replayed; verify the chains of
    both. It is refused for a log of more than 100,000 changes, and for more than 20 reviews.
    """
    caller = caller_of(request)
    name = caller.organization_for(organization)
    return _verified(service, name, review, life_for(caller, life))


@post("/v1/reviews/verify", sync_to_thread=True, status_code=200, guards=[requires("read")])
def verify_reviews_from(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    data: JSONBody[VerifyReviewRequest],
) -> VerifiedReviewsResponse:
    """The same. `decisions` must have been applied, with the same comments. `heads` were kept: the log must
    still have each of them. Those of other organizations are left out.
    """
    caller = caller_of(request)
    name = caller.organization_for(data.organization)
    heads = None if data.heads is None else required_heads(data.heads, name)
    decisions = None if data.decisions is None else decided(data.decisions)
    life = life_for(caller, data.life)
    return _verified(service, name, data.review, life, decisions=decisions, heads=heads)


def _verified(
    service: Service,
    name: str,
    review: str | None,
    life: int | None,
    *,
    decisions: list[LineDecision] | None = None,
    heads: KeptHeads | None = None,
) -> VerifiedReviewsResponse:
    _require_few(service, name, review, life)
    with TURNS.one(name):
        found = service.authority.verify_reviews(
            review, decisions=decisions, heads=heads, life=life, organization=name
        )
    return VerifiedReviewsResponse([VerifiedReviewResponse.of(each) for each in found])


def _require_few(service: Service, name: str, review: str | None, life: int | None) -> None:
    """Raises InvalidArgument for what would take one request too long."""
    hint = "over HTTP at most {:,} {}: use `rescind review verify`"
    store = service.authority.store
    for log in (name, ENVIRONMENT):
        for head in service.authority.log_heads(organization=log):
            if head.revision > MOST_REPLAYED:
                raise InvalidArgument(
                    what="log", hint=hint.format(MOST_REPLAYED, "changes are replayed")
                )
    if any(row.revision > MOST_ACTIONS for row in store.fetch(FIND_ACTION_HEAD, {})):
        raise InvalidArgument(
            what="log", hint=hint.format(MOST_ACTIONS, "service actions are verified")
        )
    if review is None and count(store, organization_id(name), life) > MOST_REVIEWS:
        raise InvalidArgument(
            what="review",
            hint=f"name one: over HTTP at most {MOST_REVIEWS} reviews are verified at once",
        )


ROUTES = [verify_reviews, verify_reviews_from]
