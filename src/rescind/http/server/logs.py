"""Logs as lines of JSON on the error stream. Nothing secret: no query, no header, no body, no key's text."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from rescind.http.auth import Caller


class Lines(logging.Formatter):
    """A record as one line of JSON, with the facts that it carries."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def to_stderr(level: str) -> None:
    """Log from `level` up to the error stream; of others' libraries, from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("rescind").setLevel(level.upper())


def log_request(
    log: logging.Logger,
    method: str,
    path: str,
    state: Mapping[str, Any],
    status: int,
    start: float,
    level: int,
) -> None:
    """One line for a request, at `level`. Nothing of a query, a header or a body: those may hold secrets."""
    if not log.isEnabledFor(level):
        return
    caller: Caller | None = state["caller"]
    facts = {
        "request_id": state["request_id"],
        "method": method,
        "path": path,
        "status": status,
        "ms": round((time.perf_counter() - start) * 1000, 3),
        "key": caller.key_id if caller else None,
        "code": state["code"],
    }
    log.log(level, "request", extra={"facts": facts})
