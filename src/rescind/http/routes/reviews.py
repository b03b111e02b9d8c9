"""Access reviews: start one, read its lines as a stream, and apply what reviewers decided."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import Meta, Struct

from rescind.errors import InvalidArgument
from rescind.http.answers import ReceiptResponse
from rescind.http.auth import Caller, caller_of, request_of, requires
from rescind.http.routes.changes import Behalf
from rescind.http.routes.lists import Organization
from rescind.http.server.service import Service
from rescind.model import LineDecision, Review, ReviewOutcome, Verdict
from rescind.transfer.review_files import ReviewFormat, written_lines

_MEDIA: Final = {
    ReviewFormat.CSV: "text/csv",
    ReviewFormat.NDJSON: "application/x-ndjson",
}
Name = Annotated[str, QueryParameter(description="The review.")]
LifeNumber = Annotated[
    int | None,
    QueryParameter(
        description="Which of the organizations that had the name, from 1 in the order of their creation."
        " Default: the one that is there, or the last one."
    ),
]
Triple = tuple[str, str, str]


class ReviewFilterResponse(Struct, frozen=True, omit_defaults=True):
    """Which lines a review has."""

    subject: str | None = None
    group: str | None = None
    role: str | None = None
    resource: str | None = None
    permission: str | None = None
    critical: bool = False


class ReviewRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A review to start, and which part of the organization it is about."""

    review: str
    organization: str | None = None
    subject: str | None = None
    group: str | None = None
    role: str | None = None
    resource: str | None = None
    permission: str | None = None
    critical: bool = False


class ReviewResponse(Struct, frozen=True):
    """A review: the organization at a revision, as it was at a time. `life` counts the organizations that had
    the name; a key that is bound to one is not told.
    """

    review: str
    organization: str
    revision: int
    environment_revision: int
    started_at: datetime
    actor: str
    only: ReviewFilterResponse
    life: int | None
    organization_deleted_at: datetime | None

    @classmethod
    def of(cls, found: Review, caller: Caller) -> ReviewResponse:
        """The response for a review."""
        only = ReviewFilterResponse(**found.filter.as_object())
        return cls(
            review=found.name,
            organization=found.organization,
            revision=found.revision,
            environment_revision=found.environment,
            started_at=found.started_at,
            actor=found.actor,
            only=only,
            life=found.life if caller.organization is None else None,
            organization_deleted_at=found.organization_deleted_at,
        )


class ReviewsResponse(Struct, frozen=True):
    """The reviews of an organization, by name."""

    reviews: list[ReviewResponse]


class DecisionRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was decided of a line."""

    line: str
    decision: Verdict
    comment: str = ""


class ApplyReviewRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was decided of a review's lines. Nothing is done unless `dry_run` is false."""

    review: str
    decisions: Annotated[list[DecisionRequest], Meta(min_length=1)]
    organization: str | None = None
    comment: str = ""
    dry_run: bool = True


class StaleLineResponse(Struct, frozen=True):
    """A line that does not apply any more, and why. `is_there`: the same is there, given anew."""

    line: str
    why: str
    is_there: bool


class ReviewOutcomeResponse(Struct, frozen=True):
    """What decisions do, or did. `lost` and `granted` are exact; `beyond` is what is lost that no revoked
    line gives; `retained` is what a revoked line gives and its subject has another way too.
    """

    review: str
    organization: str
    is_complete: bool
    is_repeated: bool
    revoked: list[str]
    kept: int
    stale: list[StaleLineResponse]
    granted: tuple[Triple, ...]
    lost: tuple[Triple, ...]
    beyond: tuple[Triple, ...]
    retained: tuple[Triple, ...]
    receipt: ReceiptResponse | None

    @classmethod
    def of(cls, done: ReviewOutcome) -> ReviewOutcomeResponse:
        """The response for an outcome."""
        return cls(
            review=done.review.name,
            organization=done.review.organization,
            is_complete=done.is_complete,
            is_repeated=done.is_repeated,
            revoked=[each.line for each in done.revoked],
            kept=done.kept,
            stale=[
                StaleLineResponse(each.decision.line, each.why, each.is_there)
                for each in done.stale
            ],
            granted=done.difference.granted,
            lost=done.difference.revoked,
            beyond=done.beyond,
            retained=done.retained,
            receipt=None if done.receipt is None else ReceiptResponse.of(done.receipt),
        )


