"""What `rescind serve` is told: by a TOML file, the environment, and the command line, the later wins."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Final, Literal, TypeAlias, get_type_hints

import msgspec

from rescind.decision_log import DecisionLog
from rescind.decision_log.options import MOST_QUEUED
from rescind.errors import InvalidArgument
from rescind.http.server.limits import Limits
from rescind.settings import Settings
from rescind.store.open import with_password_file

PREFIX: Final = "RESCIND_"
MetricsAccess: TypeAlias = Literal["key", "loopback"]


@dataclass(frozen=True, slots=True)
class ProbeConfiguration:
    """The probe inside the service."""

    every_seconds: float = 0.0
    """How often a round begins; 0 is never. One process at a time probes, of all that serve the database."""
    evidence_folder: str = "."
    """Where a file is written of checks that were allowed too late."""
    urls: tuple[str, ...] = ()
    """Services to ask as well, each replica by its own address; in the environment separated by blanks."""
    key: str | None = None
    """A key for them with the scope check, for the organization rescind-probe."""


@dataclass(frozen=True, slots=True)
class DecisionLogConfiguration:
    """The decision log of the service. Off unless decisions or a sample are named."""

    decisions: tuple[str, ...] = ()
    """`critical`, `denied`, `all`; in the environment separated by blanks."""
    sample: float = 0.0
    """The share of all other decisions that is logged too, chosen at random: 0.01 is one of a hundred."""
    file: str | None = None
    """The file to append to, for all processes; else stderr."""
    file_megabytes: float = 100.0
    """The size at which the file is rotated."""
    files: int = 10
    """Files in all. The oldest is deleted."""
    most_queued: int = MOST_QUEUED
    """Decisions of one process that may wait to be written. More are dropped and counted."""

    def options(self) -> DecisionLog | None:
        """The same as the library takes it; None if it is off. Raises InvalidArgument."""
        if not self.decisions and not self.sample:
            return None
        return DecisionLog(
            self.decisions,
            self.sample,
            file=self.file,
            file_megabytes=self.file_megabytes,
            files=self.files,
            most_queued=self.most_queued,
        )


@dataclass(frozen=True, slots=True)
class Configuration:
    """All of it, with what holds when nothing is said."""

    database: str = "./rescind.db"
    """A SQLite file or `postgresql://…`."""
    database_password_file: str | None = None
    """A file with the password for PostgreSQL, in one line. It is read for each connection."""
    host: str = "127.0.0.1"
    """The address to listen at."""
    port: int = 8080
    """0 is any that is free."""
    public_url: str | None = None
    """How clients reach the service, for AuthZEN's discovery; else what they send as Host."""
    processes: int = 1
    """On PostgreSQL, how many processes serve."""
    workers: int = 1
    """Workers in each process; 0 is none, and no background audit."""
    migrate: bool = False
    """Bring PostgreSQL to the current schema at the start; SQLite always is."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """`info` has a line for each request but checks that were answered; `debug` has those too."""
    most_connections: int = 10_000
    """Of one process at a time; fewer where it may not have so many descriptors."""
    metrics_port: int | None = None
    """Where `/metrics` has a port of its own; 0 is any that is free. Else it is beside the other routes."""
    metrics_host: str | None = None
    """The address that this port is at; else `host`."""
    metrics_access: MetricsAccess = "key"
    """Who may scrape: `key`, who has one with the scope `read` that is bound to no organization; `loopback`,
    this machine without a key too. Not behind a proxy on this machine, which may forward anybody."""
    drain_seconds: float = 0.0
    """How long it goes on serving after SIGTERM, with `/readyz` at 503, so that balancers turn away first."""
    shutdown_seconds: float = 30.0
    """How long requests under way may take when the service ends."""
    remember_key_seconds: float = 1.0
    """How long a process may take a key for good that another one revoked."""
    limits: Limits = field(default_factory=Limits)
    decision_log: DecisionLogConfiguration = field(default_factory=DecisionLogConfiguration)
    probe: ProbeConfiguration = field(default_factory=ProbeConfiguration)
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Named:
    """One value that is in force, and what said so."""

    name: str
    value: object
    origin: str


def load(
    file: str | None,
    environment: Mapping[str, str],
    given: Mapping[str, object],
) -> tuple[Configuration, list[Named]]:
    """The configuration, and where each value of it is from.

    Raises InvalidArgument naming what is unknown or of the wrong type; OSError where the file cannot be read.
    """
    layers: list[tuple[str, dict[str, object]]] = []
    if file is not None:
        layers.append((file, dict(_from_file(file))))
    layers.append(("environment", dict(_from_environment(environment))))
    said = {name: value for name, value in given.items() if value is not None}
    layers.append(("command line", said))
    types, values, origins = dict(_types(Configuration)), {}, {}
    for origin, layer in layers:
        for name, value in layer.items():
            if name not in types:
                raise InvalidArgument(what=name, hint=f"{origin} has no such setting")
            if isinstance(value, str) and not value.strip():
                raise InvalidArgument(what=name, hint=_empty(name, origin))
            values[name], origins[name] = _typed(name, value, types[name], origin), origin
    made = _made(Configuration, values)
    _require_sound(made)
    _require_used(made, origins)
    made = _with_password(made)
    named = [Named(name, _read(made, name), origins.get(name, "default")) for name in types]
    return made, named


def names() -> list[str]:
    """Every setting: those of parts as `part.name`."""
    return list(dict(_types(Configuration)))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.replace(".", "_").upper()


def shown(named: Named) -> object:
    """The value without a password."""
    if named.name in _SECRET:
        return None if named.value is None else "(set)"
    if named.name not in _DATABASES or "://" not in str(named.value):
        return named.value
    from rescind.store.postgres import location

    url = str(named.value)
    return location(url) if url.startswith("postgres") else url


def _types(kind: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(kind)
    for each in fields(kind):
        hint = hints[each.name]
        if is_dataclass(hint):
            yield from _types(hint, f"{prefix}{each.name}.")  # type: ignore[arg-type]
        else:
            yield f"{prefix}{each.name}", hint


def _from_file(path: str) -> Iterator[tuple[str, object]]:
    with open(path, "rb") as stream:
        try:
            found = tomllib.load(stream)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidArgument(what="configuration", value=path, why=str(error)) from None
    for name, value in found.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", each) for part, each in value.items())
        else:
            yield name, value


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    """Other variables that begin with RESCIND_ may be other programs'; those of a part are meant for us."""
    known = {variable(name): name for name in names()}
    parts = {variable(name.partition(".")[0]) + "_" for name in names() if "." in name}
    for told, text in environment.items():
        if told in known:
            yield known[told], text
        elif text and told.startswith(tuple(parts)):
            raise InvalidArgument(what=told, hint="environment has no such setting")


