"""The tool for mutation testing changes one thing at a time, and in the process that it is told to."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rescind.store import open_store
from rescind.store.queries import SCHEMA, Engine, queries
from tests.mutants import plugin, python, sql
from tests.mutants.__main__ import PAGE, QUICK_SECONDS, Tests, concerned, in_parts, known
from tests.mutants.areas import Candidate
from tests.mutants.functions import Functions

STATEMENT = """SELECT a FROM t JOIN u ON u.id = t.id AND (u.x IS NULL OR u.x > :now)
WHERE NOT EXISTS (SELECT 1 FROM v WHERE v.n BETWEEN 1 AND 2) AND t.y IN (1, 2)
UNION ALL SELECT b FROM w"""
MODULE = """
class Box:
    def fits(self, size: int) -> bool:
        if size < self.limit and not self.full:
            self.seen = size + 1
        return [s for s in self.sizes if s]
"""


def test_clauses_of_a_statement() -> None:
    """Conditions, comparisons, NOT and UNION branches; brackets stay whole, BETWEEN is one condition."""
    found = {mutant.what: mutant.sql for mutant in sql.mutants(STATEMENT)}
    assert "dropped: AND (u.x IS NULL OR u.x > :now)" in found
    assert "dropped: OR u.x > :now" in found
    assert "dropped: AND t.y IN (1, 2)" in found
    assert "true for: v.n BETWEEN 1 AND 2" in found
    assert "dropped: UNION ALL SELECT b FROM w" in found
    assert any("<= for" in what for what in found)
    assert any(what.startswith("without NOT") for what in found)
    assert all(text.count("(") == text.count(")") for text in found.values())
    assert len(set(found.values())) == len(found)


def test_what_can_make_no_difference_is_no_mutant() -> None:
    """Some numbers are never 0, and bounds are no exact numbers."""
    found = [mutant.what for mutant in sql.mutants("SELECT 1 FROM a WHERE a.holder < 0")]
    assert [what.partition(" ")[0] for what in found] == ["true", ">="]
    assert python.mutants(ast.parse("MOST = 1_000\nFEW: Final = 5_000")) == []
    assert len(python.mutants(ast.parse("HALF = 2\ndef f():\n    return 1_000"))) == 2


def test_assignments_are_no_comparisons() -> None:
    """The `=` of SET stays; that of WHERE turns."""
    found = [mutant.sql for mutant in sql.mutants("UPDATE t SET a = 1, b = 2 WHERE c = 3")]
    assert found == [
        "UPDATE t SET a = 1, b = 2 WHERE TRUE",
        "UPDATE t SET a = 1, b = 2 WHERE c <> 3",
    ]


def test_parts_of_a_module() -> None:
    """Each mutant differs from the module, and is named by its function."""
    found = python.mutants(ast.parse(MODULE))
    assert {mutant.function for mutant in found} == {"Box.fits()"}
    whats = {mutant.what for mutant in found}
    assert {
        "negated: size < self.limit and (not self.full)",
        "GtE in: size < self.limit",
        "dropped: self.seen = size + 1",
        "filter dropped: s",
        "one more than 1",
    } <= whats
    plain = ast.unparse(ast.parse(MODULE))
    for number in range(len(found)):
        changed = python.mutated(MODULE, number)
        compile(changed, "box.py", "exec")
        assert ast.unparse(changed) != plain


def test_tests_that_concern_a_mutant() -> None:
    """Those that run it, quick ones first, a file after another before the next of any."""
    tests = {
        "a::slow": {"seconds": 2.0, "functions": ["m:f"], "queries": []},
        "a::quick": {"seconds": 0.1, "functions": ["m:f"], "queries": ["q"]},
        "b::one": {"seconds": 1.0, "functions": ["m:f"], "queries": []},
        "c::other": {"seconds": 0.1, "functions": ["m:g"], "queries": []},
    }
    candidate = Candidate("python:m:0", "area", "m:f()", "", 1, "")
    assert concerned(candidate, tests) == ["a::quick", "b::one", "a::slow"]
    assert concerned(Candidate("sql:sqlite:q:0", "x", "q", "", 0, ""), tests) == ["a::quick"]


READS = """
from tests.mutants import plugin
from rescind.semantics import access
from rescind.store.queries import queries
print(access.in_force(5, 5), "AND revision" in queries("sqlite")["advance_pending"])
"""


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("", "False True"),
        ("until > t → GtE", "True True"),
        ("AND revision + 0 = :revision", "False False"),
    ],
)
def test_a_mutant_is_in_place(what: str, said: str) -> None:
    """In the process that is told to, from the beginning, and only that mutant."""
    given = {**os.environ, **({"RESCIND_MUTANT": _named(what)} if what else {})}
    command = [sys.executable, "-c", READS]
    found = subprocess.run(command, env=given, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == said


def _named(what: str) -> str:
    from rescind.semantics import access
    from rescind.store.queries import queries

    if what.startswith("AND"):
        listed = sql.mutants(queries("sqlite")["advance_pending"])
        return f"sql:sqlite:advance_pending:{[m.what for m in listed].index(f'dropped: {what}')}"
    with open(access.__file__) as source:
        found = python.mutants(ast.parse(source.read()))
    return f"python:rescind.semantics.access:{[m.what for m in found].index('GtE in: until > t')}"


def test_the_page_gives_reasons() -> None:
    """The table of survivors is what the report reads."""
    table = PAGE.read_text("utf-8").partition("## Survivors with a reason")[2].partition("## ")[0]
    assert len(known()) == table.count("\n| `")


def test_a_mutant_is_what_the_stores_of_its_engine_run(database: str) -> None:
    """In a process that has it in place, whatever schema a store names."""
    query = "find_log"
    engine: Engine = "postgres" if database.startswith("postgres") else "sqlite"
    with closing(open_store(database)) as store:
        before = statements_of(store)[query]
    kept = [(statements, statements[query]) for statements in every_store(engine)]
    try:
        plugin.put_in_place(f"sql:{engine}:{query}:0")
        with closing(open_store(database)) as store:
            assert statements_of(store)[query] == sql.mutants(before)[0].sql
    finally:
        for statements, statement in kept:
            statements[query] = statement


def every_store(engine: Engine) -> tuple[dict[str, str], ...]:
    """The statements that stores of an engine begin with."""
    return queries(engine), queries(engine, SCHEMA)


def statements_of(store: Any) -> dict[str, str]:
    """What a store runs, by name."""
    found: dict[str, str] = store.queries
    return found


def test_what_compares_is_never_left_out() -> None:
    """Quick tests first, then all that compare, then the others while the seconds last."""
    names = ["quick", "tests/independent/test_x.py::test_all", "slow", "slower"]
    taken: Tests = {
        name: {"seconds": seconds}
        for name, seconds in zip(names, (QUICK_SECONDS, 500.0, 10.0, 20.0), strict=True)
    }
    quick, comparing, slow, slower = names
    assert in_parts(names, taken, 20.0) == [[quick], [comparing], [slow]]
    assert in_parts(names, taken, 40.0) == [[quick], [comparing], [slow, slower]]


LIVE = """
from functools import wraps

