"""Which role counts in a single-role organization: the examples of the documentation, by every road."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rescind import Authority, Route, changes
from rescind.changes import Change, Given
from rescind.model import RoleMode
from rescind.store import open_store
from tests.clock import SettableClock
from tests.conftest import ENGINES
from tests.probe import Probe, probe_of
from tests.property.rows import count_rows
from tests.sql import ours

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "guarantees.md"
ADA, BOB = "user:ada", "user:bob"
ROLES = {"guest": 0, "viewer": 10, "editor": 20, "chief": 30}
MORNING = datetime.now(UTC) - timedelta(hours=2)
NOON = MORNING + timedelta(hours=1)
AFTERNOON = NOON + timedelta(minutes=30)
TOMORROW = AFTERNOON + timedelta(days=1)
NOON_PASSES = "noon passes"
Step = list[Change] | str

WORLD: list[Change] = [
    changes.CreateOrganization(),
    *(changes.DefinePermission(permission=f"be:{role}") for role in ROLES),
    *(
        changes.DefineRole(role=role, permissions=(f"be:{role}",), priority=priority)
        for role, priority in ROLES.items()
    ),
    changes.SetRoleMode(mode="single"),
    changes.SetDefaultRole(role="guest"),
    changes.AddMembership(subject=ADA),
    changes.AddMembership(subject=BOB),
    changes.CreateGroup(group="A"),
    changes.CreateGroup(group="B"),
]


def give(role: str, to: str = ADA, until: datetime | None = None) -> Change:
    return changes.Assign(role=role, to=to, expires_at=until)


def take(role: str, of: str = ADA) -> Change:
    return changes.Unassign(role=role, to=of)


def only(role: str, of: str = ADA) -> Change:
    return changes.ReplaceAssignments(to=of, assignments=(Given(role=role),))


def join(group: str, *members: str) -> Change:
    return changes.AddMembers(group=group, members=members or (ADA,))


def leave(group: str) -> Change:
    return changes.RemoveMembers(group=group, members=(ADA,))


def mode(which: str = "single", on_loss: str = "default") -> Change:
    return changes.SetRoleMode(mode=which, on_loss=on_loss)


A, B = "group:A", "group:B"
TWO = [give("viewer"), give("chief")]
THREE = [give("viewer"), give("editor"), give("chief")]
BOTH_OF_A = [give("viewer", A), give("chief", A), join("A")]
ASIDE = [*TWO]
"""With `LOSE` as the first step: `viewer` is set aside."""
LOSE: list[Change] = [take("chief")]
ASIDE_OF_A: list[Change] = [give("viewer", A), join("A"), give("chief")]
raise_viewer = changes.EditRole(role="viewer", priority=40)
delete_chief = changes.DeleteRole(role="chief", cascade=True)
define_chief = changes.DefineRole(role="chief", permissions=("be:chief",), priority=30)
nest = changes.NestGroup(group="A", into="B")


@dataclass(frozen=True)
class Example:
    """A line of the documentation, and the changes that it stands for."""

    holds: str
    then: str
    counts: str
    given: Sequence[Change]
    steps: Sequence[Step]
    any_order: bool = True


EXAMPLES = [
    Example("`viewer`", "assign `chief`", "`chief`", [give("viewer")], [[give("chief")]]),
    Example("`viewer`, `chief`", "unassign `chief`", "`guest`: `viewer` is set aside", TWO, [LOSE]),
    Example(
        "`viewer`, `chief`",
        "unassign `viewer`; unassign `chief`",
        "`guest`",
        TWO,
        [[take("viewer")], LOSE],
    ),
    Example(
        "`chief`",
        "assign `viewer` + unassign `chief`",
        "`viewer`",
        [give("chief")],
        [[give("viewer"), take("chief")]],
    ),
    Example(
        "`chief`",
        "unassign `chief` + assign `viewer`",
        "`viewer`",
        [give("chief")],
        [[take("chief"), give("viewer")]],
    ),
    Example(
        "`chief`",
        "unassign `chief`; assign `viewer`",
        "`viewer`",
        [give("chief")],
        [LOSE, [give("viewer")]],
    ),
    Example(
        "`chief`",
        "assign `viewer`; unassign `chief`",
        "`guest`: `viewer` was given before the loss",
        [give("chief")],
        [[give("viewer")], LOSE],
    ),
    Example(
        "`chief`",
        "assign `viewer`; unassign `chief`; assign `viewer`",
        "`viewer`",
        [give("chief")],
        [[give("viewer")], LOSE, [give("viewer")]],
    ),
    Example(
        "`viewer`, `chief`",
        "assign `viewer` + unassign `chief`",
        "`viewer`: it was named with the loss",
        TWO,
        [[give("viewer"), take("chief")]],
    ),
    Example(
        "`viewer`, `editor`, `chief`",
        "unassign `chief` + assign `viewer`",
        "`viewer`: `editor` is set aside",
        THREE,
        [[take("chief"), give("viewer")]],
    ),
    Example(
        "`viewer`, `editor`, `chief`",
        "unassign `chief` + assign `viewer`; unassign `viewer`",
        "`guest`: `editor` is still set aside",
        THREE,
        [[take("chief"), give("viewer")], [take("viewer")]],
    ),
    Example(
        "`viewer`, `editor`, `chief`",
        "unassign `chief`; assign `editor`; unassign `editor`",
        "`guest`",
        THREE,
        [LOSE, [give("editor")], [take("editor")]],
    ),
    Example(
        "`viewer`, `chief`",
        "replace assignments by `viewer`",
        "`viewer`: it is in the list",
        TWO,
        [[only("viewer")]],
    ),
    Example(
        "`viewer`, `chief`",
        "unassign `chief`; replace assignments by `viewer`",
        "`viewer`",
        TWO,
        [LOSE, [only("viewer")]],
    ),
    Example(
        "`viewer`, `chief`",
        "unassign `chief`; assign `viewer` until tomorrow",
        "`viewer`, and from tomorrow `guest`",
        TWO,
        [LOSE, [give("viewer", until=TOMORROW)]],
    ),
    Example(
        "`viewer`, `chief` until noon",
        "noon passes",
        "`viewer`: expiry is no loss",
        [give("viewer"), give("chief", until=NOON)],
        [NOON_PASSES],
    ),
    Example(
        "`viewer`, `chief` until noon",
        "noon passes; unassign `chief`",
        "`viewer`: what expired was not there",
        [give("viewer"), give("chief", until=NOON)],
        [NOON_PASSES, LOSE],
    ),
    Example(
        "`chief` until noon",
        "noon passes; assign `viewer`",
        "`viewer`",
        [give("chief", until=NOON)],
        [NOON_PASSES, [give("viewer")]],
    ),
    Example(
        "`viewer`, `chief`",
        "assign `chief` until a time that is past",
        "`guest`: that takes it",
        TWO,
        [NOON_PASSES, [give("chief", until=NOON)]],
    ),
    Example(
        "`chief` from the groups A and B, `viewer`",
        "remove her from A",
        "`chief`",
        [give("chief", A), give("chief", B), join("A"), join("B"), give("viewer")],
        [[leave("A")]],
    ),
    Example(
        "`chief` from the group A, `viewer`",
        "remove her from A",
        "`guest`",
        [give("chief", A), join("A"), give("viewer")],
        [[leave("A")]],
    ),
    Example(
        "`chief` from the group A; B has `viewer`",
        "add her to B + remove her from A",
        "`viewer`, in either order",
        [give("chief", A), join("A"), give("viewer", B)],
        [[join("B"), leave("A")]],
    ),
    Example(
        "`chief` from the group A; B has `viewer`",
        "add her to B; remove her from A",
        "`guest`; add her to B again: `viewer`",
        [give("chief", A), join("A"), give("viewer", B)],
        [[join("B")], [leave("A")], "guest", [join("B")], "viewer"],
    ),
    Example(
        "`viewer` and `chief` from the group A",
        "unassign `chief` from A",
        "`guest`; assign `viewer` to A again: `viewer`",
        BOTH_OF_A,
        [[take("chief", A)], "guest", [give("viewer", A)], "viewer"],
    ),
    Example(
        "`viewer` and `chief` from the group A",
        "replace the assignments of A by `viewer`",
        "`viewer`, and so has every member",
        [*BOTH_OF_A, join("A", BOB)],
        [[only("viewer", A)]],
    ),
    Example(
        "`viewer` set aside, from the group A",
        "she is in the list that replaces the members of A",
        "`viewer`",
        ASIDE_OF_A,
        [LOSE, "guest", [changes.ReplaceMembers(group="A", members=(ADA, BOB))]],
    ),
    Example(
        "`viewer` set aside, from the group A",
        "somebody else is added to A",
        "`guest`",
        ASIDE_OF_A,
        [LOSE, [join("A", BOB)]],
    ),
    Example(
        "`viewer` set aside, from the group A",
        "`viewer` is assigned to her; unassigned",
        "`viewer`: A has it still, and it counts again",
        ASIDE_OF_A,
        [LOSE, [give("viewer")], [take("viewer")]],
    ),
    Example(
        "`chief` from the group A; A is in the group B, which has `viewer`",
        "unassign `chief` from A; nest A in B again",
        "`viewer`",
        [give("chief", A), join("A"), give("viewer", B), nest],
        [[take("chief", A)], "guest", [nest]],
    ),
    Example(
        "`chief` from A; A is not yet in B, which has `viewer`",
        "nest A in B + unassign `chief` from A",
        "`viewer`",
        [give("chief", A), join("A"), give("viewer", B)],
        [[nest, take("chief", A)]],
    ),
    Example("`viewer`, `chief`", "delete the role `chief`", "`guest`", TWO, [[delete_chief]]),
    Example(
        "`viewer`, `chief`",
        "delete `chief` + define `chief` + assign `chief`",
        "`chief`: another role; `viewer` is set aside",
        TWO,
        [[delete_chief, define_chief, give("chief")], "chief", LOSE, "guest", [give("chief")]],
        any_order=False,
    ),
    Example(
        "`viewer` set aside",
        "make `viewer` the default role",
        "`viewer`, by default",
        ASIDE,
        [LOSE, [changes.SetDefaultRole(role="viewer")]],
    ),
    Example(
        "`viewer` set aside",
        "deactivate her; reactivate her",
        "`guest`",
        ASIDE,
        [
            LOSE,
            [changes.DeactivateMembership(subject=ADA)],
            [changes.ReactivateMembership(subject=ADA)],
        ],
    ),
    Example(
        "`viewer` set aside",
        "remove her + add her + assign `viewer`",
        "`viewer`",
        ASIDE,
        [
            LOSE,
            [
                changes.RemoveMembership(subject=ADA),
                changes.AddMembership(subject=ADA),
                give("viewer"),
            ],
        ],
        any_order=False,
    ),
    Example(
        "`viewer` set aside",
        "choose `next-highest`",
        "`viewer`",
        ASIDE,
        [LOSE, [mode(on_loss="next-highest")]],
    ),
    Example(
        "`viewer` set aside",
        "set the mode to multiple; back to single",
        "`viewer`",
        ASIDE,
        [LOSE, [mode("multiple")], [mode()]],
    ),
    Example("`viewer` set aside", "set the mode to what it is", "`guest`", ASIDE, [LOSE, [mode()]]),
    Example(
        "`viewer`, `chief`",
        "unassign `chief` + choose `next-highest`",
        "`viewer`",
        TWO,
        [[take("chief"), mode(on_loss="next-highest")]],
    ),
    Example(
        "`viewer`, `chief`",
        "give `viewer` the priority 40; unassign `chief`",
        "`viewer`: it was the winning role",
        TWO,
        [[raise_viewer], LOSE],
    ),
    Example(
        "`viewer`, `chief`",
        "give `viewer` the priority 40 + unassign `chief`",
        "`guest`: before the batch `chief` won",
        TWO,
        [[raise_viewer, take("chief")]],
    ),
]
BY_NAME = {f"{example.holds}: {example.then}": example for example in EXAMPLES}
ROADS = ("inline", "background, in the opposite order")


@pytest.fixture(scope="module", params=ENGINES)
def authority(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Authority]:
    """One authority for all examples of an engine, each in an organization of its own."""
    database = new_shared_database(request.param)
    store = open_store(database, probe=Probe())
    with closing(Authority(store, clock=CLOCK, index=True)) as opened:
        yield opened


@pytest.fixture
def probe(authority: Authority) -> Iterator[Probe]:
    """Its probe; nothing is left out once the test has ended."""
    probe = probe_of(authority)
    yield probe
    probe.omitted.clear()


CLOCK = SettableClock()
"""The clock of all authorities of this module."""
_numbers = itertools.count()


class Play:
    """An organization in which an example is played."""

    def __init__(self, authority: Authority, road: str = "inline") -> None:
        self.authority, self.road = authority, road
        self.organization = f"o{next(_numbers)}"
        self.at(MORNING)
        authority.apply(WORLD, organization=self.organization)
        authority.load(self.organization)

    def at(self, moment: datetime) -> None:
        CLOCK.now = moment

    def apply(self, batch: Sequence[Change], *, is_reversed: bool = False) -> Any:
        """Apply a batch by the road of this play."""
        route = Route.INLINE if self.road == "inline" else Route.BACKGROUND
        ordered = [*reversed(batch)] if is_reversed else [*batch]
        return self.authority.apply(ordered, organization=self.organization, route=route)

    def counting(self, subject: str = ADA) -> str:
        """The role that counts, by every decision point alike."""
        points = self.by_point(subject)
        assert len({*points.values()}) == 1, points
        return points["standard"]

    def by_point(self, subject: str) -> dict[str, str]:
        where, memory = {"organization": self.organization}, self.authority
        found = {}
        cold = Authority(memory.store, clock=CLOCK)
        questions = [(subject, f"be:{role}", None) for role in ROLES]
        for point, asked, assurance in (
            ("standard", memory, "standard"),
            ("effective", cold, "standard"),
            ("live", memory, "live"),
        ):
            answers = asked.check_many(questions, assurance=assurance, **where)
            found[point] = list(itertools.compress(ROLES, map(bool, answers)))
            found[f"{point} list"] = asked.permissions_of(
                subject, assurance=assurance, **where
            ).items
        found["explained"] = [
            role
            for role in ROLES
            if memory.explain(subject, f"be:{role}", **where).explanation.chains
        ]
        memory.store.queries["asked_of_view"] = ours(
            memory,
            "SELECT permission FROM rescind.effective_permission WHERE resource = 'organization'"
            f" AND organization = '{self.organization}' AND subject = '{subject}'",
        )
        found["view"] = [row[0] for row in memory.store.fetch("asked_of_view", {})]
        return {
            point: ",".join(sorted(item.removeprefix("be:") for item in items))
            for point, items in found.items()
        }


def settle(made: Play) -> None:
    for work in made.authority.pending(organization=made.organization):
        made.authority.reconcile(work)


def play(authority: Authority, example: Example, road: str = "inline") -> Play:
    """Play an example to its end, and look at what it says on the way."""
    made = Play(authority, road)
    made.apply(example.given)
    for step in example.steps:
        if step == NOON_PASSES:
            made.at(AFTERNOON)
        elif isinstance(step, str):
            assert made.counting() == step
        else:
            made.apply(step, is_reversed=road != "inline" and example.any_order)
    return made


def first_role(cell: str) -> str:
    """The role that a cell of the table names, the last where it names a further step."""
    roles = re.findall(r"`(\w+)`", cell.split(": `")[-1] if "again" in cell else cell)
    return f"{roles[-1]}" if "again" in cell else f"{roles[0]}"


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", BY_NAME)
def test_example(authority: Authority, name: str, road: str) -> None:
    """By each route, in either order of a batch, all decision points answer what the documentation says."""
    example = BY_NAME[name]
    made = play(authority, example, road)
    assert made.counting() == end_of(example)
    if road != "inline":
        settle(made)
        assert made.counting() == end_of(example)
    assert count_rows(authority, made.organization, "role_before") == 0


def end_of(example: Example) -> str:
    """The role that counts at the end of an example."""
    last = example.steps[-1]
    if isinstance(last, str) and last in ROLES:
        return last
    return first_role(example.counts)


def test_the_examples_are_those_of_the_documentation() -> None:
    """Each line of the table is played, and nothing else is."""
    lines = PAGE.read_text("utf-8").partition("| Ada holds |")[2].partition("\n\n")[0]
    table = [line.strip("| ").split(" | ") for line in lines.splitlines()[2:]]
    assert table == [[example.holds, example.then, example.counts] for example in EXAMPLES]


def test_an_empty_batch(authority: Authority) -> None:
    """Alters nothing, as in other organizations; also where a role is required."""
    batch = [
        changes.CreateOrganization(),
        changes.SetRoleMode(mode=RoleMode.SINGLE),
        changes.DefineRole(role="owner", required=True),
    ]
    authority.apply(batch, organization="empty batch")
    assert not authority.apply([], organization="empty batch").changed


def test_tomorrow(authority: Authority) -> None:
    """What was given anew until a time ends then, and what is below it is not set aside."""
    made = play(
        authority, BY_NAME["`viewer`, `chief`: unassign `chief`; assign `viewer` until tomorrow"]
    )
    made.at(TOMORROW)
    found = made.by_point(ADA)
    found.pop("view")  # has the database's own clock
    assert {*found.values()} == {"guest"}


def test_what_the_list_gives_it_gives_to_every_member(authority: Authority) -> None:
    made = play(
        authority,
        BY_NAME["`viewer` and `chief` from the group A: replace the assignments of A by `viewer`"],
    )
    assert made.counting(BOB) == "viewer"


@pytest.mark.parametrize(
    "again",
    [
        give("viewer"),
        only("viewer"),
        give("viewer", until=TOMORROW),
        changes.ReplaceAssignments(
            to=ADA, assignments=(Given(role="viewer", expires_at=TOMORROW),)
        ),
    ],
    ids=["assign", "replace", "assign until tomorrow", "replace until tomorrow"],
)
def test_giving_back_is_a_change_once(authority: Authority, again: Change) -> None:
    """It has a receipt and a revision of its own; the second time nothing changes."""
    made = Play(authority)
    made.apply(TWO)
    made.apply(LOSE)
    assert made.counting() == "guest"
    assert made.apply([again]).changed
    assert made.counting() == "viewer"
    assert not made.apply([again]).changed


def test_a_batch_that_switches_and_switches_back(authority: Authority) -> None:
    """It sets nothing aside, and what was counts again."""
    made = Play(authority)
    made.apply(THREE)
    made.apply([take("chief"), mode("multiple"), mode()])
    assert made.counting() == "editor"


def test_control_of_the_switch(authority: Authority, probe: Probe) -> None:
    """Control: with what was remembered kept, the batch sets roles aside after all."""
    made = Play(authority)
    made.apply(THREE)
    probe.omitted.add("forget_roles_before_mode")
    made.apply([take("chief"), mode("multiple"), mode()])
    assert made.counting() == "guest"


CONTROLS = {
    "set_aside": "`viewer`, `chief`: unassign `chief`",
    "remember_roles_below": "`viewer`, `chief`: unassign `chief`",
    "remember_roles_of_members": "`chief` from the group A, `viewer`: remove her from A",
    "remember_roles_of_holders": "`viewer`, `chief`: delete the role `chief`",
    "give_back_to_holder": "`viewer`, `chief`: replace assignments by `viewer`",
    "give_back_to_members": "`viewer` set aside, from the group A: "
    "she is in the list that replaces the members of A",
    "give_back_by_nesting": "`chief` from the group A; A is in the group B, which has `viewer`: "
    "unassign `chief` from A; nest A in B again",
    "forget_role_resets": "`viewer` set aside: choose `next-highest`",
}


@pytest.mark.parametrize("guard", CONTROLS)
def test_control_without_the_statement(authority: Authority, probe: Probe, guard: str) -> None:
    """Control: with the one statement left out, the example comes out otherwise."""
    example = BY_NAME[CONTROLS[guard]]
    probe.omitted.add(guard)
    made = play(authority, example)
    assert made.counting() != end_of(example)


def test_a_change_takes_few_statements_whatever_the_group(
    authority: Authority, probe: Probe
) -> None:
    """To take a role off a group takes five statements more than where all roles count (two compare the
    definitions for all organizations before and after); to give one, one."""
    found: dict[str, set[tuple[int, int]]] = {}
    for which, size in itertools.product(("single", "multiple"), (2, 60)):
        made = Play(authority)
        people = [f"user:{number}" for number in range(size)]
        made.apply([mode(which), *(changes.AddMembership(subject=each) for each in people)])
        made.apply([give("viewer", A), give("chief", A), join("A", *people)])
        taking, giving = (
            statements(made, probe, change) for change in (take("chief", A), give("chief", A))
        )
        found.setdefault(which, set()).add((taking, giving))
    ((taking, giving),), ((plain_taking, plain_giving),) = found["single"], found["multiple"]
    assert (taking - plain_taking, giving - plain_giving) == (5, 1)


def statements(made: Play, probe: Probe, change: Change) -> int:
    """The statements of a change."""
    seen: list[str] = []
    probe.before = seen.append
    made.authority.apply([change], organization=made.organization)
    probe.before = None
    return len(seen)
