"""Which methods an address takes, as its refusal of another one says it, and its answer to OPTIONS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litestar.routes import HTTPRoute


def allow(methods: Iterable[str]) -> str:
    """The header `Allow`. Whatever takes GET takes HEAD (RFC 9110, 9.1)."""
    named = set(methods)
    return ", ".join(sorted(named | {"HEAD"} if "GET" in named else named))


def allow_header_of(raised: Exception) -> dict[str, str]:
    """That header, where a method was refused."""
    given = getattr(raised, "headers", None) or {}
    methods = {
        each.strip()
        for name, value in given.items()
        if name.lower() == "allow"
        for each in value.split(",")
    }
    return {"Allow": allow(methods)} if methods else {}


def answer_options(app: Any) -> Any:
    """What a route was found for, made to answer OPTIONS: the framework knows some of the methods only."""

    async def telling(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "OPTIONS":
            await app(scope, receive, send)
            return
        routes = [each for each in scope["litestar_app"].routes if isinstance(each, HTTPRoute)]
        found = (each.methods for each in routes if each.path_format == scope["path_template"])
        told = [(b"allow", allow(set().union(*found)).encode())]
        await send({"type": "http.response.start", "status": 204, "headers": told})
        await send({"type": "http.response.body", "body": b""})

    return telling
