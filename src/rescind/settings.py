"""What can be set, with what holds when nothing is."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, field, fields

from rescind.errors import InvalidArgument
from rescind.model import IdRule, require_flag


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Durations carry their unit in the name."""

    inline_budget_ms: float = 50.0
    """A change that is estimated to take longer leaves its effective roles to background work."""
    inline_most_pairs: int = 50_000
    """Never more pairs inline, however cheap they have been; over HTTP not even where `route` says so."""
    critical_inline_budget_ms: float = 250.0
    """The same, for changes that revoke critical roles."""
    critical_inline_most_pairs: int = 250_000
    chunk_target_ms: float = 20.0
    """How long a transaction of background work should take: an eightieth of it (SQLite) or a quarter
    (PostgreSQL) until two seconds after somebody waited for a lock, up to 2.5 times where nobody has for
    ten."""
    slice_seconds: float = 1.0
    """How long a worker stays with a group while others wait."""
    poll_seconds: float = 0.5
    """How often a worker looks for work that nobody told it of."""
    attempts_before_parking: int = 8
    """After so many failures in a row, pending work waits for somebody to look at it."""
    backoff_seconds: float = 0.5
    """The first wait after a failure; doubled each time, with jitter."""
    most_backoff_seconds: float = 300.0
    lease_seconds: float = 2.0
    """How long a replica may answer from memory after it last renewed its lease (TTL)."""
    clock_drift: float = 0.01
    """By how much two machines' clocks may differ in speed (ε)."""
    lease_grace_seconds: float = 0.05
    """What a revoking change waits beyond a silent replica's lease (δ)."""
    check_seconds: float = 1.8
    """How long a check waits for PostgreSQL, all in all: for a connection and for the answer. More than 100
    questions at once, lists and changes may wait longer."""
    token_wait_ms: float = 50.0
    """How long a check waits for its replica to reach `at_least`, before it is decided live."""
    index_megabytes: int = 1_024
    """Of organizations held in memory, as estimated; who was asked about longest ago goes first."""
    silence_seconds: float = 20.0
    """How long PostgreSQL may say nothing while it is waited for; then the connection is given up."""
    bulk_silence_seconds: float = 900.0
    """The same, for a change that was asked to be inline however large it is."""
    database_connections: int = 8
    """The most connections to PostgreSQL of one `Authority` for changes and questions. A replica has another
    one or two beside them, and each worker one."""
    listen_database: str = field(default="", repr=False)
    """The same database without the pooler, to LISTEN there: a URL. Without it, replicas behind a pooler
    poll."""
    listen_poll_ms: float = 50.0
    """How often a replica asks for changes where it cannot LISTEN: for so long a revocation waits for it."""
    id_rule: IdRule = IdRule.EXACT
    """Which spellings of ids of people and groups mean the same (`exact`, `casefold`), in organizations that
    are created without a rule of their own."""
    revocation_target_seconds: float = 1.0
    """The target for revocations: enforced within this time…"""
    revocation_target_share: float = 0.9999
    """…for at least this share of them."""
    grant_target_seconds: float = 30.0
    """The target for grants: settled within this time…"""
    grant_target_share: float = 0.99
    """…for at least this share of them."""
    metrics: bool = True
    """Whether durations and checks are counted, for `/metrics` or a registry of the application."""
    audit_rows_per_second: int = 1_000
    """How many rows a second the background audit reads; 0 is off. `rescind serve` and `rescind worker` run
    it."""
    audit_pause_seconds: float = 3_600.0
    """Between the end of one round of the background audit and the beginning of the next."""
    audit_repair: bool = False
    """Whether the background audit repairs the drift that it finds; else it only tells."""
    past_megabytes: int = 256
    """Of past states held in memory, as estimated; the last one that was asked about is always held."""
    past_most_facts: int = 2_000_000
    """Facts of the largest organization whose past is replayed, for questions, reviews and snapshots: about
    0.5 KB of memory each. 0 is no limit; the command line has none."""
    snapshot_changes: int = 1_000
    """A snapshot of an organization is kept after so many changes, at most daily; more often where ten times
    as many are made in a day. 0 is off. `rescind serve` and `rescind worker` keep them."""

    def __post_init__(self) -> None:
        """Raises InvalidArgument: less than no drift or grace, or NaN, would end a wait before the lease."""
        for each in fields(self):
            value, what = getattr(self, each.name), f"settings.{each.name}"
            if each.type == "bool":
                require_flag(what, value)
            elif each.type in ("int", "float"):
                _require_amount(what, value)


def _require_amount(what: str, value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and value >= 0):  # type: ignore[operator]  # NaN is not
        hint = "use a number, not below 0"
        raise InvalidArgument(what=what, value=reprlib.repr(value), hint=hint)
