"""Routes of FastAPI and Litestar, and views of Flask, that require a permission."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header
from fastapi.testclient import TestClient as FastAPIClient
from flask import Flask, g, jsonify
from flask import request as flask_request
from litestar import Litestar, Request, Router, get
from litestar.di import NamedDependency, Provide
from litestar.testing import TestClient

from rescind import Authority, Decision
from rescind.changes import DeletePermission, RemoveMembers
from rescind.errors import DecisionUnavailable, InvalidArgument, MalformedId
from rescind.integrations import fastapi, flask, litestar, outcomes
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


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[logging.LogRecord]]:
    """What a request logs of its decision. A handler of our own: Litestar sets the root's anew."""
    monkeypatch.setattr(outcomes, "warned", set())
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    outcomes.log.addHandler(handler)
    yield records
    outcomes.log.removeHandler(handler)


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

    @app.get("/mine")
    def mine(user: str = Depends(access.signed_in())) -> str:
        return user

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

    @app.get("/mine")
    def mine() -> Any:
        assert access.signed_in() == g.subject
        return jsonify(g.subject)

    return app


def of_litestar(authority: Authority, **options: Any) -> Litestar:
    if callable(named := options.get("organization")):
        options["organization"] = lambda _: named()
    access = litestar.Access(
        authority, subject=lambda connection: connection.headers.get(WHO), **options
    )
    on_doc = litestar.from_path("doc", type="doc")

    @get("/docs/{doc:str}", guards=[access.require("read", resource=on_doc)])
    async def read(request: Request[Any, Any, Any]) -> str:
        return str(request.path_params["doc"])

    @get("/settings")
    async def settings() -> str:
        return "settings"

    @get(
        "/decided/{doc:str}",
        dependencies={"made": Provide(access.decision("read", resource=on_doc))},
    )
    async def decided(made: NamedDependency[Decision]) -> str:
        return f"{made.allowed}"

    @get("/mine", dependencies={"user": Provide(access.signed_in())})
    async def mine(user: NamedDependency[str]) -> str:
        return user

    router = Router("/all", route_handlers=[settings], guards=[access.require("write")])
    return Litestar([read, decided, mine, router], plugins=[access])


def asked_of_litestar(app: Litestar) -> Ask:
    def sent(path: str, **headers: str) -> Answer:
        with TestClient(app) as client:
            response = client.get(path, headers=_named(headers))
        is_json = "json" in response.headers.get("content-type", "")
        return Answer(
            response.status_code,
            httpx.Headers(list(response.headers.items())),
            response.json() if is_json else response.text,
        )

    return sent


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


@pytest.fixture(params=["fastapi", "flask", "litestar"])
def make(request: pytest.FixtureRequest) -> Callable[..., Ask]:
    if request.param == "fastapi":
        return lambda authority, **options: asked_of_fastapi(of_fastapi(authority, **options))
    if request.param == "litestar":
        return lambda authority, **options: asked_of_litestar(of_litestar(authority, **options))
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


def test_what_is_not_decided_is_logged_with_its_cause(
    make: Callable[..., Ask],
    filled: Authority,
    monkeypatch: pytest.MonkeyPatch,
    said: list[logging.LogRecord],
) -> None:
    """The response is silent about it, so whoever runs the application has nothing else to go by."""

    def unavailable(*_: object, **__: object) -> None:
        raise DecisionUnavailable(why="no route to host")

    ask = make(filled)
    monkeypatch.setattr(filled, "check", unavailable)
    assert ask("/docs/1", user="user:ada").status == 503
    (record,) = said
    assert record.levelname == "ERROR"
    assert "no route to host" in record.getMessage()


def test_a_permission_that_nobody_can_have_is_logged_once(
    make: Callable[..., Ask],
    filled: Authority,
    said: list[logging.LogRecord],
) -> None:
    filled.apply([DeletePermission(permission="read", cascade=True)])
    ask, elsewhere = make(filled), make(filled, organization="acne")
    for _ in range(2):
        assert ask("/docs/1", user="user:ada").status == 403
        assert elsewhere("/docs/1", user="user:ada").status == 403
        assert ask("/docs/1", user="robot:r2").status == 403
        assert ask("/docs/1", user="robot:d2").status == 403
    assert [each.getMessage() for each in said] == [
        "read is refused: the organization has no such permission (said once)",
        "read is refused: there is no such organization (said once)",
        "read is refused: a subject was malformed; give user:…, or nothing (said once)",
    ]


