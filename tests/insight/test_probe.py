"""The probe keeps to its organization, tells the times, and sees each guard that is off."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from rescind import Authority
from rescind.changes import DeleteOrganization
from rescind.errors import InvalidArgument, TargetFailed
from rescind.insight.probe import (
    ORGANIZATION,
    Limits,
    Measurement,
    Point,
    Probe,
    Summary,
    points_of,
)
from rescind.insight.probe.measurement import Asker, measure
from rescind.insight.probe.target import TargetProbe, read_target
from rescind.insight.probe.ways import Way, ways
from rescind.replicas import enforcement
from rescind.replicas.file_watch import FileWatch
from rescind.store.postgres import PostgresListener
from tests.unit.command_line import CommandLine, one_error
from tests.unit.conftest import rescind as rescind

MEMORY = {"memory", "memory, batch", "memory, list"}
POINTS = ["memory", "memory, batch", "memory, list", "database", "database, live"]
QUICK = Limits(watch_seconds=0.02, expiry_seconds=0.5)


@contextmanager
def probing(database: str, *more: Point, only: Collection[str] = ()) -> Iterator[Probe]:
    """A probe that asks this authority, the facts, and a replica in memory; of some ways alone, if named."""

    def some(round_id: str) -> Sequence[Way]:
        return [way for way in ways(round_id) if not only or way.name in only]

    with (
        Authority.open(database, organization=ORGANIZATION) as authority,
        Authority.open(database, index=True, organization=ORGANIZATION) as replica,
    ):
        points = [*points_of(replica, authority), *more]
        probe = Probe(authority, points, limits=QUICK, make_ways=some)
        probe.prepare()
        replica.load()
        yield probe


# --- this system ----------------------------------------------------------------------------------


def test_no_check_is_allowed_late(database: str) -> None:
    """Every way of losing access is followed by every decision point, none of them after the return."""
    with probing(database) as probe:
        done = probe.round()
    assert [each.way for each in done] == [way.name for way in ways("x")]
    for each in done:
        assert [t.point for t in each.times] == POINTS
        assert each.violations == (), each
        assert all(t.appearance is not None for t in each.times), each
        assert all(t.disappearance is not None and t.errors == 0 for t in each.times), each
        assert (each.revoke_seconds is None) == ("expires" in each.way)


def test_nothing_is_left(database: str) -> None:
    """A round removes what it made."""
    some = ("nesting", "resource move", "place in a group, background")
    with probing(database, only=some) as probe:
        probe.round()
        authority = probe.authority
        lists = (
            authority.list_groups,
            authority.list_memberships,
            authority.list_roles,
            authority.list_resources,
        )
        assert [tuple(each().items) for each in lists] == [()] * 4


def test_cleans_up_after_a_failure(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a call fails, what the way had made is removed, and the failure is told."""

    class Fails(Exception):
        pass

    def fail(*_: object, **__: object) -> Measurement:
        raise Fails

    monkeypatch.setattr("rescind.insight.probe.rounds.measure", fail)
    with probing(database) as probe:
        with pytest.raises(Fails):
            probe.round()
        assert tuple(probe.authority.list_roles().items) == ()


def test_two_at_once_do_not_meet(database: str) -> None:
    """Rounds of two probes have names of their own."""
    one, two = ways("1"), ways("2")
    assert {way.question for way in one}.isdisjoint(way.question for way in two)
    some = ("membership", "nesting")
    with probing(database, only=some) as first, probing(database, only=some) as second:
        found = [first.round(), second.round()]
    assert all(not m.violations for done in found for m in done)


def _returns_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A revocation waits for nobody, and replicas hear nothing: they read the log now and then."""
    monkeypatch.setattr(
        enforcement.Enforcer, "enforce", lambda *_, **__: enforcement.Enforcement(0.0)
    )
    wait = PostgresListener.wait

    def deaf(self: PostgresListener, seconds: float) -> list[str]:
        wait(self, seconds)
        return []

    monkeypatch.setattr(PostgresListener, "wait", deaf)


def _looks_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory looks at the file once in many checks."""
    look, count = FileWatch.ensure_fresh, itertools.count()

    def seldom(self: FileWatch) -> None:
        if next(count) % 50 == 0:
            look(self)

    monkeypatch.setattr(FileWatch, "ensure_fresh", seldom)


