"""Small organizations, answered by hand, by every decision point, on both routes and both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from rescind import ENVIRONMENT, Authority, DecisionPoint, Reason, Route
from rescind.store import open_store
from tests.conftest import ENGINES
from tests.consistency.worlds import FOLDER, Asked, SmallWorld, Step, read_world, read_worlds
from tests.sql import ours
from tests.state import may

WORLDS = read_worlds()
VIEW = {
    engine: ours(engine, f"SELECT count(*) FROM rescind.effective_permission WHERE {condition}")
    for engine, condition in {
        "sqlite": "organization = :organization AND subject = :subject"
        " AND permission = :permission AND resource = :resource",
        "postgres": "organization = %(organization)s AND subject = %(subject)s"
        " AND permission = %(permission)s AND resource = %(resource)s",
    }.items()
}


class Stage:
    """A database that several worlds are played in: each is an organization of its name."""

    def __init__(self, database: str) -> None:
        self.moment: datetime | None = None
        self.points: Counter[DecisionPoint] = Counter()
        self.deciding = Authority(open_store(database), clock=self._time)
        self.remembering = Authority(open_store(database), clock=self._time, index=True)
        self.deciding.store.queries["look into the view"] = VIEW[self.deciding.store.engine]

    def _time(self) -> datetime:
        return self.moment or datetime.now(UTC)

    def close(self) -> None:
        """Give up all connections."""
        self.remembering.close()
        self.deciding.close()

    def play(self, world: SmallWorld, route: Route) -> int:
        """Do its steps one after another, and compare all answers before and after work is settled."""
        asked = 0
        for step in world.steps:
            self.moment = step.at
            if step.everywhere:
                self.deciding.apply(step.everywhere, organization=ENVIRONMENT, route=route)
            if step.changes:
                self.deciding.apply(step.changes, organization=world.name, route=route)
            self.remembering.load(world.name)
            asked += self._compare(world.name, step)
            pending = self.deciding.pending()
            for work in pending:
                self.deciding.reconcile(work)
            if pending:
                asked += self._compare(world.name, step)
        return asked

    def _compare(self, organization: str, step: Step) -> int:
        for asked, expected in step.answers.items():
            said = f"{organization}, {step.when}: {' '.join(filter(None, asked))}"
            found = self.deciding.check(*asked, organization=organization)
            if found.reason is not Reason.UNKNOWN_ORGANIZATION:  # lists have nothing to be about
                assert may(self.deciding, *asked, organization=organization) is expected, said
            decisions = {
                "a check": found,
                "memory": self.remembering.check(*asked, organization=organization),
                "the view": self._is_in_view(organization, asked),
            }
            if step.at is not None:
                del decisions["the view"]  # it goes by the database's clock
            self.points[decisions["memory"].point] += 1
            for point, decision in decisions.items():
                assert bool(decision) is expected, f"{said}: {point}"
        return len(step.answers)

    def _is_in_view(self, organization: str, asked: Asked) -> bool:
        subject, permission, resource = asked
        names = {"subject": subject, "permission": permission, "organization": organization}
        names["resource"] = resource or "organization"
        ((count,),) = self.deciding.store.fetch("look into the view", names)
        return count == 1


@pytest.fixture(scope="module", params=ENGINES)
def stage(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Callable[[Route], Stage]]:
    """A database for each route, since each world is played once on each."""
    stages: dict[Route, Stage] = {}

    def of(route: Route) -> Stage:
        if route not in stages:
            stages[route] = Stage(new_shared_database(request.param))
        return stages[route]

    yield of
    for each in stages.values():
        each.close()


@pytest.mark.parametrize("route", list(Route))
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_answers_are_those_worked_out_by_hand(
    stage: Callable[[Route], Stage], world: SmallWorld, route: Route
) -> None:
    """After each step, while its work is pending and when it is done."""
    playing = stage(route)
    before = playing.points[DecisionPoint.INDEX]
    assert playing.play(world, route) >= 1
    assert playing.points[DecisionPoint.INDEX] > before


def test_a_wrong_answer_is_noticed(stage: Callable[[Route], Stage]) -> None:
    """Control: a world with one answer turned does not pass."""
    found = read_world(FOLDER / "a-leaver.yaml")
    step = found.steps[1]
    asked = next(iter(step.answers))
    step.answers[asked] = not step.answers[asked]
    turned = SmallWorld("turned", found.about, found.steps)
    with pytest.raises(AssertionError, match=r"they disagree|turned"):
        stage(Route.INLINE).play(turned, Route.INLINE)


def test_there_are_enough_of_them() -> None:
    """And each shows something else."""
    assert len(WORLDS) >= 25
    assert len({world.about for world in WORLDS}) == len(WORLDS)
