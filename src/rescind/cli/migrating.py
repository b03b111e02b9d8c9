"""`rescind migrate`: brings a database to this version's schema, or says what that would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import click

from rescind.cli import output
from rescind.cli.change_commands import user
from rescind.cli.declared import Commands, Option
from rescind.cli.options import Target, with_target
from rescind.errors import InvalidArgument
from rescind.store.sqlite import file_of, require_file

if TYPE_CHECKING:
    from rescind.store.migrations.locks import Locks
    from rescind.store.migrations.plan import Pending, Plan

SOMETHING_TO_DO: Final = 1
LOCK_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 60.0


def register(commands: Commands) -> None:
    """Add the command of this module."""
    commands.add("migrate", migrate, "Database", with_target)


def migrate(
    target: Target,
    partitions: Annotated[
        int | None,
        Option(
            "--partitions",
            metavar="N",
            help="Give each per-organization table of a new PostgreSQL database N hash partitions.",
        ),
    ] = None,
    grant_to: Annotated[
        list[str] | None,
        Option(
            "--grant-to",
            metavar="ROLE",
            help="Let this role of PostgreSQL use the tables, which it does not own. May be repeated.",
        ),
    ] = None,
    check: Annotated[
        bool,
        Option("--check", help="Only list what is pending; exit with 1 if anything is."),
    ] = False,
    dry_run: Annotated[
        bool,
        Option("--dry-run", help="Only print the SQL, and on PostgreSQL the locks it takes."),
    ] = False,
    lock_timeout: Annotated[
        float,
        Option(
            metavar="SECONDS",
            help="How long a statement waits for a lock before all is tried again.",
        ),
    ] = LOCK_SECONDS,
    patience: Annotated[
        float, Option(metavar="SECONDS", help="How long to try again while locks are taken.")
    ] = PATIENCE_SECONDS,
) -> None:
    """Migrate the database to this version's schema."""
    if check or dry_run:
        given = (
            "partitions",
            "grant_to",
            "lock_timeout",
            "patience",
            *(("dry_run",) if check else ()),
        )
        target.refuse_given(*given, hint="--check and --dry-run change nothing, and stand alone")
        _say_plan(target, dry_run=dry_run)
        return
    if partitions is None and not is_postgres(target.database):
        require_file(file_of(target.database))
    to_current(
        target.database,
        partitions=partitions,
        grant_to=grant_to or (),
        lock_seconds=lock_timeout,
        patience_seconds=patience,
    )
    if target.as_json:
        output.say_json({"database": shown(target.database), "migrated": True})
    else:
        output.say(f"{shown(target.database)} has the current schema")


def to_current(
    database: str,
    *,
    partitions: int | None = None,
    grant_to: Sequence[str] = (),
    lock_seconds: float = LOCK_SECONDS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Make or upgrade the schema. Raises InvalidArgument for a URL of another kind of database."""
    from rescind.store.migrations import migrate as to_newest

    _require_known(database)
    to_newest(
        database,
        actor=user(),
        partitions=partitions,
        grant_to=grant_to,
        lock_seconds=lock_seconds,
        patience_seconds=patience_seconds,
    )


def _require_known(database: str) -> None:
    scheme, separator, _ = database.partition("://")
    if separator and scheme not in ("sqlite", "postgresql", "postgres"):
        hint = "use a file, sqlite:///file.db or postgresql://…"
        raise InvalidArgument(what="database", value=scheme, hint=hint)


def shown(database: str) -> str:
    """Which database it is, without a password."""
    if not is_postgres(database):
        return database
    from rescind.store.postgres import location

    return location(database)


def is_postgres(database: str) -> bool:
    """Whether the URL names a PostgreSQL database."""
    return database.partition("://")[0] in ("postgresql", "postgres")


# --- what is pending ------------------------------------------------------------------------------


def _say_plan(target: Target, *, dry_run: bool) -> None:
    from rescind.store.migrations.plan import plan_of

    _require_known(target.database)
    plan = plan_of(target.database)
    if target.as_json:
        output.say_json(_as_object(plan, dry_run=dry_run))
    else:
        for line in (
            _sql(plan, on_postgres=is_postgres(target.database)) if dry_run else _listed(plan)
        ):
            output.say(line)
    if not dry_run and not plan.is_up_to_date:
        raise click.exceptions.Exit(SOMETHING_TO_DO)


def _listed(plan: Plan) -> Iterator[str]:
    if plan.is_up_to_date:
        yield f"{plan.database} is up to date (schema {plan.has})"
        return
    yield f"{plan.database} has {_version(plan)}; this version of Rescind needs schema {plan.needs}"
    yield from (f"  {pending.number} {pending.title}" for pending in plan.pending)
    yield from (f"  {name}: defined anew" for name in plan.views)
    yield "`rescind migrate` does this"


def _version(plan: Plan) -> str:
    return "no schema" if plan.has is None else f"schema {plan.has}"


def _sql(plan: Plan, *, on_postgres: bool) -> Iterator[str]:
    yield f"-- {plan.database} has {_version(plan)}; nothing is changed"
    if plan.is_up_to_date:
        yield "-- up to date"
        return
    yield "-- one transaction, so all locks are held until its end"
    if not on_postgres:
        yield "-- SQLite: writers wait until its end, readers go on"
    for pending in plan.pending:
        yield ""
        yield f"-- {pending.number}: {pending.title}"
        for statement in pending.statements:
            yield ""
            yield from (f"--   {note}" for note in _notes(statement.locks))
            yield f"{statement.sql.strip().removesuffix(';')};"
        if pending.note is not None:
            yield f"--   {pending.note}"
    for name in plan.views or (("effective_permission", "reach") if plan.pending else ()):
        yield ""
        yield f"-- {name}: defined anew if it differs"


def _notes(locks: Locks | None) -> Iterator[str]:
    if locks is None:
        return
    from rescind.store.migrations.locks import BLOCKED

    for table, mode in locks.modes.items():
        rows = [
            text
            for tables, text in ((locks.rewrites, "writes"), (locks.scans, "reads"))
            if table in tables
        ]
        done = f"; {rows[0]} every row" if rows else ""
        yield f"{table}: {mode} ({BLOCKED[mode]}{done})"
    if not locks.is_certain:
        yield "and perhaps others: what it runs or refers to decides"


def _as_object(plan: Plan, *, dry_run: bool) -> dict[str, Any]:
    return {
        "database": plan.database,
        "schema": plan.has,
        "needs": plan.needs,
        "is_up_to_date": plan.is_up_to_date,
        "pending": [_pending_object(pending, with_sql=dry_run) for pending in plan.pending],
        "views": list(plan.views),
    }


def _pending_object(pending: Pending, *, with_sql: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"number": pending.number, "title": pending.title}
    if with_sql:
        found["note"] = pending.note
        found["statements"] = [
            {"sql": each.sql, "locks": None if each.locks is None else asdict(each.locks)}
            for each in pending.statements
        ]
    return found
