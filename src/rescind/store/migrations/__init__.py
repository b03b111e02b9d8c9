"""Upgrades a database to the schema of this code. Imports Alembic, so only the command line imports this."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from rescind.errors import InvalidArgument, SchemaTooNew, StoreBusy, extra
from rescind.store.migrations.lock_waits import LOCK_SECONDS, PATIENCE_SECONDS, LockWaits
from rescind.store.partitions import require_possible, require_same
from rescind.store.queries import SCHEMA
from rescind.store.schema import VERSIONS
from rescind.store.sqlite import connect, file_of, require_one_log, translated_errors

with extra("migrate"):
    import sqlalchemy
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    from rescind.store.migrations import former
    from rescind.store.migrations.failures import translated
    from rescind.store.migrations.grants import grant_use, require_roles
    from rescind.store.migrations.installation import is_usable, state_usable_from, version_of
    from rescind.store.migrations.noting import note_upgrade
    from rescind.store.migrations.reach import renew_reach, renew_sqlite_view
    from rescind.store.migrations.repair import repair_schema, require_free
    from rescind.store.migrations.scripts import (
        HERE,
        execute,
        make_schema,
        ours,
        partition_count,
        run_script,
        use_schema,
    )
    from rescind.store.migrations.view import renew_view_on_postgres

__all__ = ["HERE", "migrate", "renew_view", "run_script", "version_of"]
log = logging.getLogger(__name__)
ALONE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(7232473)"}
"""Makes other migrations wait until this one has ended."""
DIRECTLY: Final = "migrate with the URL of the server itself; programs may go on using the pooler"


def migrate(
    url: str,
    *,
    actor: str = "",
    partitions: int | None = None,
    grant_to: Sequence[str] = (),
    lock_seconds: float = LOCK_SECONDS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Create or upgrade the schema. Objects that differ from the database's own version are recreated first.

    `postgresql://…`, `sqlite:///file.db` or a path; a missing SQLite file is created. An application's own
    tables and Alembic versions are left alone. All of it is one transaction: interrupted anywhere, the
    database is as it was. An upgrade is in the log of service
    actions, by `actor`. A newer schema that this code may use is left as it is.

    On PostgreSQL a statement waits at most `lock_seconds` for a lock, because whoever comes after it waits as
    well. Then the transaction is rolled back and tried again, for `patience_seconds` in all.

    With `partitions`, the per-organization tables of a new PostgreSQL database are hash-partitioned by
    organization. An existing database keeps what it has, and later calls need not repeat the number. Raises
    InvalidArgument if it has another number, on SQLite, and for a number out of range.

    The roles of `grant_to` may use Rescind's tables then, and own nothing. PostgreSQL only. A migration needs
    the server itself: behind a pooler in transaction mode InvalidArgument is raised.

    Raises SchemaDiffers where tables are not what their version has, or another
    program has one of their names; StoreUnavailable, StoreReadOnly, StoreBusy or SchemaTooNew.
    """
    is_postgres = url.partition("://")[0] in ("postgresql", "postgres")
    require_possible(partitions, is_postgres=is_postgres)
    if is_postgres:
        waits = LockWaits(lock_seconds, patience_seconds)
        _upgrade_on_postgres(url, actor, partitions, tuple(grant_to), waits)
        return
    if grant_to:
        hint = "SQLite has no roles: who may read and write the file may use it"
        raise InvalidArgument(what="grant_to", value=", ".join(grant_to), hint=hint)
    path = file_of(url)
    require_one_log(path)
    with translated_errors(path), closing(connect(path)) as connection:
        engine = sqlalchemy.create_engine(
            "sqlite://", creator=lambda: connection, poolclass=sqlalchemy.StaticPool
        )
        connection.execute("PRAGMA foreign_keys = OFF")
        _upgrade(engine, path, actor=actor)


def _upgrade_on_postgres(
    url: str, actor: str, partitions: int | None, grant_to: tuple[str, ...], waits: LockWaits
) -> None:
    """At READ COMMITTED a migration that has waited sees what the other one made."""
    from rescind.store.postgres import address, location

    with extra("postgres"):
        import psycopg

        from rescind.store.postgres.pooler import require_direct

    at, where = address(url), location(url)

    def connected() -> psycopg.Connection[Any]:
        connection = psycopg.connect(at.url, **at.arguments())
        try:
            require_direct(connection, at, what="database", hint=DIRECTLY)
            connection.rollback()
        except BaseException:
            connection.close()
            raise
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        return connection

    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=connected)
    told: dict[str, Any] = {"actor": actor, "partitions": partitions, "grant_to": grant_to}
    while True:
        try:
            try:
                _upgrade(engine, where, at.schema, lock_timeout=waits.lock_milliseconds, **told)
            except psycopg.Error as error:
                raise translated(error, where, at.schema) from error
            return
        except StoreBusy as error:
            if not waits.may_retry(error):
                raise


def _upgrade(
    engine: sqlalchemy.Engine,
    where: str,
    schema: str = SCHEMA,
    *,
    actor: str,
    partitions: int | None = None,
    grant_to: tuple[str, ...] = (),
    lock_timeout: int | None = None,
) -> None:
    try:
        with engine.connect() as connection:
            use_schema(connection, schema)
            connection.exec_driver_sql(ALONE[engine.dialect.name])
            if lock_timeout is not None:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {lock_timeout}")
            require_roles(connection, grant_to)
            _bring_up(connection, where, actor, partitions)
            for role in grant_to:
                grant_use(connection, role)
            connection.commit()
            if engine.dialect.name == "sqlite" and connection.connection.in_transaction:
                connection.connection.driver_connection.execute("COMMIT")  # type: ignore[union-attr]
    except CommandError as error:
        raise SchemaTooNew(database=where, why=str(error)) from error
    except sqlalchemy.exc.DBAPIError as error:
        raise translated(error.orig, where, schema) from error
    finally:
        engine.dispose()


def _bring_up(
    connection: sqlalchemy.Connection, where: str, actor: str, partitions: int | None
) -> None:
    """Create the schema, or upgrade the existing one."""
    version, before = version_of(connection), None
    if version is None and (before := former.find_former(connection, where)) is None:
        require_free(connection, where)
        if connection.dialect.name != "sqlite":
            former.make_home(connection)
        make_schema(connection, partitions or 0)
        statement = f"INSERT INTO rescind.schema_version VALUES ('{VERSIONS[-1]}')"
        execute(connection, ours(connection, statement))
        renew_view(connection)
        return
    if version is not None and is_usable(connection, version):
        log.info("%s: its schema %s is newer than this code, which may use it", where, version)
        return
    require_same(partitions, partition_count(connection))
    repaired = repair_schema(connection, where, version, before, run_script)
    if before is not None:
        former.take_over(connection, before, repaired)
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    renew_view(connection)
    state_usable_from(connection)
    if connection.dialect.name != "sqlite":
        former.share_new_tables(connection)
    if before is not None:
        former.keep_view_name(connection, before)
    if version != VERSIONS[-1] == version_of(connection):
        note_upgrade(connection, version, VERSIONS[-1], actor)


def renew_view(connection: sqlalchemy.Connection) -> None:
    """Create the view, and the function or view behind `rescind.sql`, from the fragments of the checks. So a
    join with the view is as safe as a check.

    Nothing is touched if they are current. Grants on them, and objects built on them, stay.
    """
    if connection.dialect.name == "sqlite":
        renew_sqlite_view(connection, "rescind_effective_permission")
    else:
        renew_view_on_postgres(connection)
    renew_reach(connection)
