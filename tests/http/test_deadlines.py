"""A request has an end, and so has a service that is told to stop: whatever its work does."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from rescind import Authority
from rescind.errors import StoreUnavailable
from rescind.http.app import application
from rescind.http.keys import Keys
from rescind.http.routes import reviews
from rescind.http.server import threads
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from rescind.http.server.threads import MOST_LEFT, THREADS
from rescind.http.server.timeouts import Deadlines
from tests.contract.world import WORLD
from tests.http.raw import answers, connect, request, until_closed
from tests.http.serving import Served, serving

LIST = "/v1/who-can?organization=acme&permission=read"
CHECK = b'{"organization": "acme", "subject": "user:ada", "permission": "read"}'
CREATE = b'{"organization": "acme", "changes": [{"change": "create_group", "group": "late"}]}'


class Held:
    """A method that goes on when it is let."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.begun, self.may_go_on = threading.Semaphore(0), threading.Event()
        self.ended = threading.Semaphore(0)

    def __call__(self, *arguments: Any, **others: Any) -> Any:
        self.begun.release()
        self.may_go_on.wait()
        try:
            return self._method(*arguments, **others)
        finally:
            self.ended.release()


HOUR = 3_600.0


def make_late(deadlines: Deadlines) -> None:
    """End the time of every request under way. Those that come later have theirs."""
    before = deadlines.now
    deadlines.now = lambda: before() + 2 * HOUR


@contextmanager
def limited(database: str) -> Iterator[tuple[Served, Deadlines]]:
    """A service, and the time of its requests: an hour of a clock that may be set."""
    with Authority.open(database) as authority:
        authority.apply(WORLD, organization="acme")
        service = Service(authority, Keys(authority.store), limits=Limits(request_seconds=HOUR))
        entry = application(service)
        with serving(service, entry=entry) as running:
            yield running, entry.deadlines


def asked(served: Served, method: str, path: str, body: bytes = b"", *more: str) -> socket.socket:
    """A request that is sent, and waits for its answer."""
    connection = connect(served)
    sent = request(body, path, key=served.admin, more=["Connection: close", *more])
    connection.sendall(method.encode() + sent[len("POST") :])
    return connection


def answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Status line and body."""
    with connection:
        ((status, _, body),) = answers(until_closed(connection))
    return status, body


@pytest.mark.parametrize("is_late", [True, False])
def test_a_request_has_its_time(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    """Then it is 503, and others go on. Control: with time enough it is answered when its work is done."""
    with limited(new_database("sqlite")) as (served, deadlines):
        held = Held(served.service.authority.who_can)
        monkeypatch.setattr(Authority, "who_can", held)
        connection = asked(served, "GET", LIST)
        assert held.begun.acquire(timeout=60)
        if not is_late:
            held.may_go_on.set()
            assert answer(connection)[0] == b"HTTP/1.1 200 OK"
            return
        make_late(deadlines)
        status, body = answer(connection)
        assert status == b"HTTP/1.1 503 Service Unavailable"
        assert b'"code":"request_timed_out"' in body
        assert answer(asked(served, "GET", "/v1/keys"))[0] == b"HTTP/1.1 200 OK"
        held.may_go_on.set()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_change_that_takes_too_long_has_an_unknown_outcome(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """It may be made after the answer; repeated with its key it has one effect, and tells."""
    with limited(new_database(engine)) as (served, deadlines):
        authority = served.service.authority
        held = Held(authority.apply)
        with monkeypatch.context() as patch:
            patch.setattr(authority, "apply", held)
            again = "Idempotency-Key: late"
            connection = asked(served, "POST", "/v1/changes", CREATE, again)
            assert held.begun.acquire(timeout=60)
            make_late(deadlines)
            status, body = answer(connection)
            assert status == b"HTTP/1.1 504 Gateway Timeout"
            assert b'"code":"outcome_unknown"' in body
            held.may_go_on.set()
            assert held.ended.acquire(timeout=60)
        before = len(list(authority.log(organization="acme")))
        assert answer(asked(served, "POST", "/v1/changes", CREATE, again))[0] == b"HTTP/1.1 200 OK"
        entries = list(authority.log(organization="acme"))
        assert len(entries) == before
        assert entries[-1].idempotency_key == "late"


def test_what_waits_for_a_thread_is_not_begun(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its time is over: a change that was refused so is not made later."""
    monkeypatch.setattr(threads, "MOST_LEFT", THREADS + 1)
    with limited(new_database("sqlite")) as (served, deadlines), ExitStack() as stack:
        held = Held(served.service.authority.who_can)
        applied = Held(served.service.authority.apply)
        applied.may_go_on.set()
        monkeypatch.setattr(Authority, "who_can", held)
        monkeypatch.setattr(Authority, "apply", applied)
        for _ in range(THREADS):
            stack.enter_context(asked(served, "GET", LIST))
        for _ in range(THREADS):
            assert held.begun.acquire(timeout=60)
        monkeypatch.setattr(deadlines, "seconds", 0.2)
        status, _ = answer(asked(served, "POST", "/v1/changes", CREATE))
        assert b" 504 " in status
        monkeypatch.setattr(deadlines, "seconds", HOUR)
        held.may_go_on.set()
        assert answer(asked(served, "GET", "/v1/keys"))[0] == b"HTTP/1.1 200 OK"
        assert not applied.begun.acquire(blocking=False)


