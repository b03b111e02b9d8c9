"""Hash partitions by organization: the same schema, one partition for one organization's work."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from rescind import Authority, changes
from rescind.errors import InvalidArgument
from rescind.propagation.jobs import Job
from rescind.propagation.work import Work
from rescind.store import Store, open_store
from rescind.store.migrations import migrate, scripts
from rescind.store.migrations.catalog import Catalog, catalog
from rescind.store.partitions import MOST, PARTITIONED, partition_of
from rescind.store.postgres.placement import ACROSS, placing, spread_out
from rescind.store.queries import parameters, queries
from tests.conftest import Admin, as_url, with_database
from tests.contract.world import WORLD
from tests.faults.server import until
from tests.faults.small import Steady
from tests.jobs import due_jobs

PARTITIONS = 4
SCALING = Path(__file__).parents[2] / "docs" / "explanation" / "scaling-out.md"


@pytest.fixture(scope="module")
def parted(postgres_server: str, postgres_admin: Admin) -> Iterator[str]:
    """The URL of a database with partitions, whose organization `acme` has the facts of WORLD."""
    name = f"rescind_parted_{random.randrange(10**9)}"
    postgres_admin.execute(f"CREATE DATABASE {name}")
    url = as_url(with_database(postgres_server, name))
    migrate(url, partitions=PARTITIONS)
    with Authority.open(url, organization="acme") as authority:
        authority.apply(WORLD)
    yield url
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def schema_of(url: str) -> Catalog:
    """The objects of the schema."""
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.connect() as connection:
        found = catalog(connection, "rescind")
    engine.dispose()
    return found


# --- the schema -----------------------------------------------------------------------------------


def test_partitions_change_nothing_else(parted: str, postgres_server: str) -> None:
    """Tables, columns, keys, indexes, triggers, functions and statistics are those of plain tables."""
    plain = as_url(with_database(postgres_server, _plain(postgres_server)))
    assert schema_of(parted) == schema_of(plain)


def _plain(server: str) -> str:
    name = f"rescind_plain_{random.randrange(10**9)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    migrate(as_url(with_database(server, name)))
    return name


def test_an_altered_schema_is_repaired(parted: str, caplog: pytest.LogCaptureFixture) -> None:
    """`migrate` finds nothing to repair; an index that is dropped is made again, on every partition."""
    before = schema_of(parted)
    with caplog.at_level(logging.WARNING):
        migrate(parted, partitions=PARTITIONS)
    assert not caplog.records
    with psycopg.connect(parted, autocommit=True) as connection:
        connection.execute("DROP INDEX rescind.group_member_by_group")
    migrate(parted)
    assert schema_of(parted) == before


LATER = """
CREATE TABLE rescind.review_note (
    organization INTEGER NOT NULL,
    note INTEGER NOT NULL,
    PRIMARY KEY (organization, note)
);

ALTER TABLE rescind.membership ADD COLUMN nickname TEXT COLLATE "C";

CREATE INDEX membership_by_nickname ON rescind.membership (organization, nickname) WHERE nickname IS NOT NULL;
"""


def test_a_later_migration(parted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A migration as it is written for plain tables works on partitions, and reaches each of them."""
    script = tmp_path / "later.sql"
    script.write_text(LATER, "utf-8")
    monkeypatch.setattr(scripts, "script_of", lambda *_: script)
    monkeypatch.setattr("rescind.store.partitions.PARTITIONED", PARTITIONED | {"review_note"})
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(parted)
    )
    with engine.connect() as connection:
        scripts.run_script(connection, "9999")
        names = "SELECT count(*) FROM pg_class WHERE relname LIKE 'review\\_note\\_p_'"
        assert connection.exec_driver_sql(names).scalar() == PARTITIONS
        columns = "SELECT count(*) FROM pg_attribute WHERE attname = 'nickname'"  # of indexes too
        assert connection.exec_driver_sql(columns).scalar() == 2 * PARTITIONS + 2
        connection.rollback()
    engine.dispose()


def test_every_table_is_partitioned_or_named_as_global(parted: str) -> None:
    """The page names each table that all organizations share, and no other."""
    tables = {item.name for item in schema_of(parted) if item.kind == "table"}
    page = SCALING.read_text("utf-8").partition("## Global tables")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))))
    assert tables - PARTITIONED == named
    assert tables > PARTITIONED


