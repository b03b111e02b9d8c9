"""The probe inside a service: its turn, its metrics, its incidents, and the tidiness of its organization."""

from __future__ import annotations

import json
import logging
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument
from rescind.insight.probe import ORGANIZATION, Limits, Measurement, Violation
from rescind.insight.probe import service as module
from rescind.insight.probe.evidence import write_evidence
from rescind.insight.probe.service import ProbeService
from rescind.insight.probe.tidying import ACTOR, forget_log, remove_left
from rescind.insight.probe.ways import DEFINITIONS, LEFT_SECONDS, new_round_id, ways
from rescind.instruments import Instruments
from rescind.settings import Settings
from tests.contract.world import WORLD

QUICK = Limits(timeout_seconds=0.2, watch_seconds=0.01, expiry_seconds=0.2)
LABELS = ("index", "effective", "live")


@contextmanager
def service(
    database: str, folder: Path, *, most_ways: int = 1
) -> Iterator[tuple[ProbeService, Instruments]]:
    """A service of few ways, so that a turn is short."""
    with (
        Authority.open(database) as writer,
        Authority.open(database, index=True) as replica,
    ):
        instruments = Instruments(Settings())
        probe = ProbeService(
            writer,
            replica,
            instruments=instruments,
            every_seconds=30,
            evidence_folder=folder,
            limits=QUICK,
            make_ways=lambda name: ways(name)[:most_ways],
        )
        yield probe, instruments


def counted(instruments: Instruments, family: Any, label: str) -> float:
    """How many a counter or histogram of a point has."""
    (row,) = instruments.read()
    for labels, places in family.places():
        if label in labels:
            values = row[places]
            return float(sum(values[:-1]) if len(values) > 1 else values[0])
    raise AssertionError(label)


def test_a_turn_is_measured(database: str, tmp_path: Path) -> None:
    """Times are in the metrics by point; nothing was allowed late, so there is no evidence."""
    with service(database, tmp_path) as (probe, instruments):
        assert probe.turn()
    for label in LABELS:
        assert counted(instruments, instruments.probe_appearance_seconds, label) >= 1
        assert counted(instruments, instruments.probe_disappearance_seconds, label) >= 1
        assert counted(instruments, instruments.probe_violations, label) == 0
    assert list(tmp_path.glob("*evidence*")) == []


def late(measurement: Measurement) -> Measurement:
    """The same, with a check at each point that was allowed after the return."""
    times = [replace(t, stale=0.5, stale_checks=2) for t in measurement.times]
    found = [Violation(measurement.way, t.point, 2, 0.1, 0.5) for t in times]
    return replace(measurement, times=tuple(times), violations=tuple(found))


