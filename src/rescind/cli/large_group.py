"""The demo's second part: a large group is given a role and loses it; answers change at once, rows follow."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from rescind import changes
from rescind.authority import Authority
from rescind.cli import output
from rescind.model import Receipt
from rescind.propagation.jobs import Progress as Done
from rescind.store.sqlite import connect

ORGANIZATION = "large"
GROUP = "everybody"
MEMBERS = 5_000
ASSIGNMENTS = 1_000
LEAST_ASSIGNMENTS = 20
"""With fewer, the change would be small enough to be done inline."""
BATCH = 500
LOOK_SECONDS = 0.2
LABEL = 21


def show(folder: Path, assignments: int) -> list[tuple[str, Receipt]]:
    """Tell the story in a database of its own in that folder, which is gone when this returns.

    Returns what was done, with the receipts.
    """
    from rescind.store.migrations import migrate

    with tempfile.TemporaryDirectory(prefix="rescind-demo-", dir=folder) as place:
        path = str(Path(place) / "large.db")
        migrate(path)
        with Authority.open(path, organization=ORGANIZATION) as authority:
            group = LargeGroup(authority, path, assignments)
            group.tell()
            return group.done


class LargeGroup:
    """What happens to it, and what checks say meanwhile."""

    def __init__(self, authority: Authority, path: str, assignments: int) -> None:
        self.authority, self.path, self.assignments = authority, path, assignments
        self.pairs = MEMBERS * assignments
        self.subjects = [f"user:{number}" for number in range(MEMBERS)]
        self.done: list[tuple[str, Receipt]] = []
        self._turns = itertools.cycle(range(0, MEMBERS, BATCH))

    def tell(self) -> None:
        """Give the group its role on everything, and take it off again."""
        shape = f"{MEMBERS:,} members × {self.assignments:,} assignments"
        output.say("")
        output.say(f"A large group: {shape} = {self.pairs:,} effective roles")
        for batch in self._world():
            self.authority.apply(batch, actor="demo")
        given = tuple(changes.Given(role="reader", on=f"doc:{n}") for n in range(self.assignments))
        self._turn("the role is given", given, "there by then")
        self._turn("the role is taken off", (), "still there")
        output.say("No check waited for a row: while any are on their way, the facts decide.")

    def _world(self) -> Iterator[list[changes.Change]]:
        yield [
            changes.CreateOrganization(),
            changes.DefinePermission(permission="read"),
            changes.DefineRole(role="reader", permissions=("read",)),
            changes.DefineResourceType(type="doc"),
            changes.CreateGroup(group=GROUP),
        ]
        for start in range(0, self.assignments, BATCH):
            some = range(start, min(start + BATCH, self.assignments))
            yield [changes.CreateResource(resource=f"doc:{number}") for number in some]
        for start in range(0, MEMBERS, BATCH):
            members = tuple(self.subjects[start : start + BATCH])
            yield [
                *(changes.AddMembership(subject=subject) for subject in members),
                changes.AddMembers(group=GROUP, members=members),
            ]

    def _turn(self, what: str, given: tuple[changes.Given, ...], target: str) -> None:
        change = changes.ReplaceAssignments(to=f"group:{GROUP}", assignments=given)
        start = time.perf_counter()
        receipt = self.authority.apply([change], actor="demo", reason=what)
        returned = time.perf_counter()
        self.done.append((f"large group: {what}", receipt))
        _line(what, f"returned after {(returned - start) * 1000:.0f} ms, {receipt.route.value}")
        _answers("  asked right after", self._ask(self.subjects), MEMBERS)
        _line(f"  {target}", f"{self._rows():,} effective roles")
        _answers("  asked meanwhile", *self._follow())
        seconds = time.perf_counter() - returned
        _line("  settled", f"after {seconds:.1f} s: {self._rows():,} effective roles")

    def _follow(self) -> tuple[int, int]:
        """Let a worker settle it under a bar; how many were allowed of those asked meanwhile."""
        moved = allowed = asked = 0

        def count(_: object, done: Done) -> None:
            nonlocal moved
            moved += done.made + done.unmade

        pause = threading.Event()
        with _bar() as bar, self.authority.workers(on_progress=count):
            task = bar.add_task("  a worker follows", total=self.pairs)
            while True:
                start = next(self._turns)
                some = self.subjects[start : start + BATCH]
                allowed, asked = allowed + self._ask(some), asked + len(some)
                bar.update(task, completed=moved)
                if not self.authority.pending(limit=1):
                    break
                pause.wait(LOOK_SECONDS)
            bar.update(task, completed=moved)
        return allowed, asked

    def _ask(self, subjects: list[str]) -> int:
        """How many of them may read the last thing that was given."""
        on = f"doc:{self.assignments - 1}"
        return sum(map(bool, self.authority.check_many([(s, "read", on) for s in subjects])))

    def _rows(self) -> int:
        with closing(connect(self.path)) as connection:
            ((rows,),) = connection.execute("SELECT count(*) FROM rescind_effective_role")
        return int(rows)


def _bar() -> Progress:
    """A bar on the error stream that stays, there only if that is a terminal."""
    screen = output.console(on_error_stream=True)
    return Progress(
        TextColumn(f"{{task.description:<{LABEL + 1}}}", markup=False),
        BarColumn(bar_width=18),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=screen,
        disable=not screen.is_terminal,
    )


def _line(label: str, *parts: str | Text) -> None:
    line = Text(f"{label:<{LABEL}}  ")
    for part in parts:
        line.append(part)
    output.console().print(line, soft_wrap=True)


def _answers(label: str, allowed: int, asked: int) -> None:
    count, verdict = (allowed, "allowed") if allowed else (asked, "denied")
    style = "green" if allowed else "red"
    _line(label, Text(f"{count:,} of {asked:,} {verdict}", style=style))
