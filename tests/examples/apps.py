"""The example applications, and documents for them by bulk inserts."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import psycopg

from rescind.store.queries import named

ROOT: Final = Path(__file__).resolve().parents[2]
NAMES: Final = ("fastapi_sqlalchemy", "flask_sqlite")
DOCUMENTS: Final = 100_000
EVERY: Final = 100
"""One document of so many is in the team `few`, the others in `many`."""
_NUMBERS: Final = {
    "sqlite": "(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {documents})"
    " SELECT n FROM c)",
    "postgres": "(SELECT n FROM generate_series(1, {documents}) AS s (n))",
}
_FILL: Final = (
    "INSERT INTO document (id, resource, title, updated) SELECT n, 'doc:' || n, 'Document ' || n, n"
    " FROM {numbers} AS c",
    "INSERT INTO rescind.resource (organization, id, slug, parent) SELECT o.id, 1000 + n, 'doc:' || n,"
    " CASE WHEN n % {every} = 0 THEN few.id ELSE many.id END FROM {numbers} AS c"
    " CROSS JOIN rescind.organization AS o"
    " CROSS JOIN rescind.resource AS few CROSS JOIN rescind.resource AS many"
    " WHERE o.slug = 'example' AND few.organization = o.id AND few.slug = 'team:few'"
    " AND many.organization = o.id AND many.slug = 'team:many'",
    "UPDATE rescind.organization SET last_number = 1001 + {documents} WHERE slug = 'example'",
)


def example(name: str) -> ModuleType:
    """The module of an example application."""
    path = ROOT / "examples" / name / "app.py"
    spec = importlib.util.spec_from_file_location(f"example_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # SQLAlchemy and FastAPI look names up there
    spec.loader.exec_module(module)
    return module


def fill(url: str, documents: int = DOCUMENTS) -> None:
    """Documents of the teams `few` and `many`, which the application has made."""
    is_server = url.startswith("postgres")
    engine: Any = "postgres" if is_server else "sqlite"
    numbers = _NUMBERS[engine].format(documents=documents)
    texts = [
        named(text.format(numbers=numbers, documents=documents, every=EVERY), engine)
        for text in _FILL
    ]
    if is_server:
        with psycopg.connect(url) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            for text in texts:
                connection.execute(text.encode())
            connection.execute(
                "SELECT setval(pg_get_serial_sequence('document', 'id'), (SELECT max(id) FROM document))"
            )
    else:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            for text in texts:
                connection.execute(text)
