"""Random histories on a database, and after every revision the log replayed beside the tables."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from rescind import Authority, changes, model
from rescind.changes import Change, list_from_json
from rescind.changes.spelled import respelled
from rescind.errors import RescindError
from rescind.history.tables import read_environment, read_states
from rescind.model import ENVIRONMENT, ENVIRONMENT_NUMBER, OrganizationId, OrganizationNumber
from rescind.propagation.pace import Pace
from rescind.propagation.reconcile import Work
from rescind.propagation.tombstones import purge
from rescind.semantics.replay import LogDoesNotFit, Recorded, apply, apply_to_environment
from rescind.semantics.replay.comparing import (
    FactDifference,
    environment_differences,
    organization_differences,
)
from rescind.semantics.state import EnvironmentState, OrganizationState, world
from rescind.store import open_store
from tests.clock import SettableClock
from tests.independent.shrinking import shrunk
from tests.independent.steps import Kind, Maker, Step
from tests.jobs import due_jobs
from tests.probe import Probe


class Parted(AssertionError):
    """The log, replayed, gives other facts than the tables have, after the step of this number."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"step {number}: {why}")
        self.number = number


@dataclass
class Replayed:
    """A database, its logs replayed up to now."""

    authority: Authority
    environment: EnvironmentState = field(default_factory=EnvironmentState)
    states: dict[OrganizationNumber, OrganizationState] = field(default_factory=dict)
    stats: Counter[str] = field(default_factory=Counter)

    def follow(self, *names: str) -> None:
        """Replay what was recorded of these organizations, and of the environment, since the last call.

        What is recorded between two calls is of one batch.
        """
        for name in names:
            if name != ENVIRONMENT:
                self._follow_organization(OrganizationId(name))
        for recorded in self._rows(ENVIRONMENT_NUMBER, self.environment.revision):
            apply_to_environment(self.environment, recorded)

    def _follow_organization(self, name: OrganizationId) -> None:
        found = self.authority.store.fetch("find_log", {"organization": name})
        if not found:
            return
        o = OrganizationNumber(found[0][0])
        state = self.states.setdefault(o, OrganizationState(name))
        for recorded in self._rows(o, state.revision):
            self.stats.update(type(change).__name__ for change in recorded.changes)
            self.stats["caused"] += recorded.caused_by is not None
            apply(state, self.environment, recorded)

    def _rows(self, o: OrganizationNumber, after: int) -> Iterator[Recorded]:
        params = {"o": o, "after": after, "characters": 1 << 20, "limit": 1000}
        for row in self.authority.store.fetch("read_log", params):
            revision, recorded_at, body, caused_by = row[0], row[1], row[10], row[12]
            yield Recorded(revision, recorded_at, list_from_json(body), None, caused_by)

    def differences(self) -> list[FactDifference]:
        """Of all organizations that there are or were, and of the environment."""
        found: list[FactDifference] = []
        with self.authority.store.snapshot() as snapshot:
            tables = read_environment(snapshot)
            found += environment_differences(self.environment, tables)
            for o, state in self.states.items():
                kept = read_states(snapshot, OrganizationId(state.organization), o)
                found += organization_differences((state, self.environment), kept)
                self.stats["set aside"] += len(kept.organization.set_aside)
                if not found and world(state, self.environment) != world(*kept):
                    found.append(FactDifference("world", state.organization, None, None))
        return found


# --- histories -------------------------------------------------------------------------------------


def histories(seed: int, many: int, *, changes: int) -> Iterator[tuple[Kind, list[Step]]]:
    """Steps of worlds in turn: all roles count or one, with a clock of their own or the machine's; with
    rules for ids, and roles that keep their last holder.
    """
    for number in range(seed, seed + many):
        kind = Kind(bool(number & 1), bool(number & 2), number, changes)
        yield kind, _varied(Maker(kind).steps(), random.Random(f"{kind} varied"))


