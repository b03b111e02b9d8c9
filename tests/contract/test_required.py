"""A required role keeps its last active holder in an organization, whatever takes it, unless it is forced."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest

from rescind import ENVIRONMENT, Authority, changes, model
from rescind.applying import required
from rescind.changes import Change
from rescind.decision.world import WHOLE, whole
from rescind.errors import LastHolder, RescindError, RoleExists
from rescind.semantics import access
from rescind.store import open_store
from rescind.store.rows import Answers
from rescind.store.rows.facts import READ_ROLES, READ_SETTINGS
from rescind.transfer.export import exported
from tests.conftest import ENGINES
from tests.contract.test_asked_within import connect
from tests.contract.world import FUTURE, PAST
from tests.probe import Probe, probe_of
from tests.state import dump

ADA, BOB, CYD = "user:ada", "user:bob", "user:cyd"
BASE: list[Change] = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="manage"),
    changes.DefineRole(role="admin", permissions=("manage",), priority=5, required=True),
    changes.DefineRole(role="chief", permissions=(), priority=9),
    changes.DefineRole(role="guest", permissions=()),
    *(changes.AddMembership(subject=subject) for subject in (ADA, BOB, CYD)),
    *(changes.CreateGroup(group=group) for group in ("ops", "all")),
    changes.DefineResourceType(type="doc"),
    changes.CreateResource(resource="doc:1"),
]
OWN = [changes.Assign(role="admin", to=ADA)]
BY_GROUP: list[Change] = [
    changes.AddMembers(group="ops", members=(ADA,)),
    changes.NestGroup(group="ops", into="all"),
    changes.Assign(role="admin", to="group:all"),
]
ROADS: dict[str, tuple[list[Change], list[Change]]] = {
    "remove": (OWN, [changes.RemoveMembership(subject=ADA)]),
    "deactivate": (OWN, [changes.DeactivateMembership(subject=ADA)]),
    "unassign": (OWN, [changes.Unassign(role="admin", to=ADA)]),
    "replace": (OWN, [changes.ReplaceAssignments(to=ADA, assignments=())]),
    "expire": (OWN, [changes.Assign(role="admin", to=ADA, expires_at=PAST)]),
    "expire later": (OWN, [changes.Assign(role="admin", to=ADA, expires_at=FUTURE)]),
    "replace until": (
        OWN,
        [
            changes.ReplaceAssignments(
                to=ADA, assignments=(changes.Given(role="admin", expires_at=FUTURE),)
            )
        ],
    ),
    "delete role": (OWN, [changes.DeleteRole(role="admin", cascade=True)]),
    "remove, of a group": (BY_GROUP, [changes.RemoveMembership(subject=ADA)]),
    "deactivate, of a group": (BY_GROUP, [changes.DeactivateMembership(subject=ADA)]),
    "leave": (BY_GROUP, [changes.RemoveMembers(group="ops", members=(ADA,))]),
    "left out": (BY_GROUP, [changes.ReplaceMembers(group="ops", members=())]),
    "leave in time": (
        BY_GROUP,
        [changes.AddMembers(group="ops", members=(ADA,), expires_at=FUTURE)],
    ),
    "left in the past": (
        BY_GROUP,
        [changes.AddMembers(group="ops", members=(ADA,), expires_at=PAST)],
    ),
    "unnest": (BY_GROUP, [changes.UnnestGroup(group="ops", out_of="all")]),
    "delete inner group": (BY_GROUP, [changes.DeleteGroup(group="ops", cascade=True)]),
    "delete outer group": (BY_GROUP, [changes.DeleteGroup(group="all", cascade=True)]),
    "unassign group": (BY_GROUP, [changes.Unassign(role="admin", to="group:all")]),
    "replace of group": (BY_GROUP, [changes.ReplaceAssignments(to="group:all", assignments=())]),
    "both at once": (
        [*OWN, changes.Assign(role="admin", to=BOB)],
        [changes.Unassign(role="admin", to=ADA), changes.RemoveMembership(subject=BOB)],
    ),
    "single": (
        [*OWN, changes.Assign(role="chief", to=ADA)],
        [changes.SetRoleMode(mode="single")],
    ),
    "displaced": (
        [changes.SetRoleMode(mode="single"), *OWN],
        [changes.Assign(role="chief", to=ADA)],
    ),
    "displaced by a group": (
        [changes.SetRoleMode(mode="single"), *OWN, changes.Assign(role="chief", to="group:all")],
        [changes.AddMembers(group="all", members=(ADA,))],
    ),
    "displaced by nesting": (
        [
            changes.SetRoleMode(mode="single"),
            *OWN,
            changes.AddMembers(group="ops", members=(ADA,)),
            changes.Assign(role="chief", to="group:all"),
        ],
        [changes.NestGroup(group="ops", into="all")],
    ),
    "outranked": (
        [changes.SetRoleMode(mode="single"), *OWN, changes.Assign(role="guest", to=ADA)],
        [changes.EditRole(role="guest", priority=7)],
    ),
    "no default": (
        [changes.SetRoleMode(mode="single"), changes.SetDefaultRole(role="admin")],
        [changes.SetDefaultRole(role=None)],
    ),
}


_numbers = itertools.count()


@pytest.fixture(scope="module", params=ENGINES)
def database(request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]) -> str:
    """One database for all tests; each has an organization of its own."""
    return new_shared_database(request.param)


@pytest.fixture(scope="module")
def shared(database: str) -> Iterator[Authority]:
    with Authority(open_store(database, probe=Probe())) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    """Of an organization that is not there yet."""
    return f"acme-{next(_numbers)}"


@pytest.fixture
def ready(shared: Authority, name: str) -> Authority:
    """An organization in which `admin` is required and nobody holds it."""
    made = Authority(shared.store, organization=name)
    made.apply(BASE)
    return made


@pytest.mark.parametrize("road", ROADS)
def test_every_road_is_guarded(
    ready: Authority, road: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with nothing written, by either route, also as a trial; by force it is done. (Control:
    without the guard it goes through.)
    """
    before, taking = ROADS[road]
    ready.apply(before)
    facts = dump(ready)
    for options in ({}, {"route": "background"}, {"route": "inline"}):
        with pytest.raises(LastHolder, match="role admin"):
            ready.apply(taking, **options)  # type: ignore[arg-type]
    with pytest.raises(LastHolder):
        ready.preview(taking)
    assert dump(ready) == facts
    ready.preview(taking, force=True)
    with monkeypatch.context() as patch:
        patch.setattr(required, "may_take", lambda *_: False)
        ready.preview(taking)
    assert ready.apply(taking, force=True).changed


