"""One organization in two databases: beside others that change as it does, and beside others that do not.

Memberships, groups, resources and assignments are numbered within an organization. One neighbour has the same
names with the same numbers, the other has them with different numbers. So a statement that does not name the
organization everywhere reaches a neighbour's rows, and rows, receipts or chunks differ.

What a change or a chunk may touch is worked out from the facts that differ, and what there is when nothing is
pending from the facts (`touched`). What is set aside is what the oracle says (`model`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rescind import Authority, changes, model
from rescind.changes import Change
from rescind.errors import GroupBusy, RescindError, StoreError
from rescind.propagation.jobs import Job
from rescind.propagation.pace import Pace
from rescind.propagation.work import Work
from rescind.store import open_store
from tests.independent.facts import World
from tests.independent.model import Refused, apply
from tests.independent.steps import ORGANIZATIONS, Make, Maker, Step, real_now, set_up
from tests.independent.touched import at_rest, outside, outside_chunk
from tests.jobs import due_jobs
from tests.property.rows import role_resets
from tests.state import Rows, rows_of

TWIN, OWN = ORGANIZATIONS
SHIFTED = "gamma"

LOSSES = (model.OnLoss.DEFAULT, model.OnLoss.DEFAULT, model.OnLoss.NEXT_HIGHEST)
FLOWS: tuple[tuple[int, Make], ...] = (
    (
        14,
        lambda m: changes.AddMembers(
            group=m.any_group(), members=m.any_subjects(), expires_at=m.any_until()
        ),
    ),
    (10, lambda m: changes.RemoveMembers(group=m.any_group(), members=m.any_subjects())),
    (8, lambda m: changes.ReplaceMembers(group=m.any_group(), members=m.any_subjects(0))),
    (12, lambda m: changes.NestGroup(group=m.any_group(), into=m.any_group())),
    (9, lambda m: changes.UnnestGroup(group=m.any_group(), out_of=m.any_group())),
    (10, lambda m: changes.Assign(role=m.any_role(), to=m.any_holder(), on=m.any_place())),
    (10, lambda m: changes.Assign(role=m.any_role(), to=f"group:{m.any_group()}")),
    (4, lambda m: changes.Assign(role=m.any_role(), to=m.any_holder(), expires_at=m.any_until())),
    (10, lambda m: changes.Unassign(role=m.any_role(), to=m.any_holder(), on=m.any_place())),
    (6, lambda m: changes.ReplaceAssignments(to=m.any_holder(), assignments=m.any_given())),
    (1, lambda m: changes.DeleteGroup(group=m.any_group(), cascade=True)),
    (5, lambda m: changes.CreateGroup(group=m.any_group())),
    (1, lambda m: changes.RemoveMembership(subject=m.any_subject())),
    (4, lambda m: changes.AddMembership(subject=m.any_subject())),
    (2, Maker.any_mode),
    (2, lambda m: changes.SetRoleMode(mode=model.RoleMode.SINGLE, on_loss=m.random.choice(LOSSES))),
)
"""What gives and takes effective roles, and sets roles aside."""
MAKERS, WEIGHTS = [make for _, make in FLOWS], [weight for weight, _ in FLOWS]
NUMBERED = (changes.AddMembership, changes.CreateGroup)


class Different(AssertionError):
    """The organization fares otherwise beside its neighbour than alone, or more rows are touched."""


@dataclass
class FlowMaker(Maker):
    """Makes steps of few changes each, with small chunks behind them. Much expires at the same instant."""

    def steps(self) -> list[Step]:
        """The steps after the set-up. Nearly all change something."""
        for name, batch in self.set_up():
            self.world = apply(self.world, name, batch, self.now()).world
        return [self._random_step() for _ in range(self.kind.changes)]

    def set_up(self) -> list[tuple[str, tuple[Change, ...]]]:
        """Batches for each organization; those of SHIFTED are in another order."""
        batches = list(set_up(self.kind))
        own = batches[-1][1]
        first, rest = own[:1], [c for c in own[1:] if not isinstance(c, NUMBERED)]
        shifted = [c for c in own if isinstance(c, NUMBERED)][::-1]
        return [*batches, (SHIFTED, (*first, *rest[:-1], *shifted, *rest[-1:]))]

    def _random_step(self) -> Step:
        if self.at is not None:
            self.at += self.random.choice((0, 0, 1))
        name = self.random.choice((OWN, OWN, OWN, TWIN, SHIFTED))
        most = self.random.choice((1, 1, 1, 1, 2, 3))
        batch: tuple[Change, ...] = ()
        world = self.world
        for _ in range(8 * most):
            longer = (*batch, self._random_change(name, is_first=True))
            with suppress(Refused):
                outcome = apply(self.world, name, longer, self.now())
                if outcome.world != world:
                    batch, world = longer, outcome.world
            if len(batch) == most:
                break
        self.world = world
        return self._step(name, batch or (self._random_change(name, is_first=True),))

    def _random_change(self, name: str, *, is_first: bool) -> Change:  # noqa: ARG002
        made = self.random.choices(MAKERS, WEIGHTS)[0](self)
        is_other = (
            isinstance(made, changes.SetRoleMode) and (made.mode == "single") != self.kind.single
        )
        return self._random_change(name, is_first=False) if is_other else made

    def any_until(self) -> datetime | None:
        if self.at is None:
            return super().any_until()
        after = self.random.choice((None, None, 0, 1, 2, 4))
        return None if after is None else model.moment(self.at + after)

    def _step(self, name: str, batch: tuple[Change, ...]) -> Step:
        pick = self.random
        many = pick.choice((0, 0, 1, 2, 12, 12))
        pairs = (100,) if many == 12 else (1, 1, 2, 3, 50)
        work = tuple((pick.randrange(8), pick.choice(pairs)) for _ in range(many))
        route = pick.choice(("inline", "background"))
        return Step(organization=name, batch=batch, at=self.at, route=route, work=work)


class Pair:
    """The two databases."""

    def __init__(self, beside: str, alone: str) -> None:
        self.at: int | None = None
        self.beside, self.alone = (
            Authority(open_store(url), clock=self._clock) for url in (beside, alone)
        )
        self.rows: dict[str, Rows] = {}
        self.world = World()

    def now(self) -> int:
        """The time that a step is done at."""
        return self.at if self.at is not None else real_now()

    def _clock(self) -> Any:
        return model.moment(self.now())

    def close(self) -> None:
        """Give up all connections."""
        self.beside.close()
        self.alone.close()

    def set_up(self, maker: FlowMaker) -> None:
        """Make the organizations in both databases."""
        self.at = maker.at
        for name, batch in maker.set_up():
            self.world = apply(self.world, name, batch, self.now()).world
            for authority in (self.beside, self.alone):
                authority.apply(batch, organization=name)
        self.rows = {name: rows_of(self.beside, name) for name in (TWIN, OWN, SHIFTED)}

    def play(self, step: Step) -> bool:
        """Do a step, and its background work. Returns whether it changed anything. Raises Different."""
        self.at, name = step.at, step.organization
        done = _apply(self.beside, step)
        after = rows_of(self.beside, name)
        if len(step.batch) == 1:
            found = outside(self.rows[name], after)
            _expect(found, set(), step, "touched though no fact changed")
        _expect(self._set_aside(name), self._expected(step), step, "set aside")
        chunks = _work(self.beside, step)
        self.rows[name] = rows_of(self.beside, name) if chunks else after
        if not self.rows[name]["pending"]:
            _expect(self.rows[name]["effective_role"], at_rest(self.rows[name]), step, "at rest")
        for other in self.rows.keys() - {name}:
            _expect(rows_of(self.beside, other), self.rows[other], step, f"rows of {other}")
        if name == OWN:
            _expect(done, _apply(self.alone, step), step, "receipt")
            _expect(after, rows_of(self.alone, OWN), step, "rows")
            _expect(chunks, _work(self.alone, step), step, "chunks")
        return done[0] is True

    def _expected(self, step: Step) -> set[tuple[str, str]]:
        with suppress(Refused):
            self.world = apply(self.world, step.organization, step.batch, self.now()).world
        facts, roles = self.world.organizations[step.organization], self.world.roles
        return {(subject, roles[role].slug) for subject, role in facts.set_aside}

    def _set_aside(self, name: str) -> set[tuple[str, str]]:
        return role_resets(self.beside, name)


def _apply(authority: Authority, step: Step) -> tuple[object, ...]:
    """Apply the batch. Returns what the receipt says, or the refusal's code."""
    try:
        receipt = authority.apply(step.batch, organization=step.organization, route=step.route)
    except StoreError:
        raise
    except RescindError as error:
        return (error.code,)
    found = sorted((missing.what, missing.name) for missing in receipt.not_found)
    return (receipt.changed, receipt.direction, receipt.fan_out, receipt.route, *found)


