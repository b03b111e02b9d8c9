"""Parts of Rescind that need an extra, and what is said where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rescind.errors.base import RescindError

EXTRAS: Final[dict[str, tuple[str, ...]]] = {
    "postgres": ("psycopg", "psycopg_pool"),
    "cli": ("click", "rich"),
    "migrate": ("alembic", "sqlalchemy"),
    "metrics": ("prometheus_client",),
    "server": ("litestar", "uvicorn", "httptools", "prometheus_client"),
    "client": ("httpx", "httpcore"),
    "django": ("django",),
    "fastapi": ("fastapi", "starlette"),
    "flask": ("flask", "werkzeug"),
    "litestar": ("litestar",),
    "sqlalchemy": ("sqlalchemy",),
    "otel": ("opentelemetry",),
    "testing": ("yaml",),
}
"""The top-level modules of each extra that Rescind imports."""


class ExtraMissing(RescindError, ImportError):
    """An extra of Rescind is not installed."""

    code = "extra_missing"

    def __init__(self, **facts: object) -> None:
        install = f"""Run `pip install "rescind[{facts.get("extra")}]"`"""
        super().__init__(**{"hint": install, **facts})
        self.name = None if "module" not in facts else str(facts["module"])


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Wraps imports that need an extra. Raises ExtraMissing if a module of that extra is not there.

    Any other module that is missing is a fault of the installation, and its error is left as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if isinstance(error, ExtraMissing) or module not in EXTRAS[name]:
            raise
        raise ExtraMissing(extra=name, module=module) from error
