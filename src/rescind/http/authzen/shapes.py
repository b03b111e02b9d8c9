"""What AuthZEN sends and gets. Unknown fields are ignored, as its specification asks."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rescind.errors import InvalidRequest

Properties: TypeAlias = dict[str, Any]


class Entity(Struct, frozen=True):
    """A subject or a resource."""

    type: str
    id: str
    properties: Properties | UnsetType = UNSET


class Action(Struct, frozen=True):
    """What is to be done: a permission."""

    name: str
    properties: Properties | UnsetType = UNSET


class Common(Struct, frozen=True):
    """An entity that stands beside many evaluations. Where it is not whole, it is none for any of them."""

    type: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    properties: Properties | UnsetType = UNSET


class CommonAction(Struct, frozen=True):
    """The same, for what is to be done."""

    name: str | UnsetType = UNSET
    properties: Properties | UnsetType = UNSET


class Kind(Struct, frozen=True):
    """An entity that is searched for: its id, if there is one, does not matter."""

    type: str
    properties: Properties | UnsetType = UNSET


class Options(Struct, frozen=True):
    """How a list of evaluations is to be done."""

    evaluations_semantic: Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"] = (
        "execute_all"
    )


class EvaluationRequest(Struct, frozen=True):
    """One question. `context.rescind` may ask for `explain` and for the assurance `live`."""

    subject: Entity
    action: Action
    resource: Entity
    context: Properties | UnsetType = UNSET


class EvaluationsRequest(Struct, frozen=True):
    """Many questions; what is left out of one is as it stands beside them, whole entities only."""

    subject: Common | UnsetType = UNSET
    action: CommonAction | UnsetType = UNSET
    resource: Common | UnsetType = UNSET
    context: Properties | UnsetType = UNSET
    evaluations: list[Any] | UnsetType = UNSET
    options: Options = Options()


class EvaluationItemRequest(Struct, frozen=True):
    """One of many."""

    subject: Entity | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    resource: Entity | UnsetType = UNSET
    context: Properties | UnsetType = UNSET


class EvaluationResponse(Struct, frozen=True):
    """True or false, and why where that was asked."""

    decision: bool
    context: Properties | UnsetType = UNSET


class EvaluationsResponse(Struct, frozen=True):
    """In the order of the questions; with a semantic that stops, up to the one that stopped it."""

    evaluations: list[EvaluationResponse]


class PageRequest(Struct, frozen=True):
    """The first page has no token; later ones have the one before's, which holds its limit."""

    token: str = ""
    limit: int | UnsetType = UNSET


class SubjectSearchRequest(Struct, frozen=True):
    """Who may?"""

    subject: Kind
    action: Action
    resource: Entity
    context: Properties | UnsetType = UNSET
    page: PageRequest = PageRequest()


class ResourceSearchRequest(Struct, frozen=True):
    """On what?"""

    subject: Entity
    action: Action
    resource: Kind
    context: Properties | UnsetType = UNSET
    page: PageRequest = PageRequest()


class ActionSearchRequest(Struct, frozen=True):
    """What may be done?"""

    subject: Entity
    resource: Entity
    context: Properties | UnsetType = UNSET
    page: PageRequest = PageRequest()


class PageResponse(Struct, frozen=True):
    """`next_token` is empty on the last page."""

    next_token: str
    count: int


class Found(Struct, frozen=True):
    """An entity, or an action's name."""

    type: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class SearchResponse(Struct, frozen=True):
    """A page of what was found."""

    page: PageResponse
    results: list[Found]


class Asked(Struct, frozen=True):
    """What a request's context asks of us, under `rescind`."""

    explain: bool = False
    assurance: Literal["standard", "live"] = "standard"


_NOTHING = Asked()


def asked_of(context: Properties | UnsetType) -> Asked:
    """What the context asks. Raises InvalidRequest where that is malformed."""
    if not context or "rescind" not in context:
        return _NOTHING
    try:
        return msgspec.convert(context["rescind"], Asked)
    except msgspec.ValidationError as error:
        raise InvalidRequest(why=f"context.rescind: {error}") from None
