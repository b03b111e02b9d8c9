"""The contract of a store. `tests/contract` runs it on every engine.

- `transact` is atomic and durable. When it returns, the change survives `kill -9` and a crash of the
  database; if the server waits for a standby, it also survives the loss of the server. When it raises
  anything but OutcomeUnknown, nothing was written.
- Statements after `lock` see everything committed before it. No other change of the same organization comes
  in between, because the organization's row is locked.
- Every call ends, even if the database stops answering: with StoreUnavailable, or with OutcomeUnknown if a
  commit had been sent.
- `fetch` sees every commit that returned before it was called. `fetch_many` reads all its queries in one
  snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

from rescind.model import Seals
from rescind.store.rows import Query, QueryWithParams, Row

if TYPE_CHECKING:
    from rescind.store.rows.actions import ServiceAction
    from rescind.store.rows.changes import OutcomeRow

Params: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = list[tuple[Any, ...]]
One = TypeVar("One", bound=tuple[Any, ...])
Two = TypeVar("Two", bound=tuple[Any, ...])
Three = TypeVar("Three", bound=tuple[Any, ...])


class Counter(StrEnum):
    """What a transaction adds up. SQL reads a counter by `rescind.tallied('name')`."""

    ALTERED = "altered"
    """Rows of facts that were written. While it is zero, the change altered nothing and is not logged."""
    NUMBERS = "numbers"
    """Numbers of the organization that were given to new rows."""
    GAINS = "gains"
    """Rows through which somebody may gain a role."""
    TAKES = "takes"
    """Rows whose loss takes a role away, unless somebody has that role another way too."""
    REVOKES = "revokes"
    """Rows whose loss takes access away in any case, such as a role's permissions."""
    GRANTED = "granted"
    """Effective roles made inline."""
    REVOKED = "revoked"
    """Effective roles deleted inline."""
    PENDED = "pended"
    """Rows of pending work that were left for a job."""
    PAIRS = "pairs"
    """Pairs of a membership and an assignment that the steps are about."""
    ESTIMATED = "estimated"
    """Those of `PAIRS` that are left to jobs: counted only so far."""
    CRITICAL = "critical"
    """1 while the step that was weighed last concerns a critical role."""
    UNSETTLED = "unsettled"
    """1 once a step concerns groups that have pending work already."""
    MISSING = "missing"
    """Things that were noted as missing (PostgreSQL only)."""


@dataclass(frozen=True, slots=True)
class LockCost:
    """How long a transaction has locked others out, how many sessions waited for a lock at that moment, the
    revision of its organization, and how long it had waited itself, if that is known.
    """

    seconds: float
    waiting: int
    revision: int
    waited_seconds: float = 0.0


class Transaction(Protocol):
    """The statements of one change. An engine may send them without waiting for results, so what a statement
    finds is available only when `Store.transact` has returned.
    """

    def lock(
        self,
        *,
        number: int,
        organization: str,
        mode: str,
        has_required: bool | None = None,
        id_rule: str | None = None,
    ) -> None:
        """Lock the organization and set all counters to zero.

        The change fails with PlanStale if the organization's name, mode, rule for ids, or whether a role is
        required in it, is not what was planned for. None matches any.
        """

    def refuse(self, query: str, /, **params: Any) -> None:
        """Refuse the whole change if the query returns a row (code, fact, value)."""

    def note_missing(self, query: str, /, **params: Any) -> None:
        """Note each row (code, fact, value) of the query as missing. The change goes on; `record` returns
        what was noted.
        """

    def run(self, query: str, /, **params: Any) -> None:
        """Run a statement."""

    def rows_written(self, query: str, /, **params: Any) -> Callable[[], int]:
        """Run a statement; the result tells how many rows it wrote."""

    def count(self, query: str, /, *counters: Counter, **params: Any) -> None:
        """Run a statement and add the number of rows that it wrote, or read, to the counters."""

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
        """As `count`. With fewer rows than `expected`, the query `or_refuse` may refuse the change, as
        `refuse` does, or the query `or_note` may note what is missing, as `note_missing` does.
        """

    def weigh(self, query: str, budget: Bounds, /, *, step: int, **params: Any) -> None:
        """Add what the query weighs (pairs, is_critical, is_busy, is_unsettled) to the counters.

        The change fails with OverBudget if the step is to be inline and has more pairs than the earlier steps
        left of the budget, or if a job is working on its groups. A budget that `waits` waits for that job.
        """

    def count_pending(self, query: str, /, **params: Any) -> None:
        """Run a statement that leaves pending work which was not weighed. It returns one row for each piece,
        with the number of its pairs as far as they were counted. Both are added to the counters.
        """

    @overload
    def read_later(self, query: Query[Row], /, **params: Any) -> Callable[[], list[Row]]: ...
    @overload
    def read_later(self, query: str, /, **params: Any) -> Callable[[], Rows]: ...
    def read_later(self, query: Any, /, **params: Any) -> Callable[[], Any]:
        """Run a query; the result returns its rows."""

    @overload
    def read_after_commit(
        self, query: Query[Row], /, **params: Any
    ) -> Callable[[], list[Row] | None]: ...
    @overload
    def read_after_commit(self, query: str, /, **params: Any) -> Callable[[], Rows | None]: ...
    def read_after_commit(self, query: Any, /, **params: Any) -> Callable[[], Any]:
        """Run a query right after the commit if that costs no round trip of its own. The result returns its
        rows, or None if it was not run.
        """

    def lock_cost(self, *, number: int) -> Callable[[], LockCost]:
        """What the transaction has cost others up to this statement."""

    def lock_wait(self) -> Callable[[], float]:
        """How many seconds the transaction waited for its locks. Called after `record`; it is no figure of a
        caller's transaction.
        """

    def record(self, **params: Any) -> Callable[[], list[OutcomeRow]]:
        """Advance the revision and log the change, if anything was altered. The result returns the outcome.

        The outcome includes what was noted as missing, and is kept with the idempotency key.
        """

    def note_action(self, action: ServiceAction, /) -> None:
        """Add to the log of service actions, if anything was counted as altered. Called last: others that
        add to it wait until the transaction has ended.
        """


