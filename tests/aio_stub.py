"""Write the declarations of `AsyncAuthority` anew: `python -m tests.aio_stub`.

They are the methods of `Authority`, as coroutines, with the same parameters.
"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import textwrap
from pathlib import Path
from types import FunctionType

from rescind.aio.authority import CHANGING, ITERATING, READING
from rescind.authority import Authority

PATH = Path(__file__).parents[1] / "src/rescind/aio/authority.pyi"
HEAD = '''\
"""Declares `AsyncAuthority` for type checkers. `make aio-stub` writes this file."""

'''
CLASSES = """
THREADS: Final = 8
MOST_QUESTIONS: Final = 128
CHANGING: Final[frozenset[str]]
READING: Final[frozenset[str]]
ITERATING: Final[frozenset[str]]
LEFT_OUT: Final[frozenset[str]]

class Opening:
    def __await__(self) -> Generator[Any, None, AsyncAuthority]: ...
    async def __aenter__(self) -> AsyncAuthority: ...
    async def __aexit__(self, *_: object) -> None: ...

class AsyncWorkers:
    sync: Workers
    async def start(self) -> AsyncWorkers: ...
    async def stop(self) -> None: ...
    async def __aenter__(self) -> AsyncWorkers: ...
    async def __aexit__(self, *_: object) -> None: ...

class AsyncAuthority:
    sync: Authority
    def __init__(self, authority: Authority, *, threads: int = 8) -> None: ...
    async def close(self) -> None: ...
    async def __aenter__(self) -> AsyncAuthority: ...
    async def __aexit__(self, *_: object) -> None: ...
"""
BASE = {
    "Any": "from typing import Any",
    "Final": "from typing import Final",
    "Generator": "from collections.abc import Generator",
    "AsyncIterator": "from collections.abc import AsyncIterator",
    "Authority": "from rescind.authority import Authority",
    "Workers": "from rescind.propagation.worker import Workers",
}
WRITTEN_OUT = ("open", "recall", "check", "check_many", "explain", "workers")
BUILTIN = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)


def text() -> str:
    """What the file has to be."""
    imports = dict(BASE)
    methods = []
    for name in (*WRITTEN_OUT, *sorted(CHANGING | READING | ITERATING)):
        method = inspect.getattr_static(Authority, name)
        function: FunctionType = getattr(method, "__func__", method)
        node = _declared(name, function)
        imports |= imports_of(node, function)
        methods.append(textwrap.indent(ast.unparse(node), "    "))
    head = HEAD + "\n".join(sorted(set(imports.values()))) + "\n"
    return head + CLASSES + "\n" + "\n\n".join(methods) + "\n"


def _declared(name: str, function: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef:
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    plain_defaults(node)
    node.body = [ast.Expr(ast.Constant(...))]
    if name == "open":
        node.args.kwonlyargs.append(ast.arg("threads", ast.Name("int")))
        node.args.kw_defaults.append(ast.Constant(8))
        node.returns = ast.Name("Opening")
        return node
    if name == "workers":
        node.returns = ast.Name("AsyncWorkers")
        return node
    if name == "recall":
        return node
    if name in ITERATING:
        assert isinstance(node.returns, ast.Subscript), name
        node.returns.value = ast.Name("AsyncIterator")
        return node
    return ast.AsyncFunctionDef(
        name=node.name,
        args=node.args,
        body=node.body,
        decorator_list=[],
        returns=node.returns,
        lineno=1,
        col_offset=0,
        type_params=[],
    )


def plain_defaults(node: ast.FunctionDef) -> None:
    """Leave out the names of defaults, as a declaration does."""
    node.args.kw_defaults = [_default(value) for value in node.args.kw_defaults]
    node.args.defaults = [value for value in map(_default, node.args.defaults) if value]


def _default(value: ast.expr | None) -> ast.expr | None:
    """A default as a declaration has it: `...` for what has a name."""
    return ast.Constant(...) if isinstance(value, ast.Name | ast.Attribute) else value


def imports_of(node: ast.AST, function: FunctionType) -> dict[str, str]:
    """The imports that a declaration needs, as the module of the method has them."""
    module = sys.modules[function.__module__]
    module_file = inspect.getsource(module)
    known: dict[str, str] = {}
    for statement in ast.walk(ast.parse(module_file)):
        if isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
            known |= {
                alias.asname or alias.name: _import_line(statement.module, alias)
                for alias in statement.names
            }
        elif isinstance(statement, ast.Import):
            known |= {alias.name: f"import {alias.name}" for alias in statement.names}
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            own = statement.targets[0].id
            known.setdefault(own, f"from {module.__name__} import {own}")
        elif isinstance(statement, ast.ClassDef):
            known.setdefault(statement.name, f"from {module.__name__} import {statement.name}")
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} - {
        "AsyncWorkers",
        "AsyncAuthority",
        "AsyncIterator",
        "Opening",
        "classmethod",
    }
    return {name: known[name] for name in used if name not in BUILTIN and name not in BASE}


def _import_line(module: str | None, alias: ast.alias) -> str:
    return f"from {module} import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")


def formatted() -> str:
    """The same, as the file is formatted."""
    return tidied(text(), PATH)


def tidied(written: str, path: Path) -> str:
    """Declarations, as their file is formatted."""
    for command in (("check", "--fix", "--exit-zero"), ("format",)):
        run = [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename", path, "-"]
        written = subprocess.run(
            run, input=written, capture_output=True, text=True, check=True
        ).stdout
    return written


if __name__ == "__main__":
    PATH.write_text(formatted(), "utf-8")
