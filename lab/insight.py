"""What it costs that Rescind is measured, and how long its figures take to be told.

Metrics on and off, in turn, in one run: an inline change, a check from memory, and a check over HTTP by one
connection. Then the targets over a long log, and a scrape while a thousand organizations are in memory.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab.databases import servers
from lab.report import Goal, interleaved, percentile
from lab.worlds import apply_all, one_group
from rescind import Authority, changes
from rescind.http.keys import Keys
from rescind.insight.metrics.exposition import Exposition
from rescind.insight.targets import attainments, targets_of
from rescind.model import EnforcedReplica, Enforcement, ReplicaOutcome
from rescind.model.enforcement import encode_enforcement
from rescind.settings import Settings
from rescind.store.queries import named
from rescind.store.rows.organizations import FIND_ORGANIZATION

GOALS = {
    "insight.change.overhead": Goal(1.05),
    "insight.check.overhead": Goal(1.10),
    "insight.http.overhead": Goal(1.05),
    "insight.targets.s": Goal(
        1.0,
        why=(
            "it reads the million rows of the log three times by key: once to count revocations, twice for"
            " grants"
        ),
    ),
    "insight.scrape_ms": Goal(20),
}
ENGINES = ("sqlite", "postgres")
SIDES = {"on": Settings(), "off": Settings(metrics=False)}
USERS = 200
ORGANIZATIONS = 1_000
CHECKS = 500
"""Of a block: one takes too little time to be measured by itself."""
QUESTION = ("user:7", "read", "doc:0")
Figures = dict[str, float]


def run(*, quick: bool, seed: int) -> Figures:
    """Figures by engine; without one, the worse of both."""
    rounds = 150 if quick else 1_500
    figures: Figures = {}
    with servers() as make, tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        for engine in ENGINES:
            url = make(engine)
            with Authority.open(url, organization="acme") as authority:
                apply_all(authority, one_group(USERS, 1))
                authority.apply([changes.Assign(role="reader", to="group:all", on="doc:0")])
                key = Keys(authority.store).create("lab", ["admin"], organization="acme")[1]
            _say(f"{engine}, changes and checks")
            figures |= _changes(engine, url, rounds)
            figures |= _checks(engine, url, rounds)
            _say(f"{engine}, HTTP")
            figures |= _http(engine, folder, url, key, rounds * 4)
            _say(f"{engine}, targets")
            size = 100_000 if quick else 1_000_000
            figures |= _targets(engine, make(engine), size)
            _say(f"{engine}, scrapes")
            figures |= _scrapes(engine, make(engine), 20 if quick else 100, seed)
    return {**_worse(figures), **figures}


def _say(what: str) -> None:
    print(f"lab: {what} …", file=sys.stderr)


def _worse(figures: Figures) -> Figures:
    """Of each figure that has a goal, the worse of both engines."""
    return {name: max(figures[_of(name, engine)] for engine in ENGINES) for name in GOALS}


def _of(name: str, engine: str) -> str:
    room, _, rest = name.partition(".")
    return f"{room}.{engine}.{rest}"


def _overhead(what: str, engine: str, taken: dict[str, list[float]], each: float) -> Figures:
    """The middle with metrics over the middle without, and both, in µs."""
    middle = {side: percentile(taken[side], 0.5) for side in SIDES}
    return {
        _of(f"insight.{what}.overhead", engine): middle["on"] / middle["off"],
        **{
            _of(f"insight.{what}.{side}_us", engine): seconds * 1e6 / each
            for side, seconds in middle.items()
        },
    }


# --- on and off -----------------------------------------------------------------------------------


def _changes(engine: str, url: str, rounds: int) -> Figures:
    """A member is taken out and put back, by an authority of each side in turn."""
    with ExitStack() as stack:
        actions: dict[str, Callable[[], object]] = {}
        for side, settings in SIDES.items():
            authority = stack.enter_context(
                Authority.open(url, organization="acme", settings=settings)
            )
            actions[side] = _toggle(authority)
        return _overhead("change", engine, interleaved(rounds, actions), 2)


def _toggle(authority: Authority) -> Callable[[], object]:
    leave = [changes.RemoveMembers(group="all", members=("user:9",))]
    join = [changes.AddMembers(group="all", members=("user:9",))]

    def toggle() -> None:
        authority.apply(leave)
        authority.apply(join)

    return toggle


def _checks(engine: str, url: str, rounds: int) -> Figures:
    with ExitStack() as stack:
        actions: dict[str, Callable[[], object]] = {}
        for side, settings in SIDES.items():
            authority = stack.enter_context(
                Authority.open(url, organization="acme", settings=settings, index=True)
            )
            authority.load()
            actions[side] = _block(authority)
        return _overhead("check", engine, interleaved(rounds, actions), CHECKS)


def _block(authority: Authority) -> Callable[[], object]:
    check = authority.check

    def block() -> None:
        for _ in itertools.repeat(None, CHECKS):
            check(*QUESTION)

    return block


def _http(engine: str, folder: str, url: str, key: str, rounds: int) -> Figures:
    """Two servers on one database, a connection to each, asked in turn."""
    body = json.dumps(dict(zip(("subject", "permission", "resource"), QUESTION, strict=True)))
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def asking(connection: http.client.HTTPConnection) -> Callable[[], object]:
        def ask() -> None:
            connection.request("POST", "/v1/check", body, headers)
            response = connection.getresponse()
            if b'"allowed":true' not in response.read():
                raise RuntimeError("the check was not allowed")

        return ask

    with ExitStack() as stack:
        ports = {
            side: stack.enter_context(_served(folder, url, str(settings.metrics).lower()))
            for side, settings in SIDES.items()
        }
        actions = {
            side: asking(http.client.HTTPConnection("127.0.0.1", port))
            for side, port in ports.items()
        }
        for _ in range(20):
            for ask in actions.values():
                ask()
            time.sleep(0.02)  # until it is in memory
        return _overhead("http", engine, interleaved(rounds, actions), 1)


@contextmanager
def _served(folder: str, url: str, metrics: str) -> Iterator[int]:
    """The port of `rescind serve` on the database; ended at the end."""
    config = Path(folder) / f"metrics-{metrics}.toml"
    config.write_text(f"[settings]\nmetrics = {metrics}\nlease_seconds = 10.0\n", "utf-8")
    command = [sys.executable, "-c", "import rescind.cli; rescind.cli.main()", "serve"]
    options = ["--port", "0", "-d", url, "--config", str(config), "--no-worker"]
    with (
        (Path(folder) / "log").open("w") as log,
        subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.match(r"serving on http://\S+:(\d+)", line):
                    yield int(found[1])
                    return
            raise RuntimeError((Path(folder) / "log").read_text())
        finally:
            process.terminate()


# --- what is told ---------------------------------------------------------------------------------


def _targets(engine: str, url: str, size: int) -> Figures:
    """Over a log of this many changes of 29 days, two thirds of them grants, with the record of two replicas
    for each revocation; the best of three."""
    with Authority.open(url, organization="acme") as authority:
        authority.apply([changes.CreateOrganization()])
        _write_log(authority, size)
        targets = targets_of(authority.settings)
        taken = []
        for _ in range(3):
            start = time.perf_counter()
            found = attainments(authority.store, targets=targets)
            taken.append(time.perf_counter() - start)
        counted = sum(each.changes + each.undecided for each in found)
        if not size <= counted <= size + 10:
            raise RuntimeError(f"{counted} changes were counted, of {size}")
    return {
        _of("insight.targets.s", engine): min(taken),
        _of("insight.targets.changes", engine): float(size),
    }


def _write_log(authority: Authority, size: int) -> None:
    store = authority.store
    (found,) = store.fetch(FIND_ORGANIZATION, {"organization": "acme"})
    now = time.time_ns() // 1_000
    if store.engine == "sqlite":
        numbers = (
            "WITH RECURSIVE s (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM s"
            f" WHERE n < {size + 9})"
        )
    else:
        numbers = (
            f"WITH s (n) AS (SELECT CAST(g AS BIGINT) FROM generate_series(10, {size + 9}) AS g)"
        )
    at = f"{now} - (n * 2000000) % 2500000000000"
    replicas = tuple(
        EnforcedReplica("f" * 32, f"lab-{number}:4711", ReplicaOutcome.ACKNOWLEDGED, 1.5)
        for number in range(2)
    )
    record = encode_enforcement(Enforcement(0.002, replicas))
    with store.connection() as connection:
        for statement in (
            "INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, direction,"
            f" route, granted, revoked, body, settled_at) {numbers} SELECT {found.organization}, n, {at},"
            " 'user:root', '', CASE WHEN n % 3 = 0 THEN 'revokes' ELSE 'grants' END, 'inline', 1, 1,"
            f" '[]', {at} + n % 900000 FROM s",
            "INSERT INTO rescind.enforcement (organization, revision, enforced_at, record, recorded_at)"
            f" SELECT organization, revision, recorded_at + revision % 700000, '{record}', recorded_at"
            " FROM rescind.change"
            " WHERE direction = 'revokes'",
        ):
            connection.execute(named(statement, store.engine))  # type: ignore[attr-defined]
        if store.engine == "postgres":  # as autovacuum soon does after so many rows
            for table in ("change", "enforcement"):
                connection.execute(f"ANALYZE rescind.{table}")  # type: ignore[attr-defined]


def _scrapes(engine: str, url: str, rounds: int, seed: int) -> Figures:
    """With what is read from the database each time, and after some of everything has happened."""
    generator, now = random.Random(seed), itertools.count(0, 10)
    with Authority.open(url, index=True) as authority:
        for number in range(ORGANIZATIONS):
            name = f"org-{number}"
            authority.apply(
                [changes.CreateOrganization(), changes.AddMembership(subject="user:ada")],
                organization=name,
            )
            authority.load(name)
        exposition = Exposition(authority, clock=lambda: float(next(now)))
        start = time.perf_counter()
        exposition.text()
        first, taken = time.perf_counter() - start, []
        for _ in range(rounds):
            _something_happens(authority, generator)
            start = time.perf_counter()
            text = exposition.text()[1]
            taken.append(time.perf_counter() - start)
        if f"rescind_index_organizations {ORGANIZATIONS}.0".encode() not in text:
            raise RuntimeError("not all organizations are in memory")
    return {
        _of("insight.scrape_ms", engine): percentile(taken, 0.5) * 1e3,
        _of("insight.scrape.p99_ms", engine): percentile(taken, 0.99) * 1e3,
        _of("insight.scrape.first_ms", engine): first * 1e3,
        _of("insight.scrape.bytes", engine): float(len(text)),
    }


def _something_happens(authority: Authority, generator: random.Random) -> None:
    for number in range(5):
        name = f"org-{generator.randrange(ORGANIZATIONS)}"
        authority.apply([changes.CreateGroup(group=f"g{generator.random()}")], organization=name)
        authority.check(f"user:{number}", "read", organization=name)
