"""Every change, error, command, setting and public name has its place in the reference."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import rescind
from rescind import Authority, changes, errors, model
from rescind.applying.statements import StatementLog, statements_of
from rescind.applying.transaction import KEY_RETENTION_SECONDS
from rescind.changes import Change
from rescind.changes.naming import OfHolder
from rescind.cli.change_commands import BY_FILE_ONLY, command_name
from rescind.cli.commands import every_command
from rescind.decision.explain import MAX_CHAINS
from rescind.decision.lists import MAX_LIMIT
from rescind.decision.router import DecisionRouter
from rescind.model import OrganizationId
from rescind.propagation.budget import FORCED
from rescind.settings import Settings
from rescind.store.postgres import CONNECT_SECONDS
from rescind.store.queries import queries
from rescind.store.sqlite import BUSY_SECONDS
from rescind.store.sqlite.connections import MOST_READERS
from rescind.transfer import BATCH_SIZE, Format
from rescind.transfer.encodings import MOST_EXPANSION
from rescind.transfer.readers import MAX_LINE_BYTES
from rescind.transfer.tables import COLUMNS
from tests.docs.pages import ROOT, section

REFERENCE = ROOT / "docs/reference"
CHANGES = get_args(Change)


def tag(change: type) -> str:
    return str(change.__struct_config__.tag)


def example(change: type) -> Change:
    """The change of the page's example line."""
    (line,) = re.findall(r"^\{.*\}$", section(REFERENCE / "changes.md", f"`{tag(change)}`"), re.M)
    return changes.from_object(json.loads(line))


def line_of(change: type, what: str) -> str:
    """An item of the change's list, in one line."""
    found = re.search(
        rf"^- {what}: (.*(?:\n  \S.*)*)",
        section(REFERENCE / "changes.md", f"`{tag(change)}`"),
        re.MULTILINE,
    )
    return found[1].replace("\n  ", " ") if found else ""


# --- changes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", CHANGES, ids=tag)
def test_change_is_described(change: type) -> None:
    """Its example is one of it, and its fields are listed with what may be left out."""
    assert type(example(change)) is change
    listed = {
        name: " = " in entry
        for entry in line_of(change, "Fields").rstrip(".").split("; ")
        for name in re.findall(r"^`(\w+)`", entry)
    }
    fields = msgspec.structs.fields(change)
    assert listed == {field.name: not field.required for field in fields}


def asked(change: Change) -> StatementLog:
    """What a change asks for by either route, with and without cascade, for a subject and for a group."""
    variants = [change]
    if isinstance(change, OfHolder):
        to = ("user:ada", "group:eng")
        variants += [msgspec.structs.replace(change, to=holder) for holder in to]
    if "cascade" in change.__struct_fields__:
        variants.append(msgspec.structs.replace(change, cascade=False))
    if isinstance(change, changes.EditRole):
        variants += [
            msgspec.structs.replace(change, add=("doc:read",), remove=()),
            msgspec.structs.replace(change, add=(), remove=("doc:read",)),
        ]
    found = StatementLog()
    for variant, budget in itertools.product(variants, FORCED.values()):
        log = statements_of(variant, OrganizationId("acme"), budget)
        found.refusing += log.refusing
        found.noting += log.noting
    return found


@pytest.mark.parametrize("change", CHANGES, ids=tag)
def test_refusals_are_listed(change: type) -> None:
    """The page lists exactly the codes that the change's guards know."""
    found = {
        code
        for guard in asked(example(change)).refusing
        for code in re.findall(r"SELECT '(\w+)'", queries("sqlite")[guard])
    }
    assert set(re.findall(r"`([a-z_]+)`", line_of(change, "Refuses"))) == found


@pytest.mark.parametrize("change", CHANGES, ids=tag)
def test_what_is_not_found_is_listed(change: type) -> None:
    """The page lists exactly what a receipt can name as not found."""
    found = {
        what
        for guard in asked(example(change)).noting
        for what in re.findall(r"SELECT '\w+'(?: AS code)?, '(\w+)'", queries("sqlite")[guard])
    }
    assert set(re.findall(r"`([a-z_]+)`", line_of(change, "Not found"))) == found