@pytest.mark.parametrize("asked", [0, 1, -4, MOST + 1])
def test_a_number_out_of_range(asked: int) -> None:
    """It is refused before anything is connected to."""
    with pytest.raises(InvalidArgument, match=rf"{asked}.*from 2 to {MOST}"):
        migrate("postgresql://nowhere.invalid/x", partitions=asked)


def test_sqlite_has_no_partitions(tmp_path: Path) -> None:
    """It is refused, and no file is made."""
    with pytest.raises(InvalidArgument, match="SQLite has no partitions"):
        migrate(str(tmp_path / "new.db"), partitions=4)
    assert not list(tmp_path.iterdir())


def test_another_number_of_partitions(parted: str) -> None:
    """An existing database keeps its number; another one is refused, with what to do."""
    with pytest.raises(InvalidArgument, match=r"partitions.*8.*has 4.*partition-a-database"):
        migrate(parted, partitions=8)


# --- where an organization is ---------------------------------------------------------------------


def test_an_organizations_partition(parted: str) -> None:
    """It is the one in which PostgreSQL looks for it."""
    numbers = [0, 1, 2, 2**31 - 1, *random.Random(1).sample(range(2**31), 200)]
    with psycopg.connect(parted) as connection:
        found = connection.execute(
            "SELECT n, p FROM unnest(%s::integer[]) AS n, generate_series(0, %s - 1) AS p"
            " WHERE satisfies_hash_partition('rescind.change'::regclass, %s, p, n)",
            (numbers, PARTITIONS, PARTITIONS),
        ).fetchall()
    assert dict(found) == {number: partition_of(number, PARTITIONS) for number in numbers}


def test_a_row_in_the_wrong_partition_is_refused(parted: str) -> None:
    """PostgreSQL refuses it: a statement with wrong names writes nothing."""
    wrong = (partition_of(1, PARTITIONS) + 1) % PARTITIONS
    with (
        psycopg.connect(parted) as connection,
        pytest.raises(psycopg.errors.CheckViolation, match="partition constraint"),
    ):
        connection.execute(f"INSERT INTO rescind.effective_role_p{wrong} VALUES (1, 1, 1)")


# --- what statements read -------------------------------------------------------------------------

Plan = dict[str, Any]
TIED = frozenset(
    {
        *("read_keyed_outcome", "read_log"),  # other organizations' changes only for number 0
        *("find_log_needs", "note_permission_in_force", "note_role_permissions_lost"),
        *("note_role_ranks", "refuse_role_in_use", "forget_role_of_deleted"),  # its own roles
        *("close_change", "close_keyed_change"),  # the change before the one that is recorded
        *("read_recorded", "insert_resource", "pend_given", "pend_ended"),
        *("pend_repair", "remember_required", "refuse_required_lost", "refuse_required_expiring"),
        *("warn_required_expiring", "note_membership_has_access", "list_subjects_allowed"),
        *("list_role_won", "name_membership", "find_assignments", "refuse_resource_type_in_use"),
        "refuse_moved_definitions",
        "list_due",  # ranges of an index that begin and end in the organization
        "page_group_assignments_asc",
        "page_group_assignments_desc",
        "page_assignments_of_membership_asc",
        "page_assignments_of_membership_desc",
        "page_assignments_on_resource_asc",
        "page_assignments_on_resource_desc",
    }
)
"""Queries whose tables the planner does not tie to `:o` by itself: they are tied through a join with the
organization's row, or with a row of the organization. Read by hand.
"""
UNTYPED = frozenset({"refuse_pending_moved"})
"""Queries that cannot be explained without the types of their parameters. Read by hand."""


def relations(plan: Plan) -> set[str]:
    """The tables that a plan reads or writes."""
    own = {plan["Relation Name"]} if "Relation Name" in plan else set()
    return own.union(*(relations(part) for part in plan.get("Plans", ())))


def explained(connection: psycopg.Connection[Any], sql: str, organization: int) -> set[str]:
    """The partitions in the plan of a query for that organization, its other parameters unknown."""
    places = sorted(parameters(sql) - {"o"})

    def numbered(match: re.Match[str]) -> str:
        name = match[1]
        return f"CAST({organization} AS bigint)" if name == "o" else f"${places.index(name) + 1}"

    text = re.sub(r"%\((\w+)\)s", numbered, sql).replace("%%", "%")
    found = connection.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {text}").fetchone()
    assert found is not None
    return {
        match[1]
        for name in relations(found[0][0]["Plan"])
        if (match := re.search(r"_p(\d+)$", name))
    }


