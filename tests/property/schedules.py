"""Random schedules of changes and chunks of background work in a small organization, and what must hold.

Everything is drawn from one seed, so that a schedule that fails can be run again.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import datetime

from rescind import Authority, changes, model
from rescind.changes import Change
from rescind.errors import GroupBusy, RescindError
from rescind.model import ENVIRONMENT
from rescind.propagation.jobs import Job
from rescind.propagation.pace import Pace
from rescind.propagation.tombstones import purge
from rescind.propagation.work import Work
from rescind.semantics import access
from tests.jobs import due_jobs
from tests.property import oracle
from tests.property.rows import count_rows, effective_roles

NOW = 1_000_000
SOON = model.moment(NOW + 5_000_000)
SUBJECTS = ("user:a", "user:b", "user:c")
GROUPS = ("team", "all", "other")
ROLES = ("reader", "writer")
PLACES = (None, "doc:1", "doc:2")
PERMISSIONS = ("read", "write")
ROUTES = (None, "background", "background", "inline")

DEFINITIONS: list[Change] = [
    *(changes.DefinePermission(permission=permission) for permission in PERMISSIONS),
    *(
        changes.DefineRole(role=role, permissions=(permission,))
        for role, permission in zip(ROLES, PERMISSIONS, strict=True)
    ),
    changes.DefineResourceType(type="doc"),
]
FACTS: list[Change] = [
    changes.CreateOrganization(),
    changes.CreateResource(resource="doc:1"),
    changes.CreateResource(resource="doc:2", parent="doc:1"),
    *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
    *(changes.CreateGroup(group=group) for group in GROUPS),
    changes.NestGroup(group="team", into="all"),
    changes.AddMembers(group="team", members=SUBJECTS[:2]),
    changes.Assign(role="reader", to="group:team", on="doc:1"),
    changes.Assign(role="writer", to="group:all", on="doc:2"),
]


def clock() -> datetime:
    """The time of all changes and questions."""
    return model.moment(NOW)


class Schedule:
    """One organization and the oracle beside it."""

    numbers = itertools.count()

    def __init__(self, authority: Authority, rng: random.Random) -> None:
        self.authority, self.rng = authority, rng
        self.organization = f"o{next(self.numbers)}"
        self.facts = oracle.Facts()
        self.revisions, self.known = 1, 0
        self.opposite: Change | None = None
        authority.apply(FACTS, organization=self.organization)
        for change in (*DEFINITIONS, *FACTS):
            if not isinstance(change, changes.CreateOrganization | changes.DefineResourceType):
                self.facts = oracle.apply(self.facts, change)
        found = authority.store.fetch("find_log", {"organization": self.organization})
        self.o = int(found[0][0])

    # --- what happens -----------------------------------------------------------------------------

    def change(self, authority: Authority | None = None, route: str | None = None) -> None:
        """Some change arrives."""
        self.apply(self._drawn(), authority, route)

    def apply(
        self, change: Change, authority: Authority | None = None, route: str | None = None
    ) -> None:
        """This change arrives."""
        refused, after = None, self.facts
        try:
            after = oracle.apply(self.facts, change, NOW)
        except oracle.Refused as refusal:
            refused = refusal.code
        try:
            receipt = (authority or self.authority).apply(
                [change], organization=self.organization, route=route
            )
        except RescindError as error:
            assert error.code == refused, f"{change}: {error}"
            return
        assert refused is None, f"{change} should be {refused}"
        self.facts = after
        self.revisions += receipt.changed

    def pending(self) -> list[Job]:
        """What is to be done."""
        found = due_jobs(self.authority.store)
        return [job for job in found if job.organization == self.o]

    def chosen(self) -> Work | None:
        """Any of the jobs, as a worker takes it."""
        found = self.pending()
        return Work(self.authority.store, self.rng.choice(found)) if found else None

    def pace(self) -> Pace:
        """Small chunks."""
        pace = Pace(self.authority.store.engine)
        pace.pairs = self.rng.randint(1, 4)
        return pace

    def step(self, work: Work) -> bool:
        """A chunk. Says whether the job is done."""
        try:
            return work.step(self.pace()).is_settled
        except GroupBusy:
            return False

    def drain(self) -> None:
        """Everything that is left is done."""
        while (work := self.chosen()) is not None:
            while not work.step(self.pace()).is_settled:
                pass
        purge(self.authority.store)

    # --- what must hold ---------------------------------------------------------------------------

    def agrees(self) -> None:
        """Each check is what the facts imply, whatever is pending."""
        world = self.facts.world
        asked = list(itertools.product(SUBJECTS, PERMISSIONS, PLACES))
        answers = self.authority.check_many(asked, organization=self.organization)
        for (subject, permission, place), answer in zip(asked, answers, strict=True):
            may = access.allowed(world, subject, permission, place or access.ROOT, NOW)
            assert answer.allowed == may, f"{subject} {permission} {place}: it is {may}"

    def is_right(self) -> None:
        """At rest, rows are what the facts imply, and each change is on record once and settled."""
        expected = oracle.pairs(self.facts.world)
        assert effective_roles(self.authority, self.organization) == expected
        assert count_rows(self.authority, self.organization, "effective_role") == len(expected)
        log = list(self.authority.log(organization=self.organization, after=self.known))
        assert [entry.revision for entry in log] == list(range(self.known + 1, self.revisions + 1))
        assert not [entry.revision for entry in log if entry.settled_at is None]
        self.known = self.revisions

    # --- what is drawn ----------------------------------------------------------------------------

    def _drawn(self) -> Change:
        """A change to the group, for the most part, and often what takes back the one before."""
        if self.opposite is not None and self.rng.random() < 0.4:
            drawn, self.opposite = self.opposite, None
            return drawn
        drawn = self._drawn_anew()
        self.opposite = _opposite(drawn)
        return drawn

    def _drawn_anew(self) -> Change:
        rng = self.rng
        group = rng.choice(("team", "team", "team", "all", "other"))
        holder, role = f"group:{group}", rng.choice(ROLES)
        some = tuple(rng.sample(SUBJECTS, rng.randint(1, 2)))
        drawn: list[Callable[[], Change]] = [
            lambda: changes.AddMembers(group=group, members=some),
            lambda: changes.AddMembers(group=group, members=some, expires_at=SOON),
            lambda: changes.RemoveMembers(group=group, members=some),
            lambda: changes.ReplaceMembers(group=group, members=some),
            lambda: changes.Assign(role=role, to=holder, on=rng.choice(PLACES)),
            lambda: changes.Assign(role=role, to=holder, on=rng.choice(PLACES)),
            lambda: changes.Unassign(role=role, to=holder, on=rng.choice(PLACES)),
            lambda: changes.ReplaceAssignments(
                to=holder, assignments=(changes.Given(role=role, on=rng.choice(PLACES)),)
            ),
            lambda: changes.NestGroup(group=group, into=rng.choice(GROUPS)),
            lambda: changes.UnnestGroup(group=group, out_of=rng.choice(GROUPS)),
            lambda: rng.choice(RARE),
        ]
        return rng.choice(drawn)()


def _opposite(change: Change) -> Change | None:
    match change:
        case changes.AddMembers():
            return changes.RemoveMembers(group=change.group, members=change.members)
        case changes.RemoveMembers():
            return changes.AddMembers(group=change.group, members=change.members)
        case changes.NestGroup():
            return changes.UnnestGroup(group=change.group, out_of=change.into)
        case changes.UnnestGroup():
            return changes.NestGroup(group=change.group, into=change.out_of)
        case changes.Assign():
            return changes.Unassign(role=change.role, to=change.to, on=change.on)
        case changes.Unassign():
            return changes.Assign(role=change.role, to=change.to, on=change.on)
    return None


RARE: tuple[Change, ...] = (
    changes.DeleteGroup(group="team", cascade=True),
    changes.CreateGroup(group="team"),
    changes.CreateGroup(group="team"),
    changes.RemoveMembership(subject="user:a"),
    changes.AddMembership(subject="user:a"),
    changes.AddMembership(subject="user:a"),
)


def prepare(authority: Authority) -> None:
    """Roles and permissions of all organizations."""
    authority.apply(DEFINITIONS, organization=ENVIRONMENT)
