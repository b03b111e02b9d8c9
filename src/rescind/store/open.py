"""Which engine a URL names."""

from __future__ import annotations

import os
import reprlib

from rescind.errors import InvalidArgument
from rescind.settings import Settings
from rescind.store.contract import Store
from rescind.store.probe import StoreProbe


def open_store(
    url: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    create: bool = False,
    probe: StoreProbe | None = None,
) -> Store:
    """The store at a URL or path: `postgresql://…`, `sqlite:///file.db`, or a file's path.

    With `create` the schema is made in a file that is missing or empty. A probe is for tests. Raises
    StoreUnavailable, SchemaMissing, SchemaTooOld or SchemaTooNew.
    """
    if not isinstance(url, (str, os.PathLike)):
        raise InvalidArgument(
            what="database", value=reprlib.repr(url), hint="give a URL or a file's path"
        )
    url = os.fspath(url)
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "sqlite":
        from rescind.store.sqlite import SqliteStore, make_file

        path = rest.removeprefix("/") if separator else url
        if create:
            make_file(path)
        return SqliteStore(path, probe=probe)
    if scheme in ("postgresql", "postgres"):
        from rescind.store.postgres import PostgresStore

        if create:
            hint = "run `rescind migrate` as the owner of the schema"
            raise InvalidArgument(what="create", value="a database on PostgreSQL", hint=hint)
        return PostgresStore(url, settings=settings, probe=probe)
    raise InvalidArgument(
        what="database", value=scheme, hint="use sqlite:///file.db or postgresql://…"
    )
