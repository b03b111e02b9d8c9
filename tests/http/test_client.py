"""`Client` and `AsyncClient`: what they send, and what they make of what comes back, or does not."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import logging
import os
import pickle
import ssl
import threading
import traceback
import warnings
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rescind import changes
from rescind.client import AsyncClient, Client, Retries, Timeouts
from rescind.client.asking import Asking
from rescind.client.calls import path_of
from rescind.client.operations import Operations
from rescind.client.tokens import Tokens
from rescind.errors import (
    DecisionUnavailable,
    GroupNotFound,
    InvalidArgument,
    InvalidToken,
    NotSupported,
    OrganizationNotFound,
    OutcomeUnknown,
    RescindError,
    ScopeMissing,
    StoreUnavailable,
    TimedOut,
    Unauthenticated,
)
from rescind.model import LineDecision, Verdict
from tests.http.scripted import (
    Act,
    Scripted,
    answer,
    close,
    dripping,
    forward,
    problem,
    raw,
    reset,
    scripted,
    silent,
)
from tests.http.serving import Served

KEY = "rsk_secret_of_a_test"
ADA = ("user:ada", "read")
ALLOWED = {"allowed": True, "reason": "allowed", "decision_point": "index", "revision": "abc"}
YES = answer(200, ALLOWED)
QUICK = Retries(first_seconds=0.001, longest_seconds=0.002)
SHORT = Timeouts(total_seconds=0.4, check_seconds=0.4, connect_seconds=0.4)
JOIN = [changes.AddMembership(subject="user:new")]


def client_of(script: Scripted, path: str = "", **options: Any) -> Client:
    given: dict[str, Any] = {"key": KEY, "organization": "acme", "retries": QUICK, **options}
    return Client(script.url + path, **given)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, 60))


class Asked:
    """The same calls of either client."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async

    def __call__(self, script: Scripted | str, method: str, *arguments: Any, **named: Any) -> Any:
        """The result of one call of a new client; what iterates is read to its end."""
        url = script if isinstance(script, str) else script.url
        options = {"key": KEY, "organization": "acme", "retries": QUICK}
        options |= {name: named.pop(name) for name in ("key", "timeouts", "retries", "most_bytes",
                    "ssl_context", "read_your_writes") if name in named}  # fmt: skip
        if not self.is_async:
            with Client(url, **options) as client:
                found = getattr(client, method)(*arguments, **named)
                return list(found) if isinstance(found, Iterator) else found

        async def asked() -> Any:
            async with AsyncClient(url, **options) as client:
                found = getattr(client, method)(*arguments, **named)
                if hasattr(found, "__anext__"):
                    return [each async for each in found]
                return await found

        return run(asked())


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Asked:
    """Each client in turn."""
    return Asked(request.param == "async")


def ref(held: list[Scripted]) -> Callable[[], Scripted]:
    return lambda: held[0]


# --- what is sent -----------------------------------------------------------------------------------------


def test_a_request_says_who_asks(ask: Asked) -> None:
    """The key, the version, and what may come back."""
    with scripted(YES) as script:
        assert ask(script, "check", *ADA, "doc:1")
    (sent,) = script.received
    assert sent.target == "/v1/check"
    assert sent.header("authorization") == f"Bearer {KEY}"
    assert (sent.header("user-agent") or "").startswith("rescind-python/0.")
    assert sent.header("accept-encoding") == "identity"
    assert json.loads(sent.body) == {
        "subject": "user:ada",
        "permission": "read",
        "resource": "doc:1",
        "assurance": "standard",
        "organization": "acme",
    }


