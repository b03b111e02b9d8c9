"""The change log alone, replayed, gives the facts after every revision, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from rescind import Authority, changes, model
from rescind.changes import Change
from rescind.model import ENVIRONMENT, RoleMode
from rescind.semantics import state as states
from rescind.semantics.replay import definitions, losses, people, rows
from rescind.semantics.replay.step import Step as ReplayStep
from tests.conftest import ENGINES
from tests.independent.steps import SECOND, START, Step
from tests.probe import probe_of
from tests.property.replaying import (
    Fault,
    Parted,
    Replayed,
    Seen,
    compare,
    histories,
    play,
    require_same,
)
from tests.property.rows import role_resets

HISTORIES = {kind.seed: (kind, steps) for kind, steps in histories(0, 4, changes=200)}
PLAYED = [*(("sqlite", seed) for seed in HISTORIES), *(("postgres", seed) for seed in (3,))]


@pytest.mark.parametrize(("engine", "seed"), PLAYED)
def test_any_changes(seed: int, engine: str, new_database: Callable[[str], str]) -> None:
    """Longer runs: `python -m tests.property.replay --minutes 60`."""
    kind, steps = HISTORIES[seed]
    compare(kind, steps, lambda: new_database(engine), most_tries=60)


# --- controls: what the product does not do, and what replay does not, is found ---------------------

A, B = "user:ada", "user:bob"
GONE = model.moment(START + SECOND)


def _step(number: int, organization: str, *batch: Change) -> Step:
    """Two seconds after the last. With a new name, so that it is recorded whatever else is not done."""
    is_alone = isinstance(batch[-1], changes.DeleteOrganization | changes.SetIdRule)
    if organization != ENVIRONMENT and not is_alone:
        batch = (*batch, changes.RenameOrganization(name=f"name {number}"))
    return Step(organization, batch, START + number * 2 * SECOND)


SCRIPT = [
    _step(number, organization, *batch)
    for number, (organization, *batch) in enumerate(
        [
            (
                ENVIRONMENT,
                changes.DefinePermission(permission="read"),
                changes.DefineResourceType(type="doc"),
                changes.DefineRole(role="low", priority=1),
                changes.DefineRole(role="high", priority=9),
            ),
            (
                "acme",
                changes.CreateOrganization(),
                changes.SetRoleMode(mode=RoleMode.SINGLE),
                changes.DefineRole(role="own", permissions=("read",)),
                changes.AddMembership(subject="Ada"),
                changes.AddMembership(subject=B),
                changes.CreateGroup(group="g"),
                changes.CreateGroup(group="h"),
                changes.CreateResource(resource="doc:1"),
                changes.CreateResource(resource="doc:2"),
                changes.Assign(role="own", to="user:Ada", expires_at=GONE),
                changes.Assign(role="low", to="group:h"),
                changes.Assign(role="low", to=B, on="doc:1", expires_at=GONE),
                changes.SetDefaultRole(role="high"),
            ),
            ("acme", changes.SetIdRule(rule=model.IdRule.CASEFOLD)),
            ("acme", changes.Assign(role="own", to=A)),  # again, after it expired
            ("acme", changes.EditRole(role="own", required=True, priority=3)),
            ("acme", changes.MoveResource(resource="doc:2", parent="doc:1")),
            ("acme", changes.AddMembers(group="h", members=(A, B))),
            ("acme", changes.AddMembers(group="h", members=(B,), expires_at=GONE)),
            ("acme", changes.Assign(role="high", to=A)),
            ("acme", changes.Unassign(role="high", to=A)),  # sets low and own aside
            ("acme", changes.AddMembers(group="h", members=(A,))),  # gives low back
            ("acme", changes.Assign(role="own", to=A)),  # and own
            ("acme", changes.Assign(role="high", to=A)),
            ("acme", changes.ReplaceAssignments(to=A, assignments=(changes.Given(role="own"),))),
            ("acme", changes.ChangeMembershipId(subject=A, new_id="user:eve")),
            ("acme", changes.SetRoleMode(mode=RoleMode.MULTIPLE)),
            ("acme", changes.ReplaceMembers(group="h", members=(B, "user:new"), create=True)),
            ("acme", changes.NestGroup(group="g", into="h")),
            ("acme", changes.RemoveMembership(subject="user:eve")),
            (ENVIRONMENT, changes.DeletePermission(permission="read", cascade=True)),
            (ENVIRONMENT, changes.DeleteRole(role="high", cascade=True)),
            (
                ENVIRONMENT,
                changes.DefineRole(role="high"),
                changes.DefinePermission(permission="read"),
            ),
            ("acme", changes.DeleteRole(role="own", cascade=True)),
            ("acme", changes.DeleteResource(resource="doc:1", cascade=True)),
            ("acme", changes.DefineResourceType(type="file")),
            ("acme", changes.DeleteResourceType(type="file")),
            ("acme", changes.DeleteOrganization(cascade=True)),
            ("acme", changes.CreateOrganization(name="Another")),
        ]
    )
]


def without(*queries: str) -> Fault:
    """The product does not do what these statements do."""

    def leave(authority: Authority) -> None:
        probe_of(authority).omitted.update(queries)

    return leave


STATEMENTS = (
    "set_aside",
    "give_back_to_holder",
    "give_back_to_members",
    "forget_role_resets",
    "shorten_group_members",
    "lengthen_assignments",
    "end_other_assignments",
    "delete_other_group_members",
    "put_missing_group_members",
    "respell_memberships",
    "change_membership_id",
    "move_resource",
    "set_role_required",
    "set_role_priority",
    "delete_permission",
)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_script(engine: str, new_database: Callable[[str], str]) -> None:
    """All of it is done, so that the controls are about what they say."""
    done = play(new_database(engine), SCRIPT)
    assert not [what for what in done if what.startswith(("refused", "unaltered"))]


def test_a_role_on_a_resource_gives_nothing_back(new_database: Callable[[str], str]) -> None:
    """By replay as little as by the product: what was set aside on everything stays so."""
    given = [changes.Assign(role=role, to="user:ada") for role in ("low", "high")]
    steps = [
        SCRIPT[0],
        _step(
            1,
            "acme",
            changes.CreateOrganization(),
            changes.SetRoleMode(mode=RoleMode.SINGLE),
            changes.AddMembership(subject="user:ada"),
            changes.CreateResource(resource="doc:1"),
            *given,
        ),
        _step(2, "acme", changes.Unassign(role="high", to="user:ada")),
        _step(3, "acme", changes.Assign(role="low", to="user:ada", on="doc:1")),
    ]
    url = new_database("sqlite")
    play(url, steps)
    with Authority.open(url) as authority:
        assert role_resets(authority, "acme") == {("user:ada", "low")}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_control_of_handlers(statement: str, new_database: Callable[[str], str]) -> None:
    """What the product does not do of a change is found."""
    with pytest.raises(Parted):
        play(new_database("sqlite"), SCRIPT, without(statement))


@pytest.fixture(scope="module")
def recorded(new_shared_database: Callable[[str], str]) -> list[list[Seen]]:
    """What histories recorded, and the facts after each step."""
    found: list[list[Seen]] = []
    for steps in [SCRIPT, *(steps for _, steps in HISTORIES.values())]:
        kept: list[Seen] = []
        play(new_shared_database("sqlite"), steps, kept=kept)
        found.append(kept)
    return found


def parts(recorded: list[list[Seen]]) -> bool:
    """Whether the facts part from the log as it is replayed now."""
    for kept in recorded:
        replayed = Replayed()
        try:
            for number, seen in enumerate(kept):
                require_same(replayed, seen, number)
        except Parted:
            return True
    return False


def test_nothing_parts_without_a_fault(recorded: list[list[Seen]]) -> None:
    assert not parts(recorded)


@pytest.mark.parametrize("kind", get_args(Change), ids=lambda kind: kind.__name__)
def test_control_of_each_type(
    kind: type[Change], recorded: list[list[Seen]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A type of change that is not replayed is found: each is in the histories, and alters facts."""
    tables: tuple[Any, ...] = (rows.OF_ORGANIZATION, rows.OF_BOTH, rows.OF_ENVIRONMENT)
    for table in tables:
        if kind in table:
            monkeypatch.setitem(table, kind, lambda *_: None)
    assert parts(recorded)


RULES: dict[str, tuple[Any, str, Any]] = {
    "nothing is set aside": (losses, "settle", lambda _: None),
    "nothing is given back": (losses, "give_back", lambda *_: None),
    "winners are not remembered": (losses, "remember", lambda *_: None),
    "what expired is in force": (ReplayStep, "is_past", lambda *_: False),
    "what is in force has expired": (ReplayStep, "is_past", lambda *_: True),
    "deleted permissions of all stay": (states, "is_contained", lambda *_: True),
    "a role of all is not ended elsewhere": (definitions, "end_role", lambda *_, **__: None),
    "ids are not respelled": (people, "_respell", lambda *_: None),
}


@pytest.mark.parametrize("rule", RULES)
def test_control_of_rules(
    rule: str, recorded: list[list[Seen]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that replay does not keep is found."""
    monkeypatch.setattr(*RULES[rule])
    assert parts(recorded)
