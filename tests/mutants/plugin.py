"""A pytest plugin that puts one mutant in place, or notes which test runs what.

- `RESCIND_MUTANT=sql:ENGINE:QUERY:NUMBER` or `python:MODULE:NUMBER`: that mutant, for the whole run.
- `RESCIND_MUTANTS=FILE`: one after the other, each in a child (`forks`); `RESCIND_MUTANTS_TO` is for results.
  A mutant of a function that ran while modules were imported is not for a child: what it made is there.
- `RESCIND_MUTANT_TESTS=FILE`: only the tests that the file lists, in its order.
- `RESCIND_MUTANT_MAP=FILE`: add what each test that passes runs, and how long it takes.
- `RESCIND_MUTANT_ENGINE=ENGINE`: leave out the tests of the other engine.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.mutants import python, sql
from tests.mutants.forks import Forks, PutInPlace
from tests.mutants.functions import Functions

SOURCE = str(Path(__file__).resolve().parents[2] / "src") + os.sep
OTHER = {"sqlite": "postgres", "postgres": "sqlite"}


class MutantLoader(SourceFileLoader):
    """Compiles a module with one mutant in place."""

    number = 0

    def get_code(self, fullname: str) -> CodeType:
        """What the mutated source compiles to; nothing is kept on the disk."""
        path = self.get_filename(fullname)
        return compile(python.mutated(Path(path).read_text("utf-8"), self.number), path, "exec")


class MutantFinder(MetaPathFinder):
    """Finds one module, to be loaded with a mutant in place."""

    def __init__(self, module: str, number: int) -> None:
        assert module not in sys.modules, f"{module} is imported already"
        self.module, self.number = module, number

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the module, and of no other."""
        if fullname != self.module:
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = loader = MutantLoader(fullname, spec.origin)
        loader.number = self.number
        return spec


def put_in_place(named: str) -> None:
    """Put a mutant in place in this process. It must not have imported a module that is to change."""
    kind, *parts = named.split(":")
    if kind == "python":
        module, number = parts
        sys.meta_path.insert(0, MutantFinder(module, int(number)))
        return
    from rescind.store.queries import SCHEMA, Engine, queries

    name, query, number = parts
    engine: Engine = "postgres" if name == "postgres" else "sqlite"
    mutant = sql.mutants(queries(engine)[query])[int(number)].sql
    # a store of PostgreSQL names its schema: then the statements are kept apart
    for statements in (queries(engine), queries(engine, SCHEMA)):
        statements[query] = mutant


settings.register_profile("mutants", phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""To find one example is enough: to make it smaller takes minutes."""
if {"RESCIND_MUTANT", "RESCIND_MUTANTS"} & os.environ.keys():
    settings.load_profile("mutants")
if "RESCIND_MUTANT" in os.environ:
    put_in_place(os.environ["RESCIND_MUTANT"])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the chosen tests, in the order given."""
    engine = os.environ.get("RESCIND_MUTANT_ENGINE")
    if engine:
        items[:] = [item for item in items if OTHER[engine] not in item.nodeid.partition("::")[2]]
    file = os.environ.get("RESCIND_MUTANT_TESTS")
    if file:
        found = {item.nodeid: item for item in items}
        chosen: list[str] = json.loads(Path(file).read_text())
        items[:] = [found[test] for test in chosen if test in found]


class Ran:
    """The queries and functions that ran since the last test."""

    def __init__(self) -> None:
        self.functions: set[str] = set()
        self.queries: set[str] = set()
        self.names: dict[CodeType, str] = {}

    def trace(self, frame: FrameType, _event: str, _argument: Any) -> None:
        """A trace function: notes the function that is called, and traces no lines of it."""
        code = frame.f_code
        name = self.names.get(code)
        if name is None:
            name = ""
            if code.co_filename.startswith(SOURCE):
                module = code.co_filename[len(SOURCE) : -3].replace(os.sep, ".")
                name = f"{module.removesuffix('.__init__')}:{_plain(code.co_qualname)}"
            self.names[code] = name
        if name:
            self.functions.add(name)

    def watch_queries(self) -> None:
        """Note every query that a store looks up."""
        from rescind.store.postgres import store as postgres
        from rescind.store.probe import without_effect
        from rescind.store.sqlite import store as sqlite

        ran = self

        class Watched(dict[str, str]):
            def __init__(self, queries: dict[str, str], probe: Any) -> None:
                super().__init__(queries)
                self.probe = probe

            def __getitem__(self, name: str) -> str:
                ran.queries.add(name)
                sql = super().__getitem__(name)
                is_omitted = self.probe is not None and self.probe.omit(name)
                return without_effect(sql) if is_omitted else sql

        sqlite.store_queries = postgres.store_queries = Watched


def _plain(name: str) -> str:
    """`Class.method` for a function within it."""
    return name.partition(".<locals>")[0]


class Map:
    """What each test ran."""

    def __init__(self, file: str) -> None:
        self.file, self.ran = Path(file), Ran()
        self.tests: dict[str, dict[str, Any]] = {}
        self.ran.watch_queries()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.ran.functions.clear()
        self.ran.queries.clear()
        self.tests[item.nodeid] = {"seconds": 0.0, "passed": False, "failed": False}
        threading.settrace(self.ran.trace)
        sys.settrace(self.ran.trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            test = self.tests[item.nodeid]
            test["functions"] = sorted(self.ran.functions)
            test["queries"] = sorted(self.ran.queries)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self.tests[report.nodeid]
        test["passed"] |= report.when == "call" and report.passed
        test["failed"] |= report.failed
        test["seconds"] = round(test["seconds"] + report.duration, 3)

    def pytest_sessionfinish(self) -> None:
        passed = {
            name: test
            for name, test in self.tests.items()
            if test.pop("passed") and not test.pop("failed")
        }
        before = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.file.write_text(json.dumps(before | passed))


def in_children(imported: Ran) -> PutInPlace:
    """Puts mutants in place in forks of this process, which has imported what tests use."""
    gc.unfreeze()
    functions = Functions(SOURCE)
    gc.freeze()

    def put(named: str, place: str) -> bool:
        kind, module, number = named.split(":")[:3]
        if kind == "sql" or module not in sys.modules:
            put_in_place(named)
            return True
        is_late = place.removesuffix("()") not in imported.functions
        return is_late and functions.change(module, int(number))

    return put


def pytest_configure(config: pytest.Config) -> None:
    """Begin the map, or try many mutants, if that is asked for."""
    if "RESCIND_MUTANTS" in os.environ:
        results = int(os.environ["RESCIND_MUTANTS_TO"])
        file = os.environ["RESCIND_MUTANTS"]
        config.pluginmanager.register(Forks(file, results, lambda: in_children(IMPORTED)))
    if "RESCIND_MUTANT_MAP" in os.environ:
        config.pluginmanager.register(Map(os.environ["RESCIND_MUTANT_MAP"]))


IMPORTED = Ran()
if "RESCIND_MUTANTS" in os.environ:
    sys.settrace(IMPORTED.trace)


def pytest_collection_finish() -> None:
    """All modules of tests are imported."""
    if "RESCIND_MUTANTS" in os.environ:
        sys.settrace(None)