@pytest.mark.parametrize("most", [MOST_LEFT, THREADS + 1], ids=["bounded", "control"])
def test_threads_that_cannot_be_stopped_do_not_pile_up(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Half of them at most go on for requests that were given up: then others are refused, but for checks,
    until some have ended. Control: without the bound one more is begun, and takes too long as well.
    """
    monkeypatch.setattr(threads, "MOST_LEFT", most)
    with limited(new_database("sqlite")) as (served, deadlines), ExitStack() as stack:
        held = Held(served.service.authority.who_can)
        monkeypatch.setattr(Authority, "who_can", held)

        def given_up(count: int) -> list[bytes]:
            """The answers of requests whose work was begun, and whose time was then over."""
            late = [stack.enter_context(asked(served, "GET", LIST)) for _ in range(count)]
            for _ in range(count):
                assert held.begun.acquire(timeout=60)
            make_late(deadlines)
            return [answer(each)[1] for each in late]

        assert all(b'"request_timed_out"' in body for body in given_up(MOST_LEFT))
        if most == MOST_LEFT:
            status, body = answer(asked(served, "GET", LIST))
            assert b" 503 " in status
            assert b'"threads_exhausted"' in body
            assert not held.begun.acquire(blocking=False)
        else:
            assert b'"request_timed_out"' in given_up(1)[0]
        assert b" 200 " in answer(asked(served, "POST", "/v1/check", CHECK))[0]
        held.may_go_on.set()
        for _ in range(MOST_LEFT):
            assert held.ended.acquire(timeout=60)
        while b" 200 " not in answer(asked(served, "GET", LIST))[0]:
            pass


STUCK = """
import socket, sys, threading
from rescind import Authority
from rescind.http.app import APPLICATIONS
from rescind.http.server import serving
from rescind.http.server.configuration import Configuration
serving.LAST_SECONDS = 0.2
if sys.argv[2] == "unbounded":
    serving.end_at_last = lambda _: None
may_end = threading.Event()
def stuck(*_, **__):
    print("stuck", flush=True)
    may_end.wait()
Authority.who_can = stuck
def let():
    sys.stdin.readline()
    may_end.set()
threading.Thread(target=let, daemon=True).start()
configuration = Configuration(database=sys.argv[1], port=0, shutdown_seconds=0.2, workers=0)
serving.serve(
    configuration, APPLICATIONS, migrate=lambda _: None, say=lambda text: print(text, flush=True)
)
"""


@pytest.mark.parametrize(("end", "code"), [("bounded", 1), ("unbounded", 0)])
def test_a_service_that_is_told_to_stop_ends(
    new_database: Callable[[str], str], tmp_path: Path, end: str, code: int
) -> None:
    """Though work of a request goes on for ever. Control: else it ends when that does."""
    database = new_database("sqlite")
    with Authority.open(database) as authority:
        text = Keys(authority.store).create("t", ["admin"])[1]
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, database, end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        served = Served(None, url, text)  # type: ignore[arg-type]
        with asked(served, "GET", LIST):
            assert process.stdout.readline() == "stuck\n"
            process.send_signal(signal.SIGTERM)
            if end == "unbounded":
                assert process.stderr is not None
                while "timeout graceful shutdown exceeded" not in process.stderr.readline():
                    pass
                assert process.poll() is None
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
            assert process.wait() == code


@pytest.mark.parametrize("how", ["late", "failed", "whole"])
def test_a_stream_that_is_cut_never_looks_complete(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Late or failed, it ends without the last chunk. Control: whole, it has that."""
    with limited(new_database("sqlite")) as (served, deadlines):
        served.service.authority.start_review("Q1", organization="acme")

        def pieces(*_: object, **__: object) -> Iterator[bytes]:
            yield b"{}\n"
            if how == "failed":
                raise StoreUnavailable(database="it", why="gone")
            if how == "late":
                make_late(deadlines)
            while how == "late":
                yield b"{}\n"

        monkeypatch.setattr(reviews, "written_lines", pieces)
        connection = asked(served, "GET", "/v1/reviews/lines?organization=acme&review=Q1")
        with connection:
            sent = until_closed(connection)
        assert b"HTTP/1.1 200 OK" in sent
        assert b"transfer-encoding: chunked" in sent.lower()
        assert sent.endswith(b"0\r\n\r\n") is (how == "whole")
