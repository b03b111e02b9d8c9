"""Errors of the driver during a migration, as errors of Rescind."""

from __future__ import annotations

import sqlite3
from typing import Final

from rescind.errors import StoreBusy, StoreReadOnly, StoreUnavailable
from rescind.store.sqlite import translated_errors

FORBIDDEN: Final = (
    "Migrate as the owner of the tables, with CREATE on the database, or with a schema of its own there:"
    " CREATE SCHEMA {schema} AUTHORIZATION …"
)
CROWDED: Final = (
    "the migration locks every table, index and partition at once: raise max_locks_per_transaction and"
    " restart the server, or ask for fewer partitions"
)


def translated(cause: BaseException | None, where: str, schema: str) -> Exception:
    if isinstance(cause, sqlite3.Error):
        with translated_errors(where):
            raise cause
    first = next(iter(str(cause).splitlines()), "")
    state = getattr(cause, "sqlstate", None)
    if state == "42501":
        return StoreReadOnly(database=where, why=first, hint=FORBIDDEN.format(schema=schema))
    if state == "53200":
        return StoreUnavailable(database=where, why=first, hint=CROWDED)
    if state == "25006":
        return StoreReadOnly(database=where, why=first)
    if state in ("55P03", "40P01"):
        return StoreBusy(database=where, why=first)
    return StoreUnavailable(database=where, why=first)
