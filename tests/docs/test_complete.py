"""Every change, error, command, setting and public name has its place in the reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

from rescind import changes, errors
from rescind.changes import Change
from rescind.model import Microseconds, OrganizationId
from rescind.recording import Context, record
from rescind.store.queries import queries
from tests.docs.pages import ROOT, section

REFERENCE = ROOT / "docs/reference"
CHANGES = get_args(Change)


def tag(change: type) -> str:
    return str(change.__struct_config__.tag)


def example(change: type) -> Change:
    """The change of the page's example line."""
    (line,) = re.findall(r"^\{.*\}$", section(REFERENCE / "changes.md", f"`{tag(change)}`"), re.M)
    return changes.from_json(line)


def line_of(change: type, what: str) -> str:
    found = re.search(
        rf"^- {what}: (.*)$", section(REFERENCE / "changes.md", f"`{tag(change)}`"), re.MULTILINE
    )
    return found[1] if found else ""


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


class Spy:
    """A transaction that notes which guards a change asks for."""

    def __init__(self) -> None:
        self.guards: set[str] = set()

    def guard(self, query: str, /, **_params: object) -> None:
        self.guards.add(query)

    def __getattr__(self, name: str) -> Any:
        return lambda *_names, **_params: None


def refusals(change: Change) -> Iterator[str]:
    """The codes that the guards of a change can return."""
    spy: Any = Spy()
    record(Context(spy, OrganizationId("acme"), 1, Microseconds(0), False), change)
    for guard in spy.guards:
        yield from re.findall(r"SELECT '(\w+)'", queries("sqlite")[guard])


@pytest.mark.parametrize("change", CHANGES, ids=tag)
def test_refusals_are_listed(change: type) -> None:
    """The page lists exactly the codes that the change's guards know, with and without cascade."""
    made = example(change)
    found = set(refusals(made))
    if hasattr(made, "cascade"):
        found |= set(refusals(msgspec.structs.replace(made, cascade=False)))
    assert set(re.findall(r"`([a-z_]+)`", line_of(change, "Refuses"))) == found


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
