"""`python -m tests.examples.load --seconds 60`: the examples under load, and what must not grow.

Each client has a user of its own. Again and again it is let into the team, must see its documents in the next
request, is taken out, and must see none. It exits with 1 for a wrong answer, a request that takes longer than
STALL_SECONDS, or threads, connections or memory that grow.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from werkzeug.serving import make_server

from rescind.store.migrations import migrate
from tests.examples.apps import example, fill

CLIENTS: Final = 6
STALL_SECONDS: Final = 5.0
MOST_GROWTH: Final = 1.15
"""Of memory, between the first third of the run and its end."""
ROOM: Final = 8
"""By how much threads and open files may differ."""


@dataclass
class Seen:
    """What all clients saw."""

    requests: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, seconds: float) -> None:
        with self.lock:
            self.requests += 1
            self.slowest = max(self.slowest, seconds)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the process has: memory in MiB, threads, open files and sockets."""

    memory: float
    threads: int
    files: int

    @classmethod
    def now(cls) -> Usage:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return cls(memory, threading.active_count(), len(os.listdir("/proc/self/fd")))


def client(base: str, number: int, until: float, seen: Seen) -> None:
    user = f"user{number}"
    with httpx.Client(base_url=base, timeout=30) as http:

        def ask(who: str, method: str, path: str, **body: Any) -> httpx.Response:
            started = time.monotonic()
            response = http.request(method, path, headers={"X-User": who}, json=body or None)
            seen.note(time.monotonic() - started)
            return response

        ask(user, "POST", "/users", name=user)
        while time.monotonic() < until and not seen.wrong:
            for method, rows, status in (("PUT", 20, 200), ("DELETE", 0, 403)):
                changed = ask("ada", method, f"/teams/few/members/{user}")
                page = ask(user, "GET", "/docs")
                one = ask(user, "GET", "/docs/100")
                found = changed.status_code, len(page.json()), one.status_code
                if found != (204, rows, status):
                    seen.wrong.append(f"{user} {method}: {found}")


@contextmanager
def serving(name: str, url: str) -> Iterator[str]:
    """The address of the example, which runs in threads of this process."""
    module = example(name)
    if name == "flask_sqlite":
        app = module.make_app(url.removeprefix("sqlite:///"))
        werkzeug = make_server("127.0.0.1", 0, app, threaded=True)
        stop: Callable[[], None] = werkzeug.shutdown
        thread = threading.Thread(target=werkzeug.serve_forever)
        port = werkzeug.server_port
    else:
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(module.make_app(url), log_level="error"))

        def stop() -> None:
            server.should_exit = True

        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop()
        thread.join()
        if name == "flask_sqlite":
            app.extensions["rescind"].close()


def run(name: str, url: str, seconds: float, documents: int) -> list[str]:
    """What went wrong; prints what was seen."""
    migrate(url)
    seen = Seen()
    with serving(name, url) as base:
        with httpx.Client(base_url=base, timeout=30) as http:
            http.post("/users", json={"name": "ada"})
            for team in ("few", "many"):
                http.post("/teams", json={"name": team}, headers={"X-User": "ada"})
        fill(url, documents)
        until = time.monotonic() + seconds
        clients = [
            threading.Thread(target=client, args=(base, number, until, seen))
            for number in range(CLIENTS)
        ]
        for each in clients:
            each.start()
        time.sleep(seconds / 3)
        before = Usage.now()
        time.sleep(max(0.0, until - time.monotonic() - 0.2))
        after = Usage.now()
        for each in clients:
            each.join()
    print(f"{name}: {seen.requests} requests, slowest {seen.slowest:.2f} s, {before} -> {after}")
    problems = [f"{name}: {each}" for each in seen.wrong]
    if seen.slowest > STALL_SECONDS:
        problems.append(f"{name}: a request took {seen.slowest:.1f} s")
    if after.memory > before.memory * MOST_GROWTH:
        problems.append(f"{name}: memory grew")
    if after.threads > before.threads + ROOM or after.files > before.files + ROOM:
        problems.append(f"{name}: threads or connections grew")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument(
        "--postgres", help="the URL of an empty database; else FastAPI runs on SQLite"
    )
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="rescind-examples-") as folder:
        on = options.postgres or f"sqlite:///{folder}/fastapi.db"
        for name, url in (
            ("fastapi_sqlalchemy", on),
            ("flask_sqlite", f"sqlite:///{folder}/flask.db"),
        ):
            problems += run(name, url, options.seconds, options.documents)
    sys.exit("\n".join(problems) if problems else 0)


if __name__ == "__main__":
    main()
