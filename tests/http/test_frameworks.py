"""Routes of FastAPI and views of Flask that require a permission."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header
from flask import Flask, g
from flask import request as flask_request

from rescind import Authority
from rescind.changes import RemoveMembers
from rescind.errors import DecisionUnavailable, InvalidArgument, MalformedId
from rescind.integrations import fastapi, flask
from tests.conftest import Make

WHO = "X-User"


class Answer(NamedTuple):
    status: int
    headers: httpx.Headers
    body: Any


Ask = Callable[..., Answer]


@pytest.fixture
def filled(new_database: Make) -> Iterator[Authority]:
    with Authority.open(new_database("sqlite", is_filled=True), organization="acme") as authority:
        yield authority


def subject(x_user: Annotated[str | None, Header()] = None) -> str | None:
    return x_user


def of_fastapi(authority: Authority, **options: Any) -> FastAPI:
    app = FastAPI()
    access = fastapi.Access(authority, subject=subject, **options)
    access.install(app)
    on_doc = access.require("read", resource=fastapi.from_path("doc", type="doc"))

    @app.get("/docs/{doc}", dependencies=[Depends(on_doc)])
    def read(doc: str) -> str:
        return doc

    router = APIRouter(prefix="/all", dependencies=[Depends(access.require("write"))])

    @router.get("/settings")
    def settings() -> str:
        return "settings"

    app.include_router(router)
    return app


def of_flask(authority: Authority, **options: Any) -> Flask:
    app = Flask("app")
    access = flask.Access(authority, subject=lambda: flask_request.headers.get(WHO), **options)

    @app.get("/docs/<doc>")
    @access.require("read", resource=flask.from_view("doc", type="doc"))
    def read(doc: str) -> str:
        assert g.decision
        assert g.subject
        return doc

    @app.get("/all/settings")
    def settings() -> str:
        access.demand("write")
        return "settings"

    return app


def asked_of_fastapi(app: FastAPI) -> Ask:
    async def sent(path: str, headers: dict[str, str]) -> Answer:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            response = await client.get(path, headers=headers)
            return Answer(response.status_code, response.headers, response.json())

    return lambda path, **headers: asyncio.run(sent(path, _named(headers)))


def asked_of_flask(app: Flask) -> Ask:
    def sent(path: str, **headers: str) -> Answer:
        response = app.test_client().get(path, headers=_named(headers))
        return Answer(
            response.status_code,
            httpx.Headers(list(response.headers)),
            response.get_json(silent=True),
        )

    return sent


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {WHO if name == "user" else "Rescind-At-Least": value for name, value in headers.items()}


@pytest.fixture(params=["fastapi", "flask"])
def make(request: pytest.FixtureRequest) -> Callable[..., Ask]:
    if request.param == "fastapi":
        return lambda authority, **options: asked_of_fastapi(of_fastapi(authority, **options))
    return lambda authority, **options: asked_of_flask(of_flask(authority, **options))


def test_a_route_lets_in_who_has_the_permission(
    make: Callable[..., Ask], filled: Authority
) -> None:
    ask = make(filled)
    assert ask("/docs/1", user="user:ada").status == 200
    assert ask("/all/settings", user="user:ada").status == 403
    denied = ask("/docs/1", user="user:eve")
    assert denied.status == 403
    assert denied.headers["content-type"].startswith("application/problem+json")
    assert denied.body == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "read is required.",
    }


def test_a_removal_holds_for_the_next_request(make: Callable[..., Ask], filled: Authority) -> None:
    ask = make(filled)
    filled.apply([RemoveMembers(group="eng", members=("user:ada",))])
    assert ask("/docs/1", user="user:ada").status == 403


def test_nobody_is_let_in_without_a_subject_or_with_odd_names(
    make: Callable[..., Ask], filled: Authority
) -> None:
    ask = make(filled)
    assert ask("/docs/1").status == 401
    for user, doc in [
        ("user:", "1"),
        ("group:eng", "1"),
        ("*", "1"),
        ("user:ada\tb", "1"),
        ("user:ada", "a%20b"),
        ("user:ada", "404"),
        ("user:ada", "%00"),
    ]:
        assert ask(f"/docs/{doc}", user=user).status == 403, (user, doc)


def test_a_token_of_a_change_is_heeded(make: Callable[..., Ask], filled: Authority) -> None:
    ask = make(filled)
    token = filled.check("user:ada", "read").token
    assert token is not None
    assert ask("/docs/1", user="user:ada", token=token).status == 200
    assert ask("/docs/1", user="user:ada", token="nonsense").status == 400


def test_without_a_decision_nobody_is_let_in(
    make: Callable[..., Ask], filled: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise DecisionUnavailable

    ask = make(filled)
    monkeypatch.setattr(filled, "check", unavailable)
    refused = ask("/docs/1", user="user:ada")
    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert "unavailable" not in refused.body["detail"]


def test_a_tenant_is_asked_for_its_own(make: Callable[..., Ask], filled: Authority) -> None:
    assert make(filled, organization="acme")("/docs/1", user="user:ada").status == 200
    assert make(filled, organization=lambda: "acme")("/docs/1", user="user:ada").status == 200
    assert make(filled, organization=lambda: "other")("/docs/1", user="user:ada").status == 403


def test_a_permission_that_cannot_be_is_refused_at_once(filled: Authority) -> None:
    for access in (
        fastapi.Access(filled, subject=subject),
        flask.Access(filled, subject=lambda: None),
    ):
        with pytest.raises(MalformedId):
            access.require("")


def test_the_document_shows_what_a_route_requires(filled: Authority) -> None:
    paths = of_fastapi(filled).openapi()["paths"]
    read = paths["/docs/{doc}"]["get"]
    assert read[fastapi.EXTENSION] == ["read on doc:{doc}"]
    assert "read on doc:{doc}" in read["responses"]["403"]["description"]
    assert paths["/all/settings"]["get"][fastapi.EXTENSION] == ["write"]


def test_a_path_without_the_parameter_is_found_out(filled: Authority) -> None:
    app = of_fastapi(filled)
    access = fastapi.Access(filled, subject=subject)
    on = access.require("read", resource=fastapi.from_path("id", type="doc"))
    app.get("/broken/{doc}", dependencies=[Depends(on)])(lambda: None)
    with pytest.raises(InvalidArgument, match="no such parameter"):
        app.openapi()


def test_a_broken_route_lets_nobody_in(tmp_path: Path, filled: Authority) -> None:
    app = of_fastapi(filled)
    access = fastapi.Access(filled, subject=subject)
    on = access.require("read", resource=fastapi.from_path("id", type="doc"))
    app.get("/broken/{doc}", dependencies=[Depends(on)])(lambda: "in")
    with pytest.raises(KeyError):
        asked_of_fastapi(app)("/broken/1", user="user:ada")
