"""What follows from facts is forgotten where they change: memory held before and after is as one built anew.

Each statement of the index that changes or forgets something is left out in turn, and missed.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, get_args

import pytest

from rescind import Authority, changes
from rescind.changes.base import ChangeType
from rescind.index import (
    Index,
    assignments,
    catalog,
    derived,
    facts,
    index,
    lines,
    loading,
    orders,
    reading,
)
from rescind.index import build as whole
from tests.property import following
from tests.property.following import LEAST, Case, answers, cases, facts_of, ordered_sets, reached

MODULES = (assignments, catalog, facts, reading, whole, loading, derived)
READ = {"__init__", "build_index", "_fill", "_fill_catalog", "fetch"}
"""What reads from the store: the cases are read before any statement is left out."""
REDUNDANT: dict[tuple[str, str], str] = {
    ("_unpacked", "numbers.byteswap()"): "of PostgreSQL alone; `test_index_loading` misses it",
}
"""Statements that nothing misses, and why they are there."""


@pytest.fixture(scope="module")
def followed(new_shared_database: Any) -> Iterator[Followed]:
    """Each kind of change that takes away, as an index reads it on SQLite."""
    with Authority.open(new_shared_database("sqlite")) as authority:
        yield Followed(cases(authority))


def _is_tidy(held: Index, places: int) -> bool:
    """What is kept is of use, counted, and within its bounds."""
    kept, there = held.derived, held.lines.values()
    long = {name for by_name in there for name, line in by_name.items() if line is None}
    united = [one.line for by_roles in kept.united.values() for one in by_roles.values()]
    weights = [sum(map(len, line)) + derived.REACH_WEIGHT for line in united]
    most = index.LEAST_REACH + index.REACH_PER_MEMBERSHIP * len(held.facts.memberships)
    known = len(held.facts.memberships) + len(held.facts.resources)
    most_lines = max(1, lines.LEAST_LINES + lines.LINES_PER_FACT * known)
    most_united = lines.UNITED_PER_ASSIGNMENT * held.facts.assignments.count + lines.LEAST_UNITED
    return (
        kept.long_lines.keys() == long
        and (bool(held.lines) or not (kept.shared or kept.united))
        and kept.united_holders == sum(weights) <= most_united
        and kept.lined == sum(map(len, there))
        and kept.lined <= most_lines
        and kept.reached == reached(kept)
        and (len(held.reach) <= 1 or kept.reached <= most + places)
        and all(
            order.after(LEAST, order.count) == sorted(ordered_sets(held.facts).get(name, ()))
            for name, order in held.facts.orders.kept.items()
        )
    )


@dataclass
class Expected:
    """A case, and what an index that is built anew holds and answers after it: worked out once."""

    case: Case
    facts: Any
    answers: Any
    reached: list[frozenset[int]] = field(default_factory=list)
    """The numbers of the mutants whose statements it runs, for each of the ways."""


class Followed:
    """Cases, and what is expected after each."""

    def __init__(self, found: list[Case]) -> None:
        self.cases = [
            Expected(case, facts_of(anew), answers(anew))
            for case in found
            for anew in [case.expected()]
        ]

    def wrong(self) -> Iterator[str]:
        """Where an index that was asked everything and then follows is not as one built anew."""
        for followed in self.cases:
            if why := self._why_wrong(followed):
                yield why

    def learn_reached(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note which statements each case runs. Each case is right with all of them."""
        reached: set[int] = set()
        for module in MODULES:
            monkeypatch.setattr(module, MARK, reached.add, raising=False)
        for marked in MARKED:
            marked.install(monkeypatch)
        for _ in _ways(monkeypatch):
            for followed in self.cases:
                reached.clear()
                assert self._why_wrong(followed) is None
                followed.reached.append(frozenset(reached))

    def is_wrong(self, mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> bool:
        """Whether any case is wrong with an installed mutant: with short lines, or with all lines long.

        A case that never runs the statement is right without it too, and is passed over. One that was wrong
        is the first of the next call: it often tells of a kindred statement too.
        """
        for way, _ in enumerate(_ways(monkeypatch)):
            for place, followed in enumerate(self.cases):
                if mutant.number not in followed.reached[way]:
                    continue
                try:
                    is_wrong = bool(self._why_wrong(followed))
                except Exception:
                    is_wrong = True
                if is_wrong:
                    self.cases.insert(0, self.cases.pop(place))
                    return True
        return False

    @staticmethod
    def _why_wrong(followed: Expected) -> str | None:
        case = followed.case
        held = case.index()
        answers(held)
        places = held.facts.places
        case.tail.apply(held)
        places = max(places, held.facts.places)
        is_tidy = _is_tidy(held, places)
        if facts_of(held) != followed.facts or answers(held) != followed.answers:
            return case.name
        if not (is_tidy and _is_tidy(held, places)):
            return f"{case.name}: keeps what nobody reads, or more than it may"
        return None


def _ways(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With short lines of united holders; and with long lines, sets in place of shared ones, little kept."""
    with monkeypatch.context() as patched:
        patched.setattr(lines, "ONE_BY_ONE", 0)
        yield
    with monkeypatch.context() as patched:
        patched.setattr(orders, "SMALL", -1)
        patched.setattr(lines, "LONG_LINE", 0)
        patched.setattr(index, "LEAST_REACH", 0)
        patched.setattr(index, "REACH_PER_MEMBERSHIP", 0)
        patched.setattr(lines, "LEAST_LINES", 12)
        patched.setattr(lines, "LINES_PER_FACT", 0)
        patched.setattr(assignments, "SMALL_SET", 1)
        yield


def test_memory_held_before_and_after(authority: Authority, monkeypatch: Any) -> None:
    """On each engine, after each kind of change that takes away, nothing that went is remembered."""
    found = Followed(cases(authority))
    assert len(found.cases) > 60
    for _ in _ways(monkeypatch):
        assert list(found.wrong()) == []


@pytest.mark.parametrize("is_on", [True, False])
def test_replaced_by_nobody(authority: Authority, is_on: bool, monkeypatch: Any) -> None:
    """Who is left out of `replace_members` is denied; control: without `forget_subject`, allowed."""
    name = "replace members by none"
    case = following.recorded(authority, name, [following.WORLD], following.TAKING[name])
    assert case is not None
    held = case.index()
    asked = ("user:a", "q", "doc:4", lambda: 0)
    assert held.resolved(*asked) == index.ALLOWED
    if not is_on:
        monkeypatch.setattr(derived.Derived, "forget_subject", lambda *_: None)
    case.tail.apply(held)
    assert (held.resolved(*asked) == index.ALLOWED) is not is_on


def test_every_kind_of_change_is_followed() -> None:
    """No kind of change is left out of the scripts but those that only add, delete the organization, or
    have the index built anew."""
    scripts = {**following.TAKING, **following.TAKING_FROM_SINGLE, **following.TAKING_EVERYWHERE}
    used = {type(change) for batches in scripts.values() for batch in batches for change in batch}
    used |= {type(change) for change in (*following.WORLD, *following.SINGLE)}
    assert set(get_args(changes.Change)) - used == {
        changes.DeleteOrganization,
        changes.DeleteResourceType,
        changes.SetIdRule,
    }


def test_each_change_says_what_it_affects() -> None:
    """No type of change inherits what it affects: there is no default that could be wrong."""
    for change in get_args(changes.Change):
        assert "note_affected" in vars(change), change.__name__
    with pytest.raises(NotImplementedError, match="ChangeType"):
        ChangeType().note_affected(changes.AffectedFacts())


# --- each statement left out ----------------------------------------------------------------------


@dataclass(frozen=True)
class Altered:
    """A function of a module, or of a class there, compiled from other statements."""

    module: ModuleType
    owner: str | None
    function: str
    code: Any

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: dict[str, Any] = {}
        exec(self.code, vars(self.module), made)
        if self.owner is not None:
            monkeypatch.setattr(
                getattr(self.module, self.owner), self.function, made[self.function]
            )
            return
        original = getattr(self.module, self.function)
        for name, module in tuple(sys.modules.items()):
            if name.startswith("rescind.index") and (
                getattr(module, self.function, None) is original
            ):
                monkeypatch.setattr(module, self.function, made[self.function])


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for child in ast.walk(node):
        for name in ("body", "orelse"):
            body = getattr(child, name, None)
            if isinstance(body, list):
                yield body


def _is_effect(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    return isinstance(statement, ast.Delete | ast.AugAssign)


@dataclass(frozen=True)
class Mutant:
    """A function without one of its statements."""

    number: int
    statement: str
    without: Altered

    @property
    def key(self) -> tuple[str, str]:
        return ".".join(filter(None, (self.without.owner, self.without.function))), self.statement


MARK = "mark_reached"
"""The name by which a marked function tells the number of the statement that it runs next."""
MUTANTS: list[Mutant] = []
MARKED: list[Altered] = []
"""The same functions, whole; they tell which of the statements they run."""


def _compiled(function: ast.FunctionDef) -> Any:
    future = ast.parse("from __future__ import annotations").body
    made = ast.Module([*future, function], [])
    return compile(ast.fix_missing_locations(made), "<mutant>", "exec")


def _find_mutants(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))
    owners: list[tuple[str | None, ast.AST]] = [(None, tree)]
    owners += [(node.name, node) for node in tree.body if isinstance(node, ast.ClassDef)]
    for owner, holder in owners:
        for function in holder.body:  # type: ignore[attr-defined]
            if isinstance(function, ast.FunctionDef) and function.name not in READ:
                _find_mutants_of(module, owner, function)


def _find_mutants_of(module: ModuleType, owner: str | None, function: ast.FunctionDef) -> None:
    function.decorator_list = []
    effects = [
        (body, statement)
        for body in _bodies(function)
        for statement in body
        if _is_effect(statement)
    ]
    first = len(MUTANTS)
    for number, (body, statement) in enumerate(effects, first):
        place = body.index(statement)
        body[place] = ast.copy_location(ast.Pass(), statement)
        altered = Altered(module, owner, function.name, _compiled(function))
        MUTANTS.append(Mutant(number, ast.unparse(statement), altered))
        body[place] = statement
    for number, (body, statement) in enumerate(effects, first):
        body.insert(body.index(statement), ast.parse(f"{MARK}({number})").body[0])
    if effects:
        MARKED.append(Altered(module, owner, function.name, _compiled(function)))


for _module in MODULES:
    _find_mutants(_module)


def test_each_statement_is_needed(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any one of them some organization is not followed."""
    with monkeypatch.context() as patched:
        followed.learn_reached(patched)
    survivors = set()
    for mutant in MUTANTS:
        with monkeypatch.context() as patched:
            mutant.without.install(patched)
            if not followed.is_wrong(mutant, patched):
                survivors.add(mutant.key)
    assert survivors == set(REDUNDANT)
    assert len(MUTANTS) > 60
