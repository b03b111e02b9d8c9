"""Statements that name the partition of their organization.

A statement on a partitioned table locks all partitions, and may open them all, even if it reads one. So in a
database with partitions, a statement about one organization is sent with the names of that organization's
partitions. The answer is the same: the partition has all of the organization's rows, and PostgreSQL refuses
a row that does not belong there. `tests/contract/test_partitions.py` proves by EXPLAIN that no statement
about an organization reads another one's rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from rescind.store.contract import Params
from rescind.store.partitions import PARTITIONED, partition_of

ACROSS: Final = frozenset({"settle_causes", "list_due_snapshots"})
"""Queries with the parameter `o` that also read or write rows of other organizations."""
SAMPLE: Final = (1, 2, 3, 77, 65_536, 2_147_483_647)
"""Organization numbers whose partitions are compared with the server's."""
MOST_KEPT: Final = 20_000
"""Statements that are kept with their partitions."""

Place = Callable[[str, Params], str]


def as_written(sql: str, params: Params) -> str:  # noqa: ARG001
    """The statement as it is, for a database without partitions."""
    return sql


def placing(count: int, schema: str) -> Place:
    """A function that names the partitions in a statement, for that many partitions.

    A statement without the number of one organization, or for all organizations (number 0), stays as it is.
    """
    names = "|".join(sorted(PARTITIONED))
    ours = re.escape(schema)
    tables = re.compile(rf"(?<![\w.'])({ours})\.\"?({names}|nesting)\b\"?(?!\()")
    kept: dict[tuple[str, int], str] = {}

    def place(sql: str, params: Params) -> str:
        organization = params.get("o")
        if not organization or organization < 0:
            return sql
        partition = partition_of(organization, count)
        found = kept.get((sql, partition))
        if found is None:
            if len(kept) > MOST_KEPT:
                kept.clear()
            found = kept[sql, partition] = tables.sub(rf'\1."\2_p{partition}"', sql)
        return found

    return place


def spread_out(queries: Mapping[str, str], schema: str) -> dict[str, str]:
    """The queries, with those in ACROSS written so that `placing` leaves them as they are."""
    return {
        name: sql.replace(f"{schema}.", f"{schema} . ") if name in ACROSS else sql
        for name, sql in queries.items()
    }


def count_partitions(execute: Callable[..., Any], schema: str) -> int:
    """How many partitions to name in statements: 0 if the tables are plain, or if this server places rows in
    other partitions than PostgreSQL does.
    """
    table = f"{schema}.effective_role"
    (count,) = execute(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass(%s)", (table,)
    ).fetchone()
    if not count:
        return 0
    places = ", ".join(
        f"satisfies_hash_partition(to_regclass(%(table)s), {count}, {partition_of(number, count)},"
        f" CAST({number} AS integer))"
        for number in SAMPLE
    )
    asked = execute(f"SELECT ARRAY[{places}]", {"table": table}).fetchone()
    return int(count) if all(asked[0]) else 0
