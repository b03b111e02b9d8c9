"""The change log alone, replayed, gives the facts after every revision, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from rescind import Authority
from rescind.changes import Change
from rescind.semantics.replay import losses, people, rows
from rescind.semantics.replay.step import Step as ReplayStep
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

HISTORIES = {kind.seed: (kind, steps) for kind, steps in histories(0, 8, changes=200)}
PLAYED = [*(("sqlite", seed) for seed in HISTORIES), *(("postgres", seed) for seed in range(4))]


@pytest.mark.parametrize(("engine", "seed"), PLAYED)
def test_any_changes(seed: int, engine: str, new_database: Callable[[str], str]) -> None:
    """Longer runs: `python -m tests.property.replay --minutes 60`."""
    kind, steps = HISTORIES[seed]
    compare(kind, steps, lambda: new_database(engine), most_tries=60)


def without(*queries: str) -> Fault:
    """The product does not do what these statements do."""

    def leave(authority: Authority) -> None:
        probe_of(authority).omitted.update(queries)

    return leave


FAULTS = (
    "set_aside",
    "give_back_to_holder",
    "give_back_to_members",
    "forget_role_resets",
    "shorten_group_members",
    "lengthen_assignments",
    "end_other_assignments",
    "end_expired_assignments_of_role",
    "delete_permission_from_roles",
    "delete_direct_group_members",
    "unset_default_role",
    "delete_other_group_members",
    "respell_memberships",
    "move_resource",
    "set_role_required",
)


@pytest.mark.parametrize("fault", FAULTS)
def test_control_of_handlers(fault: str, new_database: Callable[[str], str]) -> None:
    """What the product does not do of a change is found."""
    for _, steps in HISTORIES.values():
        try:
            play(new_database("sqlite"), steps, without(fault))
        except Parted:
            return
    pytest.fail(f"not found: {fault}")


@pytest.fixture(scope="module")
def recorded(new_shared_database: Callable[[str], str]) -> list[list[Seen]]:
    """What histories recorded, and the facts after each step."""
    found = []
    for _, steps in HISTORIES.values():
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


@pytest.mark.parametrize("kind", get_args(Change), ids=lambda kind: kind.__name__)
def test_control_of_each_type(
    kind: type[Change], recorded: list[list[Seen]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A type of change that is not replayed is found: each is in the histories, and alters facts."""
    for done in (rows._OF_ORGANIZATION, rows._OF_BOTH, rows._OF_ENVIRONMENT):
        if kind in done:
            monkeypatch.setitem(done, kind, lambda *_: None)  # type: ignore[attr-defined]
    assert parts(recorded)


def never(*_: Any, **__: Any) -> bool:
    return False


RULES: dict[str, tuple[Any, str, Any]] = {
    "nothing is set aside": (losses, "settle", lambda _: None),
    "nothing is given back": (losses, "give_back", lambda *_: None),
    "what expired is in force": (ReplayStep, "is_past", never),
    "winners keep their old ids": (people, "respell_subject", None),
    "roles are ranked by name": (ReplayStep, "place", None),
}


def test_nothing_parts_without_a_fault(recorded: list[list[Seen]]) -> None:
    assert not parts(recorded)
