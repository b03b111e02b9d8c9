"""Tests and benchmarks use what is public: arguments of constructors, probes, clocks, public attributes."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    (
        "tests/django_app/test_lists.py",
        "q._raw_delete",
    ): "how Django itself deletes rows below a deleted one",
    (
        "tests/django_app/test_transactions.py",
        "block._from_testcase",
    ): "how Django itself marks the transactions of a TestCase",
    (
        "tests/http/workos/test_as_workos.py",
        "client._build_headers",
    ): "the SDK has no other way to see it",
    (
        "tests/http/workos/test_organizations.py",
        "workos._errors",
    ): "where WorkOS's SDK keeps this error",
}
"""The private names that are used all the same, and why. Nothing of ours belongs here."""
OF_PYTHON = {"_replace", "_fields", "_asdict", "_make", "_exit", "_getframe"}
"""Public in spite of their names."""
BY_NAME = {"setattr", "getattr", "delattr", "hasattr"}


def is_private(name: str) -> bool:
    """A name of another module or class that begins with one underscore."""
    return name.startswith("_") and not name.startswith("__") and name not in OF_PYTHON | {"_"}


def own_names(tree: ast.Module) -> set[str]:
    """What a module itself defines: its functions, and the attributes of its classes."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found |= {node.attr} if ast.unparse(node.value) in ("self", "cls") else set()
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def reaches(source: str) -> Iterator[str]:
    """The private names of others that a module uses: as attributes, imported, or named in a text."""
    tree = ast.parse(source)
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if node.attr not in own or not isinstance(node.value, ast.Name):
                yield ast.unparse(node)
        elif isinstance(node, ast.Import):
            for name in node.names:
                if any(map(is_private, name.name.split("."))):
                    yield name.name
        elif isinstance(node, ast.ImportFrom):
            if any(map(is_private, (node.module or "").split("."))):
                yield str(node.module)
            yield from (
                f"{node.module}.{name.name}" for name in node.names if is_private(name.name)
            )
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BY_NAME:
            named = (arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant))
            yield from (name for name in named if is_private(str(name).rpartition(".")[2]))


def test_only_what_is_allowed() -> None:
    """Nothing else is used, and all that is allowed is: the list can only become shorter."""
    found = {
        (file.relative_to(ROOT).as_posix(), name)
        for folder in ("tests", "lab")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for name in reaches(file.read_text("utf-8"))
    }
    assert found == ALLOWED.keys()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("store._pool.free", ["store._pool"]),
        ("store.pool._free._x", ["store.pool._free._x", "store.pool._free"]),
        ("self._store.x", ["self._store"]),
        ("from rescind.store import _pool", ["rescind.store._pool"]),
        ("from rescind._store import pool", ["rescind._store"]),
        ("import rescind._store as store", ["rescind._store"]),
        ("monkeypatch.setattr(store, '_pool', 1)", ["_pool"]),
        ("patch.setattr('rescind.store._pool', 1)", ["rescind.store._pool"]),
        ("hasattr(store, '_pool')", ["_pool"]),
        ("class A:\n def b(self): self._a = held.index._a", ["held.index._a"]),
        ("class A:\n def __init__(self): self._a = 1\n def b(self): return self._a", []),
        ("def _f(): pass\nmodule._f()", []),
        ("row._replace(a=1); os._exit(0); x.__dict__", []),
    ],
)
def test_what_is_seen(source: str, expected: list[str]) -> None:
    """Control: each way to use a private name is seen; what a module defines itself is its own."""
    assert Counter(reaches(source)) == Counter(expected)
