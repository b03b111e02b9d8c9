"""Translates errors of the driver into errors of Rescind."""

from __future__ import annotations

import json
import re
from typing import Final

import psycopg

from rescind.errors import (
    SchemaDiffers,
    SchemaMissing,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
    TimedOut,
    refusal,
)
from rescind.errors.database import MIGRATE, REPEAT_TRANSACTION
from rescind.store.postgres import primary
from rescind.store.postgres.connection import ServerSilent
from rescind.store.retries import KeyTaken, OverBudget, PlanStale

FAULTS: Final = (psycopg.Error, MemoryError)
"""The exceptions that the driver raises."""
DEFINITIONS_MOVED: Final = "definitions_moved"
"""The code of `refuse_moved_definitions`, which is no error: the batch is tried again."""
_KEY_TAKEN: Final = re.compile(r"idempotency(_p\d+)?_pkey")
"""The constraint of the table, or of one of its partitions."""


def translated(error: Exception, where: str) -> BaseException:
    """The error of Rescind for an error of the driver. One without a SQLSTATE is the connection's."""
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return _by_state(error, where)
    if isinstance(error, ServerSilent):
        return TimedOut(database=where, why=first_line(error))
    return StoreUnavailable(database=where, why=first_line(error))


def _by_state(error: psycopg.Error, where: str) -> BaseException:
    state, diagnostics = error.sqlstate or "", error.diag
    if state == "RS001" and diagnostics.message_primary == DEFINITIONS_MOVED:
        return PlanStale()
    if state == "RS001":
        return refusal(
            diagnostics.message_primary or "", json.loads(diagnostics.message_detail or "{}")
        )
    if state == "RS002":
        return PlanStale()
    if state == "RS003":
        return OverBudget(**json.loads(diagnostics.message_detail or "{}"))
    if state == "23505" and _KEY_TAKEN.fullmatch(diagnostics.constraint_name or ""):
        return KeyTaken()
    if state == "23505" and diagnostics.constraint_name == "organization_pkey":
        return PlanStale()
    if state == "40001":
        return StoreConflict(why=first_line(error), hint=REPEAT_TRANSACTION)
    if state in ("40P01", "23503", "23505"):
        return StoreConflict(why=first_line(error))
    if state == "55P03":
        return StoreBusy(database=where, why=first_line(error))
    if state == "25006":
        return StoreReadOnly(database=where)
    if state == "42P01":
        return SchemaMissing(database=where, why=first_line(error))
    if state in ("42883", "42703"):
        return SchemaDiffers(database=where, why=first_line(error), hint=MIGRATE)
    if primary.is_refusal(error):
        return primary.refusal(where)
    if state == "57014":
        return TimedOut(database=where, why=first_line(error))
    if state.startswith(("08", "57", "53")):
        return StoreUnavailable(database=where, why=first_line(error))
    return StoreError(database=where, why=first_line(error))


def interruption(error: Exception, before: BaseException | None) -> BaseException | None:
    """The exception that interrupted the driver and made it fail, such as one raised by a signal handler, or
    None. `before` is the exception that was being handled already.
    """
    struck: BaseException | None = error
    while isinstance(struck, FAULTS) and not struck.__suppress_context__:
        struck = struck.__context__
    is_new = struck is not before and not isinstance(struck, FAULTS)
    return struck if is_new else None


def is_of_client(error: Exception) -> bool:
    """Whether the error leaves open what the server did with the statements."""
    return not getattr(error, "sqlstate", None) and not isinstance(
        error, psycopg.errors.PipelineAborted
    )


def first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
