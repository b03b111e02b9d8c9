"""Evaluation: AuthZEN's questions as checks. What cannot be named here is denied, never an error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from rescind.decision_log.entries import Asked as Question
from rescind.errors import InvalidArgument, InvalidRequest, MalformedId
from rescind.http.answers import CheckResponse
from rescind.http.authzen.shapes import (
    Action,
    Asked,
    Common,
    Entity,
    EvaluationItemRequest,
    EvaluationRequest,
    EvaluationResponse,
    EvaluationsRequest,
    EvaluationsResponse,
    asked_of,
)
from rescind.http.server.service import Service
from rescind.model import (
    ROOT,
    SUBJECT_KINDS,
    Assurance,
    Decision,
    ResourceId,
    SubjectId,
    permission_id,
    resource_named,
    subject_id,
)

Triple = tuple[str, str, str | None]
IDENTITY: Final = "identity"
STOPS_AT: Final = {"deny_on_first_deny": False, "permit_on_first_permit": True}


def evaluate(
    service: Service, organization: str, asked: EvaluationRequest, at_least: str | None
) -> tuple[EvaluationResponse, str | None]:
    """The answer, and the revision token that it was made at."""
    wish = asked_of(asked.context)
    question = triple(asked.subject, asked.action, asked.resource, organization)
    if question is None:
        return _unknown(service, organization, asked, wish), None
    decision = service.authority.check(
        *question,
        organization=organization,
        at_least=at_least,
        assurance=wish.assurance,
        explain=wish.explain,
    )
    return _answer(decision, wish), decision.token


def evaluate_many(
    service: Service, organization: str, asked: EvaluationsRequest, at_least: str | None
) -> tuple[EvaluationsResponse | EvaluationResponse, str | None]:
    """All at one state of the facts. An item that is no question is a deny in its place.

    Raises InvalidRequest where there is neither a list nor a whole question; InvalidArgument for more
    items than the limit.
    """
    if asked.evaluations is UNSET or not asked.evaluations:
        return evaluate(service, organization, _whole(_common(asked)), at_least)
    most = service.limits.batch_checks
    if len(asked.evaluations) > most:
        hint = f"ask at most {most}"
        raise InvalidArgument(what="evaluations", value=len(asked.evaluations), hint=hint)
    service.require_few(len(asked.evaluations))
    common = _common(asked)
    items = [_filled(common, each) for each in asked.evaluations]
    found = _decided(service, organization, items, at_least)
    answers = _until(found, STOPS_AT.get(asked.options.evaluations_semantic))
    return EvaluationsResponse(answers), next((token for _, token in found if token), None)


def triple(subject: Entity, action: Action, resource: Entity, organization: str) -> Triple | None:
    """The question as a check asks it; None where something in it can be the name of nothing."""
    try:
        return (
            subject_name(subject),
            permission_id(action.name),
            resource_name(resource, organization),
        )
    except MalformedId:
        return None


def kind_of(type: str) -> str:
    """The kind of a subject's type. An identity, as gateways name whoever a token is about, is a user."""
    return "user" if type == IDENTITY else type


def subject_name(subject: Entity) -> SubjectId:
    """`kind:id`. Raises MalformedId, also for a type with a colon, the rest of which would be of the id."""
    kind = kind_of(subject.type)
    if kind not in SUBJECT_KINDS:
        hint = f"use one of {', '.join(SUBJECT_KINDS)}"
        raise MalformedId(what="subject type", value=repr(kind[:60]), hint=hint)
    return subject_id(f"{kind}:{subject.id}")


def resource_name(resource: Entity, organization: str) -> ResourceId:
    """`type:id`; the organization itself is of the type `organization`, by its own id. Raises MalformedId."""
    if resource.type == ROOT and resource.id == organization:
        return ROOT
    return resource_named(resource.type, resource.id)


