"""Queries by name: each there for both engines, used, and given what it asks for."""

from __future__ import annotations

import ast
import itertools
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import get_args

import psycopg
import pytest

import rescind
from rescind import ENVIRONMENT, Authority, changes
from rescind.applying import apply as recorder
from rescind.changes import Change
from rescind.errors import RescindError
from rescind.propagation.budget import FORCED
from rescind.propagation.reconcile import reconcile
from rescind.store import contract
from rescind.store.postgres import configure
from rescind.store.probe import without_effect
from rescind.store.queries import (
    OF_USERS,
    SHARED,
    Engine,
    fragments_in,
    parameters,
    queries,
    sources,
)
from rescind.store.sqlite import connect
from tests.contract.test_noops import NOOPS
from tests.contract.test_not_found import ABSENT
from tests.contract.test_refusals import CONTRADICTING, IN_USE, MISSING
from tests.contract.world import SOONER, WORLD
from tests.probe import Probe
from tests.sql import ours
from tests.state import may

ENGINES = get_args(Engine)
OF_ONE_ENGINE = {
    "sqlite": {
        "check_plan",
        "advance_revision",
        "record_change",
        "read_unaltered",
        "keep_not_found",
        *("draft_action", "record_action", "advance_actions"),
    },
    "postgres": {
        *("begin", "close_change", "close_keyed_change", "insert_service_action"),
        *("register_replica", "renew_lease", "forget_replica", "forget_silent_replica"),
        *(
            "hold_organization",
            "release_organization",
            "acknowledge",
            "list_leases",
            "count_replicas",
        ),
    },
}
"""How each does the frame of a change in its own way; and replicas, which need a server."""


def _names(*given: str) -> list[str]:
    text = "".join(files("rescind.store.sql").joinpath(name).read_text("utf-8") for name in given)
    return re.findall(r"^-- (?:name|fragment): ([\w.]+)", text, re.MULTILINE)


def test_every_query_exists_for_both_engines() -> None:
    """But for the frame of a change, and replicas."""
    names = {engine: queries(engine).keys() - OF_ONE_ENGINE[engine] for engine in ENGINES}
    assert names["sqlite"] == names["postgres"]
    assert all(OF_ONE_ENGINE[engine] <= queries(engine).keys() for engine in ENGINES)


def test_no_name_is_given_twice() -> None:
    """A query that overrides another is in an engine's own file."""
    names = _names(*SHARED)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("engine", ENGINES)
def test_every_fragment_is_filled_in(engine: Engine) -> None:
    """Nothing of the files' own notation is left, and nothing is cut off."""
    for name, sql in queries(engine).items():
        assert not re.search(r"@\w+\.\w|^@|--", sql, re.MULTILINE), name
        assert sql.count("(") == sql.count(")"), name


@pytest.mark.parametrize("engine", ENGINES)
def test_fragments_are_at_most_two_levels_deep(engine: Engine) -> None:
    """A query uses a fragment, and that may use others, which use none."""
    _, fragments = sources(engine)
    for name, sql in fragments.items():
        for inner in fragments_in(sql):
            assert not fragments_in(fragments[inner]), f"{name} uses {inner}, which uses others"


@pytest.mark.parametrize("engine", ENGINES)
def test_fragments_are_whole_clauses(engine: Engine) -> None:
    """Nothing that one opens is closed elsewhere, and commas stand where it is used."""
    _, fragments = sources(engine)
    for name, sql in fragments.items():
        assert sql.count("(") == sql.count(")"), name
        assert len(re.findall(r"\bCASE\b", sql)) == len(re.findall(r"\bEND\b", sql)), name
        assert not sql.startswith((",", ")")), name
        assert not sql.endswith((",", "(")), name


def test_fragments_are_named_with_their_file_and_shared() -> None:
    """`@pairs.upward` is in pairs.sql. One that is used once is written where it is used, unless it is what
    an engine puts in place of another's.
    """
    files = {name.removesuffix(".sql") for name in (*SHARED, "sqlite.sql", "postgres.sql")}
    uses: Counter[str] = Counter()
    overridden = {name for name in _names("sqlite.sql", "postgres.sql") if "." in name}
    defined: set[str] = set()
    for engine in ENGINES:
        found, fragments = sources(engine)
        defined |= fragments.keys()
        of_engine: Counter[str] = Counter()
        for sql in (*found.values(), *fragments.values()):
            of_engine.update(fragments_in(sql))
        assert of_engine.keys() <= fragments.keys()
        uses |= of_engine
    assert {name.split(".")[0] for name in defined} <= files | {"engine"}
    assert {name for name in defined - overridden if uses[name] < 2} == set()


