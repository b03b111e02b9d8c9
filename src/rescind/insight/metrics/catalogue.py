"""Every metric: its name, type, labels with all their values, meaning, and the question that it answers.

The only list of metrics. What is exposed, `docs/reference/metrics.md` and the alert rules are compared with
it. A label has a closed set of values, so that the number of series does not grow with organizations, users,
groups or attackers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final, get_args

from rescind.changes import Change
from rescind.model import DecisionPoint, Direction, Route
from rescind.settings import Settings


class MetricType(StrEnum):
    """The types of Prometheus that are used."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Origin(StrEnum):
    """Where a figure is from, and so what it covers."""

    PROCESSES = "processes"
    """Measured by the processes of one service, and added up over them; with `Metric.least`, the least."""
    DATABASE = "database"
    """Read from the database at a scrape: every service on that database says the same. Missing while the
    database does not answer."""


Labels = Mapping[str, tuple[str, ...]]

BATCH: Final = "batch"
"""The kind of a change that is a list of several."""
KINDS: Final = (*sorted(kind.__name__ for kind in get_args(Change)), BATCH)
DIRECTIONS: Final = tuple(each.value for each in Direction)
ROUTES: Final = tuple(each.value for each in Route)
POINTS: Final = tuple(each.value for each in DecisionPoint)
RESULTS: Final = ("allowed", "denied", "failed")
"""`failed` is a check that raised, because the database could not be asked. Its point is the one that was to
decide."""
OUTCOMES: Final = ("alone", "acknowledged", "waited_out")
"""No replica held the organization; all that did acknowledged; at least one was waited out."""
LOCKERS: Final = ("change", "chunk")
ROWS: Final = ("made", "unmade")
STATES: Final = ("due", "waiting", "parked")
"""To be done now; after a failure, at a later time; set aside until somebody retries it."""
PROBE_POINTS: Final = (*POINTS, "service", "other")
"""`service` is any service asked over HTTP; `other` a point of the caller's own."""

FAST_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0)
SLOW_SECONDS: Final = (*FAST_SECONDS, 120.0, 600.0, 3_600.0)
"""For what background work does."""


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
    """Of a histogram, the upper ends of its buckets but for the last, which has none."""
    least: bool = False
    """Of several processes the least value counts, not the sum."""

    @property
    def family(self) -> str:
        """The name as OpenMetrics has it in metadata: without `_total`."""
        return self.name.removesuffix("_total")

    def series(self) -> Iterator[tuple[str, ...]]:
        """The values of the labels of each series; all of them exist from the start."""
        return product(*self.labels.values())


def _histogram(
    name: str,
    meaning: str,
    question: str,
    labels: dict[str, tuple[str, ...]] | None = None,
    bounds: tuple[float, ...] = FAST_SECONDS,
) -> Metric:
    shown = MappingProxyType(labels or {})
    return Metric(
        name, MetricType.HISTOGRAM, Origin.PROCESSES, meaning, question, shown, (*bounds, math.inf)
    )


def _counter(
    name: str, meaning: str, question: str, labels: dict[str, tuple[str, ...]] | None = None
) -> Metric:
    shown = MappingProxyType(labels or {})
    return Metric(name, MetricType.COUNTER, Origin.PROCESSES, meaning, question, shown)


def _gauge(
    name: str,
    origin: Origin,
    meaning: str,
    question: str,
    labels: dict[str, tuple[str, ...]] | None = None,
    *,
    least: bool = False,
) -> Metric:
    shown = MappingProxyType(labels or {})
    return Metric(name, MetricType.GAUGE, origin, meaning, question, shown, least=least)


