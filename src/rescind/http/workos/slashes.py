"""Ids with a slash in them: `%2F` in a path is part of a name, and must not part the path."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

SLASH: Final = "\x1f"
"""Stands for the slash while the route is looked up; no id can contain it."""
_ESCAPED: Final = re.compile(r"%2f", re.IGNORECASE)


def keeping_slashes(app: Any) -> Any:
    """The application, made to see an escaped slash as SLASH."""

    async def keeping(scope: Any, receive: Any, send: Any) -> None:
        raw = scope.get("raw_path") or b""
        if b"%2f" in raw.lower():
            scope = {**scope, "path": unquote(_ESCAPED.sub(SLASH, raw.decode("latin-1")))}
        await app(scope, receive, send)

    return keeping


def told(name: str) -> str:
    """A name from a path, as it was meant."""
    return name.replace(SLASH, "/")