def test_sees_that_enforcement_is_off(
    engine: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the guard off, memory allows after the return: the probe says so, and for how long."""
    (_looks_seldom if engine == "sqlite" else _returns_at_once)(monkeypatch)
    with probing(database, only=("assignment", "place in a group", "resource move")) as probe:
        done = probe.round()
    summary = Summary()
    summary.add(done)
    assert {each.point for each in summary.violations} & MEMORY
    assert not {each.point for each in summary.violations} & (set(POINTS) - MEMORY)
    late = summary.violations[0]
    assert 0 < late.first_seconds <= late.last_seconds
    assert late.checks >= 1


# --- measuring ------------------------------------------------------------------------------------


class Scripted:
    """A point that answers by a script, once access was granted and once it was revoked."""

    def __init__(self, after_revoke: list[bool | Exception]) -> None:
        self.state, self._script = "before", after_revoke
        self.clock = itertools.count().__next__

    def allows(self) -> bool:
        if self.state != "revoked":
            return self.state == "granted"
        answer = self._script.pop(0) if self._script else False
        if isinstance(answer, Exception):
            raise answer
        return answer

    def measured(self, limits: Limits | None = None) -> Measurement:
        def enter(state: str) -> Callable[[], None]:
            return lambda: setattr(self, "state", state)

        limits = limits or Limits(timeout_seconds=30, watch_seconds=20)
        clock = lambda: self.clock() / 1.0  # noqa: E731 - each reading is a second later
        asker = Asker("scripted", self.allows)
        return measure(
            "way", "s", [asker], enter("granted"), enter("revoked"), limits=limits, clock=clock
        )


def test_comes_back() -> None:
    """Access that is gone and comes back is a violation, with the time of its last allow."""
    found = Scripted([False, False, True, False]).measured()
    (late,) = found.violations
    assert late.checks == 1
    assert late.first_seconds == late.last_seconds > 0
    assert found.times[0].stale == late.last_seconds


def test_failing_answer_allows_nothing() -> None:
    """A point that fails after the return is counted as failing, not as allowing."""
    found = Scripted([RuntimeError("away"), False]).measured()
    assert found.violations == ()
    assert found.times[0].errors == 1


def test_point_that_is_away_shows_nothing() -> None:
    """After the return a point only fails: it has not shown that access is gone, and the probe says so."""
    away = Scripted([RuntimeError("away")] * 10_000)
    found = away.measured(Limits(timeout_seconds=0.05, watch_seconds=0.01))
    (times,) = found.times
    assert times.disappearance is None
    assert found.violations == ()
    summary = Summary()
    summary.add([found])
    assert not summary.is_complete
    summary = Summary()
    summary.add([Scripted([]).measured()])
    assert summary.is_complete


def test_no_data_is_no_figure() -> None:
    """Where access never appeared nothing is said of how it went, and the summary is not complete."""

    class Never(Scripted):
        def allows(self) -> bool:
            return False

    never = Never([])
    limits = Limits(timeout_seconds=0.05, watch_seconds=0.01)
    asker = Asker("never", never.allows)
    found = measure("way", "s", [asker], lambda: None, lambda: None, limits=limits)
    summary = Summary()
    assert summary.by_point() == []
    summary.add([found])
    (point,) = summary.by_point()
    assert (point.appearance, point.disappearance, point.stale) == (None, None, None)
    assert point.not_appeared == 1
    assert not summary.is_complete


def test_forgets_no_violation() -> None:
    """A probe that goes on for ever keeps what broke the promise, and its count."""
    kept, late = Scripted([]).measured(), Scripted([False, True]).measured()
    summary = Summary()
    summary.add([late, *[kept] * 10])
    summary.forget_all_but(3)
    assert (len(summary.measurements), summary.violation_count) == (4, 1)
    assert summary.measurements[0] is late


# --- other systems --------------------------------------------------------------------------------

TARGET = """
name = "other"
[grant]
url = "http://other/people/p-{round}"
headers = { Authorization = "Bearer ${TOKEN}" }
method = "PUT"
[revoke]
url = "http://other/people/p-{round}"
method = "DELETE"
expect = [404, 204]
[check]
url = "http://other/check"
json = { who = "p-{round}", what = ["read"] }
allowed = { field = "result.ok", equals = "yes" }
"""


class Other:
    """Another system, which goes on allowing for some checks after it revoked."""

    def __init__(self, stale_checks: float) -> None:
        self._stale, self._people = stale_checks, set[str]()
        self._left: dict[str, float] = {}
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        who = request.url.path.rpartition("/")[2]
        if request.method == "PUT":
            self._people.add(who)
            return httpx.Response(201)
        if request.method == "DELETE":
            self._people.discard(who)
            self._left[who] = self._stale
            return httpx.Response(204)
        body = json.loads(request.content)
        asked = body.get("who") or body["subject"]["id"]
        allowed = asked in self._people or self._left.get(asked, 0) > 0
        if asked not in self._people:
            self._left[asked] = self._left.get(asked, 0) - 1
        return httpx.Response(
            200, json={"result": {"ok": "yes" if allowed else "no"}, "decision": allowed}
        )


def probed(tmp_path: Path, other: Other, text: str = TARGET) -> Measurement:
    path = tmp_path / "target.toml"
    path.write_text(text, "utf-8")
    probe = TargetProbe(read_target(path), limits=QUICK, transport=httpx.MockTransport(other))
    try:
        return probe.round()
    finally:
        probe.close()


@pytest.mark.parametrize("stale", [0, 20])
def test_stale_window_of_another_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stale: int
) -> None:
    """A system that allows after its revocation returned is seen; one that does not is not."""
    monkeypatch.setenv("TOKEN", "secret")
    other = Other(stale)
    found = probed(tmp_path, other)
    (granting,) = (each for each in other.seen if each.method == "PUT")
    assert granting.headers["Authorization"] == "Bearer secret"
    assert (found.times[0].stale > 0) == (stale > 0)
    assert found.times[0].stale_checks <= stale
    assert bool(found.violations) == (stale > 0)


def test_authzen_target_by_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision point of AuthZEN, with commands that give and take."""
    text = """
    [grant]
    command = ["touch", "FOLDER/{round}"]
    [revoke]
    command = ["rm", "FOLDER/{round}"]
    [authzen]
    url = "http://other"
    subject = { type = "user", id = "{round}" }
    action = { name = "read" }
    resource = { type = "doc", id = "1" }
    """.replace("FOLDER", str(tmp_path))

    class Files(Other):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            assert request.url.path == "/access/v1/evaluation"
            self._people = {each.name for each in tmp_path.iterdir()}
            return super().__call__(request)

    found = probed(tmp_path, Files(0), text)
    assert found.violations == ()
    assert found.times[0].appearance is not None
    with pytest.raises(TargetFailed, match="ended with 1"):
        probed(tmp_path, Files(0), text.replace('"touch"', '"false"'))
    with pytest.raises(TargetFailed, match="No such file"):
        probed(tmp_path, Files(0), text.replace('"touch"', '"no-such-program"'))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "grant"),
        ("grant = 1", "grant"),
        (TARGET.replace("[check]", "[chekc]"), "chekc"),
        (TARGET + "[authzen]\nurl='x'\nsubject={}\naction={}\nresource={}", "either"),
        (TARGET.replace('method = "PUT"', 'command = ["true"]'), "either a url or a command"),
        (TARGET.partition("[check]")[0], "either"),
        ("\x00", "target"),
        (TARGET.replace("p-{round}", "${NO_SUCH}", 1), "NO_SUCH"),
        (TARGET.replace("http://other/people", "other/people", 1), "url"),
        (TARGET.replace("url = ", "uri = ", 1), "uri"),
    ],
)
def test_wrong_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    """A file that does not describe a system is refused, saying what is wrong."""
    monkeypatch.setenv("TOKEN", "x")
    with pytest.raises(InvalidArgument, match=says.replace("[", r"\[")):
        probed(tmp_path, Other(0), text)


