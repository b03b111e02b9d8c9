"""Peers are compared only where they answer as Rescind does; who is faster is told, whoever it is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lab import peers
from lab.check_worlds import CheckWorld
from lab.peers.contract import Peer, relationships, schema
from lab.peers.measure import Found, measured
from lab.peers.systems import SYSTEMS, worlds
from lab.peers.table import shape

from rescind.store.migrations import migrate

TINY = CheckWorld("tiny", 40, (8, 3, 2), 2, 30, 5, 4, 3, stride=3)
"""Groups nested three deep, resources five deep, several roles."""
SEED = CheckWorld("seed", 12, (1, 0, 0), 1, 9, 1, 1, 9)
ROLES = CheckWorld("roles", 12, (20, 0, 0), 3, 7, 1, 20, 1, stride=7, one_permission=True)
OTHERS = [name for name, system in SYSTEMS.items() if system.module and "spicedb" not in name]
"""Of the others, those that pip installs. The benchmark itself also compares the answers of SpiceDB."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What Rescind answers in each world."""
    return {
        world.name: _measured("rescind_sqlite", tmp_path_factory.mktemp("ours"), world).answers
        for world in (TINY, SEED, ROLES)
    }


def _measured(name: str, folder: Path, world: CheckWorld) -> Found:
    place = str(folder / f"{world.name}.db")
    system = SYSTEMS[name]
    if system.engine == "sqlite":
        migrate(place)
    if system.keeps:
        with closing(system.make(place)) as peer:
            peer.load(world)
    return measured(name, place, world, seed=7, seconds=0)


