"""Diamonds of nestings, 32 on each other: 2³² ways up, and every question and change is still quick."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.propagation.audit import audit
from rescind.propagation.worker import Worker
from rescind.store.queries import queries
from rescind.transfer.export import exported

LEVELS = 32
PATIENCE_SECONDS = 120
"""What walks every way would take years; a test that hangs says less than one that fails."""
TOP = f"g{LEVELS}"
ALL_OF_A_NESTING = re.compile(
    r"UNION ALL\s+SELECT(?:(?!UNION|SELECT).)*JOIN (?:LATERAL \(SELECT \* FROM )?"
    r"rescind[._](?:recorded_)?nesting\b",
    re.DOTALL,
)


def _diamonds() -> Iterator[Change]:
    yield changes.CreateOrganization()
    for permission in ("read", "write"):
        yield changes.DefinePermission(permission=permission)
    yield changes.DefineRole(role="reader", permissions=("read",))
    yield changes.DefineResourceType(type="doc")
    yield changes.CreateResource(resource="doc:1")
    yield changes.AddMembership(subject="user:ada")
    yield changes.CreateGroup(group="g0")
    for level in range(LEVELS):
        for group in (f"left{level}", f"right{level}", f"g{level + 1}"):
            yield changes.CreateGroup(group=group)
        for side in (f"left{level}", f"right{level}"):
            yield changes.NestGroup(group=f"g{level}", into=side)
            yield changes.NestGroup(group=side, into=f"g{level + 1}")
    yield changes.AddMembers(group="g0", members=("user:ada",))
    yield changes.Assign(role="reader", to=f"group:{TOP}", on="doc:1")


@pytest.fixture(autouse=True)
def _watched() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise AssertionError("something walks every way")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=[False, True], ids=["store", "memory"])
def stacked(request: pytest.FixtureRequest, database: str) -> Iterator[Authority]:
    """An authority with the diamonds, on each engine, with and without an index."""
    with Authority.open(database, organization="acme", index=request.param) as opened:
        opened.apply(list(_diamonds()))
        if request.param:
            assert opened.load()
        yield opened


def _ask(authority: Authority, *, may: bool) -> None:
    for assurance in ("standard", "live"):
        for permission, want in (("read", may), ("write", False)):
            asked = ("user:ada", permission, "doc:1")
            assert authority.check(*asked, assurance=assurance).allowed is want
            told = authority.explain(*asked, assurance=assurance)
            assert told.allowed is want
            assert bool(told.explanation.chains) is want
            assert told.explanation.is_complete is not want
            assert bool(authority.who_can(permission, "doc:1", assurance=assurance).items) is want
        have = authority.permissions_of("user:ada", "doc:1", assurance=assurance).items
        assert have == (("read",) if may else ())
        assert bool(authority.resources_of("user:ada", "read", assurance=assurance).items) is may


@pytest.mark.parametrize("route", ["inline", "background"])
def test_questions_and_changes(stacked: Authority, route: str) -> None:
    """Checks, lists, explanations, previews, both routes, an audit and an export: all end, and are right."""
    _ask(stacked, may=True)
    cut = [
        changes.UnnestGroup(group=f"left{LEVELS // 2}", out_of=f"g{LEVELS // 2 + 1}"),
        changes.UnnestGroup(group=f"right{LEVELS // 2}", out_of=f"g{LEVELS // 2 + 1}"),
    ]
    lost = (("user:ada", "read", "doc:1"),)
    assert stacked.preview(cut).revoked == lost
    assert stacked.apply(cut, route=route, detail=True).difference.revoked == lost
    _ask(stacked, may=False)
    mended = [changes.NestGroup(group=c.group, into=c.out_of) for c in cut]
    stacked.apply(mended, route=route)
    _ask(stacked, may=True)
    worker = Worker(stacked.store, stacked.settings)
    while worker.work_once():
        pass
    assert audit(stacked.store, "acme").is_clean
    assert len(exported(stacked, "acme")) > LEVELS


def test_single_role(stacked: Authority) -> None:
    """So do checks and explanations of the one role that counts."""
    stacked.apply(
        [changes.SetRoleMode(mode="single"), changes.Assign(role="reader", to=f"group:{TOP}")]
    )
    for assurance in ("standard", "live"):
        assert stacked.check("user:ada", "read", assurance=assurance)
        told = stacked.explain("user:ada", "read", assurance=assurance)
        assert told.explanation.chains
        assert not stacked.explain("user:ada", "write", assurance=assurance)


def test_no_statement_walks_every_way(engine: str) -> None:
    """What goes along nestings keeps each group once (UNION), never each way (UNION ALL)."""
    walks = [
        name for name, sql in queries(engine).items() if "nesting" in sql and "RECURSIVE" in sql
    ]
    assert len(walks) > 20
    assert [name for name in walks if ALL_OF_A_NESTING.search(queries(engine)[name])] == []


def test_control_a_statement_that_would(engine: str) -> None:
    """Control: were it said that way, it would be found."""
    sql = queries(engine)["slice_nestings"]
    assert ALL_OF_A_NESTING.search(re.sub(r"UNION(?! ALL)", "UNION ALL", sql))
