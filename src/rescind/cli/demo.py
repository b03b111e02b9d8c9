"""The demo: a few people (`people`); a real organization, and what happens to access when memberships and
roles change; and a group that is large (`large_group`).
"""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from rich.table import Table
from rich.text import Text

from rescind import changes
from rescind import transfer as exchange
from rescind.authority import Authority
from rescind.cli import demo_service, enforced, large_group, output, people
from rescind.cli import sample_data as invented
from rescind.cli.declared import Commands, Option
from rescind.errors import BadInput, InvalidArgument
from rescind.model import Receipt
from rescind.store.sqlite import connect
from rescind.transfer.pairs import as_sets

DEMO_DATABASE = "./rescind-demo.db"
DATA = "hp_labs_americas_small.txt.gz"
ORGANIZATION = "demo"
EXPIRES_AFTER = timedelta(milliseconds=400)
INSERTS = 9


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the story: what was done, what was asked, the answer, and both times in ms."""

    done: str
    then: str
    change_ms: float | None
    insert_ms: float | None


def register(commands: Commands) -> None:
    """Add the command of this module."""
    commands.add("demo", demo, "Database")


def demo(
    database: Annotated[
        str | None,
        Option("--database", "-d", help=f"A new file. Default: {DEMO_DATABASE}, replaced."),
    ] = None,
    assignments: Annotated[
        int,
        Option(
            min=large_group.LEAST_ASSIGNMENTS, max=100_000, help="Assignments of the large group."
        ),
    ] = large_group.ASSIGNMENTS,
    serve: Annotated[
        bool, Option("--serve", help="Serve the organization at the end, until Ctrl-C.")
    ] = False,
) -> None:
    """Show what revocations do: to a few people, in a real organization, and in a large group."""
    from rescind.store.migrations import migrate

    path = _fresh(database)
    source, about = data_source()
    items = exchange.parse(source, exchange.Format.PAIRS)
    if not items:
        raise BadInput(at=source.name, why="there is nothing in it")
    done = people.show(Path(path).resolve().parent)
    migrate(path)
    with Authority.open(path, organization=ORGANIZATION, index=True) as authority:
        _load(authority, items, source.digest, about)
        authority.load()
        largest = _largest_group(source)
        story = Story(authority, path, *largest)
        _show(list(story.rows()))
    done += story.done
    done += large_group.show(Path(path).resolve().parent, assignments)
    _show_enforced(done)
    left = next(receipt for _, receipt in story.done if receipt.enforcement is not None)
    _next_steps(path, largest, left.revision.organization)
    if serve:
        demo_service.serve(path, ORGANIZATION, *largest)


class Story:
    """What happens, on the largest group of the organization."""

    def __init__(
        self, authority: Authority, path: str, group: str, members: Sequence[str], may: str
    ) -> None:
        self.authority, self.path = authority, path
        self.group, self.members, self.may = group, members, may
        self.done: list[tuple[str, Receipt]] = []

    def rows(self) -> list[Row]:
        """Every step done, in order; the organization is as it was before, but for a newcomer."""
        newcomer = "user:newcomer"
        self.authority.apply([changes.AddMembership(subject=newcomer)], actor="demo")
        found = [
            self._step(
                f"newcomer joins {self.group}",
                changes.AddMembers(group=self.group, members=(newcomer,)),
                lambda: self._one(newcomer),
            ),
            self._step(
                f"newcomer leaves {self.group}",
                changes.RemoveMembers(group=self.group, members=(newcomer,)),
                lambda: self._one(newcomer),
            ),
            self._step(
                f"{self.group} loses its role",
                changes.Unassign(role=self.group, to=f"group:{self.group}"),
                self._everybody,
            ),
            self._step(
                f"{self.group} gets it back",
                changes.Assign(role=self.group, to=f"group:{self.group}"),
                self._everybody,
            ),
        ]
        return [*found, *self._expiry(newcomer)]

    def _expiry(self, newcomer: str) -> list[Row]:
        until = datetime.now(UTC) + EXPIRES_AFTER
        given = self._step(
            f"newcomer gets it for {EXPIRES_AFTER.total_seconds():.1f} s",
            changes.Assign(role=self.group, to=newcomer, expires_at=until),
            lambda: self._one(newcomer),
        )
        wait = threading.Event()
        while (left := (until - datetime.now(UTC)).total_seconds()) >= 0:
            wait.wait(left + 0.001)
        over = Row("that time passes; no worker", self._one(newcomer), None, None)
        return [given, over]

    def _step(self, done: str, change: changes.Change, ask: Callable[[], str]) -> Row:
        start = time.perf_counter()
        receipt = self.authority.apply([change], actor="demo", reason=done)
        change_ms = (time.perf_counter() - start) * 1000
        self.done.append((done, receipt))
        then = ask()
        return Row(done, then, change_ms, _bare_insert_ms(self.path))

    def _one(self, subject: str) -> str:
        return "allowed" if self.authority.check(subject, self.may) else "denied"

    def _everybody(self) -> str:
        """Ask for every member, in one state of the facts."""
        answers = self.authority.check_many([(m, self.may, None) for m in self.members])
        allowed = sum(map(bool, answers))
        verdict, count = ("allowed", allowed) if allowed else ("denied", len(answers))
        return f"{count:,} of {len(answers):,} {verdict}"


def _fresh(database: str | None) -> str:
    """The path of a new file. A file of an earlier demo is deleted; any other is refused."""
    path = Path(database or DEMO_DATABASE)
    if database is not None and path.exists():
        hint = "the demo makes a new file: name another, or delete this one"
        raise InvalidArgument(what="--database", value=database, hint=hint)
    for end in ("", "-wal", "-shm", "-turn"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    return str(path) if path.is_absolute() else f"./{path}"


def data_source() -> tuple[exchange.Source, str]:
    """The pairs of the real organization if its file is found, else of an invented one."""
    named = os.environ.get("RESCIND_DEMO_DATA")
    repository = Path(__file__).resolve().parents[3]
    places = [Path("../shared/data"), Path("shared/data"), repository / "../shared/data"]
    if named is not None and not named.strip():
        raise InvalidArgument(
            what="RESCIND_DEMO_DATA", hint="it is empty: name a file, or unset it"
        )
    paths = [Path(named)] if named else [place / DATA for place in places]
    for path in paths:
        if named or path.is_file():
            return exchange.read(str(path)), "a real organization"
    lines = tuple(invented.lines())
    return exchange.Source("invented", f"invented{len(lines)}", lines), "an invented organization"


def _load(
    authority: Authority, items: list[exchange.Item], digest: str, about: str
) -> exchange.Summary:
    with output.progress() as bar:
        task = bar.add_task(f"loading {about}", total=len(items))
        summary = exchange.load(
            authority,
            items,
            digest=digest,
            organization=ORGANIZATION,
            actor="demo",
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    counts = {
        what: sum(isinstance(item.change, kind) for item in items)
        for what, kind in (
            ("memberships", changes.AddMembership),
            ("groups", changes.CreateGroup),
            ("roles", changes.DefineRole),
            ("permissions", changes.DefinePermission),
        )
    }
    shape = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    output.say(f"Loaded {about} in {summary.seconds:.1f} s:")
    output.say(f"{shape}.")
    return summary


def _largest_group(source: exchange.Source) -> tuple[str, list[str], str]:
    """The group with most members, its members, and a permission that its role gives."""
    held: dict[str, set[str]] = {}
    for line in source.lines:
        user, permission = line.split()
        held.setdefault(user, set()).add(permission)
    name, permissions, users = as_sets(held)[0]
    return name, [f"user:{user}" for user in users], permissions[0]


def _bare_insert_ms(path: str) -> float:
    """The median time to insert one durable row into another table of the same file: a lower bound."""
    with closing(connect(path)) as connection:
        connection.execute("CREATE TABLE scratch (id INTEGER PRIMARY KEY, text TEXT)")
        try:
            return statistics.median(_insert_ms(connection) for _ in range(INSERTS))
        finally:
            connection.execute("DROP TABLE scratch")


def _insert_ms(connection: sqlite3.Connection) -> float:
    start = time.perf_counter()
    connection.execute("INSERT INTO scratch (text) VALUES ('a row')")
    return (time.perf_counter() - start) * 1000


def _show(rows: list[Row]) -> None:
    table = Table(
        title="What happened, and what a check answered right after", title_justify="left"
    )
    table.add_column("change")
    table.add_column("check", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("insert ms", justify="right", no_wrap=True)
    for row in rows:
        style = "red" if row.then.endswith("denied") else "green"
        then = Text(row.then, style=style)
        table.add_row(row.done, then, _ms(row.change_ms), _ms(row.insert_ms))
    screen = output.console()
    screen.print()
    screen.print(table)
    screen.print("insert: one bare, durable row in the same file, measured beside each change.")


def _show_enforced(done: list[tuple[str, Receipt]]) -> None:
    """The last table: how long each revocation took until it was enforced, and on which replicas."""
    output.say("")
    output.say("When each revocation was enforced: from then on no check allowed it, anywhere")
    output.table(
        ("revocation", "after", "processes that held it in memory"), enforced.revocations(done)
    )


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _next_steps(path: str, largest: tuple[str, list[str], str], revision: int) -> None:
    group, members, may = largest
    name = "rescind" if shutil.which("rescind") else shlex.quote(sys.argv[0])
    rescind = f"{name} -d {shlex.quote(path)} -o {ORGANIZATION}"
    output.say("")
    output.say("Try next:")
    for command in (
        f"explain {members[0]} {may}",
        f"remove-member {group} {members[0]} --dry-run",
        f"remove-member {group} {members[0]}",
        f"check {members[0]} {may}",
        f"who-can {may} --limit 5",
        f"log show {revision}",
    ):
        output.say(f"  {rescind} {command}")