def test_an_ordinary_denial_is_not_logged(
    make: Callable[..., Ask], filled: Authority, said: list[logging.LogRecord]
) -> None:
    ask = make(filled)
    assert ask("/docs/1", user="user:eve").status == 403
    assert ask("/docs/404", user="user:ada").status == 403
    assert ask("/docs/%00", user="user:ada").status == 403
    assert said == []


def test_a_list_has_somebody_to_list_for(make: Callable[..., Ask], filled: Authority) -> None:
    """Its query would refuse None, and names that can be no subject's, with an error of the server."""
    ask = make(filled)
    assert ask("/mine", user="user:ada")[::2] == (200, "user:ada")
    assert ask("/mine", user="ada").body == "user:ada"
    nobody = ask("/mine")
    assert nobody.status == 401
    assert nobody.headers["content-type"].startswith("application/problem+json")
    for user in ("", "user:", "robot:r2", "group:eng", "x" * 300):
        assert ask("/mine", user=user).status == 403, user


def test_a_tenant_is_asked_for_its_own(make: Callable[..., Ask], filled: Authority) -> None:
    assert make(filled, organization="acme")("/docs/1", user="user:ada").status == 200
    assert make(filled, organization=lambda: "acme")("/docs/1", user="user:ada").status == 200
    assert make(filled, organization=lambda: "other")("/docs/1", user="user:ada").status == 403


def test_a_request_of_no_tenant_is_not_one_of_the_authoritys_own(
    make: Callable[..., Ask], filled: Authority, said: list[logging.LogRecord]
) -> None:
    """(Control: without an `organization`, the authority's own is meant, and ada may.)"""
    assert make(filled)("/docs/1", user="user:ada").status == 200
    assert make(filled, organization=lambda: None)("/docs/1", user="user:ada").status == 403
    assert [each.getMessage() for each in said] == [
        "read is refused: an organization was malformed, or none was found for a request (said once)"
    ]