def _empty(name: str, origin: str) -> str:
    """What to do about a value that is empty: it must not mean the default, as a missing one does."""
    if origin == "environment":
        return f"{variable(name)} is empty: give it a value, or unset it"
    return f"{origin}: it is empty; give it a value, or leave it out"


def _typed(name: str, value: object, hint: Any, origin: str) -> object:
    if isinstance(value, float) and hint is int and value.is_integer():
        value = int(value)
    if isinstance(value, str) and hint == tuple[str, ...]:
        value = value.split()
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidArgument(what=name, value=repr(value), why=f"{origin}: {error}") from None


def _made(kind: type, values: Mapping[str, object], prefix: str = "") -> Any:
    hints = get_type_hints(kind)
    found = {}
    for each in fields(kind):
        name = f"{prefix}{each.name}"
        if is_dataclass(hints[each.name]):
            found[each.name] = _made(hints[each.name], values, f"{name}.")
        elif name in values:
            found[each.name] = values[name]
    return kind(**found)


def _read(made: Configuration, name: str) -> object:
    value: object = made
    for part in name.split("."):
        value = getattr(value, part)
    return value


_SECRET: Final = frozenset({"probe.key"})
_DATABASES: Final = frozenset({"database", "settings.listen_database"})
_RANGES: Final = {
    "port": (0, 65_535),
    "processes": (1, 1_024),
    "metrics_port": (0, 65_535),
    "workers": (0, 64),
    "most_connections": (1, 1_000_000),
    "drain_seconds": (0, 3_600),
    "shutdown_seconds": (0, 86_400),
    "remember_key_seconds": (0, 3_600),
    "limits.head_bytes": (1_024, 1 << 24),
    "limits.head_seconds": (0.001, 86_400),
    "limits.body_bytes": (1, 1 << 40),
    "limits.import_bytes": (1, 1 << 40),
    "limits.body_seconds": (0.001, 86_400),
    "limits.request_seconds": (0.001, 86_400),
    "limits.import_seconds": (0.001, 604_800),
    "limits.depth": (4, 500),
    "limits.batch_checks": (1, 100_000),
    "limits.batch_changes": (1, 100_000),
    "limits.page_items": (1, 10_000),
    "limits.page_characters": (1, 1 << 30),
    "limits.answer_seconds": (0.001, 86_400),
    "limits.unread_bytes": (1, 1 << 40),
    "limits.requests_per_second": (0, 10**9),
    "decision_log.sample": (0, 1),
    "decision_log.file_megabytes": (0.001, 1_000_000),
    "decision_log.files": (1, 10_000),
    "decision_log.most_queued": (1, 10_000_000),
    "probe.every_seconds": (0, 86_400),
    "settings.database_connections": (1, 1_000),
    "settings.listen_poll_ms": (1, 60_000),
    "settings.audit_rows_per_second": (0, 10**9),
    "settings.audit_pause_seconds": (0, 31_536_000),
}


