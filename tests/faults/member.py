"""A process of the fleet: a replica that checks, a writer, or a worker. It ends when its input does.

python -m tests.faults.member ROLE NUMBER URL FOLDER SETTINGS
"""

from __future__ import annotations

import json
import math
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from rescind import Authority, changes
from rescind.changes import Change
from rescind.errors import RescindError
from rescind.replicas import IndexCache, enforcement
from rescind.replicas.cached_index import State
from rescind.replicas.lease import Replica
from rescind.settings import Settings
from tests.faults.history import CHECK, FAILED, FRESH, GRANT, REVOKE, Event

USERS = 6
PLACES = 3
KINDS = ("member", "assignment", "role")
KEYS = [f"{kind}/{n}/{place}" for kind in KINDS for n in range(USERS) for place in range(PLACES)]
"""A user's place in a group; a group's role on a resource; a permission in a role."""


def world() -> list[Change]:
    """Everything granted that can be revoked."""
    batch: list[Change] = [changes.CreateOrganization(), changes.DefineResourceType(type="doc")]
    users = [f"user:{n}" for n in range(USERS)]
    batch += [changes.AddMembership(subject=user) for user in users]
    batch.append(changes.DefinePermission(permission="read"))
    batch.append(changes.DefineRole(role="reader", permissions=("read",)))
    for key in KEYS:
        name, doc = key.replace("/", "-"), f"doc:{key.replace('/', '-')}"
        batch += [
            changes.CreateResource(resource=doc),
            changes.CreateGroup(group=name),
            changes.CreateGroup(group=f"over-{name}"),
            changes.NestGroup(group=name, into=f"over-{name}"),
            changes.AddMembers(group=name, members=(_user(key),)),
        ]
        role = "reader"
        if key.startswith("role"):
            role = f"role-{name}"
            batch.append(changes.DefinePermission(permission=f"act-{name}"))
            batch.append(changes.DefineRole(role=role, permissions=(f"act-{name}",)))
        batch.append(changes.Assign(role=role, to=f"group:over-{name}", on=doc))
    return batch


def _user(key: str) -> str:
    return f"user:{key.split('/')[1]}"


def question(key: str) -> tuple[str, str, str]:
    """What is asked about a key."""
    name = key.replace("/", "-")
    permission = f"act-{name}" if key.startswith("role") else "read"
    return _user(key), permission, f"doc:{name}"


def change(key: str, kind: str) -> Change:
    """What grants or revokes a key."""
    name, grants = key.replace("/", "-"), kind == GRANT
    if key.startswith("member"):
        what = changes.AddMembers if grants else changes.RemoveMembers
        return what(group=name, members=(_user(key),))
    if key.startswith("assignment"):
        given = changes.Assign if grants else changes.Unassign
        return given(role="reader", to=f"group:over-{name}", on=f"doc:{name}")
    permission = (f"act-{name}",)
    edit = {"add": permission} if grants else {"remove": permission}
    return changes.EditRole(role=f"role-{name}", **edit)


# --- guards that can be switched off, here only ---------------------------------------------------


def switch_off(guard: str) -> None:
    """Take away one of the things that the promise rests on."""
    if guard == "wait":  # a revocation returns without waiting for anybody
        enforcement.Enforcer.enforce = lambda *_, **__: enforcement.Enforcement(0.0)  # type: ignore[method-assign]
    elif guard == "expiry":  # a replica answers from memory although its lease has run out
        state = State.__init__

        def forever(self: Any, index: Any, revision: Any, expiry: float) -> None:
            state(self, index, revision, math.inf if expiry else expiry)

        State.__init__ = forever  # type: ignore[method-assign]
    elif guard == "log":  # a replica renews its lease and acknowledges, but does not read the log
        IndexCache.extend = _extend_blindly  # type: ignore[method-assign]
        Replica.follow = _acknowledge_blindly  # type: ignore[method-assign]


def _extend_blindly(self: Any, cached: Any, _: Any, expiry: float) -> bool:
    cached.state = State(cached.index, cached.revision, expiry)
    return True


def _acknowledge_blindly(self: Any, heard: list[Any]) -> None:
    for news in heard:
        self.acknowledge(news.organization, news.revision)


