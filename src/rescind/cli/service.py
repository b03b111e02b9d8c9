"""The HTTP service: serve, config, keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from rescind.cli import output
from rescind.cli.change_commands import user
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.options import AsJson, Database, Target, given_database, with_target
from rescind.cli.times import duration
from rescind.errors import InvalidArgument

PANEL = "Service"
Config = Annotated[
    str | None, Option("--config", envvar="RESCIND_CONFIG", help="A TOML configuration file.")
]


class KeyAction(StrEnum):
    """What to do with keys."""

    CREATE = "create"
    LIST = "list"
    ROTATE = "rotate"
    REVOKE = "revoke"


def register(commands: Commands) -> None:
    """Add the commands of this module."""
    commands.add("serve", serve, PANEL)
    commands.add("config", config, PANEL)
    commands.add("keys", keys, PANEL, with_target)


def serve(
    database: Database = None,
    config: Config = None,
    host: Annotated[str | None, Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, Option(help="The port; 0 picks a free one.")] = None,
    public_url: Annotated[
        str | None, Option(help="The URL at which clients reach the service.")
    ] = None,
    processes: Annotated[int | None, Option(help="Processes that serve; PostgreSQL only.")] = None,
    metrics_port: Annotated[
        int | None, Option(help="A separate port for /metrics; 0 picks a free one.")
    ] = None,
    no_worker: Annotated[bool, Option("--no-worker", help="Serve without a worker.")] = False,
    migrate: Annotated[bool, Option("--migrate", help="Migrate first, on PostgreSQL too.")] = False,
    probe_every: Annotated[
        str | None,
        Option(help="Probe this service every 30s, 5m; see `rescind probe`."),
    ] = None,
) -> None:
    """Serve HTTP until Ctrl-C or SIGTERM. Creates ./rescind.db if no database is named."""
    from rescind.http.app import APPLICATIONS
    from rescind.http.server.configuration import environment, load
    from rescind.http.server.serving import serve as run
    from rescind.store.migrations import migrate as to_current

    given = {
        "database": given_database(database),
        "host": host,
        "port": port,
        "public_url": public_url,
        "processes": processes,
        "metrics_port": metrics_port,
        "workers": 0 if no_worker else None,
        "migrate": True if migrate else None,
        "probe.every_seconds": None
        if probe_every is None
        else duration("--probe-every", probe_every, most_days=1),
    }
    configuration, _ = load(config, environment(), given)
    run(configuration, APPLICATIONS, migrate=partial(to_current, actor=user()), say=_say)


def config(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """Show the configuration in force, and where each value comes from."""
    from rescind.http.server.configuration import environment, load, shown

    _, named = load(config, environment(), {"database": given_database(database)})
    if as_json:
        output.say_json({each.name: {"value": shown(each), "from": each.origin} for each in named})
        return
    output.table(
        ("setting", "value", "from"),
        ((each.name, "" if each.value is None else shown(each), each.origin) for each in named),
    )


def keys(
    target: Target,
    action: Annotated[KeyAction, Argument(help="What to do.")] = KeyAction.LIST,
    which: Annotated[str | None, Argument(help="The name to create, else the key's id.")] = None,
    scope: Annotated[
        list[str] | None, Option(help="read, check, write or admin; repeat it for more.")
    ] = None,
    days: Annotated[
        float | None, Option(help="Days until the key expires. Default: never.")
    ] = None,
    grace: Annotated[float, Option(help="Seconds for which the former secret stays valid.")] = 0.0,
) -> None:
    """Manage keys of the HTTP service. With an organization, a new key is valid for that one alone."""
    from rescind.http.keys import ApiKey, Keys

    if action is not KeyAction.LIST and which is None:
        needed = "name" if action is KeyAction.CREATE else "id"
        raise InvalidArgument(what=needed, hint=f"give the key's {needed}")
    if action is KeyAction.LIST and which is not None:
        raise InvalidArgument(what="name", value=which, hint="`keys list` lists all: leave it out")
    if action is not KeyAction.CREATE:
        target.refuse_given("scope", "days", hint="it is for `rescind keys create`")
    if action is not KeyAction.ROTATE:
        target.refuse_given("grace", hint="it is for `rescind keys rotate`")
    with target.open() as authority:
        known, secret = Keys(authority.store), None
        found: list[ApiKey]
        if action is KeyAction.LIST:
            found = known.list(organization=target.organization, with_unbound=True, limit=100_000)
        elif action is KeyAction.CREATE:
            expires_at = _in_days(days)
            key, secret = known.create(
                which or "",
                scope or [],
                organization=target.organization,
                expires_at=expires_at,
                actor=user(),
            )
            found = [key]
        elif action is KeyAction.ROTATE:
            key, secret = known.rotate(which or "", grace_seconds=grace, actor=user())
            found = [key]
        else:
            found = [known.revoke(which or "", actor=user())]
    _show(target, found, secret)


def _in_days(days: float | None) -> datetime | None:
    if days is None:
        return None
    if days <= 0:
        hint = "use more than 0, or leave it out for a key that does not expire"
        raise InvalidArgument(what="days", value=days, hint=hint)
    try:
        return datetime.now(UTC) + timedelta(days=days)
    except (OverflowError, ValueError):
        raise InvalidArgument(what="days", value=days, hint="use fewer") from None


def _show(target: Target, found: Sequence[Any], secret: str | None) -> None:
    if target.as_json:
        for key in found:
            shown = {**asdict(key), **({} if secret is None else {"secret": secret})}
            output.say_json(shown)
        return
    rows = [_row(asdict(key)) for key in found]
    output.table(("id", "name", "scopes", "organization", "expires", "used", "state"), rows)
    if secret is not None:
        output.say("shown this once:")
        output.say(f"  {secret}")


def _row(key: dict[str, object]) -> tuple[object, ...]:
    scopes = key["scopes"]
    assert isinstance(scopes, tuple)
    is_over = key["revoked_at"] or key["is_orphan"]
    state = "revoked" if key["revoked_at"] else "orphan" if key["is_orphan"] else "good"
    if not is_over and isinstance(key["expires_at"], datetime):
        state = "good" if key["expires_at"] > datetime.now(UTC) else "expired"
    return (
        key["id"],
        key["name"],
        ", ".join(scopes),
        key["organization"] or "all",
        _day(key["expires_at"], "never"),
        _day(key["used_at"], "never"),
        state,
    )


def _day(moment: object, otherwise: str) -> str:
    if not isinstance(moment, datetime):
        return otherwise
    return moment.isoformat(sep=" ", timespec="minutes")


def _say(text: str) -> None:
    print(text, flush=True)
