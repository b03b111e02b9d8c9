"""Wraps a change's queries for PostgreSQL, so that they count, weigh, note and refuse in the server.

So a batch is sent as one pipeline, and Python reads no answer between two statements.
"""

from __future__ import annotations

from collections.abc import Mapping

from rescind.store.contract import Counter
from rescind.store.queries import changes_data


class Statements:
    """Wraps a store's queries. `schema` contains the functions that they call.

    What is wrapped once is kept by the query's text, so that a query that changes is wrapped anew.
    """

    def __init__(self, queries: Mapping[str, str], schema: str) -> None:
        self._queries, self._ours = queries, schema
        self._pending: dict[str, str] = {}
        self._counting: dict[tuple[str, tuple[Counter, ...], str | None, str | None], str] = {}

    def counting(
        self,
        name: str,
        counters: tuple[Counter, ...],
        *,
        or_refuse: str | None = None,
        or_note: str | None = None,
    ) -> str:
        """The statement, wrapped to add the number of rows that it wrote or read to the counters. With fewer
        rows than the parameter `expected`, `or_refuse` may refuse, or `or_note` note what is missing.
        """
        sql = self._queries[name]
        refusing = None if or_refuse is None else self._queries[or_refuse]
        noting = None if or_note is None else self._queries[or_note]
        known = self._counting.get((sql, counters, refusing, noting))
        if known is None:
            returning = "\nRETURNING 1" if changes_data(sql) else ""
            tallies = ", ".join(f"{self._ours}.tally('{counter}', c.n)" for counter in counters)
            if or_refuse is not None:
                refusal = f"{self.refusing(or_refuse)} LIMIT 1"
                tallies += f", CASE WHEN c.n < %(expected)s THEN ({refusal}) END"
            if or_note is not None:
                tallies += f", CASE WHEN c.n < %(expected)s THEN ({self.noting(or_note)}) END"
            known = (
                f"WITH counted AS (\n{sql}{returning}\n)\n"
                f"SELECT {tallies} FROM (SELECT count(*) AS n FROM counted) AS c"
            )
            self._counting[(sql, counters, refusing, noting)] = known
        return known

    def weighing(self, name: str, *, is_first: bool) -> str:
        """The query that weighs a step, wrapped to raise OverBudget if the step does not fit. What earlier
        steps do inline is subtracted from the budget.
        """
        ours = self._ours
        done = "" if is_first else f" - {ours}.tallied('pairs') + {ours}.tallied('estimated')"
        return (
            f"SELECT {ours}.choose(w.pairs, w.is_critical, w.is_busy, w.is_unsettled,"
            f" %(is_background)s, %(pairs)s{done}, %(critical_pairs)s{done}, %(step)s)"
            f" FROM (\n{self._queries[name]}\n) AS w"
        )

    def pending(self, name: str) -> str:
        """The statement, wrapped to add the pending work that it leaves to the counters."""
        ours, sql = self._ours, self._queries[name]
        known = self._pending.get(sql)
        if known is None:
            known = (
                f"WITH pended AS (\n{sql}\n)\n"
                f"SELECT {ours}.tally('pended', p.n), {ours}.tally('estimated', p.pairs),"
                f" {ours}.tally('pairs', p.pairs) FROM (SELECT count(*) AS n,"
                " CAST(COALESCE(sum(pairs), 0) AS bigint) AS pairs FROM pended) AS p"
            )
            self._pending[sql] = known
        return known

    def refusing(self, name: str) -> str:
        """The query, wrapped to refuse the change for its first row."""
        return (
            f"SELECT {self._ours}.refuse(g.code, g.fact, g.value) FROM ({self._queries[name]}) AS g"
        )

    def noting(self, name: str) -> str:
        """The query, wrapped to note its rows as missing."""
        return (
            f"SELECT {self._ours}.note_missing(CAST(jsonb_agg(jsonb_build_array(g.fact, g.value)) AS text),"
            f" count(*)) FROM ({self._queries[name]}) AS g"
        )
