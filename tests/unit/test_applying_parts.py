"""What a batch sends for its parts: which statements, with which names, and which not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rescind import changes
from rescind.applying import required, single_role
from rescind.applying.apply import MOST_SHARED_WEIGHT, is_small
from rescind.applying.receipts import receipt_of
from rescind.applying.step import Step
from rescind.applying.transaction import LogDraft, number_in, require_order
from rescind.changes import Change, Given
from rescind.errors import InvalidChange
from rescind.model import Direction, Missing, OrganizationNumber, Revision, Route, moment
from rescind.propagation.budget import BACKGROUND, Budget
from rescind.propagation.routing import Router
from tests.unit.test_query_hints import Seals

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER, AGO = NOW + timedelta(microseconds=1), NOW - timedelta(days=1)
MICROSECONDS = int(NOW.timestamp() * 1e6)
MEMBERS = ("user:b", "user:a", "user:b")
LISTED = {"group": "g", "members": '["user:a", "user:b"]'}
OF_GROUP = {"subject": None, "group": "g"}
OF_SUBJECT = {"subject": "user:a", "group": None}


class Sent:
    """A transaction that notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def run(self, query: str, **names: Any) -> None:
        self.sent.append((query, names))

    def count(self, query: str, *_: Any, **names: Any) -> None:
        self.sent.append((query, names))

    refuse = note_missing = run

    def weigh(self, query: str, budget: Budget, *, step: int, **names: Any) -> None:
        self.sent.append((query, {"budget": budget, "step": step, **names}))


def step_of(sent: Sent, *, is_single: bool = True) -> Step:
    router = Router(BACKGROUND)
    return Step(sent, "acme", OrganizationNumber(7), MICROSECONDS, is_single, router)  # type: ignore[arg-type]


TAKES: list[tuple[Change, str | None, dict[str, Any]]] = [
    (changes.RemoveMembers(group="g", members=MEMBERS), "of_members", LISTED),
    (changes.ReplaceMembers(group="g", members=MEMBERS), "of_others", LISTED),
    (changes.AddMembers(group="g", members=MEMBERS, expires_at=NOW), "of_members", LISTED),
    (changes.AddMembers(group="g", members=MEMBERS, expires_at=LATER), None, {}),
    (changes.AddMembers(group="g", members=MEMBERS), None, {}),
    (changes.UnnestGroup(group="g", out_of="h"), "below", OF_GROUP),
    (changes.DeleteGroup(group="g"), "below", OF_GROUP),
    (changes.NestGroup(group="g", into="h"), None, {}),
    (changes.Unassign(role="r", to="group:g"), "below", OF_GROUP),
    (changes.Unassign(role="r", to="user:a"), "below", OF_SUBJECT),
    (changes.Unassign(role="r", to="user:a", on="doc:1"), None, {}),
    (changes.Assign(role="r", to="user:a", expires_at=AGO), "below", OF_SUBJECT),
    (changes.Assign(role="r", to="user:a", expires_at=LATER), None, {}),
    (changes.Assign(role="r", to="user:a", on="doc:1", expires_at=AGO), None, {}),
    (changes.Assign(role="r", to="user:a"), None, {}),
    (changes.ReplaceAssignments(to="group:g", assignments=()), "below", OF_GROUP),
    (changes.DeleteRole(role="r"), "of_holders", {"role": "r", "owner": 7}),
    (changes.RemoveMembership(subject="user:a"), None, {}),
]


@pytest.mark.parametrize(("change", "query", "names"), TAKES)
def test_whose_winning_roles_are_remembered(
    change: Change, query: str | None, names: dict[str, Any]
) -> None:
    """Of whom the change can take an organization-wide role; then definitions may not change meanwhile."""
    sent = Sent()
    takes = single_role.remember_roles(step_of(sent), [change])
    assert takes == (query is not None)
    wanted = {"o": 7, "now": MICROSECONDS, **names}
    assert sent.sent == (
        [("remember_definitions", {}), (f"remember_roles_{query}", wanted)] if query else []
    )


def given(*roles: str) -> str:
    return json.dumps([{"role": role, "on": "organization"} for role in roles])


