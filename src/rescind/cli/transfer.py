"""The database and its contents: init, migrate, import, export."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from rescind import transfer as exchange
from rescind.changes import Change, CreateOrganization, to_object
from rescind.cli import output
from rescind.cli.change_commands import user
from rescind.cli.importing import import_files
from rescind.cli.options import Target, with_target
from rescind.errors import InvalidArgument
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
        app.command(name, rich_help_panel="Database")(with_target(command))


def init(target: Target) -> None:
    """Create the database and its schema, and the organization if one is named. Safe to repeat."""
    if target.organization is not None:
        organization_id(target.organization)
    _migrate(target.database)
    made = False
    if target.organization not in (None, ENVIRONMENT):
        with target.open() as authority:
            made = authority.apply([CreateOrganization()], actor=user()).changed
    if target.as_json:
        output.say_json({"database": _shown(target.database), "organization_created": made})
        return
    output.say(f"{_shown(target.database)} is ready")
    if target.organization not in (None, ENVIRONMENT):
        output.say(f"organization {target.organization} {'created' if made else 'exists already'}")


def migrate(
    target: Target,
    partitions: Annotated[
        int | None,
        typer.Option(
            "--partitions",
            metavar="N",
            help="Give each per-organization table of a new PostgreSQL database N hash partitions.",
        ),
    ] = None,
    grant_to: Annotated[
        list[str] | None,
        typer.Option(
            "--grant-to",
            metavar="ROLE",
            help="Let this role of PostgreSQL use the tables, which it does not own. May be repeated.",
        ),
    ] = None,
) -> None:
    """Migrate the database to this version's schema."""
    if partitions is None and not _is_postgres(target.database):
        require_file(target.database.removeprefix("sqlite:///"))
    _migrate(target.database, partitions=partitions, grant_to=grant_to or ())
    if target.as_json:
        output.say_json({"database": _shown(target.database), "migrated": True})
    else:
        output.say(f"{_shown(target.database)} has the current schema")


def export(
    target: Target,
    to: Annotated[
        str, typer.Option("--output", help="The file to write; - for standard output.")
    ] = "-",
    all: Annotated[
        bool,
        typer.Option(
            "--all", help="The environment and every organization, each line naming its own."
        ),
    ] = False,
) -> None:
    """Write facts as changes, one JSON object a line. Importing them makes the same facts."""
    if all:
        target.refuse_given("organization", hint="give either --organization or --all")
    with target.open() as authority:
        if all:
            named = exchange.everything(authority)
            lines: Iterable[dict[str, Any]] = (
                {"organization": name, **to_object(change)} for name, change in named
            )
        else:
            lines = _objects(exchange.exported(authority, target.require_organization()))
        with written(to) as write:
            for line in lines:
                write(msgspec.json.encode(line) + b"\n")


def _objects(changes: list[Change]) -> Iterator[dict[str, Any]]:
    return (to_object(change) for change in changes)


@contextlib.contextmanager
def written(to: str) -> Iterator[Callable[[bytes], object]]:
    """Standard output, or a file that appears only once it is complete."""
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


def _migrate(database: str, *, partitions: int | None = None, grant_to: Sequence[str] = ()) -> None:
    from rescind.store.migrations import migrate as to_current

    scheme, separator, _ = database.partition("://")
    if separator and scheme not in ("sqlite", "postgresql", "postgres"):
        hint = "use a file, sqlite:///file.db or postgresql://…"
        raise InvalidArgument(what="database", value=scheme, hint=hint)
    to_current(database, actor=user(), partitions=partitions, grant_to=grant_to)


def _shown(database: str) -> str:
    """Which database it is, without a password."""
    if not _is_postgres(database):
        return database
    from rescind.store.postgres import location

    return location(database)


def _is_postgres(database: str) -> bool:
    return database.startswith(("postgresql://", "postgres://"))
