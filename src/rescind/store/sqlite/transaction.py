"""The statements of one change or one read, each executed immediately."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from rescind.errors import refusal
from rescind.store.contract import Bounds, Change, Counter, LockCost, Params
from rescind.store.retries import KeyTaken, OverBudget, PlanStale
from rescind.store.rows import Query, typed, typed_each
from rescind.store.rows.actions import DRAFT_ACTION, ServiceAction
from rescind.store.rows.changes import ADVANCE_REVISION, READ_UNALTERED, RECORD_CHANGE, OutcomeRow
from rescind.store.sqlite.database import SqliteDatabase

Tally: TypeAlias = defaultdict[str, int]
MOST_NOTED = 10_000
"""The most missing things that are noted."""


class SqliteTransaction:
    """Executes statements immediately. SQL reads the counters by a function of the connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        store: SqliteDatabase,
        tally: Tally,
        *,
        waited_seconds: float = 0.0,
    ) -> None:
        self.connection = connection
        self._cursor = connection.cursor()
        self._cursor.row_factory = None
        self._store = store
        self._tally = tally
        self._tally.clear()
        self._missing: list[tuple[str, str]] = []
        self._began, self._waited = time.perf_counter(), waited_seconds

    def lock(
        self,
        *,
        number: int,
        organization: str,
        mode: str,
        has_required: bool | None = None,
        id_rule: str | None = None,
    ) -> None:
        self._tally.clear()
        params = {
            "o": number,
            "organization": organization,
            "mode": mode,
            "has_required": has_required,
        }
        params["id_rule"] = id_rule
        if not self._execute("check_plan", params).fetchone():
            raise PlanStale

    def refuse(self, query: str, /, **params: Any) -> None:
        for code, fact, value in self._execute(query, params):
            raise refusal(code, {fact: value})

    def run(self, query: str, /, **params: Any) -> None:
        self._execute(query, params)

    def count(self, query: str, /, *counters: Counter, **params: Any) -> None:
        self._count(query, counters, params)

    def count_expected(
        self,
        query: str,
        /,
        *counters: Counter,
        expected: int = 1,
        or_refuse: str | None = None,
        or_note: str | None = None,
        **params: Any,
    ) -> None:
        if self._count(query, counters, params) >= expected:
            return
        if or_refuse is not None:
            self.refuse(or_refuse, **params)
        if or_note is not None:
            self.note_missing(or_note, **params)

    def note_missing(self, query: str, /, **params: Any) -> None:
        found = self._execute(query, params).fetchall()
        if len(self._missing) < MOST_NOTED:
            self._missing += [(fact, value) for _, fact, value in found]

    def _count(self, query: str, counters: tuple[Counter, ...], params: Params) -> int:
        before = self.connection.total_changes
        read = self._execute(query, params).fetchall()
        rows = len(read) or self.connection.total_changes - before
        for counter in counters:
            self._tally[counter] += rows
        return rows

    def rows_written(self, query: str, /, **params: Any) -> Callable[[], int]:
        before = self.connection.total_changes
        self._execute(query, params).fetchall()
        rows = self.connection.total_changes - before
        return lambda: rows

    def weigh(self, query: str, budget: Bounds, /, *, step: int, **params: Any) -> None:
        params["most"] = budget.most
        pairs, is_critical, _, is_unsettled = self._execute(query, params).fetchone()
        if not budget.is_background:
            done = (
                self._tally[Counter.PAIRS] - self._tally[Counter.ESTIMATED]
            )  # inline, by steps before this
            if done + pairs > (budget.critical_pairs if is_critical else budget.pairs):
                raise OverBudget(step=step, pairs=pairs, is_busy=False)
        else:
            self._tally[Counter.ESTIMATED] += pairs
        self._tally[Counter.CRITICAL] = int(bool(is_critical))
        self._tally[Counter.UNSETTLED] |= int(bool(is_unsettled))
        self._tally[Counter.PAIRS] += pairs

    def count_pending(self, query: str, /, **params: Any) -> None:
        estimates = [pairs for (pairs,) in self._execute(query, params).fetchall()]
        pairs = sum(estimates)
        self._tally[Counter.PENDED] += len(estimates)
        self._tally[Counter.ESTIMATED] += pairs
        self._tally[Counter.PAIRS] += pairs

    def read_later(self, query: Query[Any] | str, /, **params: Any) -> Callable[[], Any]:
        rows = typed(query, self._execute(str(query), params).fetchall())
        return lambda: rows

    def lock_cost(self, *, number: int) -> Callable[[], LockCost]:
        ((revision,),) = self._execute("read_held", {"o": number}).fetchall()
        seconds = time.perf_counter() - self._began
        cost = LockCost(seconds, self._store.waiting(), revision, self._waited)
        return lambda: cost

    def lock_wait(self) -> Callable[[], float]:
        return lambda: self._waited

    def read_after_commit(self, query: Query[Any] | str, /, **params: Any) -> Callable[[], Any]:  # noqa: ARG002
        return lambda: None

    def record(self, **params: Any) -> Callable[[], list[OutcomeRow]]:
        params["not_found"] = json.dumps(self._missing) if self._missing else None
        self._missing = []
        if params["not_found"] is not None and params["key"] is not None:
            self._execute("keep_not_found", params)
        if not self._tally[Counter.ALTERED]:
            return self.read_later(READ_UNALTERED, **params)
        from rescind.model.log import Content
        from rescind.semantics.chain import digest_of_next

        (draft,) = typed(ADVANCE_REVISION, self._execute(ADVANCE_REVISION.name, params).fetchall())
        digest = digest_of_next(draft.digest_before, Content(*draft[:-1]))
        names = {**draft._asdict(), "digest": digest, "not_found": params["not_found"]}
        return self.read_later(RECORD_CHANGE, **names)

    def note_action(self, action: ServiceAction, /) -> None:
        if not self._tally[Counter.ALTERED]:
            return
        self.refuse("refuse_no_action_head")
        drafted = self._execute(DRAFT_ACTION.name, action._asdict()).fetchall()
        from rescind.semantics.chain import chained

        (draft,) = typed(DRAFT_ACTION, drafted)
        names = {**draft._asdict(), "digest": chained(draft.digest_before, draft.content)}
        self._execute("record_action", names)
        self._execute("advance_actions", names)

    def end(self) -> None:
        """Close the cursor. An error that the caller keeps would keep it open, and nothing could be committed
        on the connection.
        """
        self._cursor.close()

    def _execute(self, query: str, params: Params) -> sqlite3.Cursor:
        if self._store.probe is not None:
            self._store.probe.before_statement(query, params)
        try:
            return self._cursor.execute(self._store.queries[query], params)
        except sqlite3.IntegrityError as error:
            if query == "claim_key":
                raise KeyTaken from error
            raise


def run_change(change: Change, tx: SqliteTransaction) -> None:
    """Run a change's statements, and leave none of them open."""
    try:
        change(tx)
    finally:
        tx.end()


class SqliteSnapshot:
    """A read transaction."""

    def __init__(self, connection: sqlite3.Connection, store: SqliteDatabase) -> None:
        self._connection, self._store = connection, store

    def fetch_many(
        self,
        questions: Sequence[tuple[Query[Any] | str, Params]],
        *,
        is_last: bool = False,  # noqa: ARG002
    ) -> Any:
        execute, queries = self._connection.execute, self._store.queries
        found = [execute(queries[str(query)], params).fetchall() for query, params in questions]
        return typed_each(questions, found)


def counters_of(connection: sqlite3.Connection) -> Tally:
    """Create the counters that SQL on this connection can read. Done once for each connection of ours,
    because it discards all prepared statements.
    """
    tally: Tally = defaultdict(int)  # no Python code runs in it, so no signal is raised in it
    connection.create_function("rescind_tallied", 1, tally.__getitem__, deterministic=True)
    return tally