@pytest.mark.parametrize(
    ("path", "before"),
    [
        ("/authz", "/authz"),
        ("/authz/", "/authz"),
        ("/a%20b", "/a%20b"),
        ("/v1", ""),
        ("/v1/", ""),
        ("/authz/v1", "/authz"),
        ("/v1/v1", "/v1"),
        ("/av1", "/av1"),
    ],
)
def test_an_address_may_have_a_path(path: str, before: str) -> None:
    """Whatever stands before the service. `/v1`, which each request has, may be there or not."""
    with scripted(YES) as script, client_of(script, path) as client:
        assert client.check(*ADA)
    assert script.received[0].target == before + "/v1/check"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rescind.example.com",
        "ftp://rescind.example.com",
        "https://",
        "https://user:secret@rescind.example.com",
        "https://rescind.example.com/?x=secret",
        "https://rescind.example.com/#secret",
        "https://a\nb",
        7,
    ],
)
def test_an_address_that_is_none_is_refused(url: Any) -> None:
    """At once, without telling a password in it."""
    with pytest.raises(InvalidArgument, match="url") as caught:
        Client(url, key=KEY)
    assert "user:secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "é", None, 7])
def test_a_key_that_is_none_is_refused(key: Any) -> None:
    """It is never shown, and cannot add a header."""
    with pytest.raises(InvalidArgument, match="key") as caught:
        Client("http://x", key=key)
    assert not key or repr(key) not in str(caught.value)


def test_a_key_may_be_fetched_for_each_request() -> None:
    """So a rotated key is used at once."""
    keys = iter(["first", "second"])
    with scripted(YES) as script, client_of(script, key=lambda: next(keys)) as client:
        client.check(*ADA)
        client.check(*ADA)
    assert [each.header("authorization") for each in script.received] == [
        "Bearer first",
        "Bearer second",
    ]


