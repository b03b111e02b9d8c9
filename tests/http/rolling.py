"""A rolling restart of two servers behind a balancer: how many requests fail.

    python -m tests.http.rolling [--requests N] [--drain SECONDS]

Both servers are restarted, one after the other, again and again until all requests were sent.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import select
import signal
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.faults.server import running
from tests.http.processes import Process

LOOK_SECONDS = 0.1
"""How often the balancer asks its servers."""
CLIENTS = 4
CHECK = {"organization": "acme", "subject": "user:ada", "permission": "read"}
FACTS = [
    {"change": "create_organization"},
    {"change": "define_permission", "permission": "read"},
    {"change": "define_role", "role": "reader", "permissions": ["read"]},
    {"change": "add_membership", "subject": "user:ada"},
    {"change": "assign", "role": "reader", "to": "user:ada"},
]


@dataclass
class Backend:
    """A server as the balancer knows it: its address, and whether it was ready when it was asked last."""

    url: str
    is_ready: bool = False
    idle: list[http.client.HTTPConnection] = field(default_factory=list)

    def look(self) -> None:
        """Ask it."""
        try:
            connection = self.connect()
            connection.request("GET", "/readyz")
            self.is_ready = connection.getresponse().status == 200
            connection.close()
        except OSError:
            self.is_ready = False
        if not self.is_ready:
            self.close()

    def close(self) -> None:
        """Keep no connections."""
        while self.idle:
            self.idle.pop().close()

    def borrow(self) -> http.client.HTTPConnection:
        """A connection that was kept and is open, or a new one."""
        while self.idle:
            kept = self.idle.pop()
            if not select.select([kept.sock], [], [], 0)[0]:
                return kept
            kept.close()  # by the server, for it was idle too long
        return self.connect()

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)


class Balancer:
    """Sends each request once, to the next server that was ready, over connections that it keeps."""

    def __init__(self, urls: list[str], key: str) -> None:
        self.backends = [Backend(url) for url in urls]
        self._key, self._turn = key, itertools.count()

    def __enter__(self) -> Balancer:
        return self

    def __exit__(self, *_: object) -> None:
        for backend in self.backends:
            backend.close()

    def look(self) -> None:
        """Ask all servers whether they are ready."""
        for backend in self.backends:
            backend.look()

    def post(self, path: str, body: object) -> int:
        """The status of the answer; 0 where there is none, 502 where no server is ready."""
        ready = [backend for backend in self.backends if backend.is_ready]
        if not ready:
            return 502
        backend = ready[next(self._turn) % len(ready)]
        connection = backend.borrow()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return 0
        if not answer.will_close:
            backend.idle.append(connection)
        return answer.status


class Servers:
    """Servers on one database, each restarted on its port."""

    def __init__(
        self,
        folder: Path,
        database: str,
        drain_seconds: float,
        *,
        servers: int = 2,
        processes: int = 1,
    ) -> None:
        self._folder, self._database = folder, database
        self._environment = {
            "RESCIND_DRAIN_SECONDS": str(drain_seconds),
            "RESCIND_PROCESSES": str(processes),
        }
        self.processes = [self._start(0)]
        self.key = self.processes[0].key
        self.processes += [self._start(0) for _ in range(servers - 1)]

    def _start(self, port: int) -> Process:
        command = ("serve", "--port", str(port), "-d", self._database)
        return Process(self._folder, command=command, **self._environment)

    def balancer(self) -> Balancer:
        """A balancer of all."""
        return Balancer([process.url for process in self.processes], self.key)

    def tell_to_end(self, number: int) -> None:
        """As an orchestrator does."""
        self.processes[number].process.send_signal(signal.SIGTERM)

    def start_again(self, number: int) -> None:
        """Wait for its end, and start another on its port."""
        ended = self.processes[number]
        assert ended.end(0) == 0
        self.processes[number] = self._start(urlsplit(ended.url).port or 0)

    def close(self) -> None:
        """End all at once, as by Ctrl-C."""
        for process in self.processes:
            process.end(signal.SIGINT)


def run(database: str, requests: int, drain_seconds: float) -> dict[str, object]:
    """How many requests failed, and how many restarts there were meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder), database, drain_seconds)
        try:
            with servers.balancer() as balancer:
                return _restarted(servers, balancer, requests)
        finally:
            servers.close()


def _restarted(servers: Servers, balancer: Balancer, requests: int) -> dict[str, object]:
    balancer.look()
    assert balancer.post("/v1/changes", {"organization": "acme", "changes": FACTS}) == 200
    over, left, restarts = threading.Event(), iter(range(requests)), 0

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            balancer.look()

    def send() -> list[int]:
        return [balancer.post("/v1/check", CHECK) for _ in left]

    looking = threading.Thread(target=look)
    looking.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        sending = [pool.submit(send) for _ in range(CLIENTS)]
        while not all(each.done() for each in sending):
            for number in range(len(servers.processes)):
                servers.tell_to_end(number)
                servers.start_again(number)
                restarts += 1
                while not balancer.backends[number].is_ready:
                    over.wait(LOOK_SECONDS)
        statuses = [status for each in sending for status in each.result()]
    over.set()
    looking.join()
    failed = sum(status != 200 for status in statuses)
    return {"requests": len(statuses), "failed": failed, "restarts": restarts}


def main() -> None:
    """Run it on a database of its own, on a server of the tests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--drain", type=float, default=1.0)
    given = parser.parse_args()
    with running() as server:
        print(json.dumps(run(server.new_database(), given.requests, given.drain)))


if __name__ == "__main__":
    main()
