"""Random steps: batches of every kind of change, with a route, a time, and work that is done behind them.

A step is plain data, so that steps can be left out and the rest played again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rescind import changes, model
from rescind.changes import Change
from tests.independent.facts import ENVIRONMENT, World
from tests.independent.model import Refused, apply, microseconds

ORGANIZATIONS = ("acme", "beta")
SUBJECTS = ("user:ada", "user:bob", "service_account:ci", "agent:bot")
NAMES = ("One", "Two")
GROUPS = ("g1", "g2", "g3", "g4")
ROLES = ("r1", "r2", "r3", "r4")
PERMISSIONS = ("read", "write", "purge")
TYPES = ("folder", "doc")
RESOURCES = ("folder:a", "folder:b", "doc:1", "doc:2", "doc:3")
CRITICAL = "purge"
PAST, FUTURE = datetime(2001, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
START = 1_900_000_000_000_000
"""In 2030, in microseconds: the first moment of a world with a clock of its own."""
SECOND = 1_000_000


@dataclass(frozen=True)
class Step:
    """One batch for one organization (none: only work and questions), and what goes on around it."""

    organization: str
    batch: tuple[Change, ...]
    at: int | None
    """The time, in microseconds; None is the machine's own."""
    route: str | None = None
    through_index: bool = True
    previews: bool = False
    detail: bool = False
    work: tuple[tuple[int, int], ...] = ()
    """Chunks done after it: of which job, and how many pairs."""
    seed: int = 0
    """Of the questions that are asked."""


@dataclass(frozen=True)
class Kind:
    """What a world of steps is about."""

    single: bool = False
    timed: bool = False
    seed: int = 0
    changes: int = 260
    """How many at least, in all batches."""


