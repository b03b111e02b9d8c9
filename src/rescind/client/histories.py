"""The history of access and access reviews of a client, as calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rescind import model
from rescind.client import records
from rescind.client.asking import Asking, header_text
from rescind.client.calls import NDJSON, Call, Effect, Lines, Request, Steps, path_of, query_of
from rescind.client.changing import ACTOR
from rescind.client.logs import kept_objects
from rescind.errors import InvalidArgument, ReviewNotFound
from rescind.model import (
    AccessHistory,
    KeptHeads,
    LineDecision,
    LogHead,
    Review,
    ReviewLine,
    ReviewOutcome,
    VerifiedReview,
)


class Histories:
    """Who had access and when, and reviews of it."""

    asking: Asking

    # --- the history of access --------------------------------------------------------------------------

    def access_history(
        self,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> Call[AccessHistory]:
        """From when to when a subject had a permission on a resource, by which way, and by whose change that
        began and ended. The service looks at 20,000 changes at a time: `next_after` goes on. Lives are told
        to keys that are bound to no organization.
        """
        asked: dict[str, Any] = {
            "subject": None if subject is None else model.subject_id(subject),
            "permission": None if permission is None else model.permission_id(permission),
            "resource": None if resource is None else model.resource_id(resource),
            "since": since,
            "until": until,
            "after": _number("after", after),
            "life": _number("life", life),
        }
        name = self.asking.named(organization)
        return self.asking.get(("v1", "access-history"), records.access_history, name, **asked)

    # --- reviews ----------------------------------------------------------------------------------------

    def start_review(
        self,
        review: str,
        *,
        actor: str = "unknown",
        organization: str | None = None,
        **only: Any,
    ) -> Call[Review]:
        """Start a review of who has what now. Nothing is copied.

        `only` narrows it: `subject`, `group`, `role`, `resource`, `permission`, `critical=True`. It is not
        repeated if it may have been done: OutcomeUnknown, and `find_review` tells.
        """
        fields = {
            "review": model.require_text("review", review),
            "organization": self.asking.named(organization),
            **_only(**only),
        }
        headers = _actor(actor)
        return self.asking.post(
            ("v1", "reviews"), records.review, fields, headers=headers, effect=Effect.ONCE
        )

    def list_reviews(
        self, *, life: int | None = None, organization: str | None = None
    ) -> Call[list[Review]]:
        """The organization's reviews, by name. A review's `life` is 0 to a key that is bound to one."""
        name, number = self.asking.named(organization), _number("life", life)
        return self.asking.get(("v1", "reviews"), records.reviews, name, life=number)

    def find_review(
        self, review: str, *, life: int | None = None, organization: str | None = None
    ) -> Steps[Review]:
        """One review. Raises ReviewNotFound."""
        name = model.require_text("review", review)
        found: list[Review] = yield self.list_reviews(life=life, organization=organization)
        for each in found:
            if each.name == name:
                return each
        asked = self.asking.named(organization)
        raise ReviewNotFound(**({} if asked is None else {"organization": asked}), review=name)

    def review_lines(
        self,
        review: str,
        *,
        after: str | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> Lines[ReviewLine]:
        """The lines of a review, or those after one, always the same in the same order, read as they arrive.
        Where the connection breaks, it goes on after the last whole line.
        """
        name, number = self.asking.named(organization), _number("life", life)
        asked = {"organization": name, "review": model.require_text("review", review)}

        def opened(last: str | None) -> Request:
            query = query_of({**asked, "format": "ndjson", "after": last, "life": number})
            headers = (("Accept", NDJSON),)
            return Request("GET", path_of("v1", "reviews", "lines"), query, headers)

        first = None if after is None else model.require_text("after", after)
        return Lines(opened, records.review_line, first)

    def verify_reviews(
        self,
        review: str | None = None,
        *,
        decisions: Sequence[LineDecision] | None = None,
        heads: KeptHeads | Iterable[LogHead] | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> Call[list[VerifiedReview]]:
        """Whether a review, or each of all, is as it was when it was started; if not, what differs first.

        `decisions` of a named review must have been applied, with the same comments. `heads` were kept
        elsewhere: the organization's log must still have each of them.
        """
        route, name = ("v1", "reviews", "verify"), self.asking.named(organization)
        asked: dict[str, Any] = {
            "review": None if review is None else model.require_text("review", review),
            "life": _number("life", life),
        }
        if decisions is None and heads is None:
            return self.asking.get(route, records.verified_reviews, name, **asked)
        body = {key: value for key, value in asked.items() if value is not None}
        if decisions is not None:
            body["decisions"] = _decided(_decisions(decisions))
        if heads is not None:
            body["heads"] = kept_objects(heads)
        return self.asking.post(route, records.verified_reviews, {**body, "organization": name})

    def apply_review(
        self,
        review: str,
        decisions: Sequence[LineDecision],
        *,
        actor: str = "unknown",
        comment: str = "",
        dry_run: bool = False,
        organization: str | None = None,
    ) -> Steps[ReviewOutcome]:
        """Revoke the lines that are to be revoked, as one batch; with `dry_run`, say what that would do. The
        same decisions applied again have one effect.
        """
        given, dry_run = _decisions(decisions), model.require_flag("dry_run", dry_run)
        found: Review = yield from self.find_review(review, organization=organization)
        fields = {
            "review": found.name,
            "organization": self.asking.named(organization),
            "decisions": _decided(given),
            "comment": model.require_text("comment", comment),
            "dry_run": dry_run,
        }
        done: ReviewOutcome = yield self.asking.post(
            ("v1", "reviews", "apply"),
            records.outcome_of(found, given),
            fields,
            headers=_actor(actor),
            effect=Effect.NONE if dry_run else Effect.KEYED,
        )
        return done


def _number(what: str, value: int | None) -> int | None:
    return None if value is None else model.require_number(what, value, least=0, most=2**63 - 1)


def _only(
    *,
    subject: str | None = None,
    group: str | None = None,
    role: str | None = None,
    resource: str | None = None,
    permission: str | None = None,
    critical: bool = False,
) -> dict[str, Any]:
    return {
        "subject": None if subject is None else model.subject_id(subject),
        "group": None if group is None else model.group_id(group),
        "role": None if role is None else model.role_id(role),
        "resource": None if resource is None else model.resource_id(resource),
        "permission": None if permission is None else model.permission_id(permission),
        "critical": model.require_flag("critical", critical),
    }


def _actor(actor: str) -> tuple[tuple[str, str], ...]:
    return () if actor == "unknown" else ((ACTOR, header_text("actor", actor)),)


def _decided(decisions: Sequence[LineDecision]) -> list[dict[str, str]]:
    return [
        {"line": each.line, "decision": each.verdict.value, "comment": each.comment}
        for each in decisions
    ]


def _decisions(given: Any) -> list[LineDecision]:
    is_listed = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    if not is_listed or not given or not all(isinstance(each, LineDecision) for each in given):
        hint = "Pass a list of LineDecision"
        raise InvalidArgument(what="decisions", value=repr(given)[:60], hint=hint)
    return list(given)