def twice(function):
    @wraps(function)
    def both(*of):
        return 2 * function(*of)
    return both

class Box:
    LEAST = 1

    @twice
    def fits(self, size):
        return size < 3

    @property
    def size(self):
        return self.LEAST + 4

    def __init__(self):
        super().__init__()
        self.full = False

def made(size):
    def inner():
        return size + 1
    return inner

kept = made(1)
"""


def test_a_mutant_is_in_the_functions_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In wrapped ones, properties and closures, whoever has imported them. What is outside of functions is
    not, nor what would be another kind of function.
    """
    (tmp_path / "boxes_of_a_test.py").write_text(LIVE)
    monkeypatch.syspath_prepend(str(tmp_path))
    boxes = importlib.import_module("boxes_of_a_test")
    fits, box, made = boxes.Box.fits, boxes.Box(), boxes.made
    mutants = {m.what: number for number, m in enumerate(python.mutants(ast.parse(LIVE)))}
    functions = Functions(str(tmp_path))

    def answers() -> tuple[Any, ...]:
        return fits(box, 3), box.size, made(1)(), boxes.kept(), hasattr(boxes.Box(), "full")

    assert answers() == (0, 5, 2, 2, True)
    for what in ("one more than 1", "dropped: super().__init__()"):
        assert not functions.change("boxes_of_a_test", mutants[what])
    for what, wanted in {
        "LtE in: size < 3": (2, 5, 2, 2, True),
        "Sub in: self.LEAST + 4": (0, -3, 2, 2, True),
        "Sub in: size + 1": (0, 5, 0, 0, True),
        "dropped: self.full = False": (0, 5, 2, 2, False),
    }.items():
        assert functions.change("boxes_of_a_test", mutants[what])
        assert answers() == wanted, what
