"""Heads that could be read in two ways: refused, so that a proxy in front is not bypassed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescind.http.app import framework
from rescind.http.server import addresses
from rescind.http.server import headers as request_headers
from rescind.http.server.addresses import Addresses
from rescind.http.server.fast_path import FastPathProtocol
from tests.http.raw import LAST, answers, exchanged, request
from tests.http.serving import Served

CREATE = b'{"organization": "acme", "changes": [{"change": "create_group", "group": "trailed"}]}'
ASKED = b'{"organization": "acme", "subject": "user:ada", "permission": "read"}'


def chunked(body: bytes, path: str, trailers: str, *more: str) -> bytes:
    """A POST whose body is one chunk, with what comes after it."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *more]
    head = "\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode()
    return head + b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailers.encode())


def outcome(served: Served, sent: bytes) -> tuple[int, str]:
    """The status and the code of the first answer."""
    (status, _, body), *_ = answers(exchanged(served, [sent, LAST]))
    return int(status.split()[1]), json.loads(body or b"{}").get("code", "")


# --- trailers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/check", "/v1/changes", "/organizations"])
def test_a_key_in_the_trailers_is_none(served: Served, path: str) -> None:
    """Though head, body and trailers arrive in one read."""
    sent = chunked(CREATE, path, f"Authorization: Bearer {served.admin}\r\n")
    assert outcome(served, sent) == (401, "unauthenticated")


def test_trailers_replace_no_header(served: Served) -> None:
    """Neither the key, nor for whom it is done, nor what a change is made for, nor its key."""
    trailers = (
        "Authorization: Bearer x\r\nRescind-Actor: mallory\r\nIf-Match: x\r\n"
        "Idempotency-Key: theirs\r\nContent-Encoding: gzip\r\nContent-Type: text/plain\r\n"
    )
    more = [f"Authorization: Bearer {served.admin}", "Rescind-Actor: ada", "Idempotency-Key: ours"]
    assert outcome(served, chunked(CREATE, "/v1/changes", trailers, *more))[0] == 200
    entry = list(served.service.authority.log(organization="acme"))[-1]
    assert entry.actor.startswith("ada by key:")
    assert entry.idempotency_key == "ours"


