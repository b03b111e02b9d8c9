"""A client has what `Authority` has, by the same names; what it does not have is listed."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import pytest

from rescind import Authority, errors
from rescind.client import LEFT_OUT, OPTIONS_LEFT_OUT, AsyncClient, Client
from rescind.client.clients import METHODS
from rescind.client.problems import error_of
from rescind.errors import RescindError
from rescind.http import answers as served
from rescind.http import problems
from rescind.http.routes import (
    access_history,
    actions,
    checks,
    facts,
    log_proof,
    look_alikes,
    pending,
    reviews,
)
from rescind.http.routes import changes as changes_routes
from tests import client_stub

PUBLIC = {
    name
    for name in dir(Authority)
    if not name.startswith("_") and callable(getattr(Authority, name)) and name != "close"
}


def test_each_method_is_there_or_left_out() -> None:
    """A new method of `Authority` must be decided on."""
    assert set(METHODS) | LEFT_OUT.keys() == PUBLIC
    assert not set(METHODS) & LEFT_OUT.keys()
    assert OPTIONS_LEFT_OUT.keys() <= set(METHODS)
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("name", METHODS)
def test_each_method_has_the_parameters_of_the_library(client: type[Any], name: str) -> None:
    """The same names, kinds and defaults, but for those that are left out."""
    mine = inspect.signature(getattr(client, name)).parameters
    theirs = dict(inspect.signature(getattr(Authority, name)).parameters)
    for option in OPTIONS_LEFT_OUT.get(name, ()):
        del theirs[option]
    assert [(p.name, p.kind, p.default) for p in mine.values()] == [
        (p.name, p.kind, p.default) for p in theirs.values()
    ]
    assert getattr(client, name).__doc__


def test_the_declarations_are_those_of_now() -> None:
    """For type checkers."""
    declared = ast.dump(ast.parse(client_stub.PATH.read_text("utf-8")))
    made = client_stub.tidied(client_stub.text(), client_stub.PATH)
    assert declared == ast.dump(ast.parse(made)), "run `make client-stub`"


def test_the_declarations_have_the_return_types_of_the_library() -> None:
    """A result is of the type that `Authority` returns."""
    tree = ast.parse(client_stub.PATH.read_text("utf-8"))
    (body,) = [n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Client"]
    mine = {
        node.name: ast.unparse(node.returns)
        for node in body
        if isinstance(node, ast.FunctionDef) and node.returns is not None
    }
    theirs = {name: str(getattr(Authority, name).__annotations__["return"]) for name in METHODS}
    assert {name: mine[name] for name in METHODS} == theirs


# --- errors -------------------------------------------------------------------------------------------------


def _all(root: type[RescindError]) -> list[type[RescindError]]:
    return [root, *(found for child in root.__subclasses__() for found in _all(child))]


PUBLIC_ERRORS = [
    kind for kind in _all(RescindError) if kind.__module__.startswith("rescind.errors")
]


@pytest.mark.parametrize("kind", PUBLIC_ERRORS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("hints", [True, False])
def test_each_error_is_made_again(kind: type[RescindError], hints: bool) -> None:
    """The same class, facts and words, but for facts about the database."""
    given = {"group": "eng", "number": 7, "did_you_mean": ("a", "b"), "hint": "say {force}"}
    raised = kind(**given)
    fields, body = problems.encoded(raised, "request-1", hints=hints)
    media = dict(fields)[b"content-type"].decode()
    found = error_of(problems.status_of(raised), media, body)
    expected = raised if hints else raised.without_hint()
    if isinstance(raised, errors.StoreError) and problems.status_of(raised) >= 500:
        expected = kind()
    assert type(found) is kind
    assert found.facts == expected.facts
    assert str(found) == str(expected)
    assert found.__notes__ == ["request request-1"]


def test_facts_have_a_bounded_size() -> None:
    """Whatever was sent is not sent back whole."""
    raised = errors.InvalidArgument(
        what="x", value=2**100, long="z" * 10_000, others=("y",) * 1_000, odd=object
    )
    _, body = problems.encoded(raised, "r")
    assert len(body) < 5_000
    found = error_of(400, problems.MEDIA_TYPE, body)
    assert found is not None
    assert found.facts["value"] == str(2**100)


# --- the service's answers ----------------------------------------------------------------------------------

PAIRS: list[tuple[str, Any, str, set[str]]] = [
    ("answers", served.CheckResponse, "DecisionAnswer", set()),
    ("answers", checks.CheckBatchResponse, "DecisionsAnswer", set()),
    ("answers", served.NamesResponse, "NamesAnswer", set()),
    ("answers", served.ReceiptResponse, "ReceiptAnswer", set()),
    ("answers", facts.FactsResponse, "FactsAnswer", set()),
    ("answers", look_alikes.LookAlikeSetResponse, "AlikeSetAnswer", set()),
    ("records", served.LogEntryResponse, "LogEntryAnswer", set()),
    ("records", changes_routes.LogResponse, "LogAnswer", set()),
    ("records", actions.ActionsResponse, "ActionsAnswer", set()),
    ("records", log_proof.LogHeadsResponse, "HeadsAnswer", set()),
    ("records", log_proof.VerifiedLogsResponse, "VerifiedAnswer", set()),
    ("records", served.PendingItemResponse, "PendingItemAnswer", set()),
    ("records", access_history.AccessHistoryResponse, "HistoryAnswer", set()),
    ("records", access_history.LifeResponse, "LifeAnswer", set()),
    ("records", access_history.IdChangeResponse, "IdChangeAnswer", set()),
    ("records", pending.PendingChangeResponse, "ChangedAnswer", set()),
    ("records", reviews.ReviewResponse, "ReviewAnswer", set()),
    ("records", reviews.StaleLineResponse, "StaleAnswer", set()),
    ("records", reviews.ReviewOutcomeResponse, "OutcomeAnswer",
     {"review", "organization", "is_complete"}),
]  # fmt: skip


@pytest.mark.parametrize(("module", "theirs", "name", "unread"), PAIRS, ids=[p[2] for p in PAIRS])
def test_each_field_of_an_answer_is_read(
    module: str, theirs: Any, name: str, unread: set[str]
) -> None:
    """A new field of an answer must be decided on."""
    from rescind.client import answers, records

    mine = getattr({"answers": answers, "records": records}[module], name)
    assert set(mine.__struct_fields__) == set(theirs.__struct_fields__) - unread