CHANGE_SECONDS: Final = _histogram(
    "rescind_change_duration_seconds",
    "How long the caller of a change waited until it returned. Of changes that altered something. `kind` is "
    "the change's name, or `batch` for a list of several",
    "How much does a change cost its caller?",
    {"kind": KINDS, "direction": DIRECTIONS, "route": ROUTES},
)
ENFORCEMENT_SECONDS: Final = _histogram(
    "rescind_enforcement_duration_seconds",
    "From the commit of a revoking change until no check that starts anywhere allows what it revoked. "
    "`alone`: no other replica held the organization; `acknowledged`: all that did answered; `waited_out`: "
    "at least one did not, and its lease ran out",
    "How long may something that was revoked still be allowed somewhere?",
    {"outcome": OUTCOMES},
)
SETTLEMENT_SECONDS: Final = _histogram(
    "rescind_settlement_duration_seconds",
    "From when a change was recorded until effective roles followed it; for the inline route, until it was "
    "committed",
    "How long until a grant can be used?",
    {"direction": DIRECTIONS},
    SLOW_SECONDS,
)
LOCK_WAIT_SECONDS: Final = _histogram(
    "rescind_lock_wait_seconds",
    "How long a change, or a chunk of background work, waited for a lock before it could begin",
    "Are changes slow because they wait for each other, or for background work?",
    {"who": LOCKERS},
)
CHUNK_SECONDS: Final = _histogram(
    "rescind_chunk_duration_seconds",
    "How long a transaction of background work took, with its commit",
    "Does background work keep changes waiting?",
)
CHUNK_ROWS: Final = _counter(
    "rescind_chunk_rows_total",
    "Effective roles that background work made and unmade",
    "How fast is background work?",
    {"action": ROWS},
)
PENDING_ITEMS: Final = _gauge(
    "rescind_pending_items",
    Origin.DATABASE,
    "Pieces of background work that are not settled. `due`: to be done now; `waiting`: again after a "
    "failure; `parked`: set aside until somebody retries it",
    "Does background work keep up?",
    {"direction": DIRECTIONS, "state": STATES},
)
PENDING_OLDEST: Final = _gauge(
    "rescind_pending_oldest_timestamp_seconds",
    Origin.DATABASE,
    "When the oldest change was recorded that such work is for; 0 where there is none",
    "Since when is somebody waiting for a grant?",
    {"direction": DIRECTIONS, "state": STATES},
)
CHECKS: Final = _counter(
    "rescind_checks_total",
    "Checks, by what decided. `failed`: it raised, because the database could not be asked",
    "How many checks are there, and does memory answer them?",
    {"point": POINTS, "result": RESULTS},
)
DISTRUSTED_CHECKS: Final = _counter(
    "rescind_distrusted_checks_total",
    "Checks decided from the facts, because effective roles that they needed were not settled",
    "Does background work make checks slower?",
)
LEASE_EXPIRES: Final = _gauge(
    "rescind_lease_expires_timestamp_seconds",
    Origin.PROCESSES,
    "Until when the processes of this service may answer from memory, the first of them; 0 where none has a "
    "lease, as on SQLite",
    "Does every process renew its lease in time?",
    least=True,
)
REPLICAS: Final = _gauge(
    "rescind_replicas",
    Origin.DATABASE,
    "Processes that are registered as replicas: a revocation waits for those that hold its organization",
    "Who is there to be waited for?",
)
INDEX_ORGANIZATIONS: Final = _gauge(
    "rescind_index_organizations",
    Origin.PROCESSES,
    "Organizations held in memory, added up over processes",
    "How many organizations are answered from memory?",
)
INDEX_BYTES: Final = _gauge(
    "rescind_index_bytes",
    Origin.PROCESSES,
    "The memory that they take, as estimated",
    "Is `index_megabytes` large enough?",
)
INDEX_LOAD_SECONDS: Final = _histogram(
    "rescind_index_load_seconds",
    "How long it took to read an organization into memory",
    "How long do checks ask the database after a start?",
)
AUDIT_DRIFT: Final = _gauge(
    "rescind_audit_drift_rows",
    Origin.DATABASE,
    "Effective roles that the last audit found missing or surplus, and that are not repaired",
    "Are effective roles what the facts imply?",
)
AUDIT_COMPLETED: Final = _gauge(
    "rescind_audit_last_completed_timestamp_seconds",
    Origin.DATABASE,
    "When an audit of all organizations was last complete; 0 where none was",
    "Does the audit run?",
)
PROBE_DISAPPEARANCE: Final = _histogram(
    "rescind_probe_disappearance_seconds",
    "From the call of a revocation by the probe until a decision point denied",
    "How long do users keep what was revoked?",
    {"point": PROBE_POINTS},
)
PROBE_APPEARANCE: Final = _histogram(
    "rescind_probe_appearance_seconds",
    "From the call of a grant by the probe until a decision point allowed",
    "How long do users wait for what was granted?",
    {"point": PROBE_POINTS},
)
PROBE_VIOLATIONS: Final = _counter(
    "rescind_probe_violations_total",
    "Checks of the probe that were allowed although they started after the revocation had returned. Each is "
    "an incident",
    "Was the promise ever broken?",
    {"point": PROBE_POINTS},
)
DATABASE_UP: Final = _gauge(
    "rescind_database_up",
    Origin.PROCESSES,
    "1 if the database answered this scrape, or one in the second before; else 0, and what is read from it "
    "is missing",
    "Are the other figures there?",
    least=True,
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
    """The upper ends of a histogram's buckets, with the settings' target among them where it has one.

    So the share of changes within the target can be read from the buckets.
    """
    targets = {
        ENFORCEMENT_SECONDS.name: settings.revocation_target_seconds,
        PROBE_DISAPPEARANCE.name: settings.revocation_target_seconds,
        SETTLEMENT_SECONDS.name: settings.grant_target_seconds,
        PROBE_APPEARANCE.name: settings.grant_target_seconds,
    }
    target = targets.get(metric.name)
    return metric.bounds if target is None else tuple(sorted({*metric.bounds, target}))
