"""Changes and checks over HTTP of servers of any version, by threads that know what must be answered.

Each subject belongs to one writer, which says before it asks for a change what may hold from then on, and
afterwards what must. A check that began after a revocation returned, and ended before the next grant was
asked for, must be denied, whichever server was asked for either.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

GROUPS: Final = 4
SUBJECTS: Final = 24
"""Of each writer."""
ORGANIZATION: Final = "acme"
RETRY_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 90
SETTLE_SECONDS: Final = 1.0
"""Until what was under way has ended."""


def facts(writers: int) -> Iterator[list[dict[str, Any]]]:
    """The batches of an organization with something of everything, in which nobody may do anything."""
    yield [
        {"change": "create_organization"},
        {"change": "define_permission", "permission": "read"},
        {"change": "define_permission", "permission": "purge", "critical": True},
        {"change": "define_role", "role": "reader", "permissions": ["read"], "priority": 1},
        {"change": "define_role", "role": "owner", "permissions": ["read", "purge"]},
        {"change": "define_resource_type", "type": "folder", "parents": ["organization"]},
        {"change": "create_resource", "resource": "folder:a"},
        {"change": "create_group", "group": "all"},
        {"change": "assign", "role": "reader", "to": "group:all"},
    ]
    for number in range(GROUPS):
        group = f"team-{number}"
        yield [
            {"change": "create_group", "group": group},
            {"change": "nest_group", "group": group, "into": "all"},
            {"change": "assign", "role": "owner", "to": f"group:{group}", "on": "folder:a"},
        ]
    for writer in range(writers):
        yield [{"change": "add_membership", "subject": each} for each in subjects(writer)]


def subjects(writer: int) -> list[str]:
    """Those of a writer."""
    return [f"user:{writer}-{number}" for number in range(SUBJECTS)]


@dataclass
class Truth:
    """What holds of a subject. `step` is another one with everything that happens to it."""

    step: int = 0
    holds: bool | None = False
    """None while a change is under way."""
    token: str = ""


@dataclass
class Target:
    """A server that is asked."""

    name: str
    url: str
    key: str

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)


@dataclass
class Found:
    """What was seen. `errors` counts answers that are none, by server and code."""

    asked: Counter[str] = field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Traffic:
    """Threads that change and check. `targets` are asked, `written` are changed. Both may be exchanged."""

    def __init__(self, targets: list[Target], *, writers: int = 2, checkers: int = 2) -> None:
        self.targets, self.written, self.found = targets, targets, Found()
        self._truth = {each: Truth() for writer in range(writers) for each in subjects(writer)}
        self._over, self._written = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work, number))
            for work, count in ((self._write, writers), (self._check, checkers))
            for number in range(count)
        ]
        self._writers = writers
        self._clients: dict[tuple[int, str], httpx.Client] = {}

    @contextmanager
    def running(self) -> Iterator[Traffic]:
        """From here to the end of the block."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()
            for client in self._clients.values():
                client.close()

    def goes_on(self, *targets: Target, changes: int = 25, checks: int = 60) -> None:
        """Wait until each of these servers has done so many of both since now."""
        start = self.found.asked.copy()
        self.until(
            lambda: all(
                self.found.asked[f"{target.name} {what}"] - start[f"{target.name} {what}"] >= most
                for target in targets
                for what, most in (("changes", changes), ("checks", checks))
            )
        )

    def until(self, has_come: Callable[[], bool]) -> None:
        """Wait until it is so, or something is wrong."""
        last = time.monotonic() + PATIENCE_SECONDS
        while not has_come() and not self.found.wrong:
            assert time.monotonic() < last, f"it does not go on: {self.found}"
            time.sleep(0.05)

    def refused(self, code: str, *targets: Target) -> None:
        """Wait until each of these servers answers nothing but an error of this code."""
        for target in targets:
            start = self.found.errors.copy()
            self.until(
                lambda name=target.name, start=start: any(  # type: ignore[misc]
                    count > start[at, said]
                    for (at, said), count in tuple(self.found.errors.items())
                    if at == name and said.endswith(f" {code}")
                )
            )
        time.sleep(SETTLE_SECONDS)
        before = self.found.asked.copy()
        time.sleep(SETTLE_SECONDS)
        if self.found.asked != before:
            more = self.found.asked - before
            self.found.wrong.append(f"answered after it had refused with {code}: {dict(more)}")

    def control(self) -> list[str]:
        """What the checkers say if all that was granted had been revoked, as they are told."""
        self._written.set()
        for thread in self._threads[: self._writers]:
            thread.join()
        start = len(self.found.wrong)
        for truth in self._truth.values():
            if truth.holds:
                truth.step, truth.holds = truth.step + 1, False
        self.until(lambda: len(self.found.wrong) > start)
        for truth in self._truth.values():
            truth.step, truth.holds = truth.step + 1, None
        time.sleep(SETTLE_SECONDS)
        said, self.found.wrong[start:] = self.found.wrong[start:], []
        return said

    def _guarded(self, work: Any, number: int) -> None:
        try:
            work(number)
        except Exception as error:  # the main thread reports it
            self.found.wrong.append(f"{work.__name__}: {error!r}")

    def _post(self, target: Target, path: str, body: object, **headers: str) -> tuple[int, Any]:
        place = (threading.get_ident(), target.url)
        client = self._clients.get(place)
        if client is None:
            client = self._clients[place] = target.client()
        try:
            answer = client.post(path, json=body, headers=headers)
        except httpx.TransportError as error:
            self.found.errors[target.name, type(error).__name__] += 1
            return 0, None
        try:
            said = answer.json()
        except json.JSONDecodeError:
            said = {"code": answer.text[:80]}
        if answer.status_code != 200:
            self.found.errors[target.name, f"{answer.status_code} {said.get('code')}"] += 1
        return answer.status_code, said

    def _write(self, number: int) -> None:
        choose, routes = random.Random(number), itertools.cycle(("inline", "background", None))
        mine = subjects(number)
        while not self._over.is_set() and not self._written.is_set():
            subject = choose.choice(mine)
            truth = self._truth[subject]
            to_grant = not truth.holds
            change = "add_members" if to_grant else "remove_members"
            group = f"team-{mine.index(subject) % GROUPS}"
            body = {
                "organization": ORGANIZATION,
                "changes": [{"change": change, "group": group, "members": [subject]}],
                "route": next(routes),
            }
            truth.holds, truth.step = None, truth.step + 1
            token = self._changed(body, choose)
            if token is None:
                return
            truth.token, truth.step, truth.holds = token, truth.step + 1, to_grant

    def _changed(self, body: object, choose: random.Random) -> str | None:
        """The token of a change, which is repeated with its key, of any server, until it is done."""
        key, last = uuid.uuid4().hex, time.monotonic() + PATIENCE_SECONDS
        while True:
            target = choose.choice(self.written)
            headers = {"Idempotency-Key": key}
            status, said = self._post(target, "/v1/changes", body, **headers)
            if status == 200:
                self.found.asked[f"{target.name} changes"] += 1
                return str(said["revision"])
            if self._over.is_set():
                return None
            assert time.monotonic() < last, f"a change is refused for good: {said}"
            time.sleep(RETRY_SECONDS)

    def _check(self, number: int) -> None:
        choose = random.Random(f"check {number}")
        everybody = list(self._truth)
        while not self._over.is_set():
            subject, target = choose.choice(everybody), choose.choice(self.targets)
            permission, resource = choose.choice((("read", None), ("purge", "folder:a")))
            truth = self._truth[subject]
            step, holds, token = truth.step, truth.holds, truth.token
            body = {
                "organization": ORGANIZATION,
                "subject": subject,
                "permission": permission,
                "assurance": choose.choice(("standard", "standard", "live")),
            }
            if resource is not None:
                body["resource"] = resource
            asks_for = {"Rescind-At-Least": token} if holds and token else {}
            status, said = self._post(target, "/v1/check", body, **asks_for)
            if status != 200:
                time.sleep(RETRY_SECONDS)
                continue
            self.found.asked[f"{target.name} checks"] += 1
            if holds is None or (truth.step, truth.holds) != (step, holds):
                continue
            if said["allowed"] != holds and (not holds or asks_for):
                self.found.wrong.append(
                    f"{target.name}: {subject} {permission}: {said}, not {holds}"
                )
