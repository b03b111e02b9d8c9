"""The database and its contents: init, migrate, import, export."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from rescind import exchange
from rescind.changes import Change, CreateOrganization, to_object
from rescind.cli import output
from rescind.cli.options import Place, with_place
from rescind.cli.verbs import DryRun, Reason, user
from rescind.errors import InvalidArgument
from rescind.exchange import Format
from rescind.model import ENVIRONMENT, organization_id
from rescind.store.sqlite import require_file


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    commands: dict[str, Callable[..., None]] = {
        "init": init,
        "migrate": migrate,
        "import": import_files,
        "export": export,
    }
    for name, command in commands.items():
        app.command(name, rich_help_panel="Database")(with_place(command))


def init(place: Place) -> None:
    """Make the database and its schema, and the organization if one is named. Repeating it is safe."""
    if place.organization is not None:
        organization_id(place.organization)
    _migrate(place.database)
    made = False
    if place.organization not in (None, ENVIRONMENT):
        with place.open() as authority:
            made = authority.apply([CreateOrganization()], actor=user()).changed
    if place.as_json:
        output.say_json({"database": _shown(place.database), "organization_created": made})
        return
    output.say(f"{_shown(place.database)} is ready")
    if place.organization not in (None, ENVIRONMENT):
        output.say(f"organization {place.organization} {'created' if made else 'exists already'}")


def migrate(place: Place) -> None:
    """Bring the database to this Rescind's schema."""
    if not _is_postgres(place.database):
        require_file(place.database.removeprefix("sqlite:///"))
    _migrate(place.database)
    if place.as_json:
        output.say_json({"database": _shown(place.database), "migrated": True})
    else:
        output.say(f"{_shown(place.database)} has the current schema")


def import_files(
    place: Place,
    files: Annotated[list[str], typer.Argument(help="Plain or gzip; - is standard input.")],
    format: Annotated[Format, typer.Option(help="How they are written.")] = Format.AUTO,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Changes a transaction.")
    ] = exchange.BATCH_SIZE,
    again: Annotated[
        bool, typer.Option("--again", help="Also do what an earlier import of the same did.")
    ] = False,
    actor: Annotated[str | None, typer.Option(help="Who does it; else $USER.")] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> None:
    """Import facts. All files are read first; an import that was interrupted goes on where it was."""
    sources = [exchange.read(file) for file in files]
    items = [item for source in sources for item in exchange.parse(source, format)]
    with place.open() as authority:
        if dry_run:
            found = exchange.foresee(authority, items, organization=place.organization)
            output.difference(found, as_json=place.as_json)
            return
        with output.progress() as bar:
            task = bar.add_task("importing", total=len(items))
            summary = exchange.load(
                authority,
                items,
                digest=hashlib.sha256("".join(s.digest for s in sources).encode()).hexdigest(),
                organization=place.organization,
                actor=actor or user(),
                reason=reason or output.plain(f"import of {', '.join(files)}")[:1000],
                batch_size=batch_size,
                again=again,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        is_settled = not any(
            authority.pending(organization=name, limit=1) for name in summary.organizations
        )
    _summarize(summary, is_settled=is_settled, as_json=place.as_json)


def export(
    place: Place,
    to: Annotated[
        str, typer.Option("--output", help="A file to write; - is standard output.")
    ] = "-",
    all: Annotated[
        bool,
        typer.Option(
            "--all", help="The environment and every organization, each line naming its own."
        ),
    ] = False,
) -> None:
    """Write facts as changes, one JSON object a line, that make the same facts when imported."""
    with place.open() as authority:
        if all:
            named = exchange.everything(authority)
            lines: Iterable[dict[str, Any]] = (
                {"organization": name, **to_object(change)} for name, change in named
            )
        else:
            lines = _objects(exchange.exported(authority, place.require_organization()))
        with _written(to) as write:
            for line in lines:
                write(msgspec.json.encode(line) + b"\n")


def _objects(changes: list[Change]) -> Iterator[dict[str, Any]]:
    return (to_object(change) for change in changes)


@contextlib.contextmanager
def _written(to: str) -> Iterator[Callable[[bytes], object]]:
    """Standard output, or a file that is there only once it is whole."""
    if to == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    target = Path(to)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), to)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, to) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream.write
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _summarize(summary: exchange.Summary, *, is_settled: bool, as_json: bool) -> None:
    if as_json:
        output.say_json({**asdict(summary), "settled": is_settled})
        return
    batches = "1 batch" if summary.batches == 1 else f"{summary.batches:,} batches"
    rows: list[tuple[str, object]] = [
        ("organization", ", ".join(summary.organizations)),
        ("changes", f"{summary.changes:,} in {batches}"),
        ("batches that granted", f"{summary.granting:,}"),
        ("batches that revoked", f"{summary.revoking:,}"),
    ]
    if summary.repeated:
        done = f"{summary.repeated:,}, passed over; --again does them anew"
        rows.append(("batches done before", done))
    if summary.not_found:
        rows.append(("to be taken, not found", f"{summary.not_found:,}"))
    if summary.look_alikes:
        rows.append(("ids that look alike", f"{summary.look_alikes:,}; see below"))
    if not is_settled:
        rows.append(("settled", output.UNSETTLED))
    output.pairs([*rows, ("took", f"{summary.seconds:.1f} s")])
    output.look_alikes(summary.examples, summary.look_alikes)


def _migrate(database: str) -> None:
    from rescind.store.migrations import migrate as to_current

    scheme, separator, _ = database.partition("://")
    if separator and scheme not in ("sqlite", "postgresql", "postgres"):
        mend = "use a file, sqlite:///file.db or postgresql://…"
        raise InvalidArgument(what="database", value=scheme, mend=mend)
    to_current(database)


def _shown(database: str) -> str:
    """Which database it is, without a password."""
    if not _is_postgres(database):
        return database
    from rescind.store.postgres import location

    return location(database)


def _is_postgres(database: str) -> bool:
    return database.startswith(("postgresql://", "postgres://"))