def _decided(
    service: Service,
    organization: str,
    items: list[EvaluationRequest | str],
    at_least: str | None,
) -> list[tuple[EvaluationResponse, str | None]]:
    """Checks of one assurance go together, so that they are at one state."""
    found: dict[int, tuple[EvaluationResponse, str | None]] = {}
    groups: dict[Assurance, list[tuple[int, Triple, Asked]]] = {}
    for place, item in enumerate(items):
        if isinstance(item, str):
            error = {"status": 400, "message": item}
            found[place] = EvaluationResponse(False, {"error": error}), None
            continue
        wish = asked_of(item.context)
        question = triple(item.subject, item.action, item.resource, organization)
        if question is None:
            found[place] = _unknown(service, organization, item, wish), None
        else:
            groups.setdefault(wish.assurance, []).append((place, question, wish))
    for assurance, group in groups.items():
        decisions = service.authority.check_many(
            [question for _, question, _ in group],
            organization=organization,
            at_least=at_least,
            assurance=assurance,
        )
        for (place, _, wish), decision in zip(group, decisions, strict=True):
            found[place] = _answer(decision, wish), decision.token
    return [found[place] for place in range(len(items))]


def _common(asked: EvaluationsRequest) -> EvaluationItemRequest:
    """What items may leave out. An entity that is not whole is not there: parts are never put together."""
    action = asked.action
    return EvaluationItemRequest(
        _entity(asked.subject),
        UNSET if action is UNSET or action.name is UNSET else Action(action.name),
        _entity(asked.resource),
        asked.context,
    )


def _entity(given: Common | UnsetType) -> Entity | UnsetType:
    if given is UNSET or given.type is UNSET or given.id is UNSET:
        return UNSET
    return Entity(given.type, given.id)


def _filled(common: EvaluationItemRequest, given: object) -> EvaluationRequest | str:
    """An item with what it leaves out; in words what is wrong with it, if anything is."""
    try:
        item = msgspec.convert(given, EvaluationItemRequest)
        merged = EvaluationItemRequest(
            **{name: _first(getattr(item, name), getattr(common, name)) for name in _FIELDS}
        )
        whole = _whole(merged)
        asked_of(whole.context)
    except (msgspec.MsgspecError, InvalidRequest, RecursionError) as error:
        return str(error)
    return whole


_FIELDS: Final = EvaluationItemRequest.__struct_fields__


def _first(own: Any, common: Any) -> Any:
    return common if own is UNSET else own


def _whole(asked: EvaluationItemRequest) -> EvaluationRequest:
    if (
        isinstance(asked.subject, UnsetType)
        or isinstance(asked.action, UnsetType)
        or isinstance(asked.resource, UnsetType)
    ):
        missing = [n for n in ("subject", "action", "resource") if getattr(asked, n) is UNSET]
        raise InvalidRequest(why=f"there is no whole {' and no whole '.join(missing)}")
    return EvaluationRequest(asked.subject, asked.action, asked.resource, asked.context)


def _until(
    found: Iterable[tuple[EvaluationResponse, str | None]], stops_at: bool | None
) -> list[EvaluationResponse]:
    """The answers up to and with the first that is as given; all where none is, or nothing is given."""
    answers = []
    for answer, _ in found:
        answers.append(answer)
        if answer.decision is stops_at:
            break
    return answers


def _answer(decision: Decision, wish: Asked) -> EvaluationResponse:
    if not wish.explain:
        return EvaluationResponse(decision.allowed)
    told = msgspec.to_builtins(CheckResponse.of(decision))
    del told["allowed"]
    return EvaluationResponse(decision.allowed, told)


def _unknown(
    service: Service, organization: str, asked: EvaluationRequest, wish: Asked
) -> EvaluationResponse:
    if service.decision_log is not None:
        subject = f"{kind_of(asked.subject.type)}:{asked.subject.id}"
        on = f"{asked.resource.type}:{asked.resource.id}"
        on = ROOT if on == f"{ROOT}:{organization}" else on
        question = Question(organization, subject, asked.action.name, on)
        service.decision_log.note_unknown_name(question)
    return EvaluationResponse(False, {"reason": "unknown_name"} if wish.explain else UNSET)
