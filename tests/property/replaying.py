"""Random histories on a database, and after every revision the log replayed beside the tables."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec

from rescind import Authority, changes, model
from rescind.changes import Change, list_from_json
from rescind.changes.spelled import respelled
from rescind.errors import RescindError
from rescind.history.tables import States, read_environment, read_states
from rescind.model import ENVIRONMENT, ENVIRONMENT_NUMBER, OrganizationId, OrganizationNumber
from rescind.propagation.pace import Pace
from rescind.propagation.tombstones import purge
from rescind.propagation.work import Work
from rescind.semantics.replay import LogDoesNotFit, Recorded, apply, apply_to_environment
from rescind.semantics.replay.comparing import FactDifference, differences
from rescind.semantics.state import EnvironmentState, OrganizationState, world
from rescind.store import open_store
from rescind.store.rows.facts import READ_LOG
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


class Seen(NamedTuple):
    """What a step recorded, and the facts in the tables after it."""

    rows: list[tuple[OrganizationNumber, OrganizationId, Recorded]]
    environment_rows: list[Recorded]
    tables: dict[OrganizationNumber, States]
    environment: EnvironmentState


@dataclass
class Replayed:
    """The logs of a database, replayed step by step."""

    environment: EnvironmentState = field(default_factory=EnvironmentState)
    states: dict[OrganizationNumber, OrganizationState] = field(default_factory=dict)

    def follow(self, seen: Seen) -> list[FactDifference]:
        """Replay what a step recorded. Returns what the facts of the tables differ in.

        Raises LogDoesNotFit.
        """
        for o, name, recorded in seen.rows:
            state = self.states.setdefault(o, OrganizationState(name))
            apply(state, self.environment, recorded)
        for recorded in seen.environment_rows:
            apply_to_environment(self.environment, recorded)
        found = [*differences((self.environment,) * 2, (seen.environment,) * 2)]
        for o, state in self.states.items():
            logged = (state, self.environment)
            found += differences(logged, seen.tables[o])
            if not found and world(*logged) != world(*seen.tables[o]):
                found.append(FactDifference("world", state.organization, None, None))
        return found


def see(authority: Authority, names: list[str], replayed: Replayed) -> Seen:
    """What was recorded since, of organizations by their names, and the facts now."""
    rows, store = [], authority.store
    for name in map(OrganizationId, names):
        found = store.fetch("find_log", {"organization": name})
        if found:
            o = OrganizationNumber(found[0][0])
            after = replayed.states[o].revision if o in replayed.states else 0
            rows += [(o, name, recorded) for recorded in _rows(authority, o, after)]
    of_all = list(_rows(authority, ENVIRONMENT_NUMBER, replayed.environment.revision))
    numbers = {o: name for o, name, _ in rows}
    numbers |= {o: OrganizationId(state.organization) for o, state in replayed.states.items()}
    with store.snapshot() as snapshot:
        tables = {o: read_states(snapshot, name, o) for o, name in numbers.items()}
        return Seen(rows, of_all, tables, read_environment(snapshot))


def _rows(authority: Authority, o: OrganizationNumber, after: int) -> Iterator[Recorded]:
    params = {"o": o, "after": after, "characters": 1 << 20, "limit": 1000}
    for row in authority.store.fetch(READ_LOG, params):
        changes = list_from_json(row.body)
        yield Recorded(row.revision, row.recorded_at, changes, None, row.caused_by)


# --- histories -------------------------------------------------------------------------------------


def histories(seed: int, many: int, *, changes: int) -> Iterator[tuple[Kind, list[Step]]]:
    """Steps of worlds in turn: all roles count or one, with a clock of their own or the machine's; with
    rules for ids, and roles that keep their last holder.
    """
    for number in range(seed, seed + many):
        kind = Kind(bool(number & 1), bool(number & 2), number, changes)
        yield kind, _varied(Maker(kind).steps(), kind, random.Random(f"{kind} varied"))


def _varied(steps: list[Step], kind: Kind, pick: random.Random) -> list[Step]:
    """With ids in other spellings, with rules for them, and with required roles here and there; where one
    role counts, with more roles on the organization, and seldom another mode.
    """
    has_rules = pick.random() < 0.5
    found: list[Step] = []
    for step in steps:
        batch = tuple(_required(change, pick) for change in step.batch)
        if kind.single:
            batch = tuple(_wide(change, pick) for change in batch if _is_kept(change, pick))
        if has_rules:
            batch = tuple(_spelled(change, pick) for change in batch)
        found.append(replace(step, batch=batch))
        if has_rules and step.organization != ENVIRONMENT and pick.random() < 0.08:
            rule = pick.choice((model.IdRule.CASEFOLD, model.IdRule.CASEFOLD, model.IdRule.EXACT))
            found.append(replace(step, batch=(changes.SetIdRule(rule=rule),), work=()))
    return [step for step in found if step.batch]


def _is_kept(change: Change, pick: random.Random) -> bool:
    """A change of the mode forgets what was set aside."""
    is_first = isinstance(change, changes.SetRoleMode) and change.mode is model.RoleMode.SINGLE
    return is_first or not isinstance(change, changes.SetRoleMode) or pick.random() < 0.3


def _wide(change: Change, pick: random.Random) -> Change:
    if isinstance(change, changes.Assign | changes.Unassign) and pick.random() < 0.7:
        return msgspec.structs.replace(change, on=None)
    return change


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


def play(
    database: str, steps: list[Step], fault: Fault | None = None, kept: list[Seen] | None = None
) -> Counter[str]:
    """Do the steps, and compare after each. Raises Parted. Says what was done how often."""
    clock, stats, replayed = SettableClock(), Counter[str](), Replayed()
    store = open_store(database, probe=Probe())
    with closing(Authority(store, clock=clock)) as authority:
        if fault is not None:
            fault(authority)
        names = sorted({step.organization for step in steps} - {ENVIRONMENT})
        for number, step in enumerate(steps):
            clock.now = None if step.at is None else model.moment(step.at)
            _do(authority, step, stats)
            seen = see(authority, names, replayed)
            require_same(replayed, seen, number)
            _count(stats, seen)
            if kept is not None:
                kept.append(seen)
            _work(authority, step)
    return stats


def require_same(replayed: Replayed, seen: Seen, number: int) -> None:
    """Replay what was recorded; the facts must be the same. Raises Parted."""
    try:
        found = replayed.follow(seen)
    except LogDoesNotFit as error:
        raise Parted(number, str(error)) from error
    if found:
        raise Parted(number, "\n".join(map(str, found)))


def _count(stats: Counter[str], seen: Seen) -> None:
    for _, _, recorded in seen.rows:
        stats.update(type(change).__name__ for change in recorded.changes)
        stats["caused by the environment"] += recorded.caused_by is not None
    for recorded in seen.environment_rows:
        stats.update(f"* {type(change).__name__}" for change in recorded.changes)
    stats["set aside"] += sum(len(kept.organization.set_aside) for kept in seen.tables.values())


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
