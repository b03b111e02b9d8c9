"""The contract of a store. `tests/contract` runs it on every engine.

- `transact` is atomic and durable: when it returns, the change survives `kill -9` and a crash of the
  database; when it raises anything but OutcomeUnknown, nothing was written. Where the server is to wait
  for a standby, it survives the loss of the server as well.
- Statements after `begin` see everything committed before it, and no other change of the same
  organization comes between (the lock on the organization's row).
- Every call ends, also where the database has stopped answering: then with StoreUnavailable, or with
  OutcomeUnknown if it had been asked to commit.
- `fetch` reads at least as fresh as right now; `fetch_many` reads all its questions in one snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, overload

from rescind.model import Seals
from rescind.store.rows import Query, QueryWithParams, Row

Params: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = list[tuple[Any, ...]]
One = TypeVar("One", bound=tuple[Any, ...])
Two = TypeVar("Two", bound=tuple[Any, ...])
Three = TypeVar("Three", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Held:
    """How long a transaction had kept others out, how many waited for a lock at that moment, and to which
    revision its organization had come.
    """

    seconds: float
    waiting: int
    revision: int


class Transaction(Protocol):
    """The statements of one change. An engine may send them off without waiting for results."""

    def begin(
        self,
        *,
        o: int,
        organization: str,
        mode: str,
        has_required: bool | None = None,
        id_rule: str | None = None,
    ) -> None:
        """Lock the organization and start its counters at zero. With `has_required` it is also planned for
        whether a role is required in it.

        The change fails with PlanStale if the organization is not what was planned for. Where no rule for
        ids is given, any will do.
        """

    def guard(self, query: str, /, **params: Any) -> None:
        """Refuse the whole change if the query returns a row (code, fact, value)."""

    def run(self, query: str, /, **params: Any) -> None:
        """Run a statement."""

    def count(self, query: str, /, *counters: str, **params: Any) -> None:
        """Run a statement and add the rows that it wrote (or read) to counters, which SQL can ask
        for by `rescind.tallied('name')`.
        """

    def count_or_refuse(
        self, query: str, guard: str, /, *counters: str, expected: int = 1, **params: Any
    ) -> None:
        """As `count`; but where fewer rows are written than expected, `guard` says whether all is there."""

    def note_missing(self, query: str, /, **params: Any) -> None:
        """Note what a guard's query finds missing; the change goes on without it. `close` returns it."""

    def count_or_note_missing(
        self, query: str, guard: str, /, *counters: str, expected: int = 1, **params: Any
    ) -> None:
        """As `count`; but where fewer rows are written than expected, what `guard` finds missing is noted."""

    def written(self, query: str, /, **params: Any) -> Callable[[], int]:
        """Run a statement; how many rows it wrote can be had when `transact` has returned."""

    def choose(self, query: str, budget: Bounds, /, *, step: int, **params: Any) -> None:
        """Note what the query weighs (pairs, is_critical, is_busy, is_unsettled) in counters.

        The change fails with OverBudget where the step is to be inline and has more pairs than the steps
        before it left of the budget, or a job has its groups. A budget that waits does so for such a job
        instead.
        """

    def pend(self, query: str, /, **params: Any) -> None:
        """Run a statement that leaves pending work without having weighed it, and returns for each row how
        many pairs that is about, as far as it was counted. Note both in counters.
        """

    @overload
    def observe(self, query: Query[Row], /, **params: Any) -> Callable[[], list[Row]]: ...
    @overload
    def observe(self, query: str, /, **params: Any) -> Callable[[], Rows]: ...
    def observe(self, query: Any, /, **params: Any) -> Callable[[], Any]:
        """Run a query; its rows can be had when `transact` has returned, by calling the result."""

    def held(self, *, o: int) -> Callable[[], Held]:
        """What the transaction costs others up to here; it can be had when `transact` has returned."""

    @overload
    def once_committed(
        self, query: Query[Row], /, **params: Any
    ) -> Callable[[], list[Row] | None]: ...
    @overload
    def once_committed(self, query: str, /, **params: Any) -> Callable[[], Rows | None]: ...
    def once_committed(self, query: Any, /, **params: Any) -> Callable[[], Any]:
        """Have a query run right after the commit, where that costs no round trip of its own. Its rows can
        be had when `transact` has returned; None where it was not run.
        """

    def close(self, **params: Any) -> Callable[[], Rows]:
        """Advance the revision and log the change, if anything was altered; the outcome as rows.

        What was noted as missing is part of it, and is kept with the idempotency key.
        """


class Listener(Protocol):
    """Waits for news from the database, on a connection of its own."""

    def wait(self, seconds: float) -> list[str] | None:
        """Return when there may be news, at the latest after so long: what was heard, or None where
        anything may have happened unheard. Raises StoreUnavailable.
        """

    @overload
    def fetch(self, query: Query[Row], params: Params) -> list[Row]: ...
    @overload
    def fetch(self, query: str, params: Params) -> Rows: ...
    def fetch(self, query: Any, params: Params) -> Any:
        """Run one query by itself on this connection. Raises StoreUnavailable."""

    def close(self) -> None:
        """Give up the connection."""