def test_no_other_changes() -> None:
    """The page describes nothing that is not there, each once."""
    headings = re.findall(r"^### `(\w+)`$", (REFERENCE / "changes.md").read_text("utf-8"), re.M)
    assert sorted(headings) == sorted(map(tag, CHANGES))


# --- errors ---------------------------------------------------------------------------------------


def all_errors(root: type[errors.RescindError] = errors.RescindError) -> Iterator[Any]:
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)


def test_errors_are_listed() -> None:
    """Each error once, with its class, and whether to retry."""
    rows = re.findall(
        r"^\| `(\w+)` \| `(\w+)` \| .+? \| (yes|no) \|",
        (REFERENCE / "errors.md").read_text("utf-8"),
        re.MULTILINE,
    )
    expected = [(e.code, e.__name__, "yes" if e.retry else "no") for e in all_errors()]
    assert sorted(rows) == sorted(expected)


# --- the command line -----------------------------------------------------------------------------

COMMANDS: dict[str, Any] = dict(every_command())
OF_CHANGES = {command_name(change): change for change in CHANGES if change not in BY_FILE_ONLY}
EVERYWHERE = {"--database", "-d", "--organization", "-o", "--json", "--help"}
OF_EVERY_CHANGE = {"--actor", "--reason", "--key", "--route", "--force", "--dry-run"}


def options(command: str) -> set[str]:
    return {
        option
        for parameter in COMMANDS[command].params
        if parameter.param_type_name == "option"
        for option in (*parameter.opts, *parameter.secondary_opts)
    } - EVERYWHERE


def test_commands_of_changes() -> None:
    """The table names each command once, beside its change, and the options that all have."""
    text = section(REFERENCE / "cli.md", "Changes")
    rows = re.findall(r"^\| `rescind ([\w-]+)` \| \[`(\w+)`\]", text, re.MULTILINE)
    assert sorted(rows) == sorted((name, tag(change)) for name, change in OF_CHANGES.items())
    assert set(re.findall(r"^\| `(--[\w-]+)`", text, re.MULTILINE)) == OF_EVERY_CHANGE


@pytest.mark.parametrize("command", OF_CHANGES)
def test_lines_of_commands(command: str) -> None:
    """The page of changes shows the command with each of its arguments and options, in order."""
    line = line_of(OF_CHANGES[command], "Command")
    (shown,) = re.findall(rf"^`rescind {command}((?: [^`]+)?)`", line)
    arguments = [p for p in COMMANDS[command].params if p.param_type_name == "argument"]
    words = " ".join(f"{p.name.upper()}{'…' if p.nargs == -1 else ''}" for p in arguments)
    assert re.sub(r" ?\[[^]]*\]", "", shown).strip() == words
    assert set(re.findall(r"--[\w-]+", shown)) == options(command) - OF_EVERY_CHANGE


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - OF_CHANGES))
def test_other_commands(command: str) -> None:
    """A command that is no single change has a section with all its options."""
    text = section(REFERENCE / "cli.md", f"`rescind {command}`")
    known = OF_EVERY_CHANGE if command == "apply" else set()
    assert set(re.findall(r"`(--[a-z-]+)`", text)) - EVERYWHERE == options(command) - known


# --- settings -------------------------------------------------------------------------------------


def test_environment_variables() -> None:
    """Each variable that anything here reads is described, and no other."""
    found = set()
    for pattern in ("src/**/*.py", "lab/**/*.py", "tests/conftest.py", "Makefile"):
        for path in ROOT.glob(pattern):
            found |= set(re.findall(r"\bRESCIND_[A-Z_]+", path.read_text("utf-8")))
    text = (REFERENCE / "configuration.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(RESCIND_\w+)`", text, re.MULTILINE)) == found


def test_settings() -> None:
    """The page has each setting with its value."""
    text = section(REFERENCE / "configuration.md", "Settings")
    switches = {"false": False, "true": True}
    rows = re.findall(r"^\| `(\w+)` \| (?:([\d,.]+)|`?(\w*)`?) \|", text, re.MULTILINE)
    assert [
        (name, float(number.replace(",", "")) if number else switches.get(word, word))
        for name, number, word in rows
    ] == [(field.name, field.default) for field in dataclasses.fields(Settings)]


