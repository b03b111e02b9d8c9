"""How an application is made of a service, and how uvicorn serves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import uvicorn

from rescind.http.server.entry import HttpEntry
from rescind.http.server.fast_path import FastPathConnections
from rescind.http.server.service import Service

Application: TypeAlias = Callable[[Service], HttpEntry]
"""Makes the application of a service. Closing the service's authority is not its work."""


class Applications(NamedTuple):
    """What a service may be served as."""

    whole: Application
    metrics: Application
    """The metrics alone, and whether the process lives and is ready."""


def fast_path_config(entry: HttpEntry, **options: Any) -> uvicorn.Config:
    """How uvicorn is to serve an application: with our connections, and nothing but HTTP."""
    return uvicorn.Config(
        entry,
        **{
            "http": FastPathConnections(entry),
            "lifespan": "on",
            "ws": "none",
            "log_config": None,
            "access_log": False,
            "server_header": False,
            **options,
        },
    )