@pytest.mark.parametrize("road", ROADS)
def test_with_another_holder_nothing_is_refused(ready: Authority, road: str) -> None:
    """But for the deletion of the role, which takes it from everybody, and what concerns all."""
    before, taking = ROADS[road]
    ready.apply([*before, changes.Assign(role="admin", to=CYD)])
    if road == "delete role":
        with pytest.raises(LastHolder):
            ready.apply(taking)
    else:
        receipt = ready.apply(taking)
        assert receipt.changed
        assert receipt.only_expiring == ()


def test_a_batch_is_judged_by_its_end(ready: Authority) -> None:
    """The order in it does not matter; nor does what is not required at its end."""
    ready.apply(OWN)
    swap = [changes.Unassign(role="admin", to=ADA), changes.Assign(role="admin", to=BOB)]
    assert ready.apply(swap).changed
    back = [changes.Assign(role="admin", to=ADA), changes.RemoveMembership(subject=BOB)]
    assert ready.apply(back).changed
    with pytest.raises(LastHolder):
        ready.apply([*TAKE, changes.Assign(role="admin", to=CYD, on="doc:1")])
    anew = [
        changes.DeleteRole(role="admin", cascade=True),
        changes.DefineRole(role="admin", required=True),
    ]
    with pytest.raises(LastHolder):
        ready.apply(anew)
    assert ready.apply([*anew, *OWN]).changed
    assert ready.apply([changes.EditRole(role="admin", required=False), *TAKE]).changed


TAKE = [changes.Unassign(role="admin", to=ADA)]


def test_only_active_unexpired_holders_of_the_organization_count(ready: Authority) -> None:
    """Not those who are deactivated or expired, nor who holds it on a resource."""
    ready.apply(
        [
            *OWN,
            changes.Assign(role="admin", to=BOB, expires_at=PAST),
            changes.Assign(role="admin", to=BOB, on="doc:1"),
            changes.Assign(role="admin", to=CYD),
            changes.AddMembers(group="all", members=(BOB,), expires_at=PAST),
            changes.Assign(role="admin", to="group:all"),
        ]
    )
    ready.apply([changes.DeactivateMembership(subject=CYD)])
    with pytest.raises(LastHolder):
        ready.apply(TAKE)
    ready.apply([changes.ReactivateMembership(subject=CYD)])
    assert ready.apply(TAKE).changed


