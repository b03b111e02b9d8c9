"""What the example applications promise their readers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from tests.conftest import Make
from tests.examples.apps import DOCUMENTS, EVERY, example, fill

Ask = Callable[..., Any]


class Running(NamedTuple):
    """An example that runs: asks it as a user, its database, and the statements that it sends."""

    ask: Ask
    url: str
    sent: list[str]


class Answer(NamedTuple):
    status: int
    body: Any


@pytest.fixture(params=["fastapi on sqlite", "fastapi on postgres", "flask on sqlite"])
def running(
    request: pytest.FixtureRequest, new_database: Make, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    framework, _, engine = request.param.partition(" on ")
    url, sent = new_database(engine), list[str]()
    if framework == "flask":
        yield from _flask(url, sent, monkeypatch)
    else:
        yield from _fastapi(url, sent)


def _fastapi(url: str, sent: list[str]) -> Iterator[Running]:
    app = example("fastapi_sqlalchemy").make_app(url)
    event.listen(app.state.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    with TestClient(app) as client:

        def ask(user: str | None, method: str, path: str, **body: Any) -> Answer:
            headers = {} if user is None else {"X-User": user}
            response = client.request(method, path, headers=headers, json=body or None)
            is_json = response.headers.get("content-type", "").endswith("json")
            return Answer(
                response.status_code, response.json() if is_json and response.content else None
            )

        yield Running(ask, url, sent)


def _flask(url: str, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    module = example("flask_sqlite")
    app = module.make_app(url.removeprefix("sqlite:///"))
    connect = sqlite3.connect

    def traced(*given: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*given, **options)
        connection.set_trace_callback(sent.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    client = app.test_client()

    def ask(user: str | None, method: str, path: str, **body: Any) -> Answer:
        headers = {} if user is None else {"X-User": user}
        response = client.open(path, method=method, headers=headers, json=body or None)
        return Answer(response.status_code, response.get_json(silent=True))

    yield Running(ask, url, sent)
    app.extensions["rescind"].close()


def ids(answer: Answer) -> list[int]:
    assert answer.status == 200, answer
    return [row["id"] for row in answer.body]


def test_a_team_shares_documents_and_takes_them_back(running: Running) -> None:
    """Each removal holds for the next request, on the route and in the list."""
    ask = running.ask
    for name in ("ada", "bob", "eve"):
        assert ask(None, "POST", "/users", name=name).status in (201, 204)
    assert ask("ada", "POST", "/teams", name="eng").status in (201, 204)
    number = ask("ada", "POST", "/teams/eng/docs", title="Plan").body
    assert ask("bob", "POST", "/teams/eng/docs", title="Mine").status == 403
    assert ids(ask("ada", "GET", "/docs")) == [number]
    assert ids(ask("bob", "GET", "/docs")) == []
    for place in ("/teams/eng/members/bob", f"/docs/{number}/readers/bob"):
        assert ask("bob", "PUT", place).status == 403
        assert ask("ada", "PUT", place).status == 204
        assert ids(ask("bob", "GET", "/docs")) == [number]
        assert ask("bob", "GET", f"/docs/{number}").body["title"] == "Plan"
        assert ask("bob", "DELETE", place).status == 403
        assert ask("ada", "DELETE", place).status == 204
        assert ids(ask("bob", "GET", "/docs")) == []
        assert ask("bob", "GET", f"/docs/{number}").status == 403
    assert ask(None, "GET", "/docs").status == 401
    assert ask(None, "GET", f"/docs/{number}").status == 401
    assert ask("eve", "POST", "/teams", name="eng").status == 409
    assert ask("eve", "PUT", "/teams/eng/members/eve").status == 403
    assert ids(ask("eve", "GET", "/docs")) == []


def test_a_document_that_cannot_be_placed_is_not_written(running: Running) -> None:
    """The row and the resource are one transaction."""
    ask = running.ask
    ask(None, "POST", "/users", name="ada")
    ask("ada", "POST", "/teams", name="eng")
    assert ask("ada", "POST", "/teams/none/docs", title="Plan").status == 403
    assert ids(ask("ada", "GET", "/docs")) == []


def test_one_document_of_a_hundred_is_paged_by_one_query(running: Running) -> None:
    """Of 100,000: every page is one statement, and they are complete and in order."""
    ask = running.ask
    for name in ("ada", "bob", "eve"):
        ask(None, "POST", "/users", name=name)
    for team in ("few", "many"):
        ask("ada", "POST", "/teams", name=team)
    ask("ada", "PUT", "/teams/few/members/bob")
    fill(running.url)
    found: list[int] = []
    before = DOCUMENTS + 1
    while True:
        running.sent.clear()
        answer = ask("bob", "GET", f"/docs?before={before}")
        page = ids(answer)
        asked = [
            text for text in running.sent if "rescind_reach" in text or "rescind.reach" in text
        ]
        assert len(asked) == 1
        assert len([text for text in running.sent if "FROM document" in text]) == 1
        found += page
        if len(page) < 20:
            break
        before = answer.body[-1]["updated"]
    assert found == list(range(DOCUMENTS, 0, -EVERY))
    assert ids(ask("ada", "GET", "/docs")) == list(range(DOCUMENTS, DOCUMENTS - 20, -1))
    assert ids(ask("eve", "GET", "/docs")) == []
    ask("ada", "DELETE", "/teams/few/members/bob")
    assert ids(ask("bob", "GET", "/docs")) == []
