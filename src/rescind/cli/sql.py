"""`rescind sql`: the statements that the engines get, for people who read query plans and logs."""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated

from rescind.cli import output
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.options import AsJson
from rescind.errors import InvalidArgument
from rescind.store.legible import legible
from rescind.store.queries import queries, source_files


class Engine(StrEnum):
    """Whose statement it is."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("sql", sql, "Database")


def sql(
    name: Annotated[
        str | None, Argument(help="The name of a statement, such as check_live_multiple.")
    ] = None,
    engine: Annotated[Engine, Option(help="The engine to render it for.")] = Engine.POSTGRES,
    all: Annotated[
        bool, Option("--list", help="List the names of all statements, with their files.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a statement as it is sent to the engine, or list all. Reads no database."""
    if (name is None) != all:
        raise InvalidArgument(what="name", hint="give a statement's name, or --list")
    files = source_files(engine.value)
    if name is None:
        _list(files, as_json=as_json)
        return
    if name not in files:
        raise InvalidArgument(
            what="statement",
            value=name,
            did_you_mean=tuple(get_close_matches(name, files, 3)),
            hint="`rescind sql --list` has the names of all",
        )
    text = queries(engine.value)[name]
    if as_json:
        output.say_json({"name": name, "engine": engine.value, "file": files[name], "sql": text})
        return
    output.say(f"-- {name} ({files[name]}, {engine.value})")
    for line in legible(text).split("\n"):
        output.say(line)


def _list(files: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        for name, file in sorted(files.items()):
            output.say_json({"name": name, "file": file})
        return
    output.table(("statement", "file"), sorted(files.items(), key=lambda item: (item[1], item[0])))
