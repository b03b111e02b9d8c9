"""What is exposed is the catalogue, and what happened is in it once."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from rescind import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    CreateOrganization,
    DefinePermission,
    DefineRole,
    RemoveMembers,
    RenameGroup,
)
from rescind.errors import StoreError
from rescind.insight.metrics.catalogue import (
    CATALOGUE,
    DATABASE_UP,
    PENDING_ITEMS,
    MetricType,
    Origin,
)
from rescind.insight.metrics.collector import MetricsCollector
from rescind.insight.metrics.database import DatabaseFigures
from rescind.insight.metrics.exposition import Exposition
from rescind.store import open_store
from tests.clock import SettableClock
from tests.insight.scraped import families, scraped, value

OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
HOSTILE = '"} evil_total{x="1"} 1\n# HELP <script>\\' + "x" * 200


def start(authority: Authority) -> None:
    """An organization in which ada may read documents through a group."""
    authority.apply(
        [
            CreateOrganization(),
            DefinePermission(permission="doc:read"),
            DefineRole(role="reader", permissions=("doc:read",)),
            AddMembership(subject="user:ada"),
            CreateGroup(group="eng"),
        ]
    )
    authority.apply([Assign(role="reader", to="group:eng")])


def text(authority: Authority, accept: str = "") -> str:
    return Exposition(authority).text(accept)[1].decode()


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_what_is_exposed_is_the_catalogue(authority: Authority, accept: str) -> None:
    """Every series of it from the start, at zero, with its type; and nothing else."""
    found = families(text(authority, accept))
    assert [*found] == [metric.family for metric in CATALOGUE]
    for metric in CATALOGUE:
        family = found[metric.family]
        assert family.type == metric.type.value
        assert family.documentation == metric.meaning
        shown = {
            tuple(sample.labels[label] for label in metric.labels)
            for sample in family.samples
            if set(sample.labels) - {"le"} == set(metric.labels)
        }
        assert shown == set(metric.series())
        if metric is not DATABASE_UP:
            assert {sample.value for sample in family.samples} == {0.0}
        if metric.type is MetricType.HISTOGRAM:
            ends = {
                float(sample.labels["le"]) for sample in family.samples if "le" in sample.labels
            }
            assert ends == set(metric.bounds)


def test_every_event_is_counted_once(authority: Authority) -> None:
    """Changes by kind, direction and route; what follows them; checks by what decided."""
    start(authority)
    authority.apply([AddMembers(group="eng", members=("user:ada",))], route="background")
    assert authority.check("user:ada", "doc:read")  # rows are not settled yet
    authority.apply([RenameGroup(group="eng", name="Engineering")], wait="recorded")
    authority.apply([RenameGroup(group="eng", name="Engineering")])  # alters nothing
    with authority.workers():
        while authority.has_due_work():
            pass
    authority.apply([RemoveMembers(group="eng", members=("user:ada",))])
    assert not authority.check("user:ada", "doc:read", assurance="live")
    assert not authority.check("user:ada", "doc:read")
    instruments, store = authority.instruments, authority.store
    with Authority(store, organization="acme", index=True, instruments=instruments) as indexed:
        assert indexed.load()
        assert not any(indexed.check("user:ada", "doc:read") for _ in range(3))
        assert not any(indexed.check_many([("user:ada", "doc:read", None)] * 4))
        found = scraped(text(indexed))
    changes = {
        labels: number
        for (name, labels), number in found.items()
        if name == "rescind_change_duration_seconds_count" and number
    }
    assert {
        tuple(dict(labels)[each] for each in ("kind", "direction", "route")): number
        for labels, number in changes.items()
    } == {
        ("batch", "grants", "inline"): 1,
        ("assign", "grants", "inline"): 1,
        ("add_members", "grants", "background"): 1,
        ("rename_group", "grants", "inline"): 1,
        ("remove_members", "revokes", "inline"): 1,
    }
    settled = "rescind_settlement_duration_seconds_count"
    assert value(found, settled, direction="grants") == 4
    assert value(found, settled, direction="revokes") == 1
    assert value(found, "rescind_lock_wait_seconds_count", who="change") == 5
    assert value(found, "rescind_lock_wait_seconds_count", who="chunk") >= 1
    assert value(found, "rescind_chunk_duration_seconds_count") >= 1
    assert value(found, "rescind_chunk_rows_total", action="made") == 1
    checks = "rescind_checks_total"
    assert value(found, checks, point="index", result="denied") == 7
    assert value(found, checks, point="index", result="allowed") == 0
    live = [value(found, checks, point="live", result=each) for each in ("allowed", "denied")]
    assert live == [1, 1]
    assert value(found, checks, point="effective", result="denied") == 1
    assert value(found, "rescind_distrusted_checks_total") == 1
    assert value(found, "rescind_index_organizations") == 1
    assert value(found, "rescind_index_bytes") > 0
    assert value(found, "rescind_index_load_seconds_count") == 1


def test_a_check_that_fails_is_counted_by_the_point_that_was_to_decide(database: str) -> None:
    """It is neither allowed nor denied."""
    authority = Authority.open(database, organization="acme")
    authority.store.close()
    for assurance in ("standard", "live", "live"):
        with pytest.raises(StoreError):
            authority.check("user:ada", "doc:read", assurance=assurance)  # type: ignore[arg-type]
    found = scraped(text(authority))
    checks = "rescind_checks_total"
    assert value(found, checks, point="effective", result="failed") == 1
    assert value(found, checks, point="live", result="failed") == 2


def test_pending_work_is_told_by_state(authority: Authority) -> None:
    """With the oldest change that it is for."""
    start(authority)
    before = datetime.now(UTC) - timedelta(minutes=1)
    authority.apply([AddMembers(group="eng", members=("user:ada",))], route="background")
    labels = {"direction": "grants", "state": "due"}
    found = scraped(text(authority))
    assert value(found, "rescind_pending_items", **labels) == 1
    oldest = value(found, "rescind_pending_oldest_timestamp_seconds", **labels)
    assert before.timestamp() < oldest < datetime.now(UTC).timestamp() + 60

    authority.park(authority.pending()[0])
    found = scraped(text(authority))
    assert value(found, "rescind_pending_items", **labels) == 0
    assert value(found, "rescind_pending_items", direction="grants", state="parked") == 1
    assert value(found, "rescind_pending_oldest_timestamp_seconds", **labels) == 0


def test_without_a_database_its_figures_are_missing(database: str) -> None:
    """They are not zero, and not what they were."""
    authority = Authority.open(database)
    exposition = Exposition(authority)
    authority.store.close()
    found = families(exposition.text()[1].decode())
    missing = {metric.family for metric in CATALOGUE if metric.origin is Origin.DATABASE}
    assert {metric.family for metric in CATALOGUE} - set(found) == missing - {DATABASE_UP.name}
    assert [sample.value for sample in found[DATABASE_UP.name].samples] == [0.0]


def test_the_database_is_asked_once_a_second(database: str) -> None:
    """However many scrapes there are; also while it does not answer."""
    store, now = open_store(database), 100.0
    figures = DatabaseFigures(store, clock=lambda: now)
    first = figures.read()
    assert first[PENDING_ITEMS.name] == {}
    store.close()
    now = 100.9
    assert figures.read() is first
    now = 101.0
    second = figures.read()
    assert second == {DATABASE_UP.name: {(): 0.0}}
    assert figures.read() is second


def test_kept_lines_are_what_prometheus_client_writes(authority: Authority) -> None:
    """After any sequence of events, in both formats, to the byte."""
    exposition, generator = Exposition(authority), random.Random(7)
    instruments = authority.instruments
    registry = CollectorRegistry()
    registry.register(MetricsCollector(authority))
    events = [
        lambda: instruments.note_enforcement("alone", generator.random() * 3),
        lambda: instruments.note_check("live", "denied"),
        lambda: instruments.note_chunk(generator.random(), 3, 0),
        lambda: instruments.note_lock_wait("change", -generator.random()),
        lambda: instruments.index_bytes.of().set(generator.random() * 1e12),
    ]
    for _ in range(4):
        for event in generator.choices(events, k=3):
            event()
        assert exposition.text()[1] == generate_latest(registry)
        assert exposition.text(OPENMETRICS)[1] == generate_openmetrics(registry)


def test_names_of_others_are_in_no_label(authority: Authority) -> None:
    """Whatever organizations, groups and subjects are called, the series are the same, and none has it."""
    before = set(scraped(text(authority)))
    named: list[Change] = [CreateOrganization(name=HOSTILE), CreateGroup(group="g", name=HOSTILE)]
    authority.apply(named, actor=HOSTILE, reason=HOSTILE, organization="other")
    authority.check(f"user:{'y' * 200}", "no:such", organization="other")
    after = text(authority)
    assert set(scraped(after)) == before
    assert "evil" not in after
    assert "yyyy" not in after


def test_an_application_registers_the_collector(database: str, clock: SettableClock) -> None:
    """Registering asks no database; two authorities have a registry each."""
    authority = Authority.open(database, clock=clock)
    authority.store.close()
    registry = CollectorRegistry()
    registry.register(MetricsCollector(authority))
    with pytest.raises(ValueError, match="Duplicated"):
        registry.register(MetricsCollector(authority))
    assert registry.get_sample_value("rescind_database_up") == 0.0