def _names_in(code: Path) -> Iterator[re.Pattern[str]]:
    """What may name a query: each text, with a word for each gap that is filled in later."""
    for node in ast.walk(ast.parse(code.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.compile(re.escape(node.value))
        elif isinstance(node, ast.JoinedStr):
            parts = (
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[a-z_]+"
                for part in node.values
            )
            yield re.compile("".join(parts))
        elif isinstance(node, (ast.Name, ast.Attribute)):  # a query with the type of its rows
            yield re.compile((node.id if isinstance(node, ast.Name) else node.attr).lower())


def test_no_query_is_unused() -> None:
    """Each is named in the source, or by what it begins with. (Control: one that nobody names is found.)"""
    root = Path(rescind.__file__).parent
    files = [file for file in root.rglob("*.py") if file.parent != root / "store" / "rows"]
    named = {pattern for file in files for pattern in _names_in(file)}
    plain = {pattern.pattern for pattern in named}
    woven = [p for p in named if "[a-z_]+" in p.pattern and re.match(r"[a-z]+_", p.pattern)]
    everything = queries("sqlite").keys() | queries("postgres").keys() | {"read_nothing"}
    unused = {name for name in everything - plain if not any(p.fullmatch(name) for p in woven)}
    assert unused == {"read_nothing"}


def test_parameters_are_seen_in_both_styles() -> None:
    """Casts, texts and JSON operators are no parameters."""
    assert parameters("SELECT :a, b::text, 'x:y', c ->> 'd' WHERE e = :f_g") == {"a", "f_g"}
    assert parameters("SELECT %(a)s, '%%' WHERE e = %(f_g)s") == {"a", "f_g"}


def test_nothing_in_a_query_reads_a_clock_but_pending_work() -> None:
    """Time is a parameter; what workers share is the database's, by one fragment."""
    clocks = ("now()", "clock_timestamp", "current_timestamp", "julianday", "datetime(")
    for engine in ENGINES:
        for name, sql in queries(engine).items():
            if any(clock in sql.lower() for clock in clocks):
                of_work = any(
                    kind in sql for kind in ("pending", "deletion", "audit_", "task_lease")
                )
                assert of_work or name in ("begin", "read_held"), name


DEEDS: list[Change] = [
    changes.SetDefaultRole(role="reader"),
    changes.Unassign(role="owner", to="ada"),
    changes.DeactivateMembership(subject="ada"),
    changes.EditRole(role="reader", add=("write",), priority=7, critical=True, name="Reader"),
    changes.EditRole(role="reader", required=True),
    changes.EditPermission(permission="read", critical=True, description="see"),
    changes.DeleteRole(role="unused"),
    changes.DeletePermission(permission="spare"),
    changes.DeleteResourceType(type="note"),
    changes.DeleteResource(resource="folder:a", cascade=True),
    changes.DeletePermission(permission="write", cascade=True),
    changes.DeleteGroup(group="eng", cascade=True),
    changes.DeleteGroup(group="idle"),
    changes.RemoveMembership(subject="ada"),
    changes.DeleteRole(role="owner", cascade=True),
    changes.DeleteOrganization(cascade=True),
    changes.SetRoleMode(mode="single"),
]
PENDING: list[Change] = [
    changes.AddMembers(group="eng", members=("cyd", "bob"), expires_at=SOONER),
    changes.RemoveMembers(group="eng", members=("ada",)),
    changes.Unassign(role="writer", to="group:eng", on="folder:a"),
    changes.Assign(role="owner", to="group:eng"),
    changes.UnnestGroup(group="eng", out_of="staff"),
]
NOT_HERE = {
    "sqlite": {"effective_permission_view", "confirm_keyed_outcome"},
    "postgres": {"effective_permission_view"},
}
"""Queries that nothing runs on an engine: a view for others to read, and what standbys need."""
OF_CHANGES_AND_QUESTIONS = ("changes.sql", "pairs.sql", "decisions.sql", "pending.sql")


def test_every_query_runs_with_what_it_is_given(
    authority: Authority, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each one by the changes and questions that use it, on each engine, by both routes."""
    receipt = authority.apply(WORLD, idempotency_key="k")
    assert authority.apply(WORLD, idempotency_key="k") == receipt
    replace(receipt, enforced_at=None).enforce()
    authority.apply([change for change, _ in ABSENT], idempotency_key="absent")
    authority.apply([changes.CreateGroup(group="later")], if_revision=receipt.token)
    refused = [change for change, *_ in (*MISSING, *CONTRADICTING, *IN_USE)]
    for mode, budget in itertools.product(("multiple", "single"), FORCED.values()):
        monkeypatch.setattr(recorder, "BACKGROUND", budget)
        authority.apply([changes.SetRoleMode(mode=mode)])
        for change in (*NOOPS, *DEEDS, *PENDING, *refused, *(change for change, _ in ABSENT)):
            with suppress(RescindError):
                authority.preview([change])
        for permission in ("read", "purge") * 2:
            may(authority, "user:ada", permission, "doc:1")
    for change in (changes.SetRoleMode(mode="multiple"), *PENDING):
        authority.apply([change], route="background")
        reconcile(authority.store, "acme", "eng")
    _share_a_role(authority)
    _take_a_name_again(authority)
    named = queries(authority.store.engine).keys() & set(_names(*OF_CHANGES_AND_QUESTIONS))
    assert named - probe.run == NOT_HERE[authority.store.engine]


def _share_a_role(authority: Authority) -> None:
    """A role of all organizations, used by one and deleted."""
    authority.apply([changes.DefineRole(role="shared")], organization=ENVIRONMENT)
    authority.apply([changes.Assign(role="shared", to="user:ada")])
    delete = changes.DeleteRole(role="shared", cascade=True)
    authority.apply([delete], organization=ENVIRONMENT)


def _take_a_name_again(authority: Authority) -> None:
    """A keyed change of an organization whose name another had."""
    create, delete = [changes.CreateOrganization()], [changes.DeleteOrganization(cascade=True)]
    for batch in (create, delete, create):
        authority.apply(batch, organization="again")
    group = [changes.CreateGroup(group="new")]
    authority.apply(group, organization="again", idempotency_key="k")


def test_no_look_up_fills_a_bloom_filter(new_database: Callable[[str], str]) -> None:
    """SQLite looks up what a query needs; it does not go through a table first. (Control: a product of two
    recursive sets that is not limited is looked up by way of a filter.)
    """
    product = queries("sqlite")["drop_for_nesting"].replace("LIMIT 1000000000", "")
    with closing(connect(new_database("sqlite").removeprefix("sqlite:///"))) as connection:
        connection.create_function("rescind_tallied", 1, len)
        found = {
            name
            for name, sql in {**queries("sqlite"), "product": product}.items()
            if name not in OF_USERS and "BLOOM FILTER" in _plan(connection, sql)
        }
    assert found == {"product"}


def _plan(connection: sqlite3.Connection, sql: str) -> str:
    nothing = dict.fromkeys(parameters(sql))
    return str(connection.execute(f"EXPLAIN QUERY PLAN {sql}", nothing).fetchall())


def test_nobody_goes_up_through_all_resources(new_database: Callable[[str], str]) -> None:
    """PostgreSQL takes each step up by its key, also where nothing was analysed yet, and a live decision
    looks at nothing but pairs of holder and place. (Control: a plain condition on the parent is looked
    up among all of them, since it knows of none.)
    """
    up = queries("postgres")["check_live_multiple"]
    found = set()
    with psycopg.connect(new_database("postgres"), autocommit=True) as connection:
        configure(connection)
        tempted = up.replace("COALESCE(x.parent, 0) <> 0", "x.parent <> 0")
        for name, sql in {**queries("postgres"), "tempted": tempted}.items():
            if "RECURSIVE" in sql and name not in OF_USERS:
                plan = _generic_plan(connection, sql)
                if re.search(r"parent (IS NOT NULL|<> 0|>)\S*\)", plan):
                    found.add(name)
        assert "holder = ANY" in _generic_plan(connection, up)
    assert found == {"tempted"}


def _generic_plan(connection: psycopg.Connection[tuple[str]], sql: str) -> str:
    places = {name: f"${number}" for number, name in enumerate(sorted(parameters(sql)), 1)}
    text = re.sub(r"%\((\w+)\)s", lambda match: places[match[1]], sql).replace("%%", "%")
    rows = connection.execute(f"EXPLAIN (COSTS OFF, GENERIC_PLAN) {text}".encode())
    return "\n".join(line for (line,) in rows)


def test_every_query_can_be_left_out(new_database: Callable[[str], str]) -> None:
    """What a probe omits is a statement that the engine takes, and that writes nothing and finds nothing."""
    with closing(connect(new_database("sqlite").removeprefix("sqlite:///"))) as connection:
        connection.create_function("rescind_tallied", 1, len)
        for name in queries("sqlite").keys() - OF_USERS:
            sql = without_effect(queries("sqlite")[name])
            nothing = dict.fromkeys(parameters(sql))
            assert connection.execute(sql, nothing).fetchall() == [], name
        assert connection.total_changes == 0
    with psycopg.connect(new_database("postgres"), autocommit=True) as server:
        for name in queries("postgres").keys() - OF_USERS:
            sql = queries("postgres")[name]
            try:
                _generic_plan(server, sql)
            except psycopg.errors.UndefinedFunction:  # it has to be told the parameters' types
                continue
            plan = _generic_plan(server, without_effect(sql))
            assert re.search(r"One-Time Filter: .*\bfalse\b", plan), name


@pytest.mark.parametrize("is_by_holder", [True, False])
def test_a_role_that_many_hold_is_looked_up_by_its_holder(
    new_database: Callable[[str], str], is_by_holder: bool
) -> None:
    """Whether a holder has a role on a resource costs the same however many others have it there. (Control:
    where the index cannot be asked for the holder, all of them are gone through.)
    """
    names = {"o": 1, "subject": "user:ada", "group": None, "given": "[]"}
    of_holders = [sql for sql in queries("postgres").values() if "a.holder = (SELECT" in sql]
    looked_up: list[str] = []
    with psycopg.connect(new_database("postgres"), autocommit=True) as connection:
        configure(connection)
        for sql in of_holders:
            if not parameters(sql) <= names.keys() or "resource = g.resource" not in sql:
                continue
            asked = sql if is_by_holder else sql.replace("a.holder = (", "a.holder + 0 = (")
            plan = connection.execute(f"EXPLAIN {asked}", names, prepare=True).fetchall()
            looked_up += [line for (line,) in plan if "Index Cond" in line and "resource =" in line]
    assert len(looked_up) >= 5
    assert all("holder =" in line for line in looked_up) == is_by_holder


OF_PENDING = ("list_due", "list_due_organizations", "list_pending_members", "list_pending_groups")
SETTLING = ("settle_pending", "settle_changes", "find_pending", "list_first_pending_of_group")
ALONE = re.compile(
    r"Index Cond: \(organization = \S+\)$|USING \S+(?: \S+)* \(organization=\?\)$", re.M
)


@pytest.mark.parametrize("engine", ENGINES)
def test_pending_work_is_looked_up_by_more_than_its_organization(
    new_database: Callable[[str], str], engine: Engine
) -> None:
    """However much is pending in an organization, a look at some of it does not read the rest. (Control: a
    query that counts all of it is found.)
    """
    asked = {name: queries(engine)[name] for name in OF_PENDING + SETTLING}
    control = ours(engine, "SELECT count(*) FROM rescind.pending WHERE organization = :o")
    asked["control"] = control if engine == "sqlite" else control.replace(":o", "%(o)s")
    database = new_database(engine)
    if engine == "sqlite":
        with closing(connect(database.removeprefix("sqlite:///"))) as connection:
            plans = {name: _plan_lines(connection, sql) for name, sql in asked.items()}
    else:
        with psycopg.connect(database, autocommit=True) as server:
            configure(server)
            plans = {name: _generic_plan(server, sql) for name, sql in asked.items()}
    assert {name for name, plan in plans.items() if ALONE.search(plan)} == {"control"}


OF_FEW = {
    "find_unchained": {"rescind_change_unchained"},
    "expire_reported_members": {"rescind_directory_member_expiring"},
    "expire_reported_roles": {"rescind_directory_given_expiring"},
    "find_next_reported_expiry": {
        "rescind_directory_member_expiring",
        "rescind_directory_given_expiring",
    },
}
"""The queries that look for few rows among many, and the indexes that have only those."""


@pytest.mark.parametrize("is_named", [True, False])
def test_few_rows_are_looked_up_among_themselves(
    new_database: Callable[[str], str], is_named: bool
) -> None:
    """Changes without digest and what will end, however long the log and however much there is. (Control:
    by its statistics alone, SQLite goes through all of it.)
    """
    used = {}
    with closing(connect(new_database("sqlite").removeprefix("sqlite:///"))) as connection:
        for name in OF_FEW:
            sql = queries("sqlite")[name]
            plan = _plan_lines(connection, sql if is_named else re.sub(r"INDEXED BY \w+", "", sql))
            used[name] = OF_FEW[name] & set(re.findall(r"INDEX (\w+)", plan))
    assert used == (OF_FEW if is_named else {name: set() for name in OF_FEW})


def test_postgres_looks_up_changes_without_digest_among_themselves(
    new_database: Callable[[str], str],
) -> None:
    with psycopg.connect(new_database("postgres"), autocommit=True) as server:
        configure(server)
        assert "change_unchained" in _generic_plan(server, queries("postgres")["find_unchained"])


def _plan_lines(connection: sqlite3.Connection, sql: str) -> str:
    nothing = dict.fromkeys(parameters(sql))
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", nothing)
    return "\n".join(text for *_, text in rows)


@pytest.mark.parametrize("engine", ENGINES)
def test_statements_ask_for_counters_that_there_are(engine: Engine) -> None:
    """A counter of another name would read as zero."""
    asked = {
        name
        for sql in queries(engine).values()
        for name in re.findall(r"(?:\b|_)tallied\('(\w+)'\)", sql)
    }
    assert asked
    assert asked <= {counter.value for counter in contract.Counter}
