"""What a test sees and leaves out of a store's statements. It is given when the store is opened.

Nothing else uses it. Without a probe, a statement costs what it would cost without this file: `queries` is a
plain dict, and nothing is called.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from rescind.store.contract import Params

_WRITES: Final = re.compile(r"\b(INSERT INTO|DELETE FROM)\b|(?<!FOR )(?<!KEY )\bUPDATE\b")


class StoreProbe(Protocol):
    """Watches the statements of one store, and may leave some of them out. Called by many threads."""

    def before_statement(self, query: str, params: Params) -> None:
        """Called before each statement of a change is run or sent. It may wait, raise, or end the process.

        The names `commit` (before the commit) and `committed` (after it) come without parameters.
        """

    def omit(self, query: str) -> bool:
        """Whether to leave the query out: it then writes nothing and finds nothing. Asked at each use of a
        query, in changes and in questions.
        """


class ProbedQueries(dict[str, str]):
    """The queries of a store that has a probe."""

    def __init__(self, queries: dict[str, str], probe: StoreProbe) -> None:
        super().__init__(queries)
        self._probe = probe

    def __getitem__(self, query: str) -> str:
        sql = super().__getitem__(query)
        return without_effect(sql) if self._probe.omit(query) else sql


def store_queries(queries: dict[str, str], probe: StoreProbe | None) -> dict[str, str]:
    """A store's own queries, by name."""
    return dict(queries) if probe is None else ProbedQueries(queries, probe)


def without_effect(sql: str) -> str:
    """A statement that takes the same parameters, writes nothing and finds nothing.

    What finds has the same columns. What writes has those that `count_pending` reads.
    """
    if _WRITES.search(sql):
        return "SELECT 0 AS pairs WHERE 1 = 0"
    return f"SELECT * FROM ({sql}) AS omitted WHERE 1 = 0"
