"""Rows of the hash chain of the change log."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import Microseconds
from rescind.store.rows.query import Query


class LogStartRow(NamedTuple):
    """The last change that is no longer in an organization's log, when it was taken out, and why."""

    revision: int
    digest: bytes
    environment: int | None
    recorded_at: Microseconds
    why: str


FIND_LOG_START = Query("find_log_start", LogStartRow)