@dataclass
class Maker:
    """Makes steps, following them in the oracle so that most of them can be done."""

    kind: Kind
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.kind}")
        self.at: int | None = START if self.kind.timed else None

    def steps(self) -> list[Step]:
        """The set-up of both organizations, then random steps."""
        made = [self._follow(self._step(name, batch)) for name, batch in set_up(self.kind)]
        while sum(len(step.batch) for step in made) < self.kind.changes:
            self._advance()
            made.append(self._follow(self._random_step()))
        return made

    def now(self) -> int:
        """The time that the oracle judges by."""
        return self.at if self.at is not None else START - 1

    def _follow(self, step: Step) -> Step:
        with suppress(Refused):
            self.world = apply(self.world, step.organization, step.batch, self.now()).world
        return step

    def _step(self, name: str, batch: tuple[Change, ...]) -> Step:
        pick = self.random
        work = tuple(
            (pick.randrange(8), pick.choice((1, 2, 3, 50)))
            for _ in range(pick.choice((0, 0, 1, 2)))
        )
        return Step(
            organization=name,
            batch=batch,
            at=self.at,
            route=pick.choice((None, None, "inline", "background", "background")),
            through_index=pick.random() < 0.8,
            previews=pick.random() < 0.15,
            detail=pick.random() < 0.08,
            work=work if pick.random() < 0.9 else tuple((0, 100) for _ in range(12)),
            seed=pick.randrange(1 << 30),
        )

    def _advance(self) -> None:
        """To just before, exactly, or just after the next time at which something expires, or so."""
        if self.at is None or self.random.random() < 0.6:
            return
        ends = {
            until
            for org in self.world.organizations.values()
            for until in (*org.members.values(), *org.assignments.values())
            if until is not None and until > self.at
        }
        if ends and self.random.random() < 0.8:
            self.at = max(self.at, min(ends) + self.random.choice((-1, -1, 0, 0, 1)))
        else:
            self.at += self.random.choice((1, SECOND))

    def _random_step(self) -> Step:
        name = self.random.choices((*ORGANIZATIONS, ENVIRONMENT), (6, 3, 2))[0]
        batch: list[Change] = []
        size = self.random.choices((1, 2, 3, 4, 5, 6), (10, 5, 3, 2, 1, 1))[0]
        for _ in range(size * 6):
            if len(batch) == size:
                break
            change = self._random_change(name, is_first=not batch)
            try:
                apply(self.world, name, [*batch, change], self.now())
            except Refused:
                if self.random.random() > 0.06:
                    continue
            batch.append(change)
            if isinstance(change, changes.DeleteOrganization) and self.random.random() < 0.95:
                break
        return self._step(name, tuple(batch or [self._random_change(name, is_first=True)]))

    def _random_change(self, name: str, *, is_first: bool) -> Change:
        if name == ENVIRONMENT:
            makers, weights = _ENVIRONMENT, _ENVIRONMENT_WEIGHTS
            if self.random.random() < 0.01:
                return changes.AddMembership(subject=SUBJECTS[0])
        else:
            makers, weights = _ALL, _ALL_WEIGHTS
            if is_first and name not in self.world.organizations and self.random.random() < 0.8:
                return changes.CreateOrganization(name=self._name())
        return self.random.choices(makers, weights)[0](self)

    # --- the parts of changes -----------------------------------------------------------------

    def _one(self, *words: str) -> str:
        """One of the words, or seldom one that there never is."""
        return "nobody" if self.random.random() < 0.01 else self.random.choice(words)

    def _name(self) -> str | None:
        return self.random.choice((None, None, None, "One", "Two"))

    def any_subject(self) -> str:
        return "user:" + "nobody" if self.random.random() < 0.01 else self.random.choice(SUBJECTS)

    def any_subjects(self, least: int = 1) -> tuple[str, ...]:
        return tuple(self.random.sample(SUBJECTS, self.random.randint(least, 3)))

    def _new_subject(self) -> str:
        return self.random.choice((*SUBJECTS, "user:eve"))

    def any_group(self) -> str:
        return self._one(*GROUPS)

    def any_role(self) -> str:
        return self._one(*ROLES)

    def _permissions(self, most: int = 3) -> tuple[str, ...]:
        return tuple(self.random.sample(PERMISSIONS, self.random.randint(0, most)))

    def any_place(self) -> str | None:
        return (
            None if self.random.random() < 0.6 else self.random.choice((*RESOURCES, "organization"))
        )

    def _parent(self) -> str | None:
        return self.random.choice((None, "folder:a", "folder:b", *RESOURCES))

    def any_holder(self) -> str:
        is_group = self.random.random() < 0.6
        return f"group:{self.any_group()}" if is_group else self.any_subject()

    def any_until(self) -> datetime | None:
        if self.at is None:
            return self.random.choice((None, None, None, FUTURE, PAST))
        if self.random.random() < 0.4:
            return None
        return model.moment(
            self.at + self.random.choice((-SECOND, -1, 0, 1, 2, 5, SECOND, 9 * SECOND))
        )

    def _flag(self) -> bool:
        return self.random.random() < 0.5

    def any_mode(self) -> Change:
        wanted = (
            "single" if self.random.random() < (0.85 if self.kind.single else 0.1) else "multiple"
        )
        on_loss = "next-highest" if self.random.random() < 0.2 else "default"
        return changes.SetRoleMode(mode=model.RoleMode(wanted), on_loss=model.OnLoss(on_loss))

    def any_given(self) -> tuple[changes.Given, ...]:
        items = [
            changes.Given(role=self.any_role(), on=self.any_place(), expires_at=self.any_until())
            for _ in range(self.random.randint(0, 3))
        ]
        return tuple(items)

    def _edited_role(self) -> Change:
        role, pick = self.any_role(), self.random.randrange(5)
        if pick == 0:
            return changes.EditRole(role=role, set=self._permissions())
        if pick == 1:
            return changes.EditRole(role=role, priority=self.random.randint(-1, 3))
        if pick == 2:
            return changes.EditRole(role=role, remove=(self._one(*PERMISSIONS),))
        if pick == 3:
            critical, name = self._flag(), self.random.choice(("One", "Two"))
            return changes.EditRole(role=role, critical=critical, name=name)
        add, remove = self.random.sample(PERMISSIONS, 2)
        return changes.EditRole(role=role, add=(add,), remove=(remove,) if self._flag() else ())

    def _defined_role(self) -> Change:
        kinds = (None, None, None, None, "organization", *TYPES)
        return changes.DefineRole(
            role=self.any_role(),
            permissions=self._permissions(),
            priority=self.random.randint(-1, 3),
            critical=self.random.random() < 0.3,
            resource_type=self.random.choice(kinds),
        )

    def _defined_permission(self) -> Change:
        slug = self._one(*PERMISSIONS)
        return changes.DefinePermission(permission=slug, critical=slug == CRITICAL)

    def _edited_permission(self) -> Change:
        slug = self._one(*PERMISSIONS)
        if self._flag():
            return changes.EditPermission(permission=slug, critical=self._flag())
        return changes.EditPermission(permission=slug, description=self.random.choice(("", "Why")))

    def _defined_type(self) -> Change:
        parents = self.random.choice(((), (), ("folder",), ("organization", "folder"), ("doc",)))
        return changes.DefineResourceType(type=self.random.choice(TYPES), parents=parents)


Make = Callable[[Maker], Change]