def test_where_nobody_holds_it_nothing_is_refused(ready: Authority) -> None:
    """An organization that never had one, or lost it by force or in time, can be changed as ever."""
    ready.apply([changes.Assign(role="guest", to=ADA)])
    assert ready.apply([changes.Unassign(role="guest", to=ADA)]).changed
    assert ready.apply([changes.RemoveMembership(subject=ADA)]).changed
    assert ready.apply([changes.DeleteRole(role="admin", cascade=True)]).changed


def test_expiry_is_not_refused_but_warned_of(ready: Authority, name: str) -> None:
    """Who leaves only holders who expire is told so, also when the key is repeated; then nobody is left."""
    until = changes.Assign(role="admin", to=BOB, expires_at=FUTURE)
    assert ready.apply([*OWN, until]).only_expiring == ()
    receipt = ready.apply(TAKE, idempotency_key="once")
    assert (receipt.changed, receipt.only_expiring, receipt.not_found) == (True, ("admin",), ())
    assert ready.apply(TAKE, idempotency_key="once") == receipt
    assert ready.apply([changes.RemoveMembership(subject=CYD)]).only_expiring == ()
    with pytest.raises(LastHolder):
        ready.apply([changes.Unassign(role="admin", to=BOB)])
    late = Authority(ready.store, organization=name, clock=lambda: datetime(2102, 1, 1, tzinfo=UTC))
    assert late.apply([changes.Unassign(role="admin", to=BOB)]).changed


def test_only_a_time_that_is_set_for_the_last_one_is_refused(ready: Authority) -> None:
    """Times of other roles are not, nor of who never held it for good."""
    later = datetime(2090, 1, 1, tzinfo=UTC)
    ready.apply([changes.Assign(role="admin", to=ADA, expires_at=FUTURE)])
    assert ready.apply([changes.Assign(role="admin", to=ADA, expires_at=later)]).changed
    ready.apply([changes.Assign(role="admin", to=BOB)])
    other = changes.Assign(role="guest", to=CYD, expires_at=later)
    receipt = ready.apply([other, changes.Unassign(role="admin", to=BOB)])
    assert receipt.only_expiring == ("admin",)


def test_the_organization_itself_can_be_deleted(ready: Authority) -> None:
    """With all that is in it."""
    ready.apply(OWN)
    assert ready.apply([changes.DeleteOrganization(cascade=True)]).changed


def test_a_role_of_all_organizations(ready: Authority, name: str) -> None:
    """It keeps its last holder in each; to delete it is refused for the first that has one."""
    define = changes.DefineRole(role="owner", required=True)
    ready.apply([define], organization=ENVIRONMENT)
    ready.apply([changes.Assign(role="owner", to=ADA)])
    other = [changes.CreateOrganization(), changes.AddMembership(subject=ADA)]
    ready.apply([*other, changes.Assign(role="owner", to=ADA)], organization="other")
    with pytest.raises(LastHolder, match="owner"):
        ready.apply([changes.RemoveMembership(subject=ADA)], organization="other")
    delete = [changes.DeleteRole(role="owner", cascade=True)]
    with pytest.raises(LastHolder, match=f"owner, in the organization {name}"):
        ready.apply(delete, organization=ENVIRONMENT)
    assert ready.apply(delete, organization=ENVIRONMENT, force=True).changed
    assert ready.apply([changes.RemoveMembership(subject=ADA)], organization="other").changed


def test_marking_and_unmarking(ready: Authority, name: str) -> None:
    """It is part of what a role is: told apart when it is defined again, edited, exported."""
    for required_now in (False, True):
        define = changes.DefineRole(
            role="admin", permissions=("manage",), priority=5, required=required_now
        )
        if required_now:
            assert not ready.apply([define]).changed
        else:
            with pytest.raises(RoleExists):
                ready.apply([define])
    assert "required" not in changes.to_object(changes.DefineRole(role="x"))
    defined = [change for change in exported(ready, name) if isinstance(change, changes.DefineRole)]
    assert {each.role: each.required is True for each in defined} == {
        "admin": True,
        "chief": False,
        "guest": False,
    }
    edit = [changes.EditRole(role="admin", required=False)]
    assert ready.apply(edit).changed
    assert not ready.apply(edit).changed


# --- the same moment, and what it costs -----------------------------------------------------------