def test_access_is_left_for_a_random_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first allow and the revocation is a time of at most what was asked for."""
    slept: list[float] = []
    monkeypatch.setattr("rescind.insight.probe.measurement.time.sleep", slept.append)
    Scripted([]).measured(Limits(timeout_seconds=30, watch_seconds=20, hold_seconds=5.0))
    Scripted([]).measured(Limits(timeout_seconds=30, watch_seconds=20))
    (held,) = slept
    assert 0 <= held <= 5


def test_target_is_left_without_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted after it granted, the probe asks the system to revoke."""
    monkeypatch.setenv("TOKEN", "x")

    class Stopped(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    monkeypatch.setattr("rescind.insight.probe.measurement.wait_for_all", stop)
    other = Other(0)
    with pytest.raises(Stopped):
        probed(tmp_path, other)
    assert [each.method for each in other.seen if each.method != "POST"] == ["PUT", "DELETE"]


def test_refusing_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that refuses, answers no decision, or had allowed before, is told with its answer."""
    monkeypatch.setenv("TOKEN", "x")

    class Refuses(Other):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PUT":
                return httpx.Response(403, text="not you\x1b[2J")
            return super().__call__(request)

    with pytest.raises(TargetFailed, match=r"403 not you"):
        probed(tmp_path, Refuses(0))
    with pytest.raises(TargetFailed, match=r"no result\.nope"):
        probed(tmp_path, Other(0), TARGET.replace("result.ok", "result.nope"))
    with pytest.raises(TargetFailed, match="before anything was granted"):
        probed(tmp_path, Other(0), TARGET.replace('equals = "yes"', 'equals = "no"'))


def test_documented_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the documentation shows describe a system."""
    page = Path(__file__).parents[2] / "docs/howto/probe-another-system.md"
    shown = re.findall(r"```text\n(.*?\[grant\].*?)```", page.read_text("utf-8"), re.DOTALL)
    assert len(shown) == 2
    for number, text in enumerate(shown):
        path = tmp_path / f"{number}.toml"
        path.write_text(text, "utf-8")
        read_target(path)


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "control"])
def test_command(
    rescind: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    """Exits with 0; with the guard off, with 1, and what was seen is in a file for its owner alone.

    A probe of this process alone does without the client of HTTP.
    """
    monkeypatch.setattr("rescind.insight.probe.rounds.Limits", lambda: QUICK)
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.delitem(sys.modules, "rescind.insight.probe.target")
    if not is_guarded:
        _looks_seldom(monkeypatch)
    rescind("init")
    code, out, err = rescind("probe", "--evidence", "seen.json")
    assert "assignment expires" in out
    assert code == (0 if is_guarded else 1), err
    evidence = tmp_path / "seen.json"
    assert evidence.exists() != is_guarded
    if not is_guarded:
        assert "seen.json" in err
        assert evidence.stat().st_mode & 0o777 == 0o600
        measured = json.loads(evidence.read_text("utf-8"))["measurements"]
        assert all(each["violations"] and each["subject"] for each in measured)


def test_what_cannot_be_asked(rescind: CommandLine, tmp_path: Path) -> None:
    """A URL, a duration or a file that is wrong is one error, before anything is measured."""
    rescind("init")
    assert "127.0.0.1:1" in one_error(rescind("probe", "--url", "http://127.0.0.1:1"))
    assert "--every" in one_error(rescind("probe", "--every", "\x1b[2Jnow"))
    assert "--rounds" in one_error(rescind("probe", "--every", "1s", "--rounds", "2"))
    assert "nope.toml" in one_error(rescind("probe", "--target", "nope.toml"))
    (tmp_path / "t.toml").write_text(TARGET, "utf-8")
    assert "--url" in one_error(rescind("probe", "--target", "t.toml", "--url", "http://x"))
    assert "--hold" in one_error(rescind("probe", "--hold", "1s"))


def test_what_needs_the_client_names_its_extra(
    rescind: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service's URL, and another system."""
    rescind("init")
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.delitem(sys.modules, "rescind.insight.probe.target")
    for option in (("--url", "http://127.0.0.1:1"), ("--target", "t.toml")):
        assert "rescind[client]" in one_error(rescind("probe", *option))
    assert "--metrics-port" in one_error(rescind("probe", "--metrics-port", "0"))


def test_an_organization_that_was_deleted_is_made_again(
    rescind: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two rounds of the command, as by the service's probe. The round is tried again, once."""
    begun = 0

    def one_way(
        probe: Probe, on_way: Callable[[str], None] | None = None
    ) -> tuple[Measurement, ...]:
        nonlocal begun
        begun += 1
        if begun == 1:
            probe.authority.apply([DeleteOrganization()], organization=ORGANIZATION)
        return (next(iter(probe.measurements(on_way))),)

    monkeypatch.setattr(Probe, "round", one_way)
    assert rescind("init")[0] == 0
    code, out, _ = rescind("probe", "--json")
    assert (code, begun) == (0, 2)
    assert out