_ENVIRONMENT_MAKERS: tuple[tuple[int, Make], ...] = (
    (3, Maker._defined_permission),
    (2, Maker._edited_permission),
    (
        2,
        lambda m: changes.DeletePermission(permission=m._one(*PERMISSIONS), cascade=m._flag()),
    ),
    (6, Maker._defined_role),
    (6, Maker._edited_role),
    (3, lambda m: changes.DeleteRole(role=m.any_role(), cascade=m._flag())),
    (2, Maker._defined_type),
    (1, lambda m: changes.DeleteResourceType(type=m.random.choice(TYPES))),
)
_MAKERS: tuple[tuple[int, Make], ...] = (
    *_ENVIRONMENT_MAKERS,
    (1, lambda m: changes.RenameOrganization(name=m.random.choice(("One", "Two")))),
    (1, lambda m: changes.DeleteOrganization(cascade=m.random.random() < 0.4)),
    (1, lambda m: changes.CreateOrganization(name=m._name())),
    (3, Maker.any_mode),
    (4, lambda m: changes.SetDefaultRole(role=m.random.choice((None, m.any_role(), m.any_role())))),
    (7, lambda m: changes.AddMembership(subject=m.any_subject(), name=m._name())),
    (1, lambda m: changes.RenameMembership(subject=m.any_subject(), name=m.random.choice(NAMES))),
    (3, lambda m: changes.ChangeMembershipId(subject=m.any_subject(), new_id=m._new_subject())),
    (2, lambda m: changes.DeactivateMembership(subject=m.any_subject())),
    (3, lambda m: changes.ReactivateMembership(subject=m.any_subject())),
    (2, lambda m: changes.RemoveMembership(subject=m.any_subject())),
    (7, lambda m: changes.CreateGroup(group=m.any_group(), name=m._name())),
    (1, lambda m: changes.RenameGroup(group=m.any_group(), name=m.random.choice(("One", "Two")))),
    (2, lambda m: changes.ChangeGroupId(group=m.any_group(), new_id=m._one(*GROUPS, "g5"))),
    (3, lambda m: changes.DeleteGroup(group=m.any_group(), cascade=m._flag())),
    (
        12,
        lambda m: changes.AddMembers(
            group=m.any_group(), members=m.any_subjects(), expires_at=m.any_until()
        ),
    ),
    (8, lambda m: changes.RemoveMembers(group=m.any_group(), members=m.any_subjects())),
    (
        6,
        lambda m: changes.ReplaceMembers(
            group=m.any_group(), members=m.any_subjects(0), create=m._flag()
        ),
    ),
    (9, lambda m: changes.NestGroup(group=m.any_group(), into=m.any_group())),
    (6, lambda m: changes.UnnestGroup(group=m.any_group(), out_of=m.any_group())),
    (6, lambda m: changes.CreateResource(resource=m.random.choice(RESOURCES), parent=m._parent())),
    (4, lambda m: changes.MoveResource(resource=m.random.choice(RESOURCES), parent=m._parent())),
    (2, lambda m: changes.DeleteResource(resource=m.random.choice(RESOURCES), cascade=m._flag())),
    (
        20,
        lambda m: changes.Assign(
            role=m.any_role(), to=m.any_holder(), on=m.any_place(), expires_at=m.any_until()
        ),
    ),
    (14, lambda m: changes.Unassign(role=m.any_role(), to=m.any_holder(), on=m.any_place())),
    (6, lambda m: changes.ReplaceAssignments(to=m.any_holder(), assignments=m.any_given())),
)
_ENVIRONMENT = [make for _, make in _ENVIRONMENT_MAKERS]
_ENVIRONMENT_WEIGHTS = [weight for weight, _ in _ENVIRONMENT_MAKERS]
_ALL = [make for _, make in _MAKERS]
_ALL_WEIGHTS = [weight for weight, _ in _MAKERS]


def set_up(kind: Kind) -> list[tuple[str, tuple[Change, ...]]]:
    """What there is in the beginning: enough that most changes find what they name."""
    of_all: list[Change] = [
        changes.DefinePermission(permission="read"),
        changes.DefinePermission(permission=CRITICAL, critical=True),
        changes.DefineResourceType(type="folder"),
        changes.DefineRole(role="r1", permissions=("read",), priority=1),
        changes.DefineRole(role="r2", permissions=("read", CRITICAL), priority=2),
    ]
    batches: list[tuple[str, tuple[Change, ...]]] = [(ENVIRONMENT, tuple(of_all))]
    mode = model.RoleMode.SINGLE if kind.single else model.RoleMode.MULTIPLE
    for name in ORGANIZATIONS:
        own: list[Change] = [
            changes.CreateOrganization(),
            changes.SetRoleMode(mode=mode),
            changes.DefinePermission(permission="write"),
            changes.DefineRole(role="r3", permissions=("write",), priority=3),
            changes.DefineRole(role="r4", permissions=("read", "write"), priority=0),
            changes.DefineResourceType(type="doc"),
            *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
            *(changes.CreateGroup(group=group) for group in GROUPS),
            changes.CreateResource(resource="folder:a"),
            changes.CreateResource(resource="doc:1", parent="folder:a"),
            changes.SetDefaultRole(role="r4" if kind.single else None),
        ]
        batches.append((name, tuple(own)))
    return batches


def real_now() -> int:
    """The machine's time in microseconds."""
    found = microseconds(datetime.now(UTC))
    assert found is not None
    return found
