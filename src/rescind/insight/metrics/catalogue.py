"""Every metric: its name, type, labels with all their values, meaning, and the question that it answers.

The only list of metrics. What is exposed, `docs/reference/metrics.md` and the alert rules are compared with
it. A label has a closed set of values, so that the number of series does not grow with organizations, users,
groups or attackers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final

from rescind.instruments import Instruments
from rescind.instruments.labels import DIRECTIONS
from rescind.settings import Settings

STATES: Final = ("due", "waiting", "parked")
"""Of background work: to be done now; again after a failure; set aside until somebody retries it."""


class MetricType(StrEnum):
    """The types of Prometheus that are used."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Origin(StrEnum):
    """Where a figure is from, and so what it covers."""

    PROCESSES = "processes"
    """Measured by the processes of one service, and added up over them."""
    DATABASE = "database"
    """Read from the database at a scrape: every service on that database says the same. Missing while the
    database does not answer."""


Labels = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Durations are in seconds; timestamps are seconds since 1970, and 0 where there is none."""

    name: str
    type: MetricType
    origin: Origin
    meaning: str
    question: str
    """What somebody asks who looks at it."""
    labels: Labels = field(default_factory=lambda: MappingProxyType({}))
    bounds: tuple[float, ...] = ()
    """Of a histogram with the default settings, the upper ends of its buckets; see `bounds`."""
    source: str = ""
    """Of what processes measure, the field of `Instruments` that has it."""
    least: bool = False
    """Of several processes the least value counts that is not 0, and not the sum."""

    @property
    def family(self) -> str:
        """The name as OpenMetrics has it in metadata: without `_total`."""
        return self.name.removesuffix("_total")

    def series(self) -> Iterator[tuple[str, ...]]:
        """The values of the labels of each series; all of them exist from the start."""
        return product(*self.labels.values())


_DEFAULT: Final = Instruments(Settings())


def _measured(
    name: str, source: str, meaning: str, question: str, *, least: bool = False
) -> Metric:
    """A metric of what processes measure; its labels and buckets are those of the instrument."""
    family = getattr(_DEFAULT, source)
    if family.bounds:
        kind = MetricType.HISTOGRAM
    else:
        kind = MetricType.COUNTER if name.endswith("_total") else MetricType.GAUGE
    shown = MappingProxyType(dict(family.labels))
    return Metric(
        name, kind, Origin.PROCESSES, meaning, question, shown, family.bounds, source, least
    )


def _read(
    name: str, meaning: str, question: str, labels: dict[str, tuple[str, ...]] | None = None
) -> Metric:
    """A gauge that is read from the database at a scrape."""
    shown = MappingProxyType(labels or {})
    return Metric(name, MetricType.GAUGE, Origin.DATABASE, meaning, question, shown)


CHANGE_SECONDS: Final = _measured(
    "rescind_change_duration_seconds",
    "change_seconds",
    "How long the caller of a change waited until it returned. Changes that altered nothing are not counted. "
    "`kind` is the change's name, or `batch` for a list of several",
    "How much does a change cost its caller?",
)
ENFORCEMENT_SECONDS: Final = _measured(
    "rescind_enforcement_duration_seconds",
    "enforcement_seconds",
    "From the commit of a revoking change until no check that starts anywhere allows what it revoked. "
    "`alone`: no other replica held the organization; `acknowledged`: all that did answered; `waited_out`: "
    "at least one did not, and its lease ran out",
    "How long may something that was revoked still be allowed somewhere?",
)
SETTLEMENT_SECONDS: Final = _measured(
    "rescind_settlement_duration_seconds",
    "settlement_seconds",
    "From when a change was recorded until effective roles followed it; for the inline route, until it was "
    "committed",
    "How long until checks of what changed cost no more than others?",
)
LOCK_WAIT_SECONDS: Final = _measured(
    "rescind_lock_wait_seconds",
    "lock_wait_seconds",
    "How long a change, or a chunk of background work, waited for a lock before it could begin",
    "Are changes slow because they wait for each other, or for background work?",
)
CHUNK_SECONDS: Final = _measured(
    "rescind_chunk_duration_seconds",
    "chunk_seconds",
    "How long a transaction of background work took, with its commit",
    "Does background work keep changes waiting?",
)
CHUNK_ROWS: Final = _measured(
    "rescind_chunk_rows_total",
    "chunk_rows",
    "Effective roles that background work made and unmade",
    "How fast is background work?",
)
PENDING_ITEMS: Final = _read(
    "rescind_pending_items",
    "Pieces of background work that are not settled. `due`: to be done now; `waiting`: again after a "
    "failure; `parked`: set aside until somebody retries it",
    "Does background work keep up?",
    {"direction": DIRECTIONS, "state": STATES},
)
PENDING_OLDEST: Final = _read(
    "rescind_pending_oldest_timestamp_seconds",
    "When the oldest change that has such work was recorded; 0 where there is none",
    "Does some work not get done?",
    {"direction": DIRECTIONS, "state": STATES},
)
CHECKS: Final = _measured(
    "rescind_checks_total",
    "checks",
    "Checks, by what decided. `failed`: it raised, because the database could not be asked",
    "How many checks are there, and does memory answer them?",
)
DISTRUSTED_CHECKS: Final = _measured(
    "rescind_distrusted_checks_total",
    "distrusted_checks",
    "Checks decided from the facts, because effective roles that they needed were not settled",
    "Does background work make checks slower?",
)
DECISION_LOG_WRITTEN: Final = _measured(
    "rescind_decision_log_written_total",
    "decision_log_written",
    "Decisions written to the decision log",
    "How large does the decision log become?",
)
DECISION_LOG_DROPPED: Final = _measured(
    "rescind_decision_log_dropped_total",
    "decision_log_dropped",
    "Decisions that were selected for the decision log and are not in it, because they could not be written "
    "in time",
    "Is the decision log complete?",
)
LEASE_EXPIRES: Final = _measured(
    "rescind_lease_expires_timestamp_seconds",
    "lease_expires",
    "Until when every process of this service may answer from memory: the end of the lease that ends first. "
    "0 where none has a lease, as on SQLite",
    "Does every process renew its lease in time?",
    least=True,
)
REPLICAS: Final = _read(
    "rescind_replicas",
    "Processes that are registered as replicas: a revocation waits for those that hold its organization",
    "Who is there to be waited for?",
)
INDEX_ORGANIZATIONS: Final = _measured(
    "rescind_index_organizations",
    "index_organizations",
    "Organizations held in memory, added up over processes",
    "How many organizations are answered from memory?",
)
INDEX_BYTES: Final = _measured(
    "rescind_index_bytes",
    "index_bytes",
    "The memory of the organizations held in memory, as estimated",
    "Is `index_megabytes` large enough?",
)
INDEX_LOAD_SECONDS: Final = _measured(
    "rescind_index_load_seconds",
    "index_load_seconds",
    "How long it took to read an organization into memory",
    "How long do checks ask the database after a start?",
)
AUDIT_DRIFT: Final = _read(
    "rescind_audit_drift_rows",
    "Effective roles and facts that the background audit found wrong, as last seen. Repaired ones count "
    "until a later round finds none",
    "Are effective roles what the facts imply?",
)
AUDIT_COMPLETED: Final = _read(
    "rescind_audit_last_completed_timestamp_seconds",
    "When an audit of all organizations was last complete; 0 where none was",
    "Does the audit run?",
)
PROBE_DISAPPEARANCE: Final = _measured(
    "rescind_probe_disappearance_seconds",
    "probe_disappearance_seconds",
    "From the call of a revocation by the probe until a decision point denied",
    "How long do users keep what was revoked?",
)
PROBE_APPEARANCE: Final = _measured(
    "rescind_probe_appearance_seconds",
    "probe_appearance_seconds",
    "From the call of a grant by the probe until a decision point allowed",
    "How long do users wait for what was granted?",
)
PROBE_VIOLATIONS: Final = _measured(
    "rescind_probe_violations_total",
    "probe_violations",
    "Checks of the probe that were allowed although they started after the revocation had returned. Each is "
    "an incident",
    "Was the promise ever broken?",
)
DATABASE_UP: Final = _read(
    "rescind_database_up",
    "1 if the database answered this scrape, or one in the second before; else 0, and what is read from it "
    "is missing",
    "Are the other figures there?",
)

CATALOGUE: Final = (
    CHANGE_SECONDS,
    ENFORCEMENT_SECONDS,
    SETTLEMENT_SECONDS,
    LOCK_WAIT_SECONDS,
    CHUNK_SECONDS,
    CHUNK_ROWS,
    PENDING_ITEMS,
    PENDING_OLDEST,
    CHECKS,
    DISTRUSTED_CHECKS,
    DECISION_LOG_WRITTEN,
    DECISION_LOG_DROPPED,
    LEASE_EXPIRES,
    REPLICAS,
    INDEX_ORGANIZATIONS,
    INDEX_BYTES,
    INDEX_LOAD_SECONDS,
    AUDIT_DRIFT,
    AUDIT_COMPLETED,
    PROBE_DISAPPEARANCE,
    PROBE_APPEARANCE,
    PROBE_VIOLATIONS,
    DATABASE_UP,
)
"""All of them, in the order in which they are exposed and documented."""


def bounds(metric: Metric, settings: Settings) -> tuple[float, ...]:
    """The upper ends of a histogram's buckets; the last is infinite.

    The settings' target is among them where the metric is about one, so that the share of changes within the
    target can be read.
    """
    if not metric.bounds:
        return ()
    found: tuple[float, ...] = getattr(Instruments(settings), metric.source).bounds
    return found
