"""The database and its contents: init, import, export."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec

from rescind import transfer as exchange
from rescind.changes import Change, CreateOrganization, to_object
from rescind.cli import output
from rescind.cli.change_commands import user
from rescind.cli.declared import Commands, Option
from rescind.cli.importing import import_files
from rescind.cli.migrating import shown, to_current
from rescind.cli.options import Target, with_target
from rescind.model import ENVIRONMENT, organization_id


def register(commands: Commands) -> None:
    """Add the commands of this module."""
    commands.add("init", init, "Database", with_target)
    commands.add("import", import_files, "Database", with_target)
    commands.add("export", export, "Database", with_target)


def init(target: Target) -> None:
    """Create the database and its schema, and the organization if one is named. Safe to repeat."""
    if target.organization is not None:
        organization_id(target.organization)
    to_current(target.database)
    made = False
    if target.organization not in (None, ENVIRONMENT):
        with target.open() as authority:
            made = authority.apply([CreateOrganization()], actor=user()).changed
    if target.as_json:
        output.say_json({"database": shown(target.database), "organization_created": made})
        return
    output.say(f"{shown(target.database)} is ready")
    if target.organization not in (None, ENVIRONMENT):
        output.say(f"organization {target.organization} {'created' if made else 'exists already'}")


def export(
    target: Target,
    to: Annotated[str, Option("--output", help="The file to write; - for standard output.")] = "-",
    all: Annotated[
        bool,
        Option("--all", help="The environment and every organization, each line naming its own."),
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