def test_of_two_who_go_at_once_one_stays(ready: Authority, database: str, name: str) -> None:
    """Whoever comes second sees that the first has gone. (Control: without the guard both go.)"""
    gone = []
    for force in (False, True):
        ready.apply([changes.Assign(role="admin", to=subject) for subject in (ADA, BOB)])
        barrier = Barrier(2)
        with Authority.open(database, organization=name) as another:

            def take(
                each: tuple[Authority, str], force: bool = force, barrier: Barrier = barrier
            ) -> bool:
                authority, subject = each
                barrier.wait()
                try:
                    batch = [changes.Unassign(role="admin", to=subject)]
                    return authority.apply(batch, force=force).changed
                except LastHolder:
                    return False

            with ThreadPoolExecutor(2) as pool:
                gone.append(sorted(pool.map(take, [(ready, ADA), (another, BOB)])))
    assert gone == [[False, True], [True, True]]


def test_within_two_transactions_that_overlap(ready: Authority, database: str) -> None:
    """In a caller's transaction it is refused as well, which stays usable."""
    ready.apply(OWN)
    with closing(connect(database)) as connection:
        with pytest.raises(LastHolder):
            ready.apply(TAKE, within=connection)
        ready.apply([changes.Assign(role="admin", to=BOB)], within=connection)
        assert ready.apply(TAKE, within=connection).changed
        connection.commit()
    with pytest.raises(LastHolder):
        ready.apply([changes.Unassign(role="admin", to=BOB)])


def test_whoever_plans_before_a_role_is_marked_is_refused_after_it(
    ready: Authority, database: str, name: str
) -> None:
    """A plan that was made when nothing was required is made anew. (Control: as planned, it goes through.)"""
    ready.apply([*OWN, changes.EditRole(role="admin", required=False)])
    with Authority.open(database, organization=name) as another:
        another.apply([changes.CreateGroup(group="planned")])
        ready.apply([changes.EditRole(role="admin", required=True)])
        with pytest.raises(LastHolder):
            another.apply(TAKE)
        ready.apply([changes.EditRole(role="admin", required=False)])
        another.apply([changes.CreateGroup(group="planned again")])
        ready.apply([changes.EditRole(role="admin", required=True)])
        name = "begin" if database.startswith("postgres") else "check_plan"
        queries = another.store.queries  # type: ignore[attr-defined]
        queries[name] = (
            queries[name]
            .replace("CAST(%(has_required)s AS BOOLEAN)", "NULL")
            .replace("(:has_required IS NULL OR", "(TRUE OR")
        )
        assert another.apply(TAKE).changed


def test_it_costs_no_statement_where_no_role_is_required(ready: Authority) -> None:
    """And none where one is, for what cannot take it."""
    sent: list[str] = []
    ready.apply([*OWN, changes.Assign(role="admin", to=CYD)])
    probe_of(ready).before = sent.append

    def guards(batch: Sequence[Change]) -> set[str]:
        sent.clear()
        ready.apply(batch)
        return {name for name in sent if "required" in name}

    assert guards([changes.Assign(role="guest", to=BOB)]) == set()
    assert guards([changes.Unassign(role="guest", to=BOB)]) == {
        "remember_required",
        "refuse_required_lost",
        "warn_required_expiring",
        "forget_required",
    }
    ready.apply([changes.EditRole(role="admin", required=False)])
    assert guards(TAKE) == set()


# --- any changes ----------------------------------------------------------------------------------

PARTS: list[Callable[[random.Random], Change]] = [
    lambda r: changes.RemoveMembership(subject=r.choice((ADA, BOB, CYD))),
    lambda r: changes.AddMembership(subject=r.choice((ADA, BOB, CYD))),
    lambda r: changes.DeactivateMembership(subject=r.choice((ADA, BOB, CYD))),
    lambda r: changes.ReactivateMembership(subject=r.choice((ADA, BOB, CYD))),
    lambda r: changes.AddMembers(
        group=r.choice(("ops", "all")), members=(r.choice((ADA, BOB)),), expires_at=_until(r)
    ),
    lambda r: changes.RemoveMembers(group=r.choice(("ops", "all")), members=(ADA,)),
    lambda r: changes.ReplaceMembers(group="ops", members=(r.choice((ADA, BOB)),)),
    lambda _: changes.NestGroup(group="ops", into="all"),
    lambda _: changes.UnnestGroup(group="ops", out_of="all"),
    lambda r: changes.Assign(role=_role(r), to=_holder(r), expires_at=_until(r)),
    lambda r: changes.Assign(role=_role(r), to=_holder(r), expires_at=_until(r)),
    lambda r: changes.Unassign(role=_role(r), to=_holder(r)),
    lambda r: changes.ReplaceAssignments(
        to=_holder(r), assignments=(changes.Given(role=_role(r), expires_at=_until(r)),)
    ),
    lambda r: changes.EditRole(role=_role(r), priority=r.randrange(4)),
    lambda r: changes.EditRole(role=_role(r), required=r.random() < 0.8),
    lambda r: changes.SetRoleMode(mode=r.choice(("single", "multiple"))),
    lambda r: changes.SetDefaultRole(role=r.choice((None, "admin", "guest"))),
]