class Snapshot(Protocol):
    """Reads the facts as they were at its first question, whatever is committed meanwhile."""

    @overload
    def fetch_many(
        self, questions: tuple[QueryWithParams[One], QueryWithParams[Two]], *, is_last: bool = False
    ) -> tuple[list[One], list[Two]]: ...
    @overload
    def fetch_many(
        self,
        questions: tuple[QueryWithParams[One], QueryWithParams[Two], QueryWithParams[Three]],
        *,
        is_last: bool = False,
    ) -> tuple[list[One], list[Two], list[Three]]: ...
    @overload
    def fetch_many(
        self, questions: list[QueryWithParams[Row]], *, is_last: bool = False
    ) -> list[list[Row]]: ...
    @overload
    def fetch_many(
        self, questions: Sequence[tuple[str, Params]], *, is_last: bool = False
    ) -> list[Rows]: ...
    def fetch_many(self, questions: Any, *, is_last: bool = False) -> Any:
        """The rows of several queries, in one round trip; with `is_last` it ends there too.

        A tuple of questions gives a tuple of answers.
        """


class Bounds(Protocol):
    """How many pairs may be done inline."""

    @property
    def is_background(self) -> bool: ...
    @property
    def pairs(self) -> int: ...
    @property
    def critical_pairs(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def waits(self) -> bool: ...


Change: TypeAlias = Callable[[Transaction], None]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What holds of a database by its engine, so that nobody has to ask which engine it is."""

    has_replicas: bool
    """Whether other processes may answer from memory, under leases that are rows here. Without them every
    check reads the database's own version, and a commit is enforced at once."""
    has_standbys: bool
    """Whether a commit may wait for another server, and be visible before it is safe there."""
    is_remote: bool
    """Whether it may stop answering while this process goes on, so that a check needs a time limit."""


class Store(Protocol):
    """One database."""

    engine: str
    capabilities: Capabilities
    seals: Seals
    """Of what this database gives out to be handed back; its secret was read when the store was opened."""

    def transact(
        self,
        change: Change,
        *,
        within: object = None,
        keep: bool = True,
        gives_way: bool = False,
        may_be_lost: bool = False,
    ) -> None:
        """Run a change in one transaction; without `keep`, take it back again at its end.

        One that `gives_way` lets others that wait go first, and is not tried again on a conflict.

        One that gives way and `may_be_lost` is committed, but need not be on disk: a crash of the machine
        (or of the database's server) may undo it, and then all that came after it as well. What is
        committed without that is on disk when this returns, and with it all that came before.

        With `within`, in the caller's transaction on that connection, to commit or roll back with
        it; a refused change leaves that transaction as it was.
        """

    @overload
    def fetch(self, query: Query[Row], params: Params, *, within: object = None) -> list[Row]: ...
    @overload
    def fetch(self, query: str, params: Params, *, within: object = None) -> Rows: ...
    def fetch(self, query: Any, params: Params, *, within: object = None) -> Any:
        """The rows of one query. Of one that writes, they are durable as `transact`'s are. With `within`, as
        for `fetch_many`. A query that is only named gives the driver's tuples.
        """

    def put(self, name: str, params: Params) -> None:
        """Run one statement that writes, by itself and durably. Where one writes at a time, whoever makes
        changes goes first, and is not made to read anew what it has read.
        """

    def connection(self) -> AbstractContextManager[object]:
        """A connection in a transaction, to pass as `within`.

        When the block has ended, what was done on it is committed; when it raises, nothing of it was.
        Raises OutcomeUnknown when the commit was not confirmed.
        """

    def waiting(self) -> int:
        """How many others wait for a lock in this database, as far as can be told at little cost."""

    def reconnect(self) -> None:
        """Use no connection again that was made before this call: the database may be elsewhere now."""

    def listen(self, channel: str) -> Listener:
        """Somebody to wait with for other processes' news. It is a hint: polling is the truth."""

    @overload
    def fetch_many(
        self, questions: tuple[QueryWithParams[One], QueryWithParams[Two]], *, within: object = None
    ) -> tuple[list[One], list[Two]]: ...
    @overload
    def fetch_many(
        self,
        questions: tuple[QueryWithParams[One], QueryWithParams[Two], QueryWithParams[Three]],
        *,
        within: object = None,
    ) -> tuple[list[One], list[Two], list[Three]]: ...
    @overload
    def fetch_many(
        self, questions: list[QueryWithParams[Row]], *, within: object = None
    ) -> list[list[Row]]: ...
    @overload
    def fetch_many(
        self, questions: Sequence[tuple[str, Params]], *, within: object = None
    ) -> list[Rows]: ...
    def fetch_many(self, questions: Any, *, within: object = None) -> Any:
        """The rows of several queries, all of one snapshot. A tuple of questions gives a tuple of answers.

        With `within` they are asked in the caller's transaction on that connection, and see what it sees:
        at READ COMMITTED each has a snapshot of its own. A query that fails leaves that transaction as it
        was; one that had failed before raises a StoreError.
        """

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A state of the facts that can be read in several steps."""

    def close(self) -> None:
        """Give up all connections. Using the store afterwards raises StoreUnavailable."""
