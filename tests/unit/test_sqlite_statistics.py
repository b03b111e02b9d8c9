"""The planner's statistics in a file are those of the schema, also after somebody had them measured."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rescind import Authority, changes
from rescind.store.sqlite import statistics
from rescind.store.sqlite.connections import Writer
from rescind.store.sqlite.files import connect

MANY = 20_000
REMOVED = changes.RemoveMembers(group="staff", members=("user:ada",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A group of one, with a role and a parent, and many members of other groups."""
    path = tmp_path / "acme.db"
    with Authority.open(path, organization="acme", create=True) as authority:
        authority.apply(
            [
                changes.CreateOrganization(),
                changes.AddMembership(subject="user:ada"),
                changes.CreateGroup(group="staff"),
                changes.CreateGroup(group="everybody"),
                changes.CreateGroup(group="others"),
                changes.NestGroup(group="staff", into="everybody"),
                changes.AddMembers(group="staff", members=("user:ada",)),
                changes.DefineRole(role="reader", permissions=()),
                changes.Assign(role="reader", to="group:everybody"),
            ]
        )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO rescind_membership (organization, id, subject, active, created_at)"
            " WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)"
            " SELECT 1, 1000 + n, 'user:' || n, TRUE, 0 FROM n",
            (MANY,),
        )
        connection.execute(
            'INSERT INTO rescind_group_member (organization, membership, "group")'
            " SELECT 1, m.id, g.id FROM rescind_membership AS m, rescind_group AS g"
            " WHERE m.id > 1000 AND g.slug = 'others'"
        )
        connection.commit()
    return path


def found(path: Path) -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        asked = "SELECT tbl, idx, stat FROM sqlite_stat1 WHERE tbl GLOB 'rescind_*'"
        return {(table, index, text) for table, index, text in connection.execute(asked) if index}


def measure(path: Path) -> None:
    """As an application does that keeps its own statistics current."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS document (id INTEGER PRIMARY KEY, title TEXT)"
        )
        connection.execute("CREATE INDEX IF NOT EXISTS document_by_title ON document (title)")
        connection.execute("INSERT INTO document (title) VALUES ('Handbook')")
        connection.commit()
        connection.execute("ANALYZE")


def steps(path: Path) -> int:
    """Of the virtual machine, for one removal that is undone."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    with (
        Authority.open(path, organization="acme") as authority,
        closing(connect(str(path))) as mine,
    ):
        mine.execute("BEGIN IMMEDIATE")
        mine.set_progress_handler(step, 10)
        authority.apply([REMOVED], within=mine)
        mine.set_progress_handler(None, 0)
        mine.execute("ROLLBACK")
    return count


def fills_bloom_filters() -> bool:
    """Whether this SQLite does for look-ups from a recursion, which it takes for large."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE TABLE edge (tree INTEGER, child INTEGER, parent INTEGER,"
            " PRIMARY KEY (tree, child, parent)) WITHOUT ROWID"
        )
        connection.executemany("INSERT INTO edge VALUES (1, ?, 0)", [(n,) for n in range(100)])
        connection.execute("ANALYZE")
        plan = connection.execute(
            "EXPLAIN QUERY PLAN WITH RECURSIVE up (id) AS (SELECT 1 UNION SELECT e.parent"
            " FROM up CROSS JOIN edge AS e ON e.tree = 1 AND e.child = up.id) SELECT * FROM up"
        ).fetchall()
        return any("BLOOM FILTER" in text for *_, text in plan)


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_removal_costs_the_same_after_they_were_measured(
    path: Path, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    """Control: by measured ones, an SQLite that fills Bloom filters reads all members of all groups."""
    before = steps(path)
    measure(path)
    if not is_guarded:
        monkeypatch.setattr(statistics, "restore", lambda _: None)
    costs_the_same = steps(path) <= before * 1.1
    assert costs_the_same == (is_guarded or not fills_bloom_filters())


def test_opening_puts_them_back_and_leaves_those_of_the_application(path: Path) -> None:
    assert found(path) == set(statistics.stated())
    measure(path)
    assert found(path) != set(statistics.stated())
    with Authority.open(path, organization="acme"):
        assert found(path) == set(statistics.stated())
    with closing(sqlite3.connect(path)) as connection:
        asked = "SELECT stat FROM sqlite_stat1 WHERE idx = 'document_by_title'"
        assert connection.execute(asked).fetchone() == ("1 1",)


def test_control_without_it_measured_ones_stay(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(path)
    monkeypatch.setattr(statistics, "restore", lambda _: None)
    steps(path)
    assert found(path) != set(statistics.stated())


def test_while_another_writes_they_stay_and_the_file_is_used(path: Path) -> None:
    measure(path)
    with closing(connect(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with Authority.open(path, organization="acme") as authority:
            assert not authority.check("user:ada", "doc:read")
        assert found(path) != set(statistics.stated())
        other.execute("ROLLBACK")
    Writer(str(path)).close()
    assert found(path) == set(statistics.stated())


def test_a_file_that_has_them_is_not_written(path: Path) -> None:
    with closing(connect(str(path))) as connection:
        before = connection.execute("PRAGMA data_version").fetchone()
        Writer(str(path)).close()
        assert connection.execute("PRAGMA data_version").fetchone() == before


def test_a_file_without_the_schema_is_left_alone(tmp_path: Path) -> None:
    Writer(str(tmp_path / "new.db")).close()
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def test_the_count_is_that_of_the_schema() -> None:
    large = [row for row in statistics.stated() if row[2].startswith(f"{statistics.STATED} ")]
    assert len(large) == statistics.COUNT