def _with_password(made: Configuration) -> Configuration:
    """The same, with the password's file in both URLs."""
    file, listening = made.database_password_file, made.settings.listen_database
    settings = replace(made.settings, listen_database=with_password_file(listening, file))
    return replace(made, database=with_password_file(made.database, file), settings=settings)


def _require_sound(made: Configuration) -> None:
    for name, (least, most) in _RANGES.items():
        value = _read(made, name)
        if value is not None and not least <= value <= most:  # type: ignore[operator]
            raise InvalidArgument(what=name, value=value, hint=f"use {least} to {most}")
    if made.processes > 1 and not is_postgres(made.database):
        hint = "several processes need PostgreSQL; SQLite is served by one"
        raise InvalidArgument(what="processes", value=made.processes, hint=hint)


def _require_used(made: Configuration, origins: Mapping[str, str]) -> None:
    """Raises InvalidArgument for what was set and would have no effect: somebody relies on it."""
    log, is_measured = made.decision_log, made.settings.metrics
    of_metrics = [name for name in origins if name.startswith("metrics_")]
    if of_metrics and not is_measured:
        hint = "there are no metrics: settings.metrics is false"
        raise InvalidArgument(what=of_metrics[0], value=_read(made, of_metrics[0]), hint=hint)
    if made.metrics_host is not None and made.metrics_port is None:
        hint = "it is the address of a port of their own: set metrics_port too"
        raise InvalidArgument(what="metrics_host", value=made.metrics_host, hint=hint)
    if log.options() is None:
        unused = [name for name in origins if name.startswith("decision_log.")]
        hint = "nothing is logged: set decision_log.decisions or decision_log.sample too"
    else:
        unused = [name for name in origins if name in _OF_FILE and log.file is None]
        hint = "it has no effect on stderr: set decision_log.file too"
    if unused:
        raise InvalidArgument(what=unused[0], value=_read(made, unused[0]), hint=hint)


def without_effect(made: Configuration) -> Iterator[str]:
    """What a warning should say of settings that do nothing, and that do no harm."""
    probe, settings = made.probe, made.settings
    if not probe.every_seconds and (probe.urls or probe.key):
        yield "probe.urls and probe.key have no effect: probe.every_seconds is 0"
    if settings.audit_repair and not (made.workers and settings.audit_rows_per_second):
        why = "workers" if not made.workers else "settings.audit_rows_per_second"
        yield f"settings.audit_repair has no effect: {why} is 0"


_OF_FILE: Final = ("decision_log.file_megabytes", "decision_log.files")


def is_postgres(database: str) -> bool:
    """Whether it is a URL of PostgreSQL."""
    return database.startswith(("postgresql://", "postgres://"))


def environment() -> Mapping[str, str]:
    """The process's own."""
    return os.environ