def test_without_the_guard_a_trailer_is_a_header(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where every field counts, the key in the trailers opens."""

    def credulous(connection: FastPathProtocol, name: bytes, value: bytes) -> None:
        connection.headers.append((name.lower(), value))

    monkeypatch.setattr(FastPathProtocol, "on_header", credulous)
    sent = chunked(CREATE, "/v1/changes", f"Authorization: Bearer {served.admin}\r\n")
    assert outcome(served, sent)[0] == 200


@pytest.mark.parametrize(
    "trailer", ["Content-Length: 5", "Transfer-Encoding: chunked", "Connection: close", "Host: y"]
)
def test_trailers_move_no_boundary(served: Served, trailer: str) -> None:
    """What follows is the next request, or nothing is answered after."""
    more = f"Authorization: Bearer {served.admin}"
    sent = chunked(ASKED, "/v1/check", f"{trailer}\r\n", more) + LAST
    found = answers(exchanged(served, [sent]))
    assert len(found) <= 2
    assert all(headers[b"x-request-id"] == b"last" for _, headers, _ in found[1:])


# --- heads ----------------------------------------------------------------------------------------

OK = "GET /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\n\r\n"
REFUSED = {
    "no Host": OK.replace("Host: x\r\n", ""),
    "two Hosts": OK.replace("Host: x", "Host: x\r\nhost: y"),
    "HTTP/2.0": OK.replace("HTTP/1.1", "HTTP/2.0"),
    "HTTP/0.9": OK.replace("HTTP/1.1", "HTTP/0.9"),
    "no version": OK.replace(" HTTP/1.1", ""),
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a fragment": OK.replace("/v1/keys", "/v1/keys#x"),
    "another coding": OK.replace("Host: x", "Host: x\r\nTransfer-Encoding: gzip, chunked"),
    "two codings": OK.replace(
        "Host: x", "Host: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked"
    ),
    "chunks of HTTP/1.0": OK.replace("1.1\r\nHost: x", "1.0\r\nTransfer-Encoding: chunked"),
    "size and chunks": OK.replace(
        "Host: x", "Host: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"
    ),
    "two keys": OK.replace("Host: x", "Host: x\r\nauthorization: Bearer KEY"),
    "two keys, of which one is another": OK.replace(
        "Host: x", "Host: x\r\nAuthorization: Bearer x"
    ),
}


@pytest.mark.parametrize("which", REFUSED)
def test_a_head_with_two_readings_is_400(shared: Served, which: str) -> None:
    """Whoever sends it, and with whatever key."""
    sent = REFUSED[which].replace("KEY", shared.admin).encode()
    (status, _, body), *_ = answers(exchanged(shared, [sent, b"0\r\n\r\n" + LAST]))
    assert status == b"HTTP/1.1 400 Bad Request"
    assert b'"code":"invalid_request"' in body


@pytest.mark.parametrize(
    "sent", [OK, OK.replace("1.1\r\nHost: x", "1.0"), OK.replace("/v1", "http://y/v1")]
)
def test_a_sound_head_is_answered(shared: Served, sent: str) -> None:
    """Control: also without Host in HTTP/1.0, and with an absolute address, whose path counts."""
    assert outcome(shared, sent.replace("KEY", shared.admin).encode())[0] == 200


def test_without_the_rules_a_head_has_two_readings(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with them off, each of the heads that the parser lets through is answered."""
    monkeypatch.setattr(request_headers, "flaw_of", lambda *_: None)
    monkeypatch.setattr("rescind.http.server.entry.require_single", lambda *_: None)
    for which in ("no Host", "two Hosts", "HTTP/2.0", "a fragment", "two keys"):
        sent = REFUSED[which].replace("KEY", shared.admin).encode()
        assert outcome(shared, sent)[0] == 200, which


@pytest.mark.parametrize(
    "name", [name.decode() for name in request_headers.SINGLE if name != b"host"]
)
def test_what_is_read_once_is_sent_once(served: Served, name: str) -> None:
    """A repeated header is refused on every road: a fast route, a route, an import, WorkOS's."""
    for path in ("/v1/check", "/v1/changes", "/v1/import", "/organizations"):
        more = [f"{name}: a", f"{name}: a"]
        sent = request(CREATE, path, key=served.admin, more=more)
        assert outcome(served, sent)[0] == 400, path


# --- queries ----------------------------------------------------------------------------------------

TWICE = [
    "/v1/who-can?organization=acme&permission=read&permission=write",
    "/v1/who-can?permission=read&resource=doc%3A1&resource=doc%3A2&organization=acme",
    "/v1/resources-of?organization=acme&subject=ada&permission=read&organiz%61tion=other",
    "/v1/changes?organization=acme&after=0&after=",
    "/organizations?limit=1&limit=2",
]


@pytest.mark.parametrize("address", TWICE)
def test_a_parameter_is_sent_once(shared: Served, address: str) -> None:
    """A proxy in front may have looked at the other one. Control: each by itself is answered."""
    with shared.client() as client:
        answer = client.get(address)
        assert answer.status_code == 400, answer.text
        assert "is repeated" in answer.text
        path, _, query = address.partition("?")
        names = dict(pair.partition("=")[::2] for pair in query.replace("%61", "a").split("&"))
        once = "&".join(
            f"{name}={value}" for name, value in {**names, "organization": "acme"}.items()
        )
        if path != "/v1/changes":
            assert client.get(f"{path}?{once}").status_code == 200


@pytest.mark.parametrize("path", ["/v1/check", "/v1/check/batch"])
def test_a_check_has_no_parameters(shared: Served, path: str) -> None:
    """A fast route answers the same: what stands in the address is not passed over. Control: without it."""
    question = {"subject": "user:ada", "permission": "read"}
    body = question if path == "/v1/check" else {"checks": [question]}
    with shared.client() as client:
        for query in ("at=2020-01-01", "assurance=live", "dry_run"):
            answer = client.post(f"{path}?{query}", json={"organization": "acme", **body})
            assert answer.status_code == 400, answer.text
            assert "is not known" in answer.text
        assert client.post(path, json={"organization": "acme", **body}).status_code == 200


def test_an_import_has_one_organization(served: Served) -> None:
    """Though its body is read by itself."""
    headers = {"Content-Type": "application/x-ndjson"}
    line = b'{"change": "create_group", "group": "new"}'
    with served.client() as client:
        for query, status in (
            ("organization=acme&organization=no", 400),
            ("organization=acme", 200),
        ):
            answer = client.post(f"/v1/import?{query}", content=line, headers=headers)
            assert answer.status_code == status, answer.text


def test_many_parameters_are_looked_at_once(shared: Served) -> None:
    """As many as a head may have, without all being compared with all."""
    query = "&".join(f"p{number}" for number in range(2_000))
    with shared.client() as client:
        assert client.get(f"/organizations?{query}").status_code == 200
        assert client.get(f"/organizations?{query}&p7").status_code == 400


@pytest.mark.parametrize(
    ("path", "misspelled"),
    [
        ("/v1/who-can?permission=read", "resourse=doc%3A1"),
        ("/v1/resources-of?subject=ada&permission=read", "at_least=x"),
        ("/v1/assignments?limit=1", "subject=user%3Aada"),
        ("/v1/changes?after=0", "user=ada"),
        ("/v1/keys?limit=1", "organisation=acme"),
    ],
)
def test_a_parameter_is_known(shared: Served, path: str, misspelled: str) -> None:
    """Else the list would be another than was meant: of all, or of the organization itself. It is named, and
    so are those that there are. Control: without it there is an answer.
    """
    path += "&organization=acme"
    with shared.client() as client:
        assert client.get(path).status_code == 200
        answer = client.get(f"{path}&{misspelled}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
        assert misspelled.partition("=")[0] in answer.text
        assert "organization" in answer.text


# --- addresses ------------------------------------------------------------------------------------

SPELLINGS: list[Callable[[str], str]] = [
    lambda path: "/" + path,
    lambda path: path + "/",
    lambda path: path.replace("/", "//"),
    lambda path: path[:-1] + f"%{ord(path[-1]):02x}",
    lambda path: path[:-1] + f"%{ord(path[-1]):02X}",
    lambda path: "/." + path,
    lambda path: "/x/.." + path,
    lambda path: "/x/%2e%2e" + path,
    lambda path: path[:1] + path[1:].replace("/", "%2F") + ("" if "/" in path[1:] else "%2F"),
    lambda path: path.upper(),
    lambda path: path + ";x",
    lambda path: path + "%00",
    lambda path: path + "%20",
]
ADDRESSES = [
    ("POST", "/v1/check", ASKED),
    ("POST", "/v1/changes", CREATE),
    ("POST", "/v1/import", b""),
    ("GET", "/v1/keys", b""),
    ("GET", "/livez", b""),
    ("GET", "/openapi.json", b""),
    ("GET", "/.well-known/authzen-configuration", b""),
    ("POST", "/access/v1/evaluations", b"{}"),
    ("GET", "/organizations", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), ADDRESSES)
def test_an_address_has_one_spelling(shared: Served, method: str, path: str, body: bytes) -> None:
    """Any other is 404, with and without a key. Control: the one is found."""

    def status(spelled: str, key: str) -> int:
        sent = request(body, spelled, key=key).replace(b"POST", method.encode(), 1)
        return outcome(shared, sent)[0]

    for spell in SPELLINGS:
        assert {status(spell(path), key) for key in ("", shared.admin)} == {404}, spell(path)
    assert status(path, shared.admin) != 404


def test_without_the_rule_an_address_has_many(
    shared: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where any spelling will do, the framework finds the route."""
    monkeypatch.setattr(addresses, "is_plain", lambda _: True)
    monkeypatch.setattr(
        Addresses, "find", lambda self, _, find=Addresses.find: find(self, b"/v1/keys")
    )
    for spelled in ("//v1//keys", "/v1/keys/", "/v1/%6Beys"):
        assert (
            outcome(shared, OK.replace("/v1/keys", spelled).replace("KEY", shared.admin).encode())[
                0
            ]
            == 200
        ), spelled


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("a%20b", True),
        ("a%2Fb", True),
        ("a%2fb", True),
        ("a:b", True),
        ("a%3Ab", True),
        ("%C3%A9", True),
        ("a%25b", True),
        ("...", True),
        ("a%1Fb", False),
        ("%61", False),
        ("a%5Fb", False),
        ("%ff", False),
        ("a%zz", False),
        ("a%", False),
        ("..", False),
        ("", False),
        ('a"b', False),
        ("a\\b", False),
        ("a%7F", False),
    ],
)
def test_a_name_in_an_address(shared: Served, name: str, is_taken: bool) -> None:
    """May have anything that an id may have, escaped where it has to be and nowhere else."""
    path = f"/.well-known/authzen-configuration/o/{name}"
    sent = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert outcome(shared, sent)[0] == (200 if is_taken else 404)


@pytest.mark.parametrize("number", ["+1", "01", "1_0", "%2B1", "%D9%A1", "-1", "1.0"])
def test_a_number_in_an_address(shared: Served, number: str) -> None:
    """Has one spelling as well."""
    path = f"/v1/changes/{number}?organization=acme"
    assert (
        outcome(shared, OK.replace("/v1/keys", path).replace("KEY", shared.admin).encode())[0]
        == 404
    )


def test_every_route_is_an_address(shared: Served) -> None:
    """With the methods and the scope of its handlers; what has no scope is known to be public."""
    public = {"/livez", "/readyz", "/openapi.json", "/.well-known/authzen-configuration"}
    app: Any = framework(shared.service)
    known = Addresses(app.routes)
    for route in app.routes:
        if route.path.startswith("/schema"):
            continue
        parts = [part if isinstance(part, str) else "1" for part in route.path_components]
        address = known.find(("/" + "/".join(parts)).encode())
        assert address.scopes.keys() == route.route_handler_map.keys()
        for method, (handler, _) in route.route_handler_map.items():
            assert (address.scopes[method] is None) == (not handler.resolve_guards())
            if address.scopes[method] is None and method != "OPTIONS":
                assert route.path.removesuffix("/o/{organization:str}") in public


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["/", "//", "v1", ".", "..", "%2F", "%6b", "a", "%", "%41", "é"])))
def test_a_plain_path_says_what_it_decodes_to(parts: list[str]) -> None:
    """Two plain paths without reserved characters name one place only if they are the same."""
    raw = "".join(parts).encode()
    if request_headers.is_plain(raw):
        assert raw.startswith(b"/")
        assert not raw.endswith(b"/")
        assert b"//" not in raw
        assert not {b".", b".."} & set(raw.split(b"/"))
        assert b"%6b" not in raw
