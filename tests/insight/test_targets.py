"""How targets were met, against a count by hand of the same log; what is not measured is no figure."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rescind import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    CreateGroup,
    CreateOrganization,
    RemoveMembers,
)
from rescind.errors import InvalidArgument, OrganizationNotFound
from rescind.insight.targets import Attainment, Target, attainments
from rescind.model import Direction, microseconds
from tests.sql import ours
from tests.unit.command_line import CommandLine, one_error
from tests.unit.conftest import rescind as rescind

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TARGETS = {Direction.REVOKES: Target(1.0, 0.99), Direction.GRANTS: Target(30.0, 0.9)}
HOUR = 3_600 * 1_000_000


class Logged(NamedTuple):
    """One change of the log. `took` is microseconds until it was enforced or settled."""

    organization: int
    revision: int
    recorded_at: int
    direction: str
    took: int | None


def write(authority: Authority, logged: Sequence[Logged]) -> None:
    """As this code writes the log; every third revocation as code before schema 0031 did."""
    with authority.store.connection() as connection:
        driver: Any = connection
        for each in logged:
            grants = each.direction == "grants"
            settled = "NULL" if each.took is None or not grants else each.recorded_at + each.took
            driver.execute(
                ours(
                    authority,
                    "INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason,"
                    " direction, route, granted, revoked, body, settled_at) VALUES"
                    f" ({each.organization}, {each.revision}, {each.recorded_at}, 'a', '',"
                    f" '{each.direction}', 'inline', 0, 0, '[]', {settled})",
                )
            )
            if each.took is not None and not grants:
                at = each.recorded_at + each.took
                since = "NULL" if each.revision % 3 == 0 else each.recorded_at
                driver.execute(
                    ours(
                        authority,
                        "INSERT INTO rescind.enforcement (organization, revision, enforced_at, recorded_at)"
                        f" VALUES ({each.organization}, {each.revision}, {at}, {since})",
                    )
                )


def read(authority: Authority, **options: Any) -> dict[Direction, Attainment]:
    found = attainments(authority.store, targets=TARGETS, now=NOW, **options)
    assert [each.direction for each in found] == [Direction.REVOKES, Direction.GRANTS]
    return {each.direction: each for each in found}


def by_hand(logged: Sequence[Logged], direction: Direction, most_seconds: float) -> tuple[int, ...]:
    """In time, late, and undecided, one change at a time."""
    within = late = undecided = 0
    for each in logged:
        if each.direction != direction or each.recorded_at >= microseconds(NOW):
            continue
        if direction is Direction.GRANTS and each.organization == 0:
            continue
        took = each.took
        if took is None and direction is Direction.GRANTS:
            so_far = microseconds(NOW) - each.recorded_at
            late += so_far > most_seconds * 1e6
            undecided += so_far <= most_seconds * 1e6
        elif took is None:
            undecided += 1
        elif took > most_seconds * 1e6:
            late += 1
        else:
            within += 1
    return within, late, undecided


def slowest_by_hand(logged: Sequence[Logged], direction: Direction) -> list[int]:
    """The five revisions, the slowest first; of those that took the same time, the newest."""
    now, is_grant = microseconds(NOW), direction is Direction.GRANTS
    times = [
        (
            -(now - each.recorded_at if each.took is None else each.took),
            -each.recorded_at,
            *each[:2],
        )
        for each in logged
        if each.direction == direction
        and each.recorded_at < now
        and (each.organization > 0 if is_grant else each.took is not None)
    ]
    return [revision for *_, revision in sorted(times)[:5]]


@pytest.mark.parametrize("seed", range(3))
def test_counts_as_by_hand(authority: Authority, seed: int) -> None:
    """Of random logs: at the limit to the microsecond, of some organizations, in and out of the window."""
    choose = random.Random(seed)
    numbers = [0]
    for name in ("one", "two"):  # these changes are later than NOW, and do not count
        authority.apply([CreateOrganization()], organization=name)
        numbers.append(authority.store.fetch("plan", {"organization": name})[0][0])
    now, window = microseconds(NOW), 10 * HOUR
    logged = [
        Logged(
            choose.choice(numbers),
            1_000 + number,
            now - choose.choice((1, 5_000_000, HOUR, window, window - 1, 20 * HOUR, -1)),
            choose.choice(("grants", "revokes")),
            choose.choice(
                (None, 0, 999_999, 1_000_000, 1_000_001, 29_000_000, 30_000_000, 30_000_001)
            ),
        )
        for number in range(300)
    ]
    write(authority, logged)
    met = read(authority, window_seconds=window / 1e6)
    seen = [each for each in logged if each.recorded_at >= now - window]
    for direction, target in TARGETS.items():
        found = met[direction]
        within, late, undecided = by_hand(seen, direction, target.seconds)
        assert (found.within, found.late, found.undecided) == (within, late, undecided)
        assert found.changes == within + late
        assert found.is_met == (within / (within + late) >= target.share)
        times = sorted(
            each.took
            for each in seen
            if each.direction == direction
            and each.took is not None
            and each.recorded_at < now
            and (each.organization or direction is Direction.REVOKES)
        )
        rank = math.ceil(0.99 * len(times)) - 1
        assert found.p99_seconds == times[rank] // 1_000 / 1_000
        assert [each.revision for each in found.slowest] == slowest_by_hand(seen, direction)
        if direction is Direction.REVOKES:
            assert found.slowest[0].seconds == times[-1] / 1e6
        assert found.budget_left == pytest.approx(1 - late / ((1 - target.share) * found.changes))
        recent = [each for each in seen if each.recorded_at >= now - HOUR]
        within, late, _ = by_hand(recent, direction, target.seconds)
        assert found.burn == pytest.approx(late / (within + late) / (1 - target.share))


@pytest.mark.parametrize("engine", ["postgres"])
def test_parallel_workers_count_their_parts(authority: Authority) -> None:
    """With statistics, PostgreSQL counts in its workers, and hands on times instead of changes."""
    store = authority.store
    with store.connection() as connection:
        driver: Any = connection
        driver.execute(
            "INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, direction,"
            " route, granted, revoked, body, settled_at) SELECT 1, n, n, 'a', '', CASE WHEN n % 2 = 0 THEN"
            " 'grants' ELSE 'revokes' END, 'inline', 0, 0, '[]', n + n % 997"
            " FROM generate_series(1, 20000) AS n"
        )
        driver.execute("ANALYZE rescind.change")
        driver.execute("SET LOCAL max_parallel_workers_per_gather = 2")
        for name in ("setup_cost", "tuple_cost"):
            driver.execute(f"SET LOCAL parallel_{name} = 0")
        for name in ("index", "table"):
            driver.execute(f"SET LOCAL min_parallel_{name}_scan_size = 0")
        asked = {"first": 0, "last": 9, "since": 0, "now": 10**6, "most": 500, "recent": 9_000}
        statement = store.place(store.queries["spread_settlement"], asked)  # type: ignore[attr-defined]
        plan = str(driver.execute(f"EXPLAIN (FORMAT JSON) {statement}", asked).fetchone())
        assert "'Partial Mode': 'Partial'" in plan, plan


def test_no_data(authority: Authority) -> None:
    """Without a change there is no figure, not a good one."""
    for met in read(authority).values():
        assert (met.changes, met.is_met, met.p50_seconds, met.budget_left, met.burn) == (
            0,
            *[None] * 4,
        )
        assert met.slowest == ()


def test_a_target_of_all_has_figures(authority: Authority) -> None:
    """It allows none: each late change uses a whole budget. JSON has no infinity, and null is "no data"."""
    authority.apply([CreateOrganization()])
    at = microseconds(NOW)
    write(authority, [Logged(1, 100 + n, at - 50, "revokes", 2_000_000 * n) for n in range(3)])
    targets = {Direction.REVOKES: Target(1.0, 1.0)}
    (met,) = attainments(authority.store, targets=targets, now=NOW)
    assert (met.is_met, met.late, met.budget_left, met.burn) == (False, 2, -1.0, 2.0)


def test_no_change_was_enforced_before_it_was_recorded(authority: Authority) -> None:
    """Where one machine's clock is behind the other's, the time is 0."""
    authority.apply([CreateOrganization()])
    at = microseconds(NOW) - HOUR
    write(authority, [Logged(1, 100 + n, at, "revokes", -5_000_000) for n in range(3)])
    met = read(authority)[Direction.REVOKES]
    assert (met.within, met.p50_seconds, met.p99_seconds) == (3, 0.0, 0.0)
    assert {each.seconds for each in met.slowest} == {0.0}


def test_each_note_has_the_time_of_its_change(authority: Authority) -> None:
    """So the log is not searched for it. A row of older code gets it with the next note; a grant has none."""
    authority.apply([CreateOrganization(), AddMembership(subject="ada")])
    ((o, *_),) = authority.store.fetch("plan", {"organization": "acme"})
    since = microseconds(NOW) - HOUR
    write(
        authority,
        [
            Logged(o, 30, since, "revokes", 7),
            Logged(o, 31, since + 1, "revokes", None),
            Logged(o, 32, since + 2, "grants", 7),
        ],
    )
    kept = (
        "SELECT revision, enforced_at, recorded_at FROM rescind.enforcement WHERE revision >= 30"
        " ORDER BY revision"
    )
    assert _rows(authority, kept) == [(30, since + 7, None)]
    for at in (since + 5, since + 6):  # the earlier time stays
        notes = [{"o": o, "revision": revision, "at": at} for revision in (30, 31, 32, 33)]
        authority.store.execute_alone("record_enforced", {"notes": json.dumps(notes)})
        assert _rows(authority, kept) == [
            (30, since + 5, since),
            (31, since + 5, since + 1),
            (32, since + 5, None),
        ]
    met = read(authority)[Direction.REVOKES]
    assert (met.changes, met.undecided) == (2, 0)


def _rows(authority: Authority, sql: str) -> list[tuple[Any, ...]]:
    with authority.store.connection() as connection:
        driver: Any = connection
        return [tuple(row) for row in driver.execute(ours(authority, sql)).fetchall()]


def test_a_note_whose_change_is_gone_takes_none_away(authority: Authority) -> None:
    """One that is written while the log is pruned may stay. It is no undecided change, and not fewer than
    none."""
    authority.apply([CreateOrganization()])
    at = microseconds(NOW) - HOUR
    write(authority, [Logged(1, 100 + n, at, "revokes", 5) for n in range(3)])
    with authority.store.connection() as connection:
        driver: Any = connection
        driver.execute(
            ours(
                authority,
                "INSERT INTO rescind.enforcement (organization, revision, enforced_at, recorded_at)"
                f" VALUES (1, 200, {at + 5}, {at})",
            )
        )
    assert read(authority)[Direction.REVOKES].undecided == 0


def test_of_real_changes(authority: Authority) -> None:
    """What was revoked and given here is found, by organization and in all; another's is not."""
    authority.apply([CreateOrganization(), AddMembership(subject="ada"), CreateGroup(group="eng")])
    authority.apply([AddMembers(group="eng", members=("ada",))])
    authority.apply([RemoveMembers(group="eng", members=("ada",))])
    authority.apply([CreateOrganization()], organization="other")
    later = datetime.now(UTC) + timedelta(seconds=1)
    log = list(authority.log())
    revoked = [each for each in log if each.direction is Direction.REVOKES]
    options: dict[str, Any] = {"targets": TARGETS, "now": later}
    revocations, grants = attainments(authority.store, organization="acme", **options)
    assert revocations.changes + revocations.undecided == len(revoked)
    assert grants.changes + grants.undecided == len(log) - len(revoked)
    assert {each.organization for each in grants.slowest} == {"acme"}
    _, everywhere = attainments(authority.store, **options)
    assert everywhere.changes + everywhere.undecided == len(log) - len(revoked) + 1
    with pytest.raises(OrganizationNotFound):
        attainments(authority.store, organization="nowhere", **options)
    for wrong in (0, -1, math.inf, math.nan, 1e12):
        with pytest.raises(InvalidArgument, match="window"):
            attainments(authority.store, window_seconds=wrong, **options)


def test_command(rescind: CommandLine, tmp_path: Path) -> None:
    """Without data it says so; a target that was missed exits with 1; hostile names do no harm."""
    rescind("init")
    code, out, _ = rescind("targets")
    assert code == 0
    assert "no data" in out
    rescind("add-membership", "ada")
    code, out, _ = rescind("targets", "--window", "1h")
    assert code == 0
    assert "met: 2 of 2" in out
    assert "revocations: 99.99 % enforced within 1 s" in out
    config = tmp_path / "targets.toml"
    config.write_text("[settings]\ngrant_target_seconds = 0.0\n", "utf-8")
    with Authority.open(str(tmp_path / "rescind.db")) as authority:
        write(authority, [Logged(1, 500, microseconds(datetime.now(UTC)) - 5, "grants", 3)])
    code, out, _ = rescind("targets", "--config", str(config), "--json")
    assert code == 1
    assert '"is_met":false' in out
    assert "--window" in one_error(rescind("targets", "--window", "\x1b[2Jnever"))
    assert "--window" in one_error(rescind("targets", "--window", "0d"))
