"""Which engine a URL names."""

from __future__ import annotations

import os
import reprlib

from rescind.errors import InvalidArgument
from rescind.model import require_flag
from rescind.settings import Settings
from rescind.store.contract import Store
from rescind.store.probe import StoreProbe


def with_password_file(database: str, file: str | None) -> str:
    """The URL of a PostgreSQL database that has its password from that file, unless it names another one.

    Raises InvalidArgument for a file without a name: the password must not be left out silently.
    """
    front, _, query = database.partition("?")
    is_named = any(part.startswith("password_file=") for part in query.split("&"))
    if file is None or is_named or not front.startswith(("postgresql://", "postgres://")):
        return database
    if not file.strip():
        hint = "RESCIND_DATABASE_PASSWORD_FILE is empty: name a file, or unset it"
        raise InvalidArgument(what="database_password_file", hint=hint)
    from urllib.parse import quote

    return f"{front}?{query}{'&' if query else ''}password_file={quote(file, safe='/')}"


def open_store(
    url: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    create: bool = False,
    probe: StoreProbe | None = None,
) -> Store:
    """The store at a URL or path: `postgresql://…`, `sqlite:///file.db`, or a file's path.

    With `create` the schema is made in a file that is missing or empty. A probe is for tests. Raises
    InvalidArgument, also for SQLite's `:memory:` and its URIs; StoreUnavailable, SchemaMissing, SchemaTooOld
    or SchemaTooNew.
    """
    if not isinstance(url, (str, os.PathLike)):
        raise InvalidArgument(
            what="database", value=reprlib.repr(url), hint="give a URL or a file's path"
        )
    url, is_new = os.fspath(url), require_flag("create", create)
    scheme, separator, _ = url.partition("://")
    if not separator or scheme == "sqlite":
        from rescind.store.sqlite import SqliteStore, file_of

        path = file_of(url)
        if is_new:
            from rescind.store.sqlite.new_file import make_file

            make_file(path)
        return SqliteStore(path, probe=probe)
    if scheme in ("postgresql", "postgres"):
        from rescind.store.postgres import PostgresStore

        if is_new:
            hint = "run `rescind migrate` as the owner of the schema"
            raise InvalidArgument(what="create", value="a database on PostgreSQL", hint=hint)
        return PostgresStore(url, settings=settings, probe=probe)
    raise InvalidArgument(
        what="database", value=scheme, hint="use sqlite:///file.db or postgresql://…"
    )