HOSTILE = ["a/b", "..", "%2e%2e", "a?b#c&d=e+f", "ü–𝄞", 'q"u', "a\\b", ";,", "group:x", "%", "a b"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_ids_arrive_as_they_are(served: Served, name: str) -> None:
    """In addresses and in bodies."""
    with Client(served.url, key=served.admin, organization="acme") as client:
        client.apply(
            [
                changes.CreateGroup(group=name),
                changes.AddMembers(group=name, members=("user:ada",)),
                changes.CreateResource(resource=f"doc:{name}"),
            ]
        )
        assert [each.member for each in client.list_members(name).items] == ["user:ada"]
        assert name in {each.group for each in client.list_groups("user:ada").items}
        assert client.check(*ADA, f"doc:{name}")
        assert "user:ada" in client.who_can("read", f"doc:{name}").items
        (entry,) = client.log(group=name)
        assert json.loads(entry.changes)[0]["group"] == name


def test_a_path_is_escaped() -> None:
    """Each segment stays one; what no address can have is refused."""
    assert path_of("v1", "a/b%\n..ü") == "/v1/a%2Fb%25%0A..%C3%BC"
    for segment in ("", ".", ".."):
        with pytest.raises(InvalidArgument):
            path_of("v1", segment)


@pytest.mark.parametrize("actor", ["user:zoë", "Ж", "a b"])
def test_an_actor_is_in_the_log_as_it_was_given(served: Served, actor: str) -> None:
    """In UTF-8."""
    with Client(served.url, key=served.admin, organization="acme") as client:
        client.apply(JOIN, actor=actor, reason="Grüße")
        entry = list(client.log())[-1]
    assert entry.actor.startswith(f"{actor} by key:")
    assert entry.reason == "Grüße"


@pytest.mark.parametrize("text", ["a\r\nX: y", "a\nb", " a", "a ", "\x7f", 7])
def test_what_no_header_can_have_is_refused(text: Any) -> None:
    """Nothing is sent."""
    with Client("http://127.0.0.1:9", key=KEY) as client:
        for named in ({"actor": text}, {"idempotency_key": text}):
            with pytest.raises(InvalidArgument):
                client.apply(JOIN, **named)


# --- changes ------------------------------------------------------------------------------------------------


def page(status: int) -> Act:
    """What a proxy answers by itself."""
    return answer(status, b"<p>", media="text/html", Location="/sorry")


@pytest.mark.parametrize("then", [reset, close, *map(page, (408, 429, 499, 502, 524))])
def test_a_lost_answer_of_a_change_is_found_again(served: Served, ask: Asked, then: Act) -> None:
    """The change was applied and its answer lost: the repetition has the receipt, and no second effect."""
    with scripted(forward(served.url, then), forward(served.url)) as script:
        receipt = ask(script, "apply", JOIN, key=served.admin)
    first, second = script.received
    assert first.header("idempotency-key") == second.header("idempotency-key")
    assert (receipt.changed, receipt.is_repeated) == (True, True)
    with Client(served.url, key=served.admin, organization="acme") as client:
        assert len(list(client.log(after=receipt.revision.organization - 1))) == 1
        # the control: without that key, a repetition is another change, and finds nothing to do
        assert not client.apply(JOIN).changed


def test_each_change_has_a_key_of_its_own(served: Served) -> None:
    """Two calls are two changes."""
    with scripted(forward(served.url)) as script, client_of(script, key=served.admin) as client:
        client.apply(JOIN)
        client.apply(JOIN)
        client.apply(JOIN, idempotency_key="mine")
    keys = [each.header("idempotency-key") or "" for each in script.received]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"
    assert min(map(len, keys[:2])) >= 20


def test_an_unknown_outcome_says_how_to_find_out(served: Served, ask: Asked) -> None:
    """The same call with the key of the error resolves it."""
    with (
        scripted(forward(served.url, reset), close) as script,
        pytest.raises(OutcomeUnknown) as caught,
    ):
        ask(script, "apply", JOIN, key=served.admin)
    key = caught.value.facts["idempotency_key"]
    assert len(script.received) == 4
    assert ask(served.url, "apply", JOIN, key=served.admin, idempotency_key=key).is_repeated


@pytest.mark.parametrize("status", [302, 403, 404, 409, 413, 500])
def test_a_proxy_that_answers_after_it_forwarded(served: Served, ask: Asked, status: int) -> None:
    """The change was made, so it must not be told that it was not. The key finds out."""
    with (
        scripted(forward(served.url, page(status))) as script,
        pytest.raises(OutcomeUnknown, match=str(status)) as caught,
    ):
        ask(script, "apply", JOIN, key=served.admin)
    assert len(script.received) == 1
    key = caught.value.facts["idempotency_key"]
    assert ask(served.url, "apply", JOIN, key=served.admin, idempotency_key=key).is_repeated


def test_a_condition_holds_for_the_first_try(served: Served, ask: Asked) -> None:
    """A repetition with If-Match, after the change itself moved the organization on, has the receipt."""
    with Client(served.url, key=served.admin, organization="acme") as client:
        token = client.check(*ADA).token
    with scripted(forward(served.url, reset), forward(served.url)) as script:
        receipt = ask(script, "apply", JOIN, key=served.admin, if_revision=token)
    assert receipt.changed


def test_a_review_is_not_started_twice(served: Served, ask: Asked) -> None:
    """It has no key: if it may have been started, the error says so."""
    with (
        scripted(forward(served.url, reset), forward(served.url)) as script,
        pytest.raises(OutcomeUnknown, match="Look whether it was done"),
    ):
        ask(script, "start_review", "2027", key=served.admin)
    assert len(script.received) == 1
    assert ask(served.url, "find_review", "2027", key=served.admin).name == "2027"


def test_what_was_never_sent_is_not_unknown(ask: Asked) -> None:
    """Nobody listens: the change was not made."""
    with scripted(YES) as script:
        url = script.url
    for method, arguments in (("apply", (JOIN,)), ("start_review", ("x",)), ("list_groups", ())):
        with pytest.raises(StoreUnavailable, match="no connection") as caught:
            ask(url, method, *arguments)
        assert type(caught.value) is StoreUnavailable
    with pytest.raises(DecisionUnavailable):
        ask(url, "check", *ADA)


# --- answers that are none ----------------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS: dict[str, Act] = {
    "html": answer(200, ALLOWED, media="text/html"),
    "no type": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "no JSON": answer(200, b"{'allowed': true}"),
    "a list": answer(200, [ALLOWED]),
    "nothing": answer(200, b""),
    "no verdict": answer(200, {**ALLOWED, "allowed": None}),
    "a word": answer(200, {**ALLOWED, "allowed": "true"}),
    "a number": answer(200, {**ALLOWED, "allowed": 1}),
    "another reason": answer(200, {**ALLOWED, "reason": "because"}),
    "a part": answer(200, json.dumps(ALLOWED).encode()[:-1]),
    "cut": raw(CHUNKED[:-2] + b'\r\n5\r\n{"all'),
    "shorter than said": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"
        + json.dumps(ALLOWED).encode()
    ),
    "compressed": answer(200, ALLOWED, Content_Encoding="gzip"),
    "no HTTP": raw(b"220 smtp ready\r\n\r\n"),
    "created with nothing": answer(204, b""),
}


