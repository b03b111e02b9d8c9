"""The questions of `Authority`: checks, explanations, and lists of who can do what.

Owns the validation of a question's names, and the shortcut to the cache. What a question means is in `check`,
`explain` and `lists`.
"""

from __future__ import annotations

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from rescind import decision_log as logs
from rescind import model
from rescind.decision.router import DECIDING, DecisionRouter
from rescind.errors import DecisionUnavailable, InvalidArgument, StoreUnavailable
from rescind.model import ROOT, Assurance, At, Decision, OrganizationId, Page, Question

if TYPE_CHECKING:
    from rescind.decision.past import PastAnswers
    from rescind.decision_log import DecisionRecorder
    from rescind.replicas import CachedAnswers


class Questions(ABC):
    """What `Authority` answers about access.

    Each raises MalformedId, InvalidToken, RevisionUnavailable, DecisionUnavailable or another StoreError.
    """

    _organization: OrganizationId | None
    _recall: CachedAnswers | None
    _questions: DecisionRouter
    decision_log: DecisionRecorder | None
    """Notes each decision, if there is a decision log."""
    _past: PastAnswers

    @abstractmethod
    def _named(self, organization: str | None) -> OrganizationId:
        """The named organization, or the authority's own."""

    @abstractmethod
    def _permissions_of_group(
        self, organization: str | None, holder: str, resource: str | None, **options: Any
    ) -> Page:
        """What `group:…` gives its members on a resource."""

    def check(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        explain: bool = False,
        within: object = None,
        at: At | None = None,
    ) -> Decision:
        """Whether the subject may. What a change has revoked is not allowed once that change has returned.

        It is decided at a state no older than the call's start, but for one thing: a replica
        (`index=True` on PostgreSQL) may not know yet what was *granted* through another authority, in
        this process or elsewhere, unless `at_least` is the token of that change or a later one.

        With `within` (as for `apply`) it is decided in the caller's transaction, never out of memory: it
        sees what that transaction sees, its own changes with it. At REPEATABLE READ and SERIALIZABLE that is
        its snapshot, and what was revoked since may be allowed.

        The resource is `type:id`, or nothing for the organization itself. What is unknown is denied with a
        reason. Critical permissions, and `assurance="live"`, are decided from the facts. Raises MalformedId,
        InvalidToken, RevisionUnavailable, DecisionUnavailable or another StoreError: never a remembered
        answer.

        With `at` (an aware datetime, a revision token, or a revision's number) it says what was answered
        then, by the facts and the expiry of that time. That is no access decision: never let anybody in by
        it. It raises PastUnavailable for a time that the log does not have.
        """
        recall, log = self._recall, self.decision_log
        if (
            recall is not None
            and at is None
            and at_least is None
            and within is None
            and assurance == "standard"
            and not explain
        ):
            try:  # a context manager costs more than the answer
                cached = recall.decide(
                    self._organization if organization is None else organization,
                    subject,
                    permission,
                    ROOT if resource is None else resource,
                )
            except StoreUnavailable as error:
                unavailable = DecisionUnavailable(**error.facts)
                if log is not None:
                    name = self._organization if organization is None else organization
                    asked = logs.Asked(name, subject, permission, resource)
                    log.note_failure(asked, unavailable)
                raise unavailable from error
            if cached is not None:
                if log is not None:
                    name = self._organization if organization is None else organization
                    log.note((name, subject, permission, resource), cached)
                return cached
        if at is not None:
            self._past.require_alone(at_least, assurance, within)
            question, past = self._question(organization, subject, permission, resource), self._past
            return past.explain(question, at) if explain else past.check(question, at)
        triple = subject, permission, resource
        options = {"at_least": at_least, "assurance": assurance, "within": within}
        if log is None:
            return self._decide(organization, triple, explain=explain, **options)
        name = self._organization if organization is None else organization
        asked = logs.Asked(name, *triple, at_least, assurance, explain, within is not None)
        return log.noted(
            partial(self._decide, organization, triple, explain=explain, **options), asked
        )

    def check_many(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        within: object = None,
        at: At | None = None,
    ) -> list[Decision]:
        """A decision for each (subject, permission, resource), all at one state of the facts, as for `check`.

        With `within` raises StoreConflict where the organization keeps changing between them, which only a
        transaction at READ COMMITTED sees.
        """
        if at is not None:
            self._past.require_alone(at_least, assurance, within)
            past = [self._question(organization, *question) for question in _triples(questions)]
            return self._past.check_many(past, at)
        options: dict[str, Any] = {"at_least": at_least, "assurance": assurance, "within": within}
        if self.decision_log is None:
            return self._decide_many(organization, questions, **options)
        name = self._organization if organization is None else organization
        asked = logs.Asked(name, None, None, None, at_least, assurance, False, within is not None)
        decide = partial(self._decide_many, organization, questions, **options)
        return self.decision_log.noted_many(decide, questions, asked)

    def together(self) -> AbstractContextManager[None]:
        """A `with` block for many checks by this thread that had all begun before it: they share one test of
        freshness.

        Within it, standard checks may be decided at the state at its beginning, or a later one. Raises a
        StoreError at the beginning.
        """
        return nullcontext() if self._recall is None else self._recall.shared_freshness()

    def recall(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
    ) -> list[Decision] | None:
        """As `check_many`, if the cache has all answers; else None. Does not read the store."""
        found = self._recalled(organization, questions)
        if found is not None and self.decision_log is not None:
            name = self._organization if organization is None else organization
            self.decision_log.note_many(name, questions, found)
        return found

    def explain(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        within: object = None,
        at: At | None = None,
    ) -> Decision:
        """The decision with all the chains that allow it, or with what is missing. `at` as for `check`."""
        return self.check(
            subject,
            permission,
            resource,
            organization=organization,
            at_least=at_least,
            assurance=assurance,
            explain=True,
            within=within,
            at=at,
        )

    def permissions_of(
        self,
        subject: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        **options: Any,
    ) -> Page:
        """The permissions that a subject has on a resource. Options as for `who_can`.

        For `group:…`: the permissions that it gives its members there, by the facts of now.
        """
        if isinstance(subject, str) and subject.startswith("group:"):
            if options.pop("at", None) is not None:
                raise InvalidArgument(
                    what="at", hint="name a subject; a group is not asked about the past"
                )
            return self._permissions_of_group(organization, subject, resource, **options)
        question = self._question(organization, subject, "*", resource)
        return self._page("permissions", question, **options)

    def resources_of(
        self,
        subject: str,
        permission: str,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **options: Any,
    ) -> Page:
        """The resources on which a subject has a permission; with `resource_type`, of that type only."""
        question = self._question(organization, subject, permission, None)
        kind = "" if resource_type is None else f"{model.resource_type_id(resource_type)}:"
        return self._page("resources", question, kind=kind, **options)

    def who_can(
        self,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        **options: Any,
    ) -> Page:
        """The subjects that have a permission on a resource; with `subject_kind`, of that kind only.

        Options: `limit` (1 to 10,000), `cursor` (of the page before), `at_least`, `assurance`, `within`; or
        `at`, as for `check`.
        """
        question = self._question(organization, "user:*", permission, resource)
        kind = "" if subject_kind is None else f"{model.require_subject_kind(subject_kind)}:"
        return self._page("subjects", question, kind=kind, **options)

    def _page(
        self, query: str, question: Question, *, at: At | None = None, **options: Any
    ) -> Page:
        if at is not None:
            return self._past.page(query, question, at, **options)
        return self._questions.page(query, question, **options)

    def _decide(
        self,
        organization: str | None,
        asked: tuple[str, str, str | None],
        *,
        explain: bool,
        within: Any,
        **options: Any,
    ) -> Decision:
        """As `check`, by the router."""
        question, questions = self._question(organization, *asked), self._questions
        if explain:
            return questions.explain(question, within=within, **options)
        if within is not None:
            return questions.check_within(question, within=within, **options)
        return questions.check(question, **options)

    def _recalled(self, organization: str | None, questions: Any) -> list[Decision] | None:
        """As `recall`."""
        if self._recall is None:
            return None
        name = self._organization if organization is None else organization
        return self._recall.decide_many(name, questions)

    def _decide_many(
        self,
        organization: str | None,
        questions: Any,
        *,
        at_least: str | None,
        assurance: Assurance,
        within: object,
    ) -> list[Decision]:
        """As `check_many`: from memory where that has all answers, else by the router."""
        if at_least is None and assurance == "standard" and within is None:
            with DECIDING:
                found = self._recalled(organization, questions)
            if found is not None:
                return found
        asked = [self._question(organization, *question) for question in _triples(questions)]
        return self._questions.check_many(
            asked, at_least=at_least, assurance=assurance, within=within
        )

    def _question(
        self, organization: str | None, subject: str, permission: str, resource: str | None
    ) -> Question:
        return Question(
            self._named(organization),
            model.subject_id(subject),
            model.permission_id(permission),
            model.resource_id(resource),
        )


def _triples(questions: Any) -> list[tuple[Any, Any, Any]]:
    try:
        return [(subject, permission, resource) for subject, permission, resource in questions]
    except (TypeError, ValueError):
        hint = "give a list of (subject, permission, resource)"
        raise InvalidArgument(what="questions", value=reprlib.repr(questions), hint=hint) from None
