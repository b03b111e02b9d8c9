"""Write the declarations of `Client` and `AsyncClient` anew: `python -m tests.client_stub`.

They are the methods of `Operations`, with what their calls result in.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path

from rescind.client.clients import METHODS
from rescind.client.operations import Operations
from tests.aio_stub import imports_of, plain_defaults, tidied

PATH = Path(__file__).parents[1] / "src/rescind/client/clients.pyi"
HEAD = '''\
"""Declares `Client` and `AsyncClient` for type checkers. `make client-stub` writes this file."""

'''
BASE = {
    "Any": "from typing import Any",
    "Final": "from typing import Final",
    "Callable": "from collections.abc import Callable",
    "AsyncIterator": "from collections.abc import AsyncIterator",
    "Iterator": "from collections.abc import Iterator",
    "TracebackType": "from types import TracebackType",
    "Key": "from rescind.client.connecting import Key",
    "Retries": "from rescind.client.policy import Retries",
    "Timeouts": "from rescind.client.policy import Timeouts",
    "httpx": "import httpx",
    "ssl": "import ssl",
}
CLASS = """
class {name}:
    def __init__(
        self,
        url: str,
        *,
        key: Key,
        organization: str | None = None,
        read_your_writes: bool = False,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        most_bytes: int = 16777216,
        most_connections: int = 100,
        ssl_context: ssl.SSLContext | None = None,
        transport: Callable[[], httpx.{transport}] | None = None,
    ) -> None: ...
    {coroutine}def close(self) -> None: ...
    {coroutine}def __{a}enter__(self) -> {name}: ...
    {coroutine}def __{a}exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
"""
ITERATED = ("Pages", "Lines")


def text() -> str:
    """What the file has to be."""
    imports = dict(BASE)
    declared: dict[str, list[str]] = {"Client": [], "AsyncClient": []}
    for name in METHODS:
        function = getattr(Operations, name)
        node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        assert isinstance(node, ast.FunctionDef)
        returns = node.returns
        assert isinstance(returns, ast.Subscript), name
        assert isinstance(returns.value, ast.Name), name
        kind, node.returns = returns.value.id, returns.slice
        node.body = [ast.Expr(ast.Constant(...))]
        plain_defaults(node)
        imports |= imports_of(node, function)
        for owner, methods in declared.items():
            methods.append(textwrap.indent(_declared(node, kind, owner == "AsyncClient"), "    "))
    head = HEAD + "\n".join(sorted(set(imports.values()))) + "\n\nMETHODS: Final[tuple[str, ...]]\n"
    return head + "\n".join(
        CLASS.format(
            name=name,
            transport="AsyncBaseTransport" if name == "AsyncClient" else "BaseTransport",
            coroutine="async " if name == "AsyncClient" else "",
            a="a" if name == "AsyncClient" else "",
        )
        + "\n\n".join(methods)
        + "\n"
        for name, methods in declared.items()
    )


def _declared(node: ast.FunctionDef, kind: str, is_async: bool) -> str:
    written = ast.unparse(node)
    if kind in ITERATED:
        result = ast.unparse(node.returns) if node.returns else ""
        iterator = "AsyncIterator" if is_async else "Iterator"
        return written.replace(f") -> {result}:", f") -> {iterator}[{result}]:")
    return f"async {written}" if is_async else written


if __name__ == "__main__":
    PATH.write_text(tidied(text(), PATH), "utf-8")
