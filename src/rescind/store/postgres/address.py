"""The URL of a database: what in it is Rescind's own, and what is the driver's.

A password never leaves this module but to the driver: errors and logs name a database by `location`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import unquote

import psycopg

from rescind.errors import InvalidArgument, StoreUnavailable
from rescind.store.postgres.primary import passing_over_standbys
from rescind.store.queries import SCHEMA

T = TypeVar("T")
SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
SCHEMA_RULE: Final = "use small letters, digits and _, at most 63, and no pg_ at the start"
OURS: Final = ("schema", "pooled", "prepared", "password_file")
"""Parameters of a URL that the driver does not know."""


class Pooled(StrEnum):
    """What a URL says of a pooler: whether a connection keeps one session of the server."""

    TRANSACTION = "transaction"
    SESSION = "session"


class Address(NamedTuple):
    """A URL for the driver, and what else the URL said."""

    url: str
    schema: str = SCHEMA
    pooled: Pooled | None = None
    """None is unsaid: it is found out."""
    prepared: bool | None = None
    """Whether to prepare statements. None is unsaid: as is safe, which is no behind a pooler."""
    password_file: str | None = None

    def arguments(self) -> dict[str, Any]:
        """The driver's arguments for a new connection, besides the URL: that text is UTF-8, whatever the
        database, the role or the environment say, that it takes the primary of several hosts, and the
        password in the file. Raises as `password`.
        """
        return {
            "client_encoding": "UTF8",
            **passing_over_standbys(self.url),
            **self.password(),
        }

    def password(self) -> dict[str, Any]:
        """The driver's argument with the password in the file, or none without a file.

        The file is read for each connection, so that a new password needs no restart. Raises
        StoreUnavailable if it cannot be read, is empty, or has several lines.
        """
        if self.password_file is None:
            return {}
        try:
            text = Path(self.password_file).read_text("utf-8")
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise StoreUnavailable(password_file=self.password_file, why=why) from None
        found = text.removesuffix("\n").removesuffix("\r")
        if not found or "\n" in found or "\0" in found:
            why = "the file must have the password in one line, and nothing else"
            raise StoreUnavailable(password_file=self.password_file, why=why)
        return {"password": found}


def address(url: str) -> Address:
    """Split Rescind's own parameters off a URL. Raises InvalidArgument."""
    front, _, query = url.partition("?")
    parameters = query.split("&") if query else []
    said: dict[str, str] = {}
    others = []
    for part in parameters:
        name, _, value = part.partition("=")
        if name in OURS:
            said[name] = unquote(value)
        else:
            others.append(part)
    schema = said.get("schema", SCHEMA)
    if not SCHEMA_NAME.fullmatch(schema) or schema.startswith("pg_"):
        raise InvalidArgument(what="schema", value=schema, hint=SCHEMA_RULE)
    theirs = f"{front}?{'&'.join(others)}" if others else front
    return Address(
        theirs,
        schema,
        _one_of(said, "pooled", {each.value: each for each in Pooled}),
        _one_of(said, "prepared", {"on": True, "off": False}),
        _password_file(said, theirs),
    )


def _one_of(said: dict[str, str], name: str, values: dict[str, T]) -> T | None:
    if name not in said:
        return None
    if said[name] not in values:
        choices = " or ".join(f"{name}={value}" for value in values)
        hint = f"use {choices}, or leave it out"
        raise InvalidArgument(what=name, value=said[name], hint=hint)
    return values[said[name]]


def _password_file(said: dict[str, str], url: str) -> str | None:
    file = said.get("password_file")
    if file is None:
        return None
    if not file:
        raise InvalidArgument(what="password_file", hint="name a file, or leave it out")
    if "password" in _parts(url):
        hint = "give the password in the file or in the URL, not in both"
        raise InvalidArgument(what="password_file", value=file, hint=hint)
    return file


def _parts(url: str) -> dict[str, object]:
    """The driver's parameters. Raises InvalidArgument, without the URL: it may have a password."""
    try:
        return dict(psycopg.conninfo.conninfo_to_dict(url))
    except psycopg.Error:
        hint = "write postgresql://user:password@host:port/database, other signs as %xx"
        raise InvalidArgument(what="database", hint=hint) from None


def location(url: str) -> str:
    """The database that a URL names, for messages: without user and password.

    Raises InvalidArgument if the URL is malformed.
    """
    parts = _parts(address(url).url)
    return f"{parts.get('dbname', '')} on {parts.get('host', 'localhost')}"