GIVES: list[tuple[Change, str | None, dict[str, Any]]] = [
    (changes.AddMembers(group="g", members=MEMBERS), "to_members", LISTED),
    (changes.ReplaceMembers(group="g", members=MEMBERS), "to_members", LISTED),
    (changes.RemoveMembers(group="g", members=MEMBERS), None, {}),
    (changes.NestGroup(group="g", into="h"), "by_nesting", {"child": "g", "parent": "h"}),
    (changes.Assign(role="r", to="group:g"), "to_holder", {**OF_GROUP, "given": given("r")}),
    (changes.Assign(role="r", to="group:g", on="doc:1"), None, {}),
    (
        changes.ReplaceAssignments(
            to="user:a", assignments=(Given(role="s"), Given(role="r"), Given(role="t", on="doc:1"))
        ),
        "to_holder",
        {**OF_SUBJECT, "given": given("r", "s")},
    ),
    (
        changes.ReplaceAssignments(to="user:a", assignments=(Given(role="t", on="doc:1"),)),
        None,
        {},
    ),
    (changes.Unassign(role="r", to="user:a"), None, {}),
]


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(("change", "query", "names"), GIVES)
def test_what_counts_again(
    change: Change, query: str | None, names: dict[str, Any], takes: bool
) -> None:
    """What a change gives by name, on the organization; what was lost is set aside before that."""
    sent = Sent()
    single_role.set_aside(step_of(sent), [change], takes=takes)
    at = {"o": 7, "now": MICROSECONDS}
    settled: list[Any] = [("set_aside", at), ("forget_roles_before", {"o": 7})]
    gives = [(f"give_back_{query}", {**at, **names})] if query else []
    assert sent.sent == takes * settled + gives


TAKING: list[tuple[Change, bool, list[str] | None]] = [
    (changes.AddMembers(group="g", members=MEMBERS, expires_at=LATER), True, None),
    (changes.AddMembers(group="g", members=MEMBERS), False, []),
    (changes.Assign(role="r", to="user:a", expires_at=LATER), True, ["r"]),
    (changes.Assign(role="r", to="user:a"), False, []),
    (changes.RemoveMembers(group="g", members=MEMBERS), True, []),
    (changes.DeleteRole(role="r"), True, []),
    (changes.CreateGroup(group="g"), False, []),
    (
        changes.ReplaceAssignments(
            to="user:a",
            assignments=(
                Given(role="t", expires_at=LATER),
                Given(role="s", expires_at=LATER),
                Given(role="u"),
            ),
        ),
        True,
        ["s", "t"],
    ),
]


@pytest.mark.parametrize(("change", "may_take", "expiring"), TAKING)
@pytest.mark.parametrize("is_single", [True, False])
def test_what_keeps_a_required_role(
    change: Change, may_take: bool, expiring: list[str] | None, is_single: bool
) -> None:
    """What may take one; then it must have a holder now, and one that lasts where the batch sets an end."""
    sent = Sent()
    step = step_of(sent, is_single=is_single)
    plain = changes.CreateGroup(group="other")
    assert required.may_take(step, [plain, change]) == (may_take or is_single)
    required.remember_holders(step)
    required.require_holders(step, [change], is_elsewhere=True)
    lasting = {"o": 7, "now": required.FOREVER, "is_lasting": True}
    now = {"o": 7, "now": MICROSECONDS, "is_lasting": False}
    roles = None if expiring is None else json.dumps(expiring)
    wanted: list[Any] = [
        ("remember_required", now),
        ("remember_required", lasting),
        ("refuse_required_lost", {**now, "is_elsewhere": True}),
        ("refuse_required_expiring", {**lasting, "roles": roles}),
        ("warn_required_expiring", lasting),
        ("forget_required", {"o": 7}),
    ]
    assert sent.sent == [
        one for one in wanted if one[0] != "refuse_required_expiring" or expiring != []
    ]


def test_what_alters_which_roles_are_required() -> None:
    """Deleting a role, and saying of one whether it is."""
    assert required.alters([changes.CreateGroup(group="g"), changes.DeleteRole(role="r")])
    assert required.alters([changes.EditRole(role="r", required=False)])
    assert not required.alters([changes.EditRole(role="r", priority=2)])
    assert not required.alters([])


CREATE, DELETE = changes.CreateOrganization(), changes.DeleteOrganization()
RULE, OTHER = changes.SetIdRule(rule="casefold"), changes.CreateGroup(group="g")


@pytest.mark.parametrize(
    ("batch", "refused"),
    [
        ([], None),
        ([CREATE], None),
        ([DELETE], None),
        ([RULE], None),
        ([CREATE, OTHER, DELETE], None),
        ([OTHER, CREATE], "CreateOrganization"),
        ([CREATE, CREATE], "CreateOrganization"),
        ([DELETE, OTHER], "DeleteOrganization"),
        ([DELETE, DELETE], "DeleteOrganization"),
        ([OTHER, RULE], "SetIdRule"),
        ([RULE, OTHER], "SetIdRule"),
    ],
)
def test_the_order_of_a_batch(batch: list[Change], refused: str | None) -> None:
    """An organization is created first and deleted last; a rule for ids is a batch of its own."""
    if refused is None:
        require_order(batch)
        return
    with pytest.raises(InvalidChange) as raised:
        require_order(batch)
    assert raised.value.facts["change"] == refused


