"""Which schema a database has, and which one this code needs. Making it so is `migrations`' work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from rescind.errors import SchemaDiffers, SchemaMissing, SchemaTooNew, SchemaTooOld
from rescind.errors.database import MIGRATE
from rescind.model import Seals

VERSIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
    "0019",
    "0020",
    "0021",
    "0022",
    "0023",
    "0024",
    "0025",
    "0026",
    "0027",
    "0028",
    "0029",
    "0030",
    "0031",
    "0032",
)
"""All schema versions, oldest first; the last is what this code needs."""
FORMER_VERSIONS = VERSIONS[: VERSIONS.index("0021")]
"""Those whose tables had neither a schema nor a prefix of their own."""


USABLE_FROM = "0030"
"""The oldest version whose code may use the newest schema, while the machines are upgraded one by one. A
migration that takes away or redefines what that code uses raises it; such a migration comes one release after
the code that no longer needs what it takes (expand, migrate, contract: see CONTRIBUTING.md).
"""


LOST: Final = "the row of the table `installation` is not there"


class Installation(NamedTuple):
    """What a database says of itself. Two reads that differ are of different incarnations."""

    incarnation: int
    usable_from: str
    salt: str
    identity: str
    """Of the file or the database: a copy, and one that was restored from a dump, has another."""
    is_standby: bool = False
    """Whether the server that answers follows another one."""

    @property
    def server(self) -> str:
        """What every index read from a file says of where it was read (the fragment `engine.server`)."""
        return f"{self.incarnation}/{self.usable_from}"


def require_usable(execute: Callable[[str], Any], ours: Callable[[str], str]) -> None:
    """Raise SchemaMissing, SchemaTooOld or SchemaTooNew unless this code may use the schema.

    It may use a newer one if that says so: see USABLE_FROM. `ours` gives tables the names that they have
    there.
    """
    row = execute(ours("SELECT version_num FROM rescind.schema_version")).fetchone()
    if row is None:
        raise SchemaMissing()
    if row[0] == VERSIONS[-1]:
        return
    facts = {"has": row[0], "needs": VERSIONS[-1]}
    if row[0] in VERSIONS:
        raise SchemaTooOld(**facts)
    said = execute(ours("SELECT usable_from FROM rescind.installation")).fetchone()
    if said is None:
        raise SchemaDiffers(**facts, why=LOST, hint=MIGRATE)
    if said[0] not in VERSIONS:
        raise SchemaTooNew(**facts, usable_from=said[0])


def read_installation(
    execute: Callable[[str], Any], ours: Callable[[str], str], of_engine: str
) -> Installation:
    """What a database says of itself; `of_engine` is the SQL of its identity, and of whether it is a standby
    where it may be one. Raises SchemaDiffers.
    """
    columns = f"incarnation, usable_from, salt, {of_engine}"
    row = execute(ours(f"SELECT {columns} FROM rescind.installation")).fetchone()
    if row is None:
        raise SchemaDiffers(why=LOST, hint=MIGRATE)
    return Installation(*row)


def seals_of(
    execute: Callable[[str], Any], ours: Callable[[str], str], installation: Installation
) -> Seals:
    """The seals of this incarnation of a database: what another one sealed is no token or cursor of it."""
    (secret,) = execute(ours("SELECT secret FROM rescind.directory_secret")).fetchone()
    return Seals(f"{secret}/{installation.salt}/{installation.identity}")
