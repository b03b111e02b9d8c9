"""Ids with a slash in them: `%2F` in a path is part of a name, and must not part the path."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

SLASH: Final = "\x1f"
"""Stands for the slash while the route is looked up; no id can contain it."""
_ESCAPED: Final = re.compile(r"%2f", re.IGNORECASE)


def hide_escaped_slashes(app: Any) -> Any:
    """The application, made to see an escaped slash as SLASH."""

    async def keeping(scope: Any, receive: Any, send: Any) -> None:
        raw = scope.get("raw_path") or b""
        if b"%2f" in raw.lower():
            scope = {**scope, "path": unquote(_ESCAPED.sub(SLASH, raw.decode("latin-1")))}
        await app(scope, receive, send)

    return keeping


def restore_escaped_slashes(app: Any) -> Any:
    """What a route was found for, made to see the names in the path as they were meant."""

    async def telling(scope: Any, receive: Any, send: Any) -> None:
        named = scope.get("path_params") or {}
        if any(isinstance(value, str) and SLASH in value for value in named.values()):
            scope["path_params"] = {
                name: value.replace(SLASH, "/") if isinstance(value, str) else value
                for name, value in named.items()
            }
        await app(scope, receive, send)

    return telling