def test_a_permission_that_cannot_be_is_refused_at_once(filled: Authority) -> None:
    for access in (
        fastapi.Access(filled, subject=subject),
        flask.Access(filled, subject=lambda: None),
        litestar.Access(filled, subject=lambda _: None),
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


def test_litestar_shows_what_a_route_requires(filled: Authority) -> None:
    """By guards of the route and of its router, and by dependencies."""
    paths = of_litestar(filled).openapi_schema.to_schema()["paths"]
    for path in ("/docs/{doc}", "/decided/{doc}"):
        read = paths[path]["get"]
        assert read[litestar.EXTENSION] == ["read on doc:{doc}"]
        assert "read on doc:{doc}" in read["responses"]["403"]["description"]
    assert paths["/all/settings"]["get"][litestar.EXTENSION] == ["write"]


def test_litestar_gives_the_decision(filled: Authority) -> None:
    """To a handler that asks for it, and only if it is allowed."""
    ask = asked_of_litestar(of_litestar(filled))
    assert ask("/decided/1", user="user:ada").body == "True"
    assert ask("/decided/1", user="user:eve").status == 403
    assert ask("/decided/1").status == 401


def test_litestar_finds_out_a_path_without_the_parameter(filled: Authority) -> None:
    access = litestar.Access(filled, subject=lambda _: "user:ada")
    guard = access.require("read", resource=litestar.from_path("id", type="doc"))

    @get("/broken/{doc:str}", guards=[guard])
    async def broken() -> str:
        return "in"

    with pytest.raises(InvalidArgument, match="no such parameter"):
        Litestar([broken], plugins=[access])
    with TestClient(
        Litestar([broken], debug=False)
    ) as client:  # without the plugin nobody is let in either
        assert client.get("/broken/1").status_code == 500


def in_path_of_fastapi(access: fastapi.Access, dependency: Any) -> int:
    app = FastAPI()

    @app.get("/mine", dependencies=[Depends(dependency)])
    def mine() -> str:
        return "in"

    return int(FastAPIClient(app).get("/mine", params={"permission": "read"}).status_code)


def test_fastapi_given_the_method_itself(
    filled: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As is usual in FastAPI for what needs no argument: it works without parentheses. With an argument it is
    refused when the route is made. The controls, plain methods: everybody is let in.
    """
    access = fastapi.Access(filled, subject=subject)
    assert in_path_of_fastapi(access, access.signed_in) == 401
    assert in_path_of_fastapi(access, access.signed_in()) == 401
    with pytest.raises(TypeError, match=r"call it with a permission: Depends\(access.require"):
        in_path_of_fastapi(access, access.require)
    assert in_path_of_fastapi(access, lambda: access.signed_in()) == 200
    monkeypatch.delattr(fastapi.Access.require, "__signature__")
    assert in_path_of_fastapi(access, access.require) == 200


def without_depends(asked: Any, form: str) -> dict[str, int]:
    """The statuses of a route that has `asked` in place of `Depends(asked)`: for nobody, and for a reader."""
    app = FastAPI()

    def by_default(given: Any = asked) -> str:
        return "in"

    def by_annotation(given: Any) -> str:
        return "in"

    by_annotation.__annotations__["given"] = Annotated[Any, asked]
    app.get("/mine")(by_default if form == "a default" else by_annotation)
    client, query = FastAPIClient(app), {"given": "user:ada"}
    return {
        who: client.get("/mine", params=query, headers={WHO: who} if who else {}).status_code
        for who in ("", "user:ada", "user:nobody")
    }


@pytest.mark.parametrize("form", ["a default", "an annotation"])
def test_fastapi_without_depends(filled: Authority, form: str) -> None:
    """What requires a permission, or gives the subject, is asked all the same, and not taken from the query.
    Control: a plain function as a default is a parameter that anybody can send.
    """
    access = fastapi.Access(filled, subject=subject)
    required = access.require("read")
    expected = {"": 401, "user:ada": 200, "user:nobody": 403}
    assert without_depends(required, form) == expected
    assert without_depends(access.signed_in, form) == {**expected, "user:nobody": 200}
    if form == "a default":
        plain = required.dependency  # type: ignore[attr-defined]
        assert without_depends(plain, form)[""] == 200


@pytest.mark.parametrize("name", ["signed_in", "decision", "require"])
def test_litestar_given_the_method_itself(filled: Authority, name: str) -> None:
    """It is refused when the application is made."""
    access = litestar.Access(filled, subject=lambda connection: connection.headers.get(WHO))
    method = getattr(access, name)
    given: dict[str, Any] = {"dependencies": {"who": Provide(method, sync_to_thread=False)}}
    if name == "require":
        given = {"guards": [method]}

    @get("/mine", **given)
    async def mine() -> str:
        return "in"

    with pytest.raises(InvalidArgument, match=rf"Call it: access.{name}\("):
        Litestar([mine], plugins=[access])


def test_control_litestar_given_the_method_itself(
    filled: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unguarded, the dependency is what the method makes, and nobody is asked who they are."""
    monkeypatch.setattr(litestar, "requirements_of", lambda _: [])
    access = litestar.Access(filled, subject=lambda connection: connection.headers.get(WHO))
    itself = Provide(access.signed_in, sync_to_thread=False)
    statuses = []
    for given in (itself, Provide(access.signed_in())):

        @get("/mine", dependencies={"who": given})
        async def mine(who: NamedDependency[Any]) -> str:
            return "in" if who else "nobody"

        with TestClient(Litestar([mine], plugins=[access])) as client:
            statuses.append(client.get("/mine").status_code)
    assert statuses == [200, 401]


def test_litestar_without_the_plugin_still_refuses(filled: Authority) -> None:
    access = litestar.Access(filled, subject=lambda _: "user:eve")

    @get("/", guards=[access.require("read")])
    async def read() -> str:
        return "in"

    with TestClient(Litestar([read])) as client:
        assert client.get("/").status_code == 403