def then_close(act: Act) -> Act:
    def acted(connection: Any, received: Any) -> None:
        act(connection, received)
        close(connection, received)

    return acted


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_no_answer_never_allows(ask: Asked, name: str) -> None:
    """A check raises, as without a database; a change is unknown."""
    with scripted(then_close(ANSWERS[name])) as script:
        with pytest.raises(DecisionUnavailable):
            ask(script, "check", *ADA, retries=Retries(most_tries=1))
        with pytest.raises(OutcomeUnknown):
            ask(script, "apply", JOIN, retries=Retries(most_tries=1))


def test_the_control_of_these(ask: Asked) -> None:
    """What they are made from is an answer."""
    with scripted(then_close(YES)) as script:
        assert ask(script, "check", *ADA)


def test_a_batch_has_an_answer_for_each_question(ask: Asked) -> None:
    """One answer too few, or too many, is none."""
    for count in (1, 3):
        questions = [(*ADA, None), ("user:bob", "read", None)]
        with (
            scripted(answer(200, {"decisions": [ALLOWED] * count})) as script,
            pytest.raises(DecisionUnavailable),
        ):
            ask(script, "check_many", questions, retries=Retries(most_tries=1))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(ask: Asked, status: int) -> None:
    """The key goes to the address that was given, and to no other."""
    with (
        scripted(YES) as other,
        scripted(answer(status, ALLOWED, Location=other.url + "/v1/check")) as script,
        pytest.raises(DecisionUnavailable, match="redirects"),
    ):
        ask(script, "check", *ADA)
    assert not other.received
    assert len(script.received) == 1


def test_answers_have_a_limit(ask: Asked) -> None:
    """Also those that do not say how long they are."""
    large = {"items": ["user:" + "x" * 100] * 100, "next_cursor": None, "revision": "r"}
    chunks = json.dumps(large).encode()
    chunked = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(chunks), chunks)
    for act in (answer(200, large), raw(chunked)):
        with scripted(act) as script:
            with pytest.raises(StoreUnavailable, match="most_bytes"):
                ask(script, "who_can", "read", most_bytes=5_000)
            assert len(script.received) == 1
            assert len(ask(script, "who_can", "read", most_bytes=50_000).items) == 100


# --- time ---------------------------------------------------------------------------------------------------

HEADS = {
    "body": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n",
    "head": b"HTTP/1.1 200 OK\r\nX: ",
}


@pytest.mark.parametrize("name", HEADS)
def test_an_answer_that_drips_ends_in_time(ask: Asked, name: str) -> None:
    """A byte now and then satisfies the timeout of each read; the call ends nevertheless."""
    held: list[Scripted] = []
    with scripted(dripping(ref(held), HEADS[name])) as script:
        held.append(script)
        with pytest.raises(TimedOut):
            ask(script, "check", *ADA, timeouts=SHORT)
        with pytest.raises(OutcomeUnknown):
            ask(script, "apply", JOIN, timeouts=SHORT)


def test_the_time_covers_all_tries(ask: Asked) -> None:
    """A try is shorter than the call; then it is repeated, as long as there is time."""
    held: list[Scripted] = []
    with scripted(silent(ref(held)), YES) as script:
        held.append(script)
        assert ask(script, "check", *ADA, timeouts=Timeouts(try_seconds=0.2))
    assert len(script.received) == 2
    with scripted(silent(ref(held))) as script:
        held[:] = [script]
        with pytest.raises(TimedOut):
            ask(script, "check", *ADA, timeouts=SHORT)


