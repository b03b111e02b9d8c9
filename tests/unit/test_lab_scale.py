"""What is written in bulk is what changes would write; what is fitted goes through what was measured."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from lab import scale
from lab.scale.fit import fit
from lab.scale.grown import growth
from lab.scale.many import organizations
from lab.scale.one import audited
from lab.scale.table import shape
from lab.world_facts import WIDE, wide, write, write_organizations

from rescind import Authority, changes
from rescind.store.migrations import migrate

SMALL = wide(1_000)


def fresh(folder: Path) -> str:
    """A migrated database."""
    url = str(folder / "scale.db")
    migrate(url)
    return url


def test_bulk_inserts_are_what_changes_write(tmp_path: Path) -> None:
    """Checks and lists answer as in the organization that changes make, and a change works in both."""
    answers = []
    for number, made in enumerate(("bulk", "changes")):
        url = str(tmp_path / f"{number}.db")
        migrate(url)
        if made == "bulk":
            write("sqlite", url, SMALL)
        with Authority.open(url, organization="lab", index=True) as authority:
            if made == "changes":
                SMALL.record(authority)
            authority.load()
            questions = SMALL.questions(random.Random(5), 400)
            found = [[bool(one) for one in authority.check_many(questions)]]
            found.append(
                [str(x) for x in authority.resources_of("user:7", "read", limit=9_999).items]
            )
            found.append(
                sorted(str(x) for x in authority.who_can("read", "doc:3", limit=9_999).items)
            )
            group = SMALL.groups_of(7)[0]
            for kind in (changes.RemoveMembers, changes.AddMembers):
                authority.apply([kind(group=f"g{group}", members=("user:7",))])
                asked = [(s, p, r) for s, p, r in questions if s == "user:7"]
                found.append([bool(one) for one in authority.check_many(asked)])
                left = authority.resources_of("user:7", "read", limit=9_999).items
                found.append(sorted(str(x) for x in left))
            found[1].sort()
            answers.append(found)
    assert answers[0] == answers[1]
    assert {True, False} <= set(answers[0][0])


def test_copies_of_an_organization_are_whole(tmp_path: Path) -> None:
    """Each of many organizations answers, and a change of one leaves the others alone."""
    url = fresh(tmp_path)
    write_organizations("sqlite", url, 5)
    with Authority.open(url) as authority:
        authority.apply(
            [changes.RemoveMembers(group="all", members=("user:1",))], organization="org-3"
        )
        allowed = [
            bool(authority.check("user:1", "read", "doc:0", organization=f"org-{n}"))
            for n in range(5)
        ]
        assert allowed == [True, True, True, False, True]
        assert authority.audit_replay().is_clean


def test_the_smallest_sizes_are_measured(tmp_path: Path) -> None:
    """Audits are clean, no row of a fact is left over, and every figure is a number."""
    figures = {}
    for name, measure in (
        ("audited", lambda url: audited(url, 60)),
        ("organizations", lambda url: organizations("sqlite", url, 4, 2)),
        ("growth", lambda url: growth("sqlite", url, 4)),
    ):
        folder = tmp_path / name
        folder.mkdir()
        figures |= {f"{name}.{what}": value for what, value in measure(fresh(folder)).items()}
    assert figures["growth.rows_left"] == 0
    assert figures["audited.audit_rows"] > 0
    assert all(isinstance(value, float) for value in figures.values())


def test_sizes_are_in_proportion() -> None:
    """A user's groups are all different at every size, and the whole world is the wide one."""
    assert wide(WIDE.users) == WIDE
    for size in (*scale.SIZES, *scale.AUDITED):
        groups = wide(size).groups_of(7)
        assert len(set(groups)) == WIDE.groups_a_user
    for small, large in pairwise(scale.SIZES):
        ratio = wide(large).group_count / wide(small).group_count
        assert ratio == pytest.approx(10, rel=0.1)


# --- fit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_a_power_law_is_found(exponent: float) -> None:
    """Exactly, from its points, and with it what lies beyond; small sizes are not counted."""
    points = {size: 3 * size**exponent for size in (10, 100, 1_000)}
    line = fit({1: 1e9, **points})
    assert line is not None
    assert line.exponent == pytest.approx(exponent)
    assert line.at(10_000) == pytest.approx(3 * 10_000**exponent)


def test_one_point_is_no_line() -> None:
    """Nothing is fitted to fewer than two sizes, nor to what was not measurable."""
    assert fit({}) is None
    assert fit({10: 1.0}) is None
    assert fit({10: 0.0, 100: 1.0}) is None


def figures() -> Iterator[tuple[str, float]]:
    """Of two sizes on one engine."""
    for size in (1_000, 10_000):
        yield f"scale.sqlite.{size}.load_s", size / 100_000
    yield "scale.sqlite.growth.rows_left", 0.0
    yield "scale.bytes_per_membership", 900.0


def test_the_table_marks_what_is_fitted() -> None:
    """What was not measured is in italics, with how it grows."""
    whole = {**dict(figures()), **scale.fitted(dict(figures()))}
    text = shape(whole, scale.GOALS).markdown()
    assert "| 10,000,000 (fitted) |" in text
    assert "| load, s, SQLite | 0.01 | 0.1 | *100* | 1 |" in text
    assert "≤ 800: **missed**" in text
    for page in (text, shape({}, scale.GOALS).markdown()):
        lines = page.splitlines()
        assert {line.count("|") for line in lines} == {lines[0].count("|")}


def test_plots_label_what_is_fitted() -> None:
    """A plot for each cost that was measured, with a legend for the dashed line."""
    drawn = scale.plot({"figures": dict(figures())})
    assert [plot.name for plot in drawn] == ["load"]
    for plot in drawn:
        assert "fitted" in plot.svg
        assert "not measured" in plot.alt
