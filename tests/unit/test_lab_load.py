"""The load generator: what it counts as an answer, as a refusal, and as a failure of the benchmark."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from lab.load import Load, generate

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
OVERLOADED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def server(answer: Callable[[int, bytes], bytes]) -> Iterator[int]:
    """A server of one connection, whose answer is chosen by the request's number and text."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionResetError):
                number = 0
                while (got := connection.recv(65_536)) and (told := answer(number, got)):
                    connection.sendall(told)
                    number += 1

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join()


def load(port: int) -> Load:
    return Load("127.0.0.1", port, "key", "/", ["first", "second"], 1, 0.2)


def test_a_refusal_for_too_much_load_is_counted_and_sent_again() -> None:
    bodies = list[bytes]()

    def every_second(number: int, got: bytes) -> bytes:
        bodies.append(got.rpartition(b"\r\n")[2])
        return OVERLOADED if number % 2 == 0 else OK

    with server(every_second) as port:
        found = generate(load(port))
    assert bodies[:5] == [b"first", b"first", b"second", b"second", b"first"]
    assert abs(found["refused"] - found["requests"]) <= 1
    assert found["requests"] > 0


def test_without_refusals_none_are_counted() -> None:
    with server(lambda *_: OK) as port:
        assert generate(load(port))["refused"] == 0


@pytest.mark.parametrize(
    ("told", "message"), [(NOT_FOUND, "404 Not Found"), (b"", "closed a connection")]
)
def test_any_other_answer_ends_the_benchmark(told: bytes, message: str) -> None:
    with server(lambda *_: told) as port, pytest.raises(RuntimeError, match=message):
        generate(load(port))