def test_fixed_values() -> None:
    """The values of the page are those of the code."""
    rows = re.findall(
        r"^\| ([\d,]+)(?: \w+)? \| (.+) \|$",
        section(REFERENCE / "configuration.md", "Fixed values"),
        re.MULTILINE,
    )
    limit = inspect.signature(DecisionRouter.page).parameters["limit"].default
    values = {what: int(value.replace(",", "")) for value, what in rows}
    assert list(values.values()) == [
        model.MAX_ID_LENGTH,
        model.MAX_TEXT_LENGTH,
        MAX_LIMIT,
        MAX_CHAINS,
        KEY_RETENTION_SECONDS // 3600,
        BUSY_SECONDS,
        CONNECT_SECONDS,
        MOST_READERS,
        BATCH_SIZE,
        MAX_LINE_BYTES >> 20,
        MOST_EXPANSION,
    ]
    assert any(f"{limit} if no limit is given" in what for what in values)


def test_import_formats() -> None:
    """The page has each format that can be named, and each column of the CSV ones."""
    text = (REFERENCE / "import.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE)) == set(Format) - {Format.AUTO}
    rows = " ".join(re.findall(r"^\| `\w+` \| CSV.*", text, re.MULTILINE))
    assert {column for column in COLUMNS if f"`{column}`" in rows} == set(COLUMNS)


# --- SQL ------------------------------------------------------------------------------------------


def test_tables(sqlite_template: Path) -> None:
    """The page names every table, the view, and the view's columns."""
    with closing(sqlite3.connect(sqlite_template)) as connection:
        kinds = connection.execute("SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL")
        named = {
            name.removeprefix("rescind_")
            for kind, name in kinds
            if kind == "table" and name.startswith("rescind_")
        }
        view = connection.execute("SELECT * FROM rescind_effective_permission LIMIT 0").description
    tables = section(REFERENCE / "sql.md", "Tables")
    missing = {name for name in named if f"`{name}`" not in tables}
    assert not missing
    columns = section(REFERENCE / "sql.md", "The view `effective_permission`")
    assert re.findall(r"^\| `(\w+)` \|", columns, re.MULTILINE) == [name for name, *_ in view]


# --- Python ---------------------------------------------------------------------------------------

METHODS = [
    (name, method)
    for name, method in inspect.getmembers(Authority)
    if callable(method) and not name.startswith("_") and name != "close"
]


@pytest.mark.parametrize(("name", "method"), METHODS, ids=[name for name, _ in METHODS])
def test_methods(name: str, method: Callable[..., object]) -> None:
    """The page has each public method under its signature."""
    text = (REFERENCE / "python.md").read_text("utf-8")
    (shown,) = re.findall(rf"^### `(?:Authority\.)?{name}\((.*)\)`$", text, re.MULTILINE)
    parameters = inspect.signature(method).parameters.values()
    assert re.findall(r"(?:^|, )(\**\w+)", shown) == [
        str(p).partition(":")[0].partition("=")[0].strip() for p in parameters if p.name != "self"
    ]
    defaults = [p for p in parameters if p.default is not p.empty]
    assert dict(re.findall(r"(\w+)=(\"[^\"]*\"|\w+)", shown)) == {
        p.name: json.dumps(p.default) if isinstance(p.default, str) else str(p.default)
        for p in defaults
    }


@pytest.mark.parametrize("name", [name for name in rescind.__all__ if name != "Authority"])
def test_values(name: str) -> None:
    """The page has each public value with its public attributes."""
    text = (REFERENCE / "python.md").read_text("utf-8")
    value = getattr(rescind, name)
    assert f"`{name}" in text
    if isinstance(value, type) and issubclass(value, Enum):
        attributes = [member.value for member in value if name in ("Reason", "DecisionPoint")]
    else:
        slots = getattr(value, "__slots__", ())
        public = [each for each in vars(value) if not each.startswith("_")] if slots else []
        attributes = [*slots, *public]
    missing = [each for each in attributes if not re.search(rf"`{each}\b", text)]
    assert not missing