def test_a_busy_service_is_asked_again(ask: Asked) -> None:
    """After as long as it says; an error that will not pass is raised at once."""
    busy = problem(503, "store_busy", {}, Retry_After="0")
    with scripted(busy, problem(429, "too_many_requests", {}, Retry_After="0"), YES) as script:
        assert ask(script, "check", *ADA)
    assert len(script.received) == 3
    with scripted(problem(503, "schema_missing", {})) as script, pytest.raises(RescindError) as e:
        ask(script, "check", *ADA)
    assert (e.value.code, len(script.received)) == ("schema_missing", 1)


# --- errors -------------------------------------------------------------------------------------------------


def test_errors_are_those_of_the_library(served: Served, ask: Asked) -> None:
    """The same class, the same facts and the same words."""
    asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("apply", ([changes.DeleteGroup(group="eng")],), {}),
        ("apply", ([changes.AddMembers(group="engg", members=("user:ada",))],), {}),
        ("apply", ([changes.AddMembers(group="eng", members=("user:adda",))],), {}),
        ("apply", ([changes.CreateResource(resource="doc:3", parent="doc:none")],), {}),
        ("preview", ([changes.NestGroup(group="staff", into="eng")],), {}),
        ("list_members", ("nobodys",), {}),
        ("list_assignments", ("user:ada",), {"role": "reader"}),
        ("who_can", ("read",), {"cursor": "abc"}),
        ("check", ADA, {"at_least": "a" * 32}),
        ("check", ("user:", "read"), {}),
        ("check", ADA, {"assurance": "some"}),
        ("check", ADA, {"at": datetime.datetime(2027, 1, 1)}),
        ("check", ADA, {"at": 10**6}),
        ("log_page", (), {"organization": "nowhere"}),
        ("find_review", ("none",), {}),
        ("access_history", ("user:ada",), {"until": datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)}),
    ]  # fmt: skip
    behind = served.service.authority
    for method, arguments, named in asked:
        named = {"organization": "acme", **named}
        with pytest.raises(RescindError) as theirs:
            getattr(behind, method)(*arguments, **named)
        with pytest.raises(RescindError) as mine:
            ask(served.url, method, *arguments, key=served.admin, **named)
        assert type(mine.value) is type(theirs.value), method
        assert mine.value.facts == theirs.value.facts
        assert str(mine.value) == str(theirs.value)


def test_errors_of_keys(served: Served, ask: Asked) -> None:
    """Of the wrong key, of a key without the scope, and of one for another organization."""
    with pytest.raises(Unauthenticated):
        ask(served.url, "check", *ADA, key="rsk_none")
    with pytest.raises(ScopeMissing) as caught:
        ask(served.url, "apply", JOIN, key=served.key("check"))
    assert caught.value.facts == {"scope": "write"}
    assert any(note.startswith("request ") for note in caught.value.__notes__)
    with pytest.raises(OrganizationNotFound):
        ask(served.url, "check", *ADA, key=served.key("check", organization="acme"),
            organization="other")  # fmt: skip


def test_names_are_not_told_to_keys_that_may_not_read(served: Served, ask: Asked) -> None:
    """What the detail leaves out is not among the facts."""
    missing = [changes.AddMembers(group="engg", members=("user:ada",))]
    for scopes, similar in ((["write"], None), (["write", "read"], ("eng",))):
        with pytest.raises(GroupNotFound) as caught:
            ask(served.url, "apply", missing, key=served.key(*scopes))
        assert caught.value.facts.get("did_you_mean") == similar