def deafen(share: float, choose: random.Random) -> None:
    """Lose that share of what is heard of other processes."""
    from rescind.store.postgres import PostgresListener

    wait = PostgresListener.wait

    def hardly_hear(self: Any, seconds: float) -> list[str] | None:
        heard = wait(self, seconds)
        return heard and [payload for payload in heard if choose.random() >= share]

    PostgresListener.wait = hardly_hear  # type: ignore[method-assign]


# --- roles ------------------------------------------------------------------------------------------


class Log:
    """Events to a file of this process."""

    def __init__(self, file: TextIO, who: str) -> None:
        self._file, self._who = file, who
        self._lock = threading.Lock()

    def note(self, kind: str, key: str, start: int, end: int | None, allowed: bool = False) -> None:
        with self._lock:
            self._file.write(Event(kind, key, start, end, allowed, self._who).line())


def check_all_the_time(authority: Authority, log: Log, stop: threading.Event, number: int) -> None:
    """Ask about any key, as fast as can be without keeping others from their turn."""
    choose = random.Random(number)
    while not stop.is_set():
        for key in choose.choices(KEYS, k=20):
            ask(authority, log, key)
        time.sleep(0.001)


def ask(authority: Authority, log: Log, key: str, token: str | None = None) -> None:
    """One check, noted."""
    start = time.monotonic_ns()
    try:
        allowed = bool(authority.check(*question(key), at_least=token))
    except RescindError:
        log.note(FAILED, key, start, time.monotonic_ns())
        return
    log.note(CHECK if token is None else FRESH, key, start, time.monotonic_ns(), allowed)


def write_all_the_time(
    authority: Authority, log: Log, stop: threading.Event, number: int, writers: int
) -> None:
    """Revoke and grant the keys that are this writer's; what failed is tried again until it is done."""
    choose = random.Random(1_000 + number)
    own = [key for place, key in enumerate(KEYS) if place % writers == number]
    is_granted = dict.fromkeys(own, True)
    serial = 0
    while not stop.is_set():
        key = choose.choice(own)
        kind, serial = REVOKE if is_granted[key] else GRANT, serial + 1
        name = f"writer-{number}-{time.time_ns()}-{serial}"
        route = choose.choice((None, None, "background"))
        start, receipt = time.monotonic_ns(), None
        while receipt is None and not stop.is_set():
            try:
                receipt = authority.apply([change(key, kind)], idempotency_key=name, route=route)
            except RescindError:
                time.sleep(0.01)
        if receipt is None:
            log.note(kind, key, start, None)
            return
        log.note(kind, key, start, time.monotonic_ns())
        is_granted[key] = kind == GRANT
        ask(authority, log, key, receipt.token)
        time.sleep(0.002)


def main() -> None:
    """What the command line says, until the input ends."""
    role, number, url, folder, given = sys.argv[1:]
    options = json.loads(given)
    for guard in options["off"]:
        switch_off(guard)
    if options["deaf"]:
        deafen(options["deaf"], random.Random(int(number)))
    settings = Settings(**options["settings"])
    stop = threading.Event()
    threading.Thread(target=_stop_at_end, args=(stop,), daemon=True).start()
    with (Path(folder) / f"{role}-{number}-{time.monotonic_ns()}.events").open(
        "w", 1 << 14
    ) as file:
        authority = _opened(url, settings, index=role == "replica" or number == "0")
        log = Log(file, f"{role}-{number}")
        work: dict[str, Callable[[], None]] = {
            "replica": lambda: check_all_the_time(authority, log, stop, int(number)),
            "writer": lambda: write_all_the_time(
                authority, log, stop, int(number), options["writers"]
            ),
            "worker": lambda: _work(authority, stop),
        }
        work[role]()


def _opened(url: str, settings: Settings, *, index: bool) -> Authority:
    while True:
        try:
            return Authority.open(url, organization="acme", settings=settings, index=index)
        except RescindError:
            time.sleep(0.05)


def _work(authority: Authority, stop: threading.Event) -> None:
    with authority.workers():
        stop.wait()


def _stop_at_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main()
