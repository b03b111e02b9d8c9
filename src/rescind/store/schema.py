"""Which schema a database has, and which one this code needs. Making it so is `migrations`' work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rescind.errors import SchemaMissing, SchemaTooNew, SchemaTooOld
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
)
"""All schema versions, oldest first; the last is what this code needs."""
FORMER_VERSIONS = VERSIONS[: VERSIONS.index("0021")]
"""Those whose tables had neither a schema nor a prefix of their own."""


def require_current(execute: Callable[[str], Any], table: str) -> None:
    """Raise SchemaMissing, SchemaTooOld or SchemaTooNew unless the version in that table is this code's."""
    row = execute(f"SELECT version_num FROM {table}").fetchone()
    if row is None:
        raise SchemaMissing()
    if row[0] == VERSIONS[-1]:
        return
    facts = {"has": row[0], "needs": VERSIONS[-1]}
    raise SchemaTooOld(**facts) if row[0] in VERSIONS else SchemaTooNew(**facts)


def seals_of(execute: Callable[[str], Any], table: str) -> Seals:
    """The seals of a database whose schema is current."""
    (secret,) = execute(f"SELECT secret FROM {table}").fetchone()
    return Seals(secret)
