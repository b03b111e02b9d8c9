"""Access reviews: start one, read its lines as a stream, and apply what reviewers decided; and the history of
access.
"""

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
from rescind.http.auth import caller_of, requires
from rescind.http.query_times import QueryTime, query_time
from rescind.http.routes.changes import Behalf
from rescind.http.routes.lists import Organization
from rescind.http.server.service import Service
from rescind.model import AccessPeriod, Cause, LineDecision, Review, ReviewOutcome, Verdict
from rescind.transfer.review_files import ReviewFormat, written_lines

MOST_CHANGES: Final = 20_000
"""Changes of the log that one request for the history of access looks at."""
_MEDIA: Final = {
    ReviewFormat.CSV: "text/csv",
    ReviewFormat.NDJSON: "application/x-ndjson",
}
Name = Annotated[str, QueryParameter(description="The review.")]
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
    """A review: the organization at a revision, as it was at a time."""

    review: str
    organization: str
    revision: int
    environment_revision: int
    started_at: datetime
    actor: str
    only: ReviewFilterResponse

    @classmethod
    def of(cls, found: Review) -> ReviewResponse:
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
    """A line that does not apply any more, and why."""

    line: str
    why: str


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
            stale=[StaleLineResponse(each.decision.line, each.why) for each in done.stale],
            granted=done.difference.granted,
            lost=done.difference.revoked,
            beyond=done.beyond,
            retained=done.retained,
            receipt=None if done.receipt is None else ReceiptResponse.of(done.receipt),
        )


class CauseResponse(Struct, frozen=True):
    """What began or ended access: a `change`, one for all organizations (`environment`), the `expiry` of what
    was given until a time, or something `before` the log that is kept.
    """

    kind: str
    at: datetime
    revision: int | None
    actor: str | None
    reason: str | None

    @classmethod
    def of(cls, found: Cause) -> CauseResponse:
        """The response for a cause."""
        return cls(found.kind.value, *found[1:])


class AccessPeriodResponse(Struct, frozen=True):
    """A time during which a subject had a role on a resource by one way; `ended` is null while it lasts."""

    subject: str
    role: str
    resource: str
    chain: tuple[str, ...]
    is_default_role: bool
    permissions: tuple[str, ...]
    began: CauseResponse
    ended: CauseResponse | None

    @classmethod
    def of(cls, found: AccessPeriod) -> AccessPeriodResponse:
        """The response for a period."""
        ended = None if found.ended is None else CauseResponse.of(found.ended)
        return cls(*found[:6], CauseResponse.of(found.began), ended)


class AccessHistoryResponse(Struct, frozen=True):
    """Periods in the order in which they began. With `next_after`, go on with it as `after`: periods that
    were not over there come then.
    """

    periods: list[AccessPeriodResponse]
    next_after: int | None


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
        organization=caller.organization_for(data.organization),
        subject=data.subject,
        group=data.group,
        role=data.role,
        resource=data.resource,
        permission=data.permission,
        critical=data.critical,
    )
    return ReviewResponse.of(found)


@get("/v1/reviews", sync_to_thread=True, guards=[requires("read")])
def list_reviews(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
) -> ReviewsResponse:
    """The reviews that were started, by name."""
    name = caller_of(request).organization_for(organization)
    found = service.authority.list_reviews(organization=name)
    return ReviewsResponse(list(map(ReviewResponse.of, found)))


@get("/v1/reviews/lines", sync_to_thread=True, guards=[requires("read")])
def review_lines(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    review: Name,
    organization: Organization = None,
    format: FromQuery[ReviewFormat] = ReviewFormat.NDJSON,
    after: FromQuery[str | None] = None,
) -> Stream:
    """The lines of a review, streamed, always the same ones in the same order.

    Where a stream breaks off, go on with the last line that came as `after`: the CSV has no header then.
    """
    name = caller_of(request).organization_for(organization)
    found = service.authority.find_review(review, organization=name)
    lines = service.authority.review_lines(review, after=after, organization=name)
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
    decisions = [
        LineDecision(each.line, each.decision, each.comment, f"decision {number}")
        for number, each in enumerate(data.decisions, 1)
    ]
    done = service.authority.apply_review(
        data.review,
        decisions,
        actor=caller.actor(behalf),
        comment=data.comment,
        dry_run=data.dry_run,
        organization=caller.organization_for(data.organization),
    )
    return Response(ReviewOutcomeResponse.of(done))


@get("/v1/access-history", sync_to_thread=True, guards=[requires("read")])
def access_history(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    subject: FromQuery[str | None] = None,
    permission: FromQuery[str | None] = None,
    resource: FromQuery[str | None] = None,
    since: QueryTime = None,
    until: QueryTime = None,
    after: FromQuery[int | None] = None,
) -> AccessHistoryResponse:
    """From when to when a subject had a permission on a resource (without a subject: everybody; without a
    permission: all that roles gave), through which groups, and by whose change that began and ended.
    """
    found = service.authority.access_history(
        subject,
        permission,
        resource,
        since=query_time("since", since),
        until=query_time("until", until),
        after=after,
        most_changes=MOST_CHANGES,
        organization=caller_of(request).organization_for(organization),
    )
    return AccessHistoryResponse(
        list(map(AccessPeriodResponse.of, found.periods)), found.next_after
    )


ROUTES = [start_review, list_reviews, review_lines, apply_review, access_history]