def test_a_violation_is_an_incident(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is counted, told at ERROR, and kept in a file that only its owner reads; so is the next one."""
    measure = module.Probe.measurements
    monkeypatch.setattr(
        module.Probe, "measurements", lambda *names: (late(each) for each in measure(*names))
    )
    with service(database, tmp_path) as (probe, instruments):
        for turn in (1, 2):
            with caplog.at_level(logging.ERROR, module.__name__):
                assert probe.turn()
            (evidence,) = tmp_path.glob("rescind-probe-evidence-*.json")
            kept = json.loads(evidence.read_bytes())["measurements"]
            assert len(kept) == turn
    assert kept[0]["violations"][0]["point"] == "memory"
    assert evidence.stat().st_mode & 0o077 == 0
    told = [record for record in caplog.records if "INCIDENT" in record.getMessage()]
    assert len(told) == 10
    assert str(evidence) in told[0].getMessage()
    assert (
        counted(instruments, instruments.probe_violations, "index") == 2 * 3 * 2
    )  # turns, points, checks


def test_evidence_that_cannot_be_written(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The incident is counted and told all the same, with the reason."""
    measure = module.Probe.measurements
    monkeypatch.setattr(
        module.Probe, "measurements", lambda *names: (late(each) for each in measure(*names))
    )
    with service(database, tmp_path / "nowhere") as (probe, instruments):
        probe.turn()
    assert counted(instruments, instruments.probe_violations, "live") == 2
    assert any("nowhere: " in record.getMessage() for record in caplog.records)


@contextmanager
def _little_room() -> Iterator[None]:
    """No file may grow beyond 16 bytes, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_evidence_replaces_the_file(tmp_path: Path) -> None:
    """Only its owner reads it, whoever could read the file before; a link is replaced, not followed."""
    path, other = tmp_path / "evidence.json", tmp_path / "other"
    path.write_text("old")
    path.chmod(0o644)
    write_evidence(path, [])
    assert path.stat().st_mode & 0o777 == 0o600
    other.write_text("other")
    path.unlink()
    path.symlink_to(other)
    write_evidence(path, [])
    assert json.loads(path.read_bytes())["measurements"] == []
    assert other.read_text() == "other"


def test_evidence_outlives_a_full_disk(tmp_path: Path) -> None:
    """Where the new file cannot be written whole, the old one stays as it was, alone in its folder."""
    path = tmp_path / "evidence.json"
    path.write_text("old")
    with _little_room(), pytest.raises(InvalidArgument, match="evidence"):
        write_evidence(path, [])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_one_at_a_time(database: str, tmp_path: Path) -> None:
    """While one process has the turn, another has none; it has it once the first has left."""
    with service(database, tmp_path) as (first, _), service(database, tmp_path) as (second, _):
        assert first.turn()
        assert not second.turn()
        first.leave()
        assert second.turn()
        assert not first.turn()


def test_stops_between_ways(database: str, tmp_path: Path) -> None:
    """Told to stop, it tries no further way, and leaves nothing behind."""
    stop = threading.Event()
    stop.set()
    with service(database, tmp_path, most_ways=5) as (probe, instruments):
        assert probe.turn(stop)
        assert counted(instruments, instruments.probe_appearance_seconds, "live") == 1
    with Authority.open(database, organization=ORGANIZATION) as authority:
        assert tuple(authority.list_roles().items) == ()


class Counted:
    """Says stop after a number of waits, and does not wait."""

    def __init__(self, waits: int) -> None:
        self.left, self.waited = waits, list[float]()

    def is_set(self) -> bool:
        return self.left <= 0

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        self.waited.append(timeout or 0.0)
        return self.is_set()


def test_goes_on_after_a_failure(database: str, tmp_path: Path) -> None:
    """A turn that fails is told, and the next one is tried."""
    with service(database, tmp_path) as (probe, _):

        def fail(stop: object) -> bool:
            raise RuntimeError("no")

        probe.turn = fail  # type: ignore[method-assign]
        stop = Counted(3)
        probe.run(stop)
    assert len(stop.waited) == 3
    assert 25 < stop.waited[1] <= 30


def test_goes_on_after_its_organization_was_deleted(
    database: str, tmp_path: Path, authority: Authority
) -> None:
    """One turn fails; the next one makes the organization again, and measures."""
    turns = list[bool]()
    with service(database, tmp_path) as (probe, _):
        assert probe.turn()
        authority.apply([changes.DeleteOrganization(cascade=True)], organization=ORGANIZATION)
        turn = probe.turn

        def noted(_: object) -> bool:
            turns.append(False)
            turns[-1] = turn()
            return turns[-1]

        probe.turn = noted  # type: ignore[method-assign]
        probe.run(Counted(4))
    assert turns == [False, True, True]


# --- the organization is kept small ---------------------------------------------------------------


def test_the_log_does_not_grow_without_bound(authority: Authority) -> None:
    """The newest changes are kept, and everything that is not the probe's own."""
    authority.apply(WORLD)
    authority.apply(DEFINITIONS, organization=ORGANIZATION, actor=ACTOR)
    toggle: list[Callable[..., Any]] = [changes.AddMembership, changes.RemoveMembership]
    for turn in range(6):
        for change in toggle:
            authority.apply([change(subject="user:x")], organization=ORGANIZATION, actor=ACTOR)
        if turn == 0:
            note = [changes.AddMembership(subject="user:else")]
            authority.apply(note, organization=ORGANIZATION, actor="somebody else")
    forget_log(authority, kept=4)
    kept = list(authority.log(organization=ORGANIZATION))
    assert [entry.actor for entry in kept] == ["somebody else", *[ACTOR] * 4]
    assert len(list(authority.log(organization="acme"))) == 1
    forget_log(authority)
    assert len(list(authority.log(organization=ORGANIZATION))) == 5


def test_a_replica_that_is_behind_does_not_miss_what_was_forgotten(database: str) -> None:
    """An index that follows the log reads anew what the log has no more of."""
    question = ("user:x", "probe:use")
    with (
        Authority.open(database, organization=ORGANIZATION) as writer,
        Authority.open(database, organization=ORGANIZATION, index=True) as replica,
    ):
        role = [
            changes.DefineRole(role="user", permissions=("probe:use",)),
            changes.AddMembership(subject="user:x"),
            changes.Assign(role="user", to="user:x"),
        ]
        writer.apply([*DEFINITIONS, *role], actor=ACTOR)
        replica.load()
        assert replica.check(*question)
        for _ in range(3):
            writer.apply([changes.Unassign(role="user", to="user:x")], actor=ACTOR)
            assert not replica.check(*question)
            forget_log(writer, kept=1)
            writer.apply([changes.Assign(role="user", to="user:x")], actor=ACTOR)


def test_what_a_killed_round_left_is_removed(authority: Authority) -> None:
    """What is left of old rounds goes; what a round under way has made stays, and so does all else."""
    authority.apply(DEFINITIONS, organization=ORGANIZATION)
    authority.apply([changes.CreateGroup(group="own")], organization=ORGANIZATION)
    for way in ways(new_round_id()):
        authority.apply([*way.prepare, *way.grant], organization=ORGANIZATION)
    assert remove_left(authority) == 0

    def later() -> float:
        return time.time() + LEFT_SECONDS + 60

    assert remove_left(authority, later) > 30
    assert remove_left(authority, later) == 0
    assert [each.group for each in authority.list_groups(organization=ORGANIZATION).items] == [
        "own"
    ]
    assert tuple(authority.list_roles(organization=ORGANIZATION).items) == ()
    assert tuple(authority.list_memberships(organization=ORGANIZATION).items) == ()