def test_the_key_is_shown_nowhere(
    served: Served, ask: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in representations, errors, their tracebacks, or logs of any level."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    with scripted(reset) as script:
        for method, arguments in (("check", ADA), ("apply", (JOIN,)), ("log", ())):
            with pytest.raises(RescindError) as caught:
                ask(script, method, *arguments)
            shown += [repr(caught.value), *traceback.format_exception(caught.value)]
    client = Client(served.url, key=KEY)
    shown += [repr(client), *map(repr, vars(client).values()), caplog.text]
    client.close()
    assert not [text for text in shown if KEY in text]
    assert "POST" in caplog.text


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine's own, with its key, that no authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_the_service_is_verified(ask: Asked, certificate: Path) -> None:
    """By default; nobody gets the key who has no certificate that is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with scripted(YES, context=context) as script:
        with pytest.raises(DecisionUnavailable, match=r"(?i)certificate"):
            ask(script, "check", *ADA)
        assert not script.received
        assert script.connections == 1
        trusting = ssl.create_default_context(cafile=str(certificate))
        assert ask(script, "check", *ADA, ssl_context=trusting)
    with pytest.raises(InvalidArgument, match="ssl_context"):
        ask(script, "check", *ADA, ssl_context=False)


# --- reading one's own writes -------------------------------------------------------------------------------


def test_own_changes_are_read(served: Served, ask: Asked) -> None:
    """Each question has the token of the last change to its organization, if that was asked for."""
    for is_on in (True, False):
        with (
            scripted(forward(served.url)) as script,
            client_of(script, key=served.admin, read_your_writes=is_on) as client,
        ):
            client.check(*ADA)
            client.apply(JOIN)
            token = client.apply([changes.RemoveMembership(subject="user:new")]).token
            client.check(*ADA)
            client.check_many([(*ADA, None)])
            client.who_can("read")
            client.list_groups()
            client.check(*ADA, at_least=token)
            client.check(*ADA, at=1)
            client.who_can("read", at=1)
        sent = [each.header("rescind-at-least") for each in script.received]
        carried = token if is_on else None
        assert sent == [None, None, None, *[carried] * 4, token, None, None]


def test_a_token_of_a_former_organization_is_given_up(served: Served) -> None:
    """The service refuses it: once that is told, and then questions go on without it."""
    with Client(served.url, key=served.admin, organization="acme", read_your_writes=True) as client:
        client.apply(JOIN)
        behind = served.service.authority
        behind.apply([changes.DeleteOrganization(cascade=True)], organization="acme")
        behind.apply([changes.CreateOrganization()], organization="acme")
        with pytest.raises(InvalidToken):
            client.check(*ADA)
        assert not client.check(*ADA)
        client.apply([changes.DeleteOrganization(cascade=True)])
        client.apply([changes.CreateOrganization()])
        assert not client.check(*ADA)


class Told:
    """A receipt, as far as tokens look at it."""

    def __init__(self, number: int) -> None:
        self.organization, self.token = "acme", f"t{number}"
        self.revision = self
        self.number = number

    def __getattribute__(self, name: str) -> Any:
        if name == "revision":
            return _Number(object.__getattribute__(self, "number"))
        return object.__getattribute__(self, name)


class _Number:
    def __init__(self, organization: int) -> None:
        self.organization = organization


def test_the_later_of_two_changes_counts() -> None:
    """Of two at the same time the one with the larger number; else the one that began later."""
    tokens = Tokens(is_on=True)
    first, second = tokens.begin(), tokens.begin()
    tokens.note("acme", Told(8), second)  # type: ignore[arg-type]
    tokens.note("acme", Told(7), first)  # type: ignore[arg-type]
    assert tokens.of("acme") == "t8"
    tokens.note("acme", Told(1), tokens.begin())  # type: ignore[arg-type]
    assert tokens.of("acme") == "t1"
    tokens.forget("acme", "t8")
    assert tokens.of("acme") == "t1"


# --- iterators ----------------------------------------------------------------------------------------------


def test_pages_are_read_as_they_are_asked_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request for the first items, and the next one only when they are used up."""
    monkeypatch.setattr("rescind.client.logs.PAGE", 2)
    with Client(served.url, key=served.admin, organization="acme") as client:
        for number in range(4):
            client.apply([changes.AddMembership(subject=f"user:{number}")])
    with scripted(forward(served.url)) as script, client_of(script, key=served.admin) as client:
        log = client.log()
        assert not script.received
        found = [next(log), next(log)]
        assert len(script.received) == 1
        found += log
        assert [each.revision for each in found] == [1, 2, 3, 4, 5]
        assert len(script.received) == 3
        assert [each.revision for each in client.log(after=1, limit=3)] == [2, 3, 4]
        assert list(client.log(limit=0)) == []


def test_pages_that_do_not_go_on_end_in_an_error(ask: Asked) -> None:
    """A page that names itself as the next one would be read for ever."""
    with (
        scripted(answer(200, {"changes": [], "next_after": 0})) as script,
        pytest.raises(StoreUnavailable, match="cannot be read"),
    ):
        ask(script, "log", retries=Retries(most_tries=1))


def test_lines_of_a_review_go_on_where_the_connection_broke(served: Served, ask: Asked) -> None:
    """After the last whole line; none is lost and none is there twice."""
    ask(served.url, "start_review", "2027", key=served.admin)
    expected = ask(served.url, "review_lines", "2027", key=served.admin)
    assert len(expected) > 3
    assert expected == list(served.service.authority.review_lines("2027", organization="acme"))
    with httpx.Client(headers={"Authorization": f"Bearer {served.admin}"}) as plain:
        whole = plain.get(
            served.url + "/v1/reviews/lines", params={"review": "2027", "organization": "acme"}
        ).content
    cut = whole[: whole.index(b"\n") + 20]
    head = CHUNKED.replace(b"application/json", b"application/x-ndjson")
    broken = then_reset(raw(head + b"%x\r\n%b\r\n" % (len(cut), cut)))
    with scripted(broken, broken, forward(served.url)) as script:
        found = ask(script, "review_lines", "2027", key=served.admin)
    assert [each.line for each in found][-len(expected) + 1 :] == [e.line for e in expected[1:]]
    assert f"after={expected[0].line}" in script.received[1].target.replace("%3A", ":")
    with scripted(broken) as script, pytest.raises(StoreUnavailable):
        ask(script, "review_lines", "x", retries=Retries(most_tries=1))
    with pytest.raises(RescindError, match="no access review"):
        ask(served.url, "review_lines", "none", key=served.admin)


def then_reset(act: Act) -> Act:
    def acted(connection: Any, received: Any) -> None:
        act(connection, received)
        threading.Event().wait(0.05)
        reset(connection, received)

    return acted


def test_a_review_is_applied(served: Served, ask: Asked) -> None:
    """Its outcome is the library's."""
    ask(served.url, "start_review", "2027", key=served.admin, role="owner")
    (line,) = ask(served.url, "review_lines", "2027", key=served.admin)
    decided = [LineDecision(line.line, Verdict.REVOKE, "gone")]
    named: dict[str, Any] = {"key": served.admin, "dry_run": True}
    seen = ask(served.url, "apply_review", "2027", decided, **named)
    theirs = served.service.authority.apply_review(
        "2027", decided, dry_run=True, organization="acme"
    )
    assert (seen.revoked, seen.difference, seen.beyond) == (
        theirs.revoked,
        theirs.difference,
        theirs.beyond,
    )
    assert seen.receipt is None
    with scripted(forward(served.url), forward(served.url, reset), forward(served.url)) as script:
        done = ask(script, "apply_review", "2027", decided, key=served.admin)
    assert done.receipt is not None
    assert done.revoked == theirs.revoked


# --- the clients themselves ---------------------------------------------------------------------------------


def test_connections_are_reused_and_closed(ask: Asked) -> None:
    """Many calls take one connection; a closed client has none, and says that it is closed."""
    with scripted(YES) as script:
        client = client_of(script)
        for _ in range(20):
            client.check(*ADA)
        assert script.connections == 1
        client.close()
        client.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            client.check(*ADA)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            ask(script, "check", *ADA)
        assert len(os.listdir("/proc/self/fd")) <= before + 5


def test_an_iterator_that_is_left_gives_its_connection_back(served: Served) -> None:
    """Whatever was not read."""
    with Client(served.url, key=served.admin, organization="acme", most_connections=1) as client:
        client.start_review("2027")
        for _ in range(3):
            lines = client.review_lines("2027")
            next(lines)
            lines.close()  # type: ignore[attr-defined]
        assert client.check(*ADA)


def test_many_threads(served: Served) -> None:
    """Share one client; each change has its effect, and nothing is mixed up."""
    wrong: list[str] = []
    with Client(served.url, key=served.admin, organization="acme") as client:

        def work(number: int) -> None:
            subject = f"user:thread-{number}"
            for _ in range(5):
                client.apply([changes.AddMembership(subject=subject)])
                client.apply([changes.Assign(role="reader", to=subject)])
                if not client.check(subject, "read"):
                    wrong.append(subject)
                client.apply([changes.RemoveMembership(subject=subject)])
                if client.check(subject, "read"):
                    wrong.append(subject)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


@pytest.mark.parametrize("transport", [None, httpx.HTTPTransport])
def test_after_a_fork(transport: Callable[[], httpx.BaseTransport] | None) -> None:
    """A child has its own connections; the parent's go on."""
    with scripted(YES) as script, client_of(script, transport=transport) as client:
        client.check(*ADA)
        read, write = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            try:
                os.write(write, b"yes" if client.check(*ADA) else b"no")
            finally:
                os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        assert os.read(read, 10) == b"yes"
        os.close(read)
        assert client.check(*ADA)
    assert script.connections == 2
    assert len(script.received) == 3


def test_many_tasks_and_several_loops(served: Served) -> None:
    """Each loop has connections of its own, and closes them."""
    client = AsyncClient(served.url, key=served.admin, organization="acme")
    meeting = threading.Barrier(2)
    found: list[Any] = []

    async def checks() -> None:
        found.extend(await asyncio.gather(*(client.check(*ADA) for _ in range(20))))
        meeting.wait()
        await client.close()
        await client.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            await client.check(*ADA)

    threads = [threading.Thread(target=asyncio.run, args=(checks(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert all(found)


def test_a_cancelled_call_ends_at_once() -> None:
    """And gives its connection back."""
    held: list[Scripted] = []
    with scripted(silent(ref(held)), YES) as script:
        held.append(script)

        async def cancelled() -> None:
            async with AsyncClient(
                script.url, key=KEY, organization="acme", most_connections=1
            ) as client:
                task = asyncio.create_task(client.check(*ADA))
                while not script.received:
                    await asyncio.sleep(0.001)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert await client.check(*ADA)

        run(cancelled())


# --- values -------------------------------------------------------------------------------------------------


def test_a_revision_is_its_token(served: Served) -> None:
    """It is compared by it, and says of everything else that it is not told."""
    with Client(served.url, key=served.admin, organization="acme") as client:
        receipt, decision = client.apply(JOIN), client.check(*ADA)
        page = client.list_groups()
    assert receipt.revision.organization == 2
    assert decision.revision is not None
    assert decision.revision == receipt.revision == page.revision
    assert hash(decision.revision) == hash(receipt.revision)
    assert decision.revision.covers(receipt.revision)
    assert decision.token == receipt.token == page.revision.token()
    assert pickle.loads(pickle.dumps(receipt)) == receipt
    assert repr(decision.revision)
    with pytest.raises(NotSupported):
        _ = decision.revision.organization
    with pytest.raises(NotSupported):
        _ = receipt.revision.environment
    with pytest.raises(NotSupported):
        _ = receipt.revision.incarnation
    with Client(served.url, key=served.admin, organization="acme") as client:
        later = client.apply([changes.RemoveMembership(subject="user:new")]).revision
    assert later != receipt.revision
    with pytest.raises(NotSupported):
        later.covers(receipt.revision)


def test_unknown_options_are_refused() -> None:
    """As everywhere in Python."""
    operations = Operations(Asking("acme", Tokens(is_on=False)))
    for call in (
        lambda: operations.who_can("read", within=None),
        lambda: operations.list_groups(page=1),
        lambda: operations.log(by="ada"),
        lambda: operations.start_review("x", roles="y"),
        lambda: operations.apply(JOIN, within=None),  # type: ignore[call-arg]
    ):
        with pytest.raises(TypeError):
            call()