@pytest.mark.parametrize("world", [TINY, SEED, ROLES], ids=lambda world: world.name)
@pytest.mark.parametrize("name", OTHERS)
def test_peers_answer_as_rescind_does(
    name: str, world: CheckWorld, ours: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    """The same checks and lists, before and after a member and a role were taken and given back."""
    mine, theirs = ours[world.name], _measured(name, tmp_path, world).answers
    assert theirs.keys() == mine.keys()
    common = min(len(mine["verdicts"]), len(theirs["verdicts"]))
    assert common >= 20
    assert {"0", "1"} <= set(mine["verdicts"]) or world is SEED
    assert peers.compare(world.name, {"rescind": mine, name: theirs}) >= 20


def test_a_check_is_right_in_the_world_that_is_asked(tmp_path: Path) -> None:
    """By the world itself: members have what the groups above theirs hold, and on what is below."""
    place = str(tmp_path / "world.db")
    migrate(place)
    with closing(SYSTEMS["rescind_sqlite"].make(place)) as peer:
        peer.load(TINY)
        for question in TINY.questions(random.Random(3), 200):
            assert peer.ask(peer.prepared(question)) is _is_allowed(TINY, question), question


def _is_allowed(world: CheckWorld, question: tuple[str, str, str]) -> bool:
    subject, permission, name = question
    groups: set[int] = set()
    fringe: list[int | None] = [*world.groups_of(int(subject.partition(":")[2]))]
    while fringe:
        if (group := fringe.pop()) is not None:
            groups.add(group)
            fringe.append(world.above(group))
    place: int | None = int(name.partition(":")[2])
    while place is not None:
        for group in groups:
            for role, resource in world.assigned(group):
                if resource == place and permission in {"read", world.permission_of(role)}:
                    return True
        place = world.parent(place)
    return False


def test_systems_that_answer_differently_are_not_compared() -> None:
    """A verdict or a list that differs is an error; fewer questions are compared as far as they go."""
    mine = {"verdicts": "0101", "what_can": "2:ab"}
    assert peers.compare("w", {"a": mine, "b": {"verdicts": "01"}}) == 2
    assert peers.compare("w", {}) == 0
    with pytest.raises(RuntimeError, match="a and b differ in verdicts"):
        peers.compare("w", {"a": mine, "b": {"verdicts": "0111"}})
    with pytest.raises(RuntimeError, match="a and b differ in what_can"):
        peers.compare("w", {"a": mine, "b": {"what_can": "3:ab"}})


class _Wrong:
    """A system that forgets that a member was removed."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._peer, name)

    def set_member(self, *_: object) -> None:
        """Forget it."""


def test_a_stale_answer_is_found(
    ours: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system whose removal is not enforced when it returns differs, and is not compared."""
    system = SYSTEMS["rescind_sqlite"]
    stale = replace(system, make=lambda place: _Wrong(system.make(place)))
    monkeypatch.setitem(SYSTEMS, "rescind_sqlite", stale)
    theirs = _measured("rescind_sqlite", tmp_path, SEED).answers
    with pytest.raises(RuntimeError, match="differ in removed"):
        peers.compare("seed", {"rescind": ours["seed"], "stale": theirs})


# --- tables and plots -----------------------------------------------------------------------------


def figures() -> Iterator[tuple[str, float]]:
    """Figures of two systems in a world."""
    for system, check, rate in (("rescind_postgres", 2.0, 10.0), ("pemba_memory", 1.0, 40.0)):
        yield f"peers.small.{system}.check_us", check
        yield f"peers.small.{system}.per_s_8", rate
        yield f"peers.small.{system}.add_ms", 1 / check
    yield "peers.disagreements", 0.0


def test_the_table_says_who_wins() -> None:
    """Each line names the best, and how many times better it is than the better of ours."""
    text = shape(dict(figures()), peers.GOALS).markdown().splitlines()
    assert text[2].endswith("| pemba, memory, 2 × |")
    assert "small: one check, µs | 2 | – | **1** |" in text[2]
    assert text[3].endswith("| pemba, memory, 4 × |")
    assert text[4].endswith("| pemba, memory, 0.5 × |") is False
    assert "| ≤ 0: met |" in text[5]


def test_plots_show_every_system_that_was_measured() -> None:
    """A plot for each group of figures that there is, with the systems in its legend."""
    drawn = peers.plot({"figures": dict(figures())})
    assert [plot.name for plot in drawn] == ["checks", "rate"]
    for plot in drawn:
        assert "pemba, memory" in plot.svg
        assert "Casbin" not in plot.svg


def test_the_schema_has_what_the_facts_say() -> None:
    """Each relation of a fact is in the schema; roles that grant the same are one relation."""
    text = schema(TINY)
    for _, _, name, *_ in relationships(TINY):
        assert f"relation {name}:" in text
    assert "parent" not in schema(SEED)
    assert schema(ROLES).count("relation reader") == 1
    assert "role" not in schema(ROLES)
    assert len(set(relationships(TINY))) == len(list(relationships(TINY)))


def test_quick_worlds_are_like_the_full_ones() -> None:
    """The same worlds by name, each with as many groups for a user as it says."""
    assert worlds(quick=True).keys() == worlds(quick=False).keys()
    for world in worlds(quick=True).values():
        groups = world.groups_of(7)
        assert len(set(groups)) == len(groups)


def test_a_system_that_fails_is_left_out_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The others are measured, and the reason is the last line of its error."""

    def one(name: str, *_: Any) -> tuple[dict[str, float], dict[str, str]]:
        if name == "casbin":
            raise peers.Failed("it broke")
        return {"check_us": 1.0}, {"verdicts": "01"}

    monkeypatch.setattr(peers, "servers", lambda: nullcontext(str))
    monkeypatch.setattr(peers, "worlds", lambda quick: {"tiny": TINY})  # noqa: ARG005
    monkeypatch.setattr(peers, "missing", lambda _: None)
    monkeypatch.setattr(peers, "one", one)
    measured = peers.run(quick=True, seed=7)
    assert measured.left_out["Casbin, tiny"] == "it broke"
    assert "peers.tiny.casbin.check_us" not in measured.figures
    assert "peers.tiny.spicedb.check_us" in measured.figures
    monkeypatch.undo()
    with pytest.raises(peers.Failed, match=r"it failed with status 1: .*nowhere"):
        peers.one("rescind_sqlite", str(tmp_path / "nowhere" / "lab.db"), TINY, 7, 0.0)
