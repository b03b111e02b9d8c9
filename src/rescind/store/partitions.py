"""Hash partitions of the per-organization tables, on PostgreSQL.

The schema and the migrations are written once, for plain tables. `partitioned` rewrites a statement for a
database that has partitions. Every key of these tables begins with the organization's number or contains it,
so a partitioned table has the same keys as a plain one.
"""

from __future__ import annotations

import re
from typing import Final

from rescind.errors import InvalidArgument

PARTITIONED: Final = frozenset(
    {
        *("membership", "group", "group_member", "recorded_nesting", "resource", "assignment"),
        *("effective_role", "role_reset", "role_before", "required_before", "pending"),
        *("change", "log_start", "snapshot", "enforcement", "idempotency", "audit_drift", "review"),
        *("directory_member", "directory_nesting", "directory_given", "directory_gone"),
        "directory_gone_id",
    }
)
"""The tables with partitions. All others are global, and named in docs/explanation/scaling-out.md."""
LEAST: Final = 2
MOST: Final = 64
MOST_REMEMBERED: Final = 100_000
"""More would take more locks in one transaction than a server has room for by default."""
SAMPLE: Final = 300
SAMPLE_OF_PARTITION: Final = 60
"""Rows of the planner's sample: of a table, and at least of each partition."""
FIXED: Final = (
    "the number of partitions is fixed when the database is made; to change it, see"
    " docs/howto/partition-a-database.md"
)
_SEED: Final = 0x7A5B22367996DCFD
_COMBINED: Final = 0x49A0F4DD15E5A8E3
_32_BITS: Final = 0xFFFFFFFF
_64_BITS: Final = 0xFFFFFFFFFFFFFFFF
_TABLE: Final = r'rescind\."?(\w+)"?'
_VIEW: Final = re.compile(r"\s*CREATE(?: OR REPLACE)? VIEW rescind\.nesting AS\b")
_WHOLE_TABLES: Final = re.compile(
    rf"\s*CREATE TRIGGER \w+ AFTER \w+ ON {_TABLE}\s+REFERENCING (?:OLD|NEW) TABLE"
)
_CREATE: Final = re.compile(rf"\s*CREATE TABLE {_TABLE} \(")
_STATE: Final = re.compile(rf"\s*ALTER TABLE {_TABLE}(?=\s+ALTER COLUMN [^;]*\bn_distinct\b)")
_DISTINCT: Final = re.compile(r"\bn_distinct ?= ?(-?[\d.]+)")
_SERIES: Final = f"generate_series(1, {SAMPLE})"


def require_possible(asked: int | None, *, is_postgres: bool) -> None:
    """Raise InvalidArgument if no new database can have that number of partitions."""
    if asked is None:
        return
    if not is_postgres:
        hint = "leave --partitions out: SQLite has no partitions; only PostgreSQL has"
        raise InvalidArgument(what="partitions", value=asked, hint=hint)
    if not LEAST <= asked <= MOST:
        hint = f"give a number from {LEAST} to {MOST}, or leave it out for plain tables"
        raise InvalidArgument(what="partitions", value=asked, hint=hint)


def require_same(asked: int | None, has: int) -> None:
    """Raise InvalidArgument if an existing database does not have the number of partitions asked for."""
    if asked is not None and asked != has:
        raise InvalidArgument(what="partitions", value=asked, has=has, hint=FIXED)


def partitioned(statement: str, count: int) -> str:
    """The statement for a database whose per-organization tables have that many partitions; as it is if 0.

    A table is created with its partitions, and the view of a partitioned table with a view of each partition.
    Stated statistics, and triggers of whole statements, are repeated for each partition, since PostgreSQL
    does not do that. The planner's sample is large enough for each partition.
    """
    if not count:
        return statement
    statement = statement.rstrip().removesuffix(";")
    if (created := _CREATE.match(statement)) and created[1] in PARTITIONED:
        return "; ".join(
            [f"{statement} PARTITION BY HASH (organization)", *_partitions(created[1], count)]
        )
    if (stated := _STATE.match(statement)) and stated[1] in PARTITIONED:
        of_all = _DISTINCT.sub(r"n_distinct = \1, n_distinct_inherited = \1", statement)
        rest = statement[stated.end() :]
        each = (f'ALTER TABLE rescind."{name}"{rest}' for name in partition_names(stated[1], count))
        return "; ".join([of_all, *each])
    if (fired := _WHOLE_TABLES.match(statement)) and fired[1] in PARTITIONED:
        return "; ".join(_repeated(statement, fired[1], count))
    if _VIEW.match(statement):
        return "; ".join(_repeated(statement, "nesting", count, "recorded_nesting"))
    return statement.replace(
        _SERIES, f"generate_series(1, {max(SAMPLE, SAMPLE_OF_PARTITION * count)})"
    )


def partition_names(table: str, count: int) -> list[str]:
    """The names of a table's partitions, by the remainder."""
    return [f"{table}_p{remainder}" for remainder in range(count)]


def partition_of(organization: int, count: int) -> int:
    """The partition that an organization's rows are in, as PostgreSQL hashes an integer.

    `hash_bytes_uint32_extended` of src/common/hashfn.c, with the seed of hash partitions, combined by
    `hash_combine64`.
    """
    known = _REMAINDERS.get((organization, count))
    if known is None:
        if len(_REMAINDERS) > MOST_REMEMBERED:
            _REMAINDERS.clear()
        known = _REMAINDERS[organization, count] = _hashed(organization) % count
    return known


_REMAINDERS: Final[dict[tuple[int, int], int]] = {}


def _hashed(number: int) -> int:
    a = b = c = (0x9E3779B9 + 4 + 3923095) & _32_BITS
    a, b = (a + (_SEED >> 32)) & _32_BITS, (b + (_SEED & _32_BITS)) & _32_BITS
    for shift in (4, 6, 8, 16, 19, 4):  # mix()
        a = (a - c) & _32_BITS ^ _rotated(c, shift)
        a, b, c = b, (c + b) & _32_BITS, a
    a = (a + number) & _32_BITS
    for shift in (14, 11, 25, 16, 4, 14, 24):  # final()
        c = ((c ^ b) - _rotated(b, shift)) & _32_BITS
        a, b, c = b, c, a
    # After seven turns of three the names have moved by one.
    return ((a << 32 | b) + _COMBINED) & _64_BITS


def _rotated(number: int, bits: int) -> int:
    return (number << bits | number >> 32 - bits) & _32_BITS


def _repeated(statement: str, table: str, count: int, inner: str = "") -> list[str]:
    """The statement, and the same for each partition."""

    def placed(partition: int) -> str:
        names = "|".join(filter(None, (table, inner)))
        return re.sub(rf"rescind\.({names})\b", rf"rescind.\1_p{partition}", statement)

    return [statement, *(placed(partition) for partition in range(count))]


def _partitions(table: str, count: int) -> list[str]:
    return [
        f'CREATE TABLE rescind."{name}" PARTITION OF rescind."{table}"'
        f" FOR VALUES WITH (MODULUS {count}, REMAINDER {remainder})"
        for remainder, name in enumerate(partition_names(table, count))
    ]
