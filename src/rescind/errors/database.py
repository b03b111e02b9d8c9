"""The store, and what is known of a change when it fails."""

from __future__ import annotations

from typing import Final

from rescind.errors.base import RescindError


class StoreError(RescindError):
    """The store failed."""

    code = "store_failed"


class StoreUnavailable(StoreError):
    """The store cannot be reached."""

    code = "store_unavailable"
    retry = True


class DecisionUnavailable(StoreUnavailable):
    """There is no lease, and nothing to ask that can be reached, so there is no decision."""

    code = "decision_unavailable"
    hint = "Deny, and ask again when it can be reached."


class TimedOut(DecisionUnavailable):
    """There was no answer in time."""

    code = "timed_out"
    hint = "Deny, and ask again; for a long list ask for smaller pages."


class StoreBusy(StoreError):
    """The store is locked by another process."""

    code = "store_busy"
    retry = True
    hint = "Try again when the other process has finished."


class StoreReadOnly(StoreError):
    """The store is read-only."""

    code = "store_read_only"
    hint = "Give this user write access to the database and its folder."


class StoreConflict(StoreError):
    """Another transaction was in the way."""

    code = "store_conflict"
    retry = True


REPEAT_TRANSACTION: Final = "Roll your transaction back, and repeat it from its beginning."
"""What helps where a transaction's snapshot is older than what it would change."""


MIGRATE: Final = "Run `rescind migrate` on it: it repairs the schema, or says what it cannot."


class SchemaMissing(StoreError):
    """The database has no Rescind schema."""

    code = "schema_missing"
    hint = "Run `rescind migrate` on it."


class SchemaTooOld(StoreError):
    """The database's schema is older than this Rescind."""

    code = "schema_too_old"
    hint = "Run `rescind migrate` on it."


class SchemaTooNew(StoreError):
    """The database's schema is newer than this Rescind."""

    code = "schema_too_new"
    hint = "Upgrade Rescind on this machine."


class SchemaDiffers(StoreError):
    """The database's schema is not what its version says."""

    code = "schema_differs"
    hint = (
        "It was made by a version from before a release, or altered: restore it,"
        " or export it with the version that made it and import that into a new database."
    )


class OutcomeUnknown(StoreError):
    """The commit was not confirmed: the change may or may not be recorded for good."""

    code = "outcome_unknown"
    retry = True
    hint = "Repeat the call with the same idempotency key: it has one effect and tells the outcome."


class NotCommitted(StoreError):
    """The caller's transaction has not committed the change."""

    code = "not_committed"
    hint = "Commit your transaction first, then call receipt.enforce()."


class RevisionUnavailable(StoreError):
    """The store is behind the revision that was asked for."""

    code = "revision_unavailable"
    retry = True
    hint = (
        "The database may have been restored from a backup; ask without {at_least} to accept that."
    )


class LogDamaged(StoreError):
    """A row without which nothing can be added to the log of service actions is not there."""

    code = "log_damaged"
    hint = (
        "Somebody deleted it: see `rescind log verify`. `rescind log chain` lets the log go on after its"
        " newest action."
    )


class GroupBusy(StoreError):
    """Another worker or a change has the group at this moment."""

    code = "group_busy"
    retry = True
    hint = "Try again shortly."


class PendingMoved(StoreError):
    """The pending work went on, or changed, in the meantime."""

    code = "pending_moved"
    retry = True
    hint = "Read it again."


class ThreadsExhausted(RescindError):
    """This process cannot have another thread."""

    code = "threads_exhausted"
    retry = True
    hint = "Raise the limit of threads, or the memory, that the process has."


class UnsupportedConnection(RescindError):
    """This kind of connection cannot carry a change or a question."""

    code = "unsupported_connection"
    hint = "Pass a psycopg 3 or sqlite3 connection, or a SQLAlchemy or Django one on top of those."