class Listener(Protocol):
    """Waits for news from the database, on a connection of its own."""

    is_polled: bool
    """Whether nothing is ever heard, so that who needs news must ask."""

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

    @overload  # a tuple gives a tuple
    def fetch_many(  # type: ignore[overload-overlap]
        self, questions: tuple[QueryWithParams[One], QueryWithParams[Two]], *, is_last: bool = False
    ) -> tuple[list[One], list[Two]]: ...
    @overload  # a tuple gives a tuple
    def fetch_many(  # type: ignore[overload-overlap]
        self,
        questions: tuple[QueryWithParams[One], QueryWithParams[Two], QueryWithParams[Three]],
        *,
        is_last: bool = False,
    ) -> tuple[list[One], list[Two], list[Three]]: ...
    @overload
    def fetch_many(
        self, questions: Sequence[QueryWithParams[Row]], *, is_last: bool = False
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

    @property
    def seals(self) -> Seals:
        """Of what this incarnation of the database gives out to be handed back."""

    def transact(
        self,
        change: Change,
        *,
        within: object = None,
        commit: bool = True,
        yields: bool = False,
        durable: bool = True,
        shares: bool = False,
    ) -> None:
        """Run a change in one transaction. With `commit=False` it is rolled back at its end.

        With `yields`, waiting transactions go first, and a conflict is not retried.

        With `durable`, the change is on disk when this returns, and so is everything committed before it.
        With `yields` and `durable=False`, a crash of the machine (or of the database server) may undo it
        together with everything that was committed after it without being durable.

        With `shares`, changes that wait at the same time may be committed together; another thread may run
        this one's statements. Each succeeds or fails by itself, unless the commit fails. For changes that are
        done soon, since the others wait for them.

        With `within`, the change runs in the caller's transaction on that connection, and commits or rolls
        back with it. A refused change leaves that transaction as it was.
        """

    @overload
    def fetch(self, query: Query[Row], params: Params, *, within: object = None) -> list[Row]: ...
    @overload
    def fetch(self, query: str, params: Params, *, within: object = None) -> Rows: ...
    def fetch(self, query: Any, params: Params, *, within: object = None) -> Any:
        """The rows of one query. Of one that writes, they are durable as `transact`'s are. With `within`, as
        for `fetch_many`. A query that is only named gives the driver's tuples.
        """

    def execute_alone(self, name: str, params: Params) -> None:
        """Run one statement that writes, in a durable transaction of its own. Where only one can write at a
        time, changes go first, and the page cache of the connection for changes stays valid.
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

    @overload  # a tuple gives a tuple
    def fetch_many(  # type: ignore[overload-overlap]
        self, questions: tuple[QueryWithParams[One], QueryWithParams[Two]], *, within: object = None
    ) -> tuple[list[One], list[Two]]: ...
    @overload  # a tuple gives a tuple
    def fetch_many(  # type: ignore[overload-overlap]
        self,
        questions: tuple[QueryWithParams[One], QueryWithParams[Two], QueryWithParams[Three]],
        *,
        within: object = None,
    ) -> tuple[list[One], list[Two], list[Three]]: ...
    @overload
    def fetch_many(
        self, questions: Sequence[QueryWithParams[Row]], *, within: object = None
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
