"""Row types: the fields of each are the columns of its queries, on both engines."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, get_args, get_type_hints

import psycopg
import pytest

import rescind
from rescind.store import rows
from rescind.store.queries import parameters, queries
from rescind.store.rows import Query
from rescind.store.sqlite.transaction import counters_of
from tests.conftest import ENGINES
from tests.contract.test_queries import OF_ONE_ENGINE

SOURCE = Path(rescind.__file__).parent
READING = {"fetch", "fetch_many", "read_later", "read_after_commit"}


def _modules() -> Iterator[object]:
    for module in pkgutil.iter_modules(rows.__path__, "rescind.store.rows."):
        yield importlib.import_module(module.name)


QUERIES: dict[str, Query[tuple[object, ...]]] = {
    name: found
    for module in _modules()
    for name, found in vars(module).items()
    if isinstance(found, Query)
}


class Columns:
    """Tells a query's columns without any data."""

    def __init__(self, engine: str, url: str) -> None:
        self._engine, self._url = engine, url

    def of(self, name: str) -> tuple[str, ...]:
        sql = queries("sqlite" if self._engine == "sqlite" else "postgres")[name]
        return self._of_sqlite(sql) if self._engine == "sqlite" else self._of_postgres(sql)

    def _of_sqlite(self, sql: str) -> tuple[str, ...]:
        path = self._url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            counters_of(connection)
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute("BEGIN")
            cursor = connection.execute(sql, dict.fromkeys(parameters(sql), 0))
            return tuple(column[0] for column in cursor.description or ())

    def _of_postgres(self, sql: str) -> tuple[str, ...]:
        for at, name in enumerate(sorted(parameters(sql)), 1):
            sql = sql.replace(f"%({name})s", f"${at}")
        with psycopg.connect(self._url) as connection:
            connection.pgconn.prepare(b"asked", sql.replace("%%", "%").encode())
            told = connection.pgconn.describe_prepared(b"asked")
            assert not told.error_message, (sql, told.error_message)
            return tuple((told.fname(at) or b"").decode() for at in range(told.nfields))


@pytest.fixture(scope="module", params=ENGINES)
def columns(request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]) -> Columns:
    """The columns of queries on each engine in turn."""
    return Columns(request.param, new_shared_database(request.param))


def _differing(columns: Columns, asked: dict[str, Query[tuple[object, ...]]]) -> set[str]:
    here = queries("sqlite" if columns._engine == "sqlite" else "postgres").keys()
    return {
        constant
        for constant, query in asked.items()
        if query.name in here and columns.of(query.name) != query.row._fields  # type: ignore[attr-defined]
    }


def test_the_fields_of_each_row_are_the_columns_of_its_query(columns: Columns) -> None:
    """In their order, by their names. (Control: with one field renamed it is found.)"""

    class Renamed(NamedTuple):
        incarnation: int
        organisation: int
        environment: int

    assert _differing(columns, QUERIES) == set()
    assert _differing(columns, {"RENAMED": Query("read_revision", Renamed)}) == {"RENAMED"}


def test_bulk_queries_are_annotated_with_what_they_read() -> None:
    """Their tuples have the types of the fields, in order. (Control: of another row they are not.)"""
    seen = 0
    for module in _modules():
        for name, query in QUERIES.items():
            if not query.is_bulk or vars(module).get(name) is not query:
                continue
            (of_tuple,) = get_args(eval(module.__annotations__[name], vars(module)))
            fields = tuple(get_type_hints(query.row).values())
            assert get_args(of_tuple) == fields, name
            assert get_args(of_tuple) != (*fields, str), name
            seen += 1
    assert seen == sum(query.is_bulk for query in QUERIES.values()) > 0


def test_a_constant_is_named_as_its_query() -> None:
    """So that a search for either finds both; and the query is there for an engine."""
    assert {name: query.name for name, query in QUERIES.items()} == {
        name: name.lower() for name in QUERIES
    }
    of_engines = set().union(*OF_ONE_ENGINE.values())
    assert all(query.name in of_engines | queries("sqlite").keys() for query in QUERIES.values())


def _named_in_reads(code: str) -> set[str]:
    """The queries that code reads by a name in a text, whose rows have no type then."""
    known = queries("sqlite").keys() | queries("postgres").keys()
    return {
        text.value
        for call in ast.walk(ast.parse(code))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in READING
        for argument in call.args
        for text in ast.walk(argument)
        if isinstance(text, ast.Constant) and text.value in known
    }


def test_nothing_outside_the_store_reads_rows_without_a_type() -> None:
    """Each query that is read is given with the type of its rows. (Control: one that is not is found.)"""
    files = [file for file in SOURCE.rglob("*.py") if SOURCE / "store" not in file.parents]
    named = {name for file in files for name in _named_in_reads(file.read_text("utf-8"))}
    assert named == set()
    assert _named_in_reads('rows = store.fetch("read_revision", {"o": 1})') == {"read_revision"}
    assert _named_in_reads("rows = store.fetch(READ_REVISION, {'o': 1})") == set()