def _work(authority: Authority, step: Step) -> list[object]:
    """Do chunks of the organization's pending work. Returns what each did, and the rows after it."""
    number = authority.store.fetch("find_log", {"organization": step.organization})[0][0]
    done: list[object] = []
    for place, pairs in step.work:
        due = [job for job in due_jobs(authority.store) if job.organization == number]
        if not due:
            break
        job = sorted(due, key=lambda job: (job.urgency, job.revision, *job.key))[place % len(due)]
        before = rows_of(authority, step.organization)
        done.append(_chunk(authority, job, pairs))
        after = rows_of(authority, step.organization)
        found = outside_chunk(job, before, after)
        _expect(found, set(), step, f"touched outside of the range of {job}")
        done.append(after)
    return done


def _chunk(authority: Authority, job: Job, pairs: int) -> object:
    pace = Pace(authority.store.engine)
    pace.pairs = pairs
    try:
        done = Work(authority.store, job).step(pace)
    except GroupBusy as error:
        return error.code
    return (done.made, done.unmade, done.is_settled)


def _expect(found: object, wanted: object, step: Step, what: str) -> None:
    if found == wanted:
        return
    if isinstance(found, dict) and isinstance(wanted, dict):
        found, wanted = _apart(found, wanted)
    raise Different(f"{what}: {step}\n  found:  {found}\n  wanted: {wanted}")


def _apart(found: Rows, wanted: Rows) -> tuple[Rows, Rows]:
    """Only the tables that differ."""
    tables = [table for table in wanted if found[table] != wanted[table]]
    return {t: found[t] for t in tables}, {t: wanted[t] for t in tables}


def play_mirrored(maker: FlowMaker, new_database: Callable[[], str]) -> int:
    """Play a world in both databases. Returns how many steps changed something. Raises Different."""
    with closing(Pair(new_database(), new_database())) as pair:
        pair.set_up(maker)
        return sum(pair.play(step) for step in maker.steps())
