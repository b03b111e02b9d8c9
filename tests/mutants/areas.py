"""What is mutated, and with which tests in mind."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from rescind.store.queries import Engine, queries
from tests.mutants import python, sql

ROOT = Path(__file__).resolve().parents[2]
STATEMENTS = (
    *("decisions.sql", "lists.sql", "pairs.sql", "pending.sql", "reconcile.sql"),
    "single_role.sql",
)
PACKAGES = ("semantics", "decision", "index", "replicas", "applying", "propagation")
TESTS = (
    *("tests/contract", "tests/property", "tests/consistency", "tests/independent"),
    *(
        f"tests/unit/test_{name}.py"
        for name in (
            *("index_size", "index_steps", "orders", "difference", "schedule", "pace"),
            *("preconditions", "state", "waiting_out", "worker", "worker_failures"),
            *("comparison", "costs", "enforcement_record", "measured", "query_hints"),
            *("applying_parts", "audit_turns", "ranges", "replica", "schedule_order"),
            "worker_turns",
        )
    ),
)
"""Tests that run in one process: a mutant is in no other."""
NOT_TESTS = tuple(
    f"tests/contract/test_{name}.py"
    for name in ("queries", "migrations", "interrupted", "set_aside_upgrade")
)
"""They run every statement and judge none, or are about other versions of the schema."""


@dataclass(frozen=True)
class Candidate:
    """A mutant that may be tried."""

    name: str
    """As `RESCIND_MUTANT` has it."""
    area: str
    """A file of statements or a package, for the report."""
    place: str
    """A query, or `module:function`."""
    what: str
    line: int
    digest: str
    """Of the statement or module that it changes: a result is kept while that stays."""

    @property
    def is_sql(self) -> bool:
        """Whether it changes a statement."""
        return self.name.startswith("sql:")


def sql_candidates(engine: Engine) -> Iterator[Candidate]:
    """All mutants of an engine's statements."""
    rendered = queries(engine)
    for file in STATEMENTS:
        text = files("rescind.store.sql").joinpath(file).read_text("utf-8")
        names = re.findall(r"^-- name: (\w+)$", text, re.MULTILINE)
        for name in (name for name in names if name in rendered):
            for number, mutant in enumerate(sql.mutants(rendered[name])):
                key = f"sql:{engine}:{name}:{number}"
                yield Candidate(key, file, name, mutant.what, 0, _digest(rendered[name]))


def python_candidates() -> Iterator[Candidate]:
    """All mutants of the modules."""
    source = ROOT / "src/rescind"
    for area in PACKAGES:
        paths = sorted((source / area).rglob("*.py"))
        assert paths, area
        for path in paths:
            text = path.read_text("utf-8")
            parts = path.relative_to(source.parent).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            for number, mutant in enumerate(python.mutants(ast.parse(text))):
                key, place = f"python:{module}:{number}", f"{module}:{mutant.function}"
                yield Candidate(key, area, place, mutant.what, mutant.line, _digest(text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