def _role(r: random.Random) -> str:
    return r.choice(("admin", "chief", "guest"))


def _holder(r: random.Random) -> str:
    return r.choice((ADA, BOB, CYD, "group:ops", "group:all"))


def _until(r: random.Random) -> datetime | None:
    return r.choice((None, None, PAST, FUTURE))


class State:
    """The facts of an organization as the reference semantics have them, and which roles are required."""

    def __init__(self, authority: Authority, name: str) -> None:
        o = authority.check(ADA, "manage").revision.incarnation  # type: ignore[union-attr]
        store = authority.store
        rows = Answers(WHOLE, [store.fetch(query, {"o": o}) for query in WHOLE])
        settings = store.fetch(READ_SETTINGS, {"organization": name})
        self.world = whole(settings[0], rows)
        self.required = {row.role for row in rows[READ_ROLES] if row.required}

    def held(self, t: int) -> set[str]:
        """The roles that somebody holds for the organization at a time."""
        found = (access.counted(self.world, subject, t) for subject in self.world.memberships)
        return {role for pairs in found for role, on in pairs if on == access.ROOT}


def expected(before: State, after: State, batch: Sequence[Change], now: int) -> bool:
    """Whether a batch is to be refused that made one state of another."""
    required_held = before.required & before.held(now)
    if (required_held & after.required) - after.held(now):
        return True
    timed = [each for change in batch for each in (change, *getattr(change, "assignments", ()))]
    timed = [each for each in timed if getattr(each, "expires_at", None) is not None]
    if not timed:
        return False
    is_any = any(isinstance(each, changes.AddMembers) for each in timed)
    named = {getattr(each, "role", None) for each in timed}
    lost = (before.required & before.held(2**62) & after.required) - after.held(2**62)
    return bool(lost if is_any else lost & named)


@pytest.fixture
def trials(ready: Authority, name: str) -> Callable[[int], tuple[int, int]]:
    """Tries batches of a seed and compares each with the reference: how many were refused, and done."""

    def run(seed: int) -> tuple[int, int]:
        r = random.Random(seed)
        refused = done = 0
        for _ in range(40):
            ready.apply([changes.ReplaceMembers(group="ops", members=(ADA, BOB, CYD), create=True)])
            ready.apply([changes.Assign(role="admin", to=r.choice((ADA, BOB)))])
            batch = [r.choice(PARTS)(r) for _ in range(r.randrange(1, 4))]
            before, now = State(ready, name), model.microseconds(datetime.now(UTC))
            try:
                ready.apply(batch)
                is_refused = False
            except LastHolder:
                is_refused = True
                ready.apply(batch, force=True)
            except RescindError:
                continue
            is_expected = expected(before, State(ready, name), batch, now)
            assert is_refused == is_expected, (seed, batch)
            refused, done = refused + is_refused, done + (not is_refused)
        return refused, done

    return run


@pytest.mark.parametrize("seed", range(2))
def test_any_batch_is_refused_exactly_if_it_leaves_nobody(
    trials: Callable[[int], tuple[int, int]], seed: int
) -> None:
    """By the reference semantics of the facts before it and after it."""
    refused, done = trials(seed)
    assert refused > 1
    assert done > 8


def test_control_holders_who_are_deactivated_are_counted(
    ready: Authority,
    trials: Callable[[int], tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With that left out of the statement, the comparison finds it."""
    queries: dict[str, Any] = ready.store.queries  # type: ignore[attr-defined]
    for query in ("remember_required", "refuse_required_lost", "refuse_required_expiring"):
        assert "m.active AND" in queries[query]
        monkeypatch.setitem(queries, query, queries[query].replace("m.active AND", ""))
    with pytest.raises(AssertionError):
        list(map(trials, range(6)))
