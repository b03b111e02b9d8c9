"""The project's authority: opened when it is first needed, on the database that Django uses.

Processes that fork share none of it: its store begins anew in each child.
"""

from __future__ import annotations

import atexit
import os
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlencode

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from rescind import forks
from rescind.authority import Authority
from rescind.integrations.django.options import Options, options
from rescind.settings import Settings
from rescind.store.queries import Engine

ENGINES: Final[dict[str, Engine]] = {"sqlite": "sqlite", "postgresql": "postgres"}
_OF_THE_DRIVER: Final = (
    "sslmode",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslrootcert",
    "sslcrl",
    "sslnegotiation",
    "gssencmode",
    "channel_binding",
    "require_auth",
    "service",
    "passfile",
    "target_session_attrs",
    "connect_timeout",
    "application_name",
    "options",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "load_balance_hosts",
)
"""What OPTIONS may have that the server's driver, and not Django, is told."""


class _Opened:
    """The authority of this process, and for which database and options it was opened."""

    def __init__(self) -> None:
        self.found: tuple[Options, str, Authority] | None = None
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        self.lock = Lock()


_opened: Final = _Opened()


def authority() -> Authority:
    """The project's `Authority`, the same for all threads.

    It is opened when it is first asked for, and again where the settings name another database, as in tests.
    Raises ImproperlyConfigured, StoreUnavailable, SchemaMissing, SchemaTooOld or SchemaTooNew.
    """
    chosen = options()
    name = str(connections[chosen.database].settings_dict["NAME"])
    if (found := _current(chosen, name)) is not None:
        return found
    with _opened.lock:
        if (found := _current(chosen, name)) is not None:
            return found
        _close_opened()
        opened = open_authority(chosen, index=chosen.index)
        _opened.found = chosen, name, opened
        return opened


def _current(chosen: Options, name: str) -> Authority | None:
    found = _opened.found
    return found[2] if found is not None and found[0] is chosen and found[1] == name else None


def open_authority(chosen: Options, *, index: bool = False) -> Authority:
    """Another authority on the same database, which the caller closes."""
    return Authority.open(
        database_url(chosen),
        organization=chosen.organization,
        settings=Settings(**chosen.settings),
        index=index,
    )


def close() -> None:
    """Close the project's authority, if it is open. It is opened again when it is next asked for."""
    with _opened.lock:
        _close_opened()


def _close_opened() -> None:
    found, _opened.found = _opened.found, None
    if found is not None:
        found[2].close()


atexit.register(close)


def engine_of(alias: str) -> Engine:
    """The engine of a database of the project. Raises ImproperlyConfigured where Rescind has none for it."""
    vendor = connections[alias].vendor
    if vendor not in ENGINES:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}] is {vendor}: Rescind keeps its tables in SQLite or PostgreSQL."
        )
    return ENGINES[vendor]


def database_url(chosen: Options) -> str:
    """What `Authority.open` is given for the database that Django uses.

    Raises ImproperlyConfigured for another engine, and for a database in memory.
    """
    engine = engine_of(chosen.database)
    named: dict[str, Any] = connections[chosen.database].settings_dict
    if engine == "sqlite":
        return _file(os.fspath(named["NAME"]), chosen.database)
    return _server(named, chosen.schema)


def _file(name: str, alias: str) -> str:
    if name == ":memory:" or name.startswith("file:") or not name:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}] is {name or 'nameless'}: Rescind needs a file, because it has connections"
            " of its own. In tests, name one:"
            f" DATABASES[{alias!r}]['TEST'] = {{'NAME': BASE_DIR / 'test.sqlite3'}}."
        )
    return name


def _server(named: dict[str, Any], schema: str) -> str:
    options_given: dict[str, Any] = named.get("OPTIONS") or {}
    asked: dict[str, str] = {
        key: str(options_given[key]) for key in _OF_THE_DRIVER if key in options_given
    }
    for key, parameter in (("HOST", "host"), ("PORT", "port")):
        if named.get(key):
            asked[parameter] = str(named[key])
    asked["schema"] = schema
    user, password = named.get("USER") or "", named.get("PASSWORD") or ""
    login = quote(str(user), safe="") + (f":{quote(str(password), safe='')}" if password else "")
    at = f"{login}@" if login else ""
    return f"postgresql://{at}/{quote(str(named['NAME'] or ''), safe='')}?{urlencode(asked, quote_via=quote)}"


__all__ = ["authority", "close", "database_url", "engine_of", "open_authority"]