def test_which_batches_share_a_commit() -> None:
    """Those of few changes that are of few parts."""
    few = changes.AddMembers(
        group="g", members=tuple(f"user:{n}" for n in range(MOST_SHARED_WEIGHT))
    )
    assert few.weight == MOST_SHARED_WEIGHT
    assert is_small([few])
    assert not is_small([few, OTHER])
    assert is_small([OTHER] * MOST_SHARED_WEIGHT)
    assert not is_small([OTHER] * (MOST_SHARED_WEIGHT + 1))


def test_a_precondition_of_another_organization_is_never_met() -> None:
    """Nor is one beyond every revision."""
    o = OrganizationNumber(7)
    assert [number_in(o, Revision(7, n, 1)) for n in (0, 5, 2**63 - 1)] == [0, 5, 2**63 - 1]
    assert [number_in(o, Revision(7, n, 1)) for n in (-1, 2**63)] == [-1, -1]
    assert number_in(o, Revision(8, 5, 1)) == -1


def test_a_key_is_of_the_batch_as_it_was_given() -> None:
    """Whatever the spelling that the log has."""
    draft = LogDraft(5, body="[1]", given="[2]")  # type: ignore[arg-type]
    assert draft.digest == LogDraft(6, body="[2]").digest != LogDraft(5, body="[1]").digest  # type: ignore[arg-type]
    assert draft.digest != draft._replace(given="").digest == LogDraft(5, body="").digest  # type: ignore[arg-type]


# --- receipts -------------------------------------------------------------------------------------


def outcome(**more: Any) -> Any:
    values: dict[str, Any] = {"organization": 7, "revision": 5, "environment": 1}
    values |= {"not_found": None, "direction": "revokes", "recorded_at": 9, "settled_at": 11}
    values |= {"route": "background", "fan_out": 4}
    return SimpleNamespace(**{**values, **more})


def test_a_receipt_is_what_the_log_says() -> None:
    """Of a change; what is not settled has no time for it."""
    receipt = receipt_of(Seals, "acme", outcome(), 77, "asked for")  # type: ignore[arg-type]
    assert receipt.changed
    assert (receipt.direction, receipt.route) == (Direction.REVOKES, Route.BACKGROUND)
    assert (receipt.route_reason, receipt.fan_out) == ("asked for", 4)
    assert (receipt.recorded_at, receipt.settled_at) == (moment(9), moment(11))
    assert receipt.revision == Revision(7, 5, 1)
    bare = receipt_of(Seals, "acme", outcome(route=None, fan_out=None, settled_at=None), 77)  # type: ignore[arg-type]
    assert (bare.route, bare.fan_out, bare.settled_at) == (Route.INLINE, 0, None)


@pytest.mark.parametrize("more", [{"direction": None}, {"recorded_at": None}])
def test_a_receipt_of_nothing(more: dict[str, Any]) -> None:
    """Says so, and is settled at once."""
    receipt = receipt_of(Seals, "acme", outcome(**more), 77, "asked for")  # type: ignore[arg-type]
    assert not receipt.changed
    assert (receipt.recorded_at, receipt.settled_at) == (moment(77), moment(77))
    assert (receipt.direction, receipt.route, receipt.fan_out) == (
        Direction.GRANTS,
        Route.INLINE,
        0,
    )


@pytest.mark.parametrize("direction", ["revokes", None])
def test_what_a_receipt_says_was_not_found(direction: str | None) -> None:
    """Each once, in order; required roles with only expiring holders apart from it."""
    listed = [["group", "g"], ["lasting_holder", "r"], ["group", "g"], ["subject", "user:a"]]
    noted = outcome(not_found=json.dumps(listed), direction=direction)
    receipt = receipt_of(Seals, "acme", noted, 77)  # type: ignore[arg-type]
    assert receipt.not_found == (Missing("group", "g"), Missing("subject", "user:a"))
    assert receipt.only_expiring == ("r",)


# --- routes ---------------------------------------------------------------------------------------


def test_steps_that_were_too_large_take_the_background() -> None:
    """By their number; the others are weighed by the budget, and each step counts once."""
    budget = Budget(5, 9)
    router, sent = Router(budget, {1}), Sent()
    assert not router.is_background
    for query in ("a", "b", "c"):
        router.weigh(sent, query, x=1)  # type: ignore[arg-type]
    assert sent.sent == [
        ("a", {"budget": budget, "step": 0, "x": 1}),
        ("b", {"budget": BACKGROUND, "step": 1, "x": 1}),
        ("c", {"budget": budget, "step": 2, "x": 1}),
    ]
    assert Router(budget, {0}).begin()
    assert not Router(budget).begin()
    assert Router(BACKGROUND).begin()