def _varied(steps: list[Step], pick: random.Random) -> list[Step]:
    """With ids in other spellings, with rules for them, and with required roles here and there."""
    has_rules = pick.random() < 0.5
    found: list[Step] = []
    for step in steps:
        batch = tuple(_required(change, pick) for change in step.batch)
        if has_rules:
            batch = tuple(_spelled(change, pick) for change in batch)
        found.append(replace(step, batch=batch))
        if has_rules and step.organization != ENVIRONMENT and pick.random() < 0.08:
            rule = pick.choice((model.IdRule.CASEFOLD, model.IdRule.CASEFOLD, model.IdRule.EXACT))
            found.append(replace(step, batch=(changes.SetIdRule(rule=rule),), work=()))
    return found


def _required(change: Change, pick: random.Random) -> Change:
    if isinstance(change, changes.EditRole) and change.priority is not changes.UNSET:
        return changes.EditRole(role=change.role, required=pick.random() < 0.5)
    return change


def _spelled(change: Change, pick: random.Random) -> Change:
    def subject(name: str) -> str:
        kind, colon, rest = name.partition(":")
        return f"{kind}{colon}{rest.title()}" if pick.random() < 0.12 else name

    def group(name: str) -> str:
        return name.upper() if pick.random() < 0.12 else name

    return respelled(change, subject, group)


Fault = Callable[[Authority], None]
"""Makes the product do something else than it should."""


def play(database: str, steps: list[Step], fault: Fault | None = None) -> Counter[str]:
    """Do the steps, and compare after each. Raises Parted. Says what was done how often."""
    clock = SettableClock()
    store = open_store(database, probe=Probe())
    with closing(Authority(store, clock=clock)) as authority:
        if fault is not None:
            fault(authority)
        replayed = Replayed(authority)
        names = sorted({step.organization for step in steps} - {ENVIRONMENT})
        for number, step in enumerate(steps):
            clock.now = None if step.at is None else model.moment(step.at)
            _do(authority, step, replayed.stats)
            _compare(replayed, names, number)
            _work(authority, step)
        return replayed.stats


def _compare(replayed: Replayed, names: list[str], number: int) -> None:
    try:
        replayed.follow(*names)
    except LogDoesNotFit as error:
        raise Parted(number, str(error)) from error
    found = replayed.differences()
    if found:
        raise Parted(number, "\n".join(map(str, found)))


def compare(
    kind: Kind, steps: list[Step], new_database: Callable[[], str], *, most_tries: int
) -> Counter[str]:
    """Play them. Raises AssertionError with the fewest steps that part."""
    try:
        return play(new_database(), steps)
    except Parted as error:
        parted = error

    def fails(candidate: list[Step]) -> bool:
        nonlocal parted
        try:
            play(new_database(), candidate)
        except Parted as error:
            parted = error
            return True
        return False

    fewest = shrunk(steps[: parted.number + 1], fails, most_tries=most_tries)
    told = "\n".join(f"- {s.organization} {s.at} {s.route} {s.seed} {s.batch}" for s in fewest)
    raise AssertionError(f"{kind}; the fewest steps:\n{told}\n{parted}")


def _do(authority: Authority, step: Step, stats: Counter[str]) -> None:
    options: dict[str, Any] = {"route": step.route, "force": step.seed % 3 == 0}
    try:
        receipt = authority.apply(step.batch, organization=step.organization, **options)
    except RescindError as error:
        stats[f"refused {error.code}"] += 1
    else:
        stats[f"recorded {receipt.route}" if receipt.changed else "unaltered"] += 1


def _work(authority: Authority, step: Step) -> None:
    """Some of the work behind the step, so that later ones meet what is pending."""
    for place, pairs in step.work:
        due = due_jobs(authority.store)
        if not due:
            break
        pace = Pace(authority.store.engine)
        pace.pairs = pairs
        Work(authority.store, due[place % len(due)]).step(pace)
    if len(step.work) > 2:
        for work in authority.pending():
            authority.reconcile(work)
        purge(authority.store)
