"""Which server answers: the primary, unless the URL asks for standbys.

A standby may be behind, so a check there may allow what was revoked before the check began.
"""

from __future__ import annotations

import os
from typing import Any, Final

import psycopg

from rescind.errors import StoreUnavailable

TARGET: Final = "target_session_attrs"
OF_STANDBYS: Final = frozenset({"standby", "prefer-standby", "read-only"})
"""Values of TARGET that ask for a server that may be a standby. `any` does not: it is what holds when nothing
is said.
"""
IS_STANDBY: Final = "pg_is_in_recovery()"
BEHIND: Final = "this server is a standby, which may be behind"
CONNECT_TO_PRIMARY: Final = (
    f"connect to the primary; to read lists from a standby, end the URL with {TARGET}=standby"
)
STANDBY_ANSWERS: Final = "a standby answers"
"""No value of a setting: a transaction that would set it fails."""


def hosts_of(url: str) -> int:
    """How many hosts the driver tries: those of the URL, else those of its environment."""
    said = psycopg.conninfo.conninfo_to_dict(url)
    named = (
        *(said.get("hostaddr"), said.get("host")),
        *(os.environ.get("PGHOSTADDR"), os.environ.get("PGHOST")),
    )
    return str(next(filter(None, named), "")).count(",") + 1


def passing_over_standbys(url: str) -> dict[str, str]:
    """The driver's argument by which it takes the primary of several hosts. None for one host, and none if
    the URL or the environment says which server is wanted.
    """
    is_said = (
        TARGET in psycopg.conninfo.conninfo_to_dict(url) or "PGTARGETSESSIONATTRS" in os.environ
    )
    if is_said or hosts_of(url) == 1:
        return {}
    return {TARGET: "primary" if psycopg.pq.version() >= 140_000 else "read-write"}


def require_primary(connection: psycopg.Connection[Any], where: str, *, is_standby: bool) -> None:
    """Raise StoreUnavailable for a standby that nobody asked for."""
    if is_standby and _wanted(connection) not in OF_STANDBYS:
        raise refusal(where)


def unless_standby(connection: psycopg.Connection[Any], value: str) -> str:
    """SQL of a setting's value, which fails on a standby that nobody asked for (`is_refusal`)."""
    if _wanted(connection) in OF_STANDBYS:
        return f"'{value}'"
    return f"CASE WHEN {IS_STANDBY} THEN '{STANDBY_ANSWERS}' ELSE '{value}' END"


def is_refusal(error: psycopg.Error) -> bool:
    """Whether a transaction was refused because a standby answers."""
    return error.sqlstate == "22023" and STANDBY_ANSWERS in str(error.diag.message_primary)


def refusal(where: str) -> StoreUnavailable:
    """The error for a connection to a standby that nobody asked for."""
    return StoreUnavailable(database=where, why=BEHIND, hint=CONNECT_TO_PRIMARY)


def _wanted(connection: psycopg.Connection[Any]) -> str:
    """TARGET as the driver has it: of the URL, of its environment, or of a service file."""
    values = {each.keyword: each.val for each in connection.pgconn.info}
    return (values.get(TARGET.encode()) or b"").decode()
