"""The questions of a client, as calls. Their names, parameters and results are those of `Authority`."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any

from rescind import model
from rescind.client import answers
from rescind.client.asking import (
    Asking,
    at_text,
    required_assurance,
)
from rescind.client.calls import Call
from rescind.client.facts import paging_of
from rescind.errors import InvalidArgument
from rescind.model import (
    AlikeIds,
    Assurance,
    At,
    Decision,
    Page,
)


class Questions:
    """Checks, explanations, and lists of who can do what."""

    asking: Asking

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
        at: At | None = None,
    ) -> Call[Decision]:
        """Whether the subject may, as `Authority.check` decides. What a change has revoked is not allowed
        once that change has returned, whoever made it.

        Raises DecisionUnavailable or its TimedOut if the service does not answer, and never returns an older
        answer. `is_critical` of the decision is not told.
        """
        fields = _question(subject, permission, resource)
        fields |= {"assurance": required_assurance(assurance), "at": at_text(at)}
        if explain:
            fields["explain"] = True
        return self._decided(("v1", "check"), answers.decision, fields, organization, at_least)

    def check_many(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        at: At | None = None,
    ) -> Call[list[Decision]]:
        """A decision for each (subject, permission, resource), all at one state of the facts, as for `check`.

        The service answers as many as its limit `batch_checks` says; the default is 1,000.
        """
        asked = [_question(*each) for each in _triples(questions)]
        fields = {
            "checks": asked,
            "assurance": required_assurance(assurance),
            "at": at_text(at),
        }
        read = answers.decisions(len(asked))
        return self._decided(("v1", "check", "batch"), read, fields, organization, at_least)

    def explain(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        at: At | None = None,
    ) -> Call[Decision]:
        """The decision with all the chains that allow it, or with what is missing."""
        return self.check(
            subject,
            permission,
            resource,
            organization=organization,
            at_least=at_least,
            assurance=assurance,
            explain=True,
            at=at,
        )

    def permissions_of(
        self,
        subject: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        **options: Any,
    ) -> Call[Page]:
        """The permissions that a subject, or `group:…`, has on a resource. Options as for `who_can`."""
        is_group = isinstance(subject, str) and subject.startswith("group:")
        named = model.holder_id(subject) if is_group else model.subject_id(subject)
        asked: dict[str, Any] = {"subject": named, "resource": model.resource_id(resource)}
        return self._names("permissions-of", organization, asked, options)

    def resources_of(
        self,
        subject: str,
        permission: str,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **options: Any,
    ) -> Call[Page]:
        """The resources on which a subject has a permission; with `resource_type`, of that type only."""
        asked: dict[str, Any] = {
            "subject": model.subject_id(subject),
            "permission": model.permission_id(permission),
        }
        if resource_type is not None:
            asked["resource_type"] = model.resource_type_id(resource_type)
        return self._names("resources-of", organization, asked, options)

    def who_can(
        self,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        **options: Any,
    ) -> Call[Page]:
        """The subjects that have a permission on a resource; with `subject_kind`, of that kind only.

        Options: `limit` (1 to the service's `page_items`), `cursor` (of the page before), `at_least`,
        `assurance`; or `at`, as for `check`.
        """
        asked: dict[str, Any] = {
            "permission": model.permission_id(permission),
            "resource": model.resource_id(resource),
        }
        if subject_kind is not None:
            asked["subject_kind"] = model.require_subject_kind(subject_kind)
        return self._names("who-can", organization, asked, options)

    def look_alikes(
        self, *, organization: str | None = None, limit: int = 1_000
    ) -> Call[list[AlikeIds]]:
        """Sets of ids that look alike: of people, groups, roles and permissions, at most `limit` of each."""
        limit = model.require_number("limit", limit, least=1)
        name = self.asking.named(organization)
        return self.asking.get(("v1", "look-alikes"), answers.look_alikes, name, limit=limit)

    def _decided(
        self,
        route: tuple[str, ...],
        read: Any,
        fields: dict[str, Any],
        organization: str | None,
        at_least: str | None,
    ) -> Call[Any]:
        name, is_fresh = self.asking.named(organization), fields["at"] is None
        headers, refused = self.asking.reading(name, at_least, is_fresh=is_fresh)
        fields["organization"] = name
        return self.asking.post(
            route, read, fields, headers=headers, is_check=True, refused=refused
        )

    def _names(
        self, route: str, organization: str | None, asked: dict[str, Any], options: dict[str, Any]
    ) -> Call[Page]:
        name, more = self.asking.named(organization), _of_names(**options)
        return self.asking.get(("v1", route), answers.names, name, **asked, **more)


def _of_names(
    *, assurance: Assurance = "standard", at: At | None = None, **paging: Any
) -> dict[str, Any]:
    """The options of lists of who can do what. Raises TypeError for others."""
    past = at_text(at)
    return {
        "assurance": required_assurance(assurance),
        "at": past,
        "is_fresh": past is None,
        **paging_of(**paging),
    }


def _question(subject: object, permission: object, resource: object) -> dict[str, Any]:
    return {
        "subject": model.subject_id(subject),
        "permission": model.permission_id(permission),
        "resource": model.resource_id(resource),
    }


def _triples(questions: Any) -> list[tuple[Any, Any, Any]]:
    try:
        return [(subject, permission, resource) for subject, permission, resource in questions]
    except (TypeError, ValueError):
        hint = "give a list of (subject, permission, resource)"
        raise InvalidArgument(what="questions", value=reprlib.repr(questions), hint=hint) from None