@post("/v1/reviews", status_code=200, sync_to_thread=True, guards=[requires("write")])
def start_review(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    data: JSONBody[ReviewRequest],
    behalf: Behalf = None,
) -> ReviewResponse:
    """Start a review of who has what now. Nothing is copied: its lines follow from the log."""
    caller = caller_of(request)
    found = service.authority.start_review(
        data.review,
        actor=caller.actor(behalf),
        request=request_of(request),
        organization=caller.organization_for(data.organization),
        subject=data.subject,
        group=data.group,
        role=data.role,
        resource=data.resource,
        permission=data.permission,
        critical=data.critical,
    )
    return ReviewResponse.of(found, caller)


@get("/v1/reviews", sync_to_thread=True, guards=[requires("read")])
def list_reviews(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    life: LifeNumber = None,
) -> ReviewsResponse:
    """The reviews that were started, by name."""
    caller = caller_of(request)
    name = caller.organization_for(organization)
    found = service.authority.list_reviews(life=life_for(caller, life), organization=name)
    return ReviewsResponse([ReviewResponse.of(each, caller) for each in found])


@get("/v1/reviews/lines", sync_to_thread=True, guards=[requires("read")])
def review_lines(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    review: Name,
    organization: Organization = None,
    format: FromQuery[ReviewFormat] = ReviewFormat.NDJSON,
    after: FromQuery[str | None] = None,
    life: LifeNumber = None,
) -> Stream:
    """The lines of a review, streamed, always the same ones in the same order.

    An answer that is not whole ends with a broken connection, never with the end of a stream. Go on with the
    last whole line that came as `after`: the CSV has no header then.
    """
    caller = caller_of(request)
    name = caller.organization_for(organization)
    found = service.authority.find_review(review, life=life_for(caller, life), organization=name)
    lines = service.authority.review_lines(review, after=after, life=found.life, organization=name)
    pieces = written_lines(found, lines, format, has_header=after is None)
    return Stream(pieces, media_type=_MEDIA[format])


@post("/v1/reviews/apply", status_code=200, sync_to_thread=True, guards=[requires("write")])
def apply_review(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    data: JSONBody[ApplyReviewRequest],
    behalf: Behalf = None,
) -> Response[ReviewOutcomeResponse]:
    """Revoke the lines that are to be revoked, as one batch; or say what that would do.

    Lines whose facts have changed since the review are left out, and listed as `stale`.
    """
    caller, most = caller_of(request), service.limits.batch_changes
    revoked = sum(each.decision is Verdict.REVOKE for each in data.decisions)
    if revoked > most:
        hint = f"send at most {most:,} to revoke, or use `rescind review apply`"
        raise InvalidArgument(what="decisions", value=revoked, hint=hint)
    decisions = decided(data.decisions)
    done = service.authority.apply_review(
        data.review,
        decisions,
        actor=caller.actor(behalf),
        comment=data.comment,
        dry_run=data.dry_run,
        request=request_of(request),
        organization=caller.organization_for(data.organization),
    )
    return Response(ReviewOutcomeResponse.of(done))


def decided(decisions: list[DecisionRequest]) -> list[LineDecision]:
    """Decisions as the library takes them."""
    return [
        LineDecision(each.line, each.decision, each.comment, f"decision {number}")
        for number, each in enumerate(decisions, 1)
    ]


def life_for(caller: Caller, life: int | None) -> int | None:
    """Raises InvalidArgument for a key that is good for one organization alone: others had its name."""
    if life is not None and caller.organization is not None:
        hint = "leave it out: the key is good for its own organization alone"
        raise InvalidArgument(what="life", hint=hint)
    return life


ROUTES = [start_review, list_reviews, review_lines, apply_review]
