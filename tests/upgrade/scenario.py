"""One upgrade: from a version, on a database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

from rescind.store.schema import USABLE_FROM, VERSIONS
from tests.sql import ours
from tests.upgrade.processes import Command, called
from tests.upgrade.traffic import ORGANIZATION, Target, Traffic, facts

WRITERS: Final = 2
TOGETHER_FROM: Final = "0020"
"""From here on both versions go on. Nobody promises it before USABLE_FROM: those were no releases."""

STOPPED: Final = {"ConnectError", "ReadError", "RemoteProtocolError"}
"""What is seen of a server that was told to end."""


@dataclass
class Result:
    """What an upgrade showed."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def told(self) -> str:
        """In one line, or one for each fault."""
        told = "; ".join(self.notes)
        return "\n  ".join([f"FAILED; {told}", *self.faults]) if self.faults else f"ok; {told}"


class Scenario:
    """Both versions' commands, and where they run."""

    def __init__(self, version: str, older: Path, newer: Path, folder: Path, database: str) -> None:
        self.version, self.older, self.newer = version, older, newer
        self.folder, self.database = folder, database
        self.together = version >= TOGETHER_FROM
        self.result = Result()

    @property
    def may_run_together(self) -> bool:
        """Whether the older version's code knows what the schema says of who may use it."""
        return self.version >= USABLE_FROM

    def run(self, seconds: float) -> Result:
        """Upgrade under load."""
        code, said = called(self.older, self.folder, self.database, "init")
        assert code == 0, said
        with ExitStack() as stack:
            running = stack.enter_context(ExitStack())
            old = running.enter_context(self._running(self.older, "older"))
            self._fill(old)
            traffic = Traffic([old], writers=WRITERS)
            ended = stack.enter_context(ExitStack())
            with traffic.running():
                traffic.goes_on(old)
                if not self.together:
                    running.close()  # as the page says
                self._migrate()
                new = ended.enter_context(self._running(self.newer, "newer", key=old.key))
                traffic.targets = traffic.written = [old, new] if self.together else [new]
                traffic.goes_on(*traffic.targets)
                time.sleep(seconds)
                self._alone(traffic, old, new)
            self._noted(traffic)
        self._audited()
        return self.result

    def _alone(self, traffic: Traffic, old: Target, new: Target) -> None:
        """The new version; then a release after it, which neither may use."""
        traffic.targets = traffic.written = [new]
        traffic.goes_on(new)
        if not traffic.control():
            self.result.faults.append("the control was not seen: the checkers are blind")
        if self.may_run_together:
            traffic.targets = [old, new]
        following = f"{int(VERSIONS[-1]) + 1:04}"
        self._state(following, following)
        traffic.refused("schema_too_new", *traffic.targets)
        self._state(VERSIONS[-1], USABLE_FROM)

    def _state(self, version: str, usable_from: str) -> None:
        """What the migration of a release would state that takes away what this one uses."""
        is_postgres = self.database.startswith("postgresql")
        opened = psycopg.connect if is_postgres else sqlite3.connect
        with closing(opened(self.database)) as connection:
            for statement in (
                f"UPDATE rescind.schema_version SET version_num = '{version}'",
                f"UPDATE rescind.installation SET usable_from = '{usable_from}'",
            ):
                connection.execute(ours(self.database, statement))
            connection.commit()

    def _noted(self, traffic: Traffic) -> None:
        found = traffic.found
        self.result.notes.append(f"asked {dict(found.asked)}")
        if found.errors:
            told = {f"{name} {said}": count for (name, said), count in found.errors.items()}
            self.result.notes.append(f"errors {told}")
        self.result.faults += found.wrong[:10]
        expected = {"503 schema_too_new"}
        if not self.may_run_together:
            expected.add("400 invalid_token")  # each seals tokens otherwise
        if not self.together:
            expected |= STOPPED
        self.result.faults += [
            f"{name} had {count} × {said}"
            for (name, said), count in found.errors.items()
            if said not in expected
        ]

    def _audited(self) -> None:
        """Nothing is derived wrongly, and the log has not changed."""
        for command in (("audit",), ("log", "verify")):
            code, said = called(self.newer, self.folder, self.database, *command)
            if code:
                self.result.faults.append(f"{' '.join(command)} ended with {code}: {said}")

    def _fill(self, target: Target) -> None:
        with target.client() as client:
            for batch in facts(WRITERS):
                body = {"organization": ORGANIZATION, "changes": batch}
                answer = client.post("/v1/changes", json=body)
                assert answer.status_code == 200, answer.text

    def _migrate(self) -> None:
        began = time.monotonic()
        code, said = called(self.newer, self.folder, self.database, "migrate")
        self.result.notes.append(f"migrated in {time.monotonic() - began:.1f} s")
        assert code == 0, f"migrate ended with {code}: {said}"
        if not self.together:
            code, said = called(
                self.older, self.folder, self.database, "export", "-o", ORGANIZATION
            )
            assert code, f"the older version reads a schema that it does not know: {said}"
            self.result.notes.append(f"the older version says: {said.strip()}")

    @contextmanager
    def _running(self, commands: Path, name: str, key: str | None = None) -> Iterator[Target]:
        """A server and a worker."""
        serve = Command(commands, self.folder, self.database, "serve", "--port", "0", "--no-worker")
        worker = Command(commands, self.folder, self.database, "worker")
        try:
            yield Target(name, serve.url(), key or serve.key())
        finally:
            for each in (serve, worker):
                each.end()
            (self.folder / f"{name}.log").write_text("\n".join([*serve.printed, *worker.printed]))
