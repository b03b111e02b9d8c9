"""The demo's first part: a few people, what they may do, and a revocation while somebody keeps asking."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.text import Text

from rescind import changes
from rescind.authority import Authority
from rescind.cli import output
from rescind.model import Explanation, Receipt

ORGANIZATION = "acme"
LIN_SECONDS = 0.3
ASKED_AFTERWARDS = 200
"""Checks that are still asked when the revocation has returned."""
DEPLOY, PAY = "app:deploy", "invoice:pay"
PEOPLE = {"user:ada": "Ada", "user:grace": "Grace", "user:bob": "Bob", "user:lin": "Lin"}
GROUPS = {"engineering": ("user:ada", "user:grace"), "finance": ("user:bob",)}
FACTS: list[changes.Change] = [
    changes.CreateOrganization(name="Acme"),
    changes.DefinePermission(permission=DEPLOY),
    changes.DefinePermission(permission=PAY),
    changes.DefineRole(role="deployer", permissions=(DEPLOY,)),
    changes.DefineRole(role="payer", permissions=(PAY,)),
    *(changes.AddMembership(subject=subject, name=name) for subject, name in PEOPLE.items()),
    *(changes.CreateGroup(group=group) for group in GROUPS),
    *(changes.AddMembers(group=group, members=members) for group, members in GROUPS.items()),
    changes.Assign(role="deployer", to="group:engineering"),
    changes.Assign(role="payer", to="group:finance"),
]


def show(folder: Path) -> list[tuple[str, Receipt]]:
    """Tell the story in a database of its own in that folder, which is gone when this returns.

    Returns what was done, with the receipts.
    """
    from rescind.store.migrations import migrate

    with tempfile.TemporaryDirectory(prefix="rescind-demo-", dir=folder) as place:
        path = str(Path(place) / "people.db")
        migrate(path)
        with Authority.open(path, organization=ORGANIZATION) as authority:
            authority.apply(FACTS, actor="demo")
            story = Story(authority, path)
            story.tell()
            return story.done


class Story:
    """What happens at Acme. Every answer is asked for, none is written here."""

    def __init__(self, authority: Authority, path: str) -> None:
        self.authority, self._path = authority, path
        self.done: list[tuple[str, Receipt]] = []

    def tell(self) -> None:
        """From the first question to the last."""
        output.say("At Acme, Ada and Grace are in Engineering, Bob is in Finance. Lin is a guest.")
        self._ask(("user:grace", DEPLOY), ("user:bob", DEPLOY), ("user:bob", PAY))
        self._do(
            "Bob moves to Engineering",
            changes.RemoveMembers(group="finance", members=("user:bob",)),
            changes.AddMembers(group="engineering", members=("user:bob",)),
        )
        self._ask(("user:bob", DEPLOY), ("user:bob", PAY))
        self._leaving()
        until = datetime.now(UTC) + timedelta(seconds=LIN_SECONDS)
        lin = changes.Assign(role="deployer", to="user:lin", expires_at=until)
        self._do(f"Lin may deploy, for {LIN_SECONDS:g} s", lin)
        self._ask(("user:lin", DEPLOY))
        pause = threading.Event()
        while (left := (until - datetime.now(UTC)).total_seconds()) >= 0:
            pause.wait(left + 0.001)
        output.say("That time has passed. Nothing ran to end it")
        self._ask(("user:lin", DEPLOY))

    def _leaving(self) -> None:
        """Grace leaves, while a program of hers asks all the time over a connection of its own."""
        with Asking(self._path, ("user:grace", DEPLOY)) as asking:
            output.say("A script of Grace's tries to deploy, without a pause")
            self._do("Grace leaves Acme", changes.RemoveMembership(subject="user:grace"))
            returned = time.perf_counter()
            asking.go_on()
        before = [allowed for began, allowed in asking.answers if began < returned]
        after = [allowed for began, allowed in asking.answers if began >= returned]
        output.say(
            f"  {sum(before):,} of {len(before):,} tries that began before that were allowed"
        )
        style = "red" if not any(after) else "green"
        told = Text(f"{sum(after):,} of {len(after):,}", style=style)
        line = Text.assemble("  ", told, " tries that began after it were allowed")
        output.console().print(line, soft_wrap=True)

    def _do(self, what: str, *batch: changes.Change) -> None:
        start = time.perf_counter()
        self.done.append((what, self.authority.apply(batch, actor="demo", reason=what)))
        output.say(f"{what}: returned after {(time.perf_counter() - start) * 1000:.0f} ms")

    def _ask(self, *questions: tuple[str, str]) -> None:
        for subject, permission in questions:
            decision = self.authority.check(subject, permission, explain=True)
            verdict = "allowed" if decision else "denied"
            text = Text(f"  {PEOPLE[subject]:<6} {permission:<12} ")
            text.append(verdict, style="green" if decision else "red")
            text.append(_why(decision.explanation))
            output.console().print(text, soft_wrap=True)


class Asking:
    """Somebody who asks the same all the time, in a thread, by an authority of its own."""

    def __init__(self, path: str, question: Sequence[str]) -> None:
        self.answers: list[tuple[float, bool]] = []
        self._path, self._question = path, question
        self._begun, self._left = threading.Event(), -1
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Asking:
        self._thread.start()
        self._begun.wait()
        return self

    def go_on(self) -> None:
        """Ask so many times more, and end."""
        self._left = ASKED_AFTERWARDS
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self._left = 0
        self._thread.join()

    def _run(self) -> None:
        subject, permission = self._question
        try:
            with Authority.open(self._path, organization=ORGANIZATION) as authority:
                while self._left:
                    began = time.perf_counter()
                    self.answers.append((began, bool(authority.check(subject, permission))))
                    self._left -= self._left > 0
                    self._begun.set()
        finally:
            self._begun.set()


def _why(explanation: Explanation | None) -> str:
    """The way by which it is allowed."""
    if explanation is None or not explanation.chains:
        return ""
    chain = explanation.chains[0]
    groups = [f"in {group}" for group in chain.groups]
    return "  " + ", ".join([*groups, f"as {chain.role}"])