def test_each_query_about_an_organization_reads_one_partition(parted: str) -> None:
    """The planner proves it for the queries as written, but for those that were read by hand; and with the
    partition's names it holds for all. (Control: the queries in ACROSS read all.)
    """
    written = queries("postgres")
    about = {name for name, sql in written.items() if "%(o)s" in sql} - UNTYPED
    spread, place = spread_out(written, "rescind"), placing(PARTITIONS, "rescind")
    mine = {str(partition_of(1, PARTITIONS))}
    unproven = set()
    with psycopg.connect(parted, autocommit=True) as connection:
        for name in sorted(about):
            if explained(connection, written[name], 1) - mine:
                unproven.add(name)
            asked = explained(connection, place(spread[name], {"o": 1}), 1)
            assert name in ACROSS or asked <= mine, name
    assert unproven == TIED | ACROSS


TOUCHED = """
SELECT DISTINCT CAST(substring(relname FROM '_p(\\d+)$') AS integer) FROM pg_stat_user_tables
WHERE relname ~ '_p\\d+$' AND seq_scan + COALESCE(idx_scan, 0) + n_tup_ins + n_tup_upd + n_tup_del > 0"""


def alone(connection: psycopg.Connection[Any]) -> None:
    """Wait until all other connections to the database have ended, and have told what they did."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    until(lambda: connection.execute(others).fetchone() == (0,))


def touched(url: str) -> set[int]:
    """The partitions that were read or written since the statistics were reset, by triggers, functions and
    foreign keys too.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        alone(connection)
        return {number for (number,) in connection.execute(TOUCHED)}


def reset(url: str) -> None:
    """Forget which partitions were read or written."""
    with psycopg.connect(url, autocommit=True) as connection:
        alone(connection)
        connection.execute("SELECT pg_stat_reset()")


def work_of_an_organization(store: Store, job: Job) -> None:
    """Changes, checks, lists and a chunk of background work of one organization."""
    with Authority(store, organization="acme") as authority:
        assert authority.check("user:ada", "read")
        authority.apply([changes.AddMembers(group="eng", members=("user:bob",))])
        authority.apply([changes.RemoveMembers(group="eng", members=("user:bob",))])
        authority.apply([changes.CreateGroup(group="some")], idempotency_key="once")
        authority.apply([changes.Assign(role="writer", to="group:staff")], route="background")
        assert Work(store, job).step(Steady(100)).is_settled  # type: ignore[arg-type]
        assert authority.check("user:ada", "read", assurance="live")
        assert authority.who_can("read").items
        assert authority.resources_of("user:ada", "read").items


def test_the_work_of_an_organization_touches_one_partition(parted: str) -> None:
    """A change, a check, a chunk and a list read and write the organization's partition only, whatever they
    call. (Control: a look for due work in all organizations reads all.)
    """
    with Authority.open(parted, organization="acme") as authority:
        authority.apply([changes.Assign(role="reader", to="group:eng")], route="background")
        (job,) = due_jobs(authority.store)
    reset(parted)
    work_of_an_organization(open_store(parted), job)
    assert touched(parted) == {partition_of(1, PARTITIONS)}
    with Authority.open(parted) as authority:
        assert due_jobs(authority.store)
    assert touched(parted) == set(range(PARTITIONS))


def test_an_organization_made_again_under_its_name(parted: str) -> None:
    """A check looks for it where it is now, though its predecessor was in another partition."""
    with Authority.open(parted, organization="phoenix") as authority:
        places = set()
        for _ in range(4):
            authority.apply(
                [
                    changes.CreateOrganization(),
                    changes.DefinePermission(permission="see"),
                    changes.DefineRole(role="seer", permissions=("see",)),
                    changes.AddMembership(subject="user:ada"),
                    changes.Assign(role="seer", to="user:ada"),
                ]
            )
            assert authority.check("user:ada", "see")
            assert authority.check("user:ada", "see", assurance="live")
            with psycopg.connect(parted) as connection:
                found = "SELECT id FROM rescind.organization WHERE slug = 'phoenix'"
                ((number,),) = connection.execute(found).fetchall()
            places.add(partition_of(number, PARTITIONS))
            authority.apply([changes.DeleteOrganization(cascade=True)])
            assert not authority.check("user:ada", "see")
        assert len(places) > 1
