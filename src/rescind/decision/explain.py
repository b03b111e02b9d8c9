"""Why a check is allowed, chain by chain, or what is missing.

The facts that decide the question are read in one snapshot and evaluated by the reference semantics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from rescind.decision.check import decision_from, parameters
from rescind.decision.spelling import respelled
from rescind.decision.states import STATE_ATTEMPTS, kept_changing
from rescind.decision.world import SLICE, slice_of
from rescind.index import Index
from rescind.index.excerpt import excerpt
from rescind.model import (
    Chain,
    Decision,
    DecisionPoint,
    Explanation,
    Question,
    Reason,
    Revision,
    SubjectId,
    moment,
)
from rescind.replicas import CachedAnswers, in_one_step
from rescind.semantics import access
from rescind.semantics.access import ROOT, Assignment, World
from rescind.semantics.ways import leading, ways
from rescind.store import Store
from rescind.store.rows import Answers, Query, QueryWithParams
from rescind.store.rows.decisions import CHECK, LIST_NAMES, NamesRow
from rescind.store.rows.facts import READ_SETTINGS

MAX_CHAINS: Final = 100
"""Chains, or obstacles, in one explanation."""
MAX_GROUPS: Final = 10_000
"""Groups in all chains of an explanation. The first chain is shown whatever its length."""

ASKED: Final[tuple[Query[Any], ...]] = (CHECK, READ_SETTINGS, *SLICE)
"""The check, then the queries for its explanation."""

T = TypeVar("T")
Read: TypeAlias = Callable[[list[QueryWithParams[Any]]], list[list[Any]]]


def explain(
    store: Store,
    recall: CachedAnswers | None,
    question: Question,
    *,
    live: bool,
    now: int,
    at_least: Revision | None,
    within: object = None,
) -> Decision:
    """The decision with its explanation, both at one state of the facts."""
    if recall is not None and not live:
        answer = recall.read(
            question.organization, in_one_step(partial(in_memory, question)), at_least
        )
        if answer is not None:
            (reason, world, at, question), revision = answer
            decision = Decision(
                allowed=reason is Reason.ALLOWED,
                reason=reason,
                point=DecisionPoint.INDEX,
                revision=revision,
            )
            return explained(decision, question, world, at)
    decision, world = _answered(store, question, live, now, at_least, within)
    if decision.reason is Reason.UNKNOWN_SUBJECT:
        question = respelled(store, question, within=within) or question
        decision, world = _answered(store, question, live, now, at_least, within)
    return explained(decision, question, world, now)


def _answered(
    store: Store,
    question: Question,
    live: bool,
    now: int,
    at_least: Revision | None,
    within: object,
) -> tuple[Decision, World | None]:
    if within is None:
        answers = _in_snapshot(store, question, live, now)
    else:
        answers = _in_transaction(
            lambda questions: store.fetch_many(questions, within=within), question, live, now
        )
    return _decided(store, question, answers, live, at_least)


def in_memory(
    question: Question, index: Index, now: int
) -> tuple[Reason, World | None, int, Question] | None:
    """From the index: the reason, the facts (None if a name decided), the time, and the question with its
    subject as it is stored. None if the permission is critical.
    """
    question = question._replace(subject=SubjectId(index.facts.spelled(question.subject)))
    permission = index.facts.permission(question.permission)
    if permission is not None and permission[1]:
        return None
    facts = index.facts
    unmet = facts.first_unmet(question.subject, permission is not None, question.resource)
    if unmet is not None:
        return unmet, None, now, question
    roles = index.roles_with(question.permission)
    m, resource = facts.memberships[question.subject], facts.resources[question.resource]
    is_given = index.gives(m, roles, resource, now)
    reason = Reason.ALLOWED if is_given else Reason.NO_ROLE
    return reason, excerpt(index, question), now, question


def _in_snapshot(store: Store, question: Question, live: bool, now: int) -> Answers:
    """The answers to `_asked`, all from one snapshot."""
    with store.snapshot() as snapshot:
        (names,) = snapshot.fetch_many([(LIST_NAMES, _names(question))])
        asked = _asked(question, names, live, now)
        return Answers(ASKED, snapshot.fetch_many(asked, is_last=True))


def _in_transaction(read: Read, question: Question, live: bool, now: int) -> Answers:
    """The answers to `_asked` in a caller's transaction. The revision is the same before and after them."""
    looked: QueryWithParams[NamesRow] = (LIST_NAMES, _names(question))
    names: list[NamesRow]
    (names,) = read([looked])
    for _ in range(STATE_ATTEMPTS):
        *answers, names_after = read([*_asked(question, names, live, now), looked])
        if names_after == names:
            return Answers(ASKED, answers)
        names = names_after
    raise kept_changing()


def _asked(
    question: Question, names: list[NamesRow], live: bool, now: int
) -> list[QueryWithParams[Any]]:
    """The queries of `ASKED` with their parameters; `names` are the rows of `list_names`."""
    numbers: dict[str, int | None] = dict.fromkeys("ompr", -1)
    for row in names:
        numbers = {"o": row.organization, "m": row.membership, "p": row.permission}
        numbers["r"] = row.resource
    return [
        (CHECK, parameters(question, live=live, now=now)),
        (READ_SETTINGS, {"organization": question.organization}),
        *((query, numbers) for query in SLICE),
    ]


def _decided(
    store: Store, question: Question, answers: Answers, live: bool, at_least: Revision | None
) -> tuple[Decision, World | None]:
    """The decision, and the facts that decided it; None if it was decided by a name alone."""
    decision = decision_from(answers[CHECK], live, at_least, store.seals)
    if decision.reason not in (Reason.ALLOWED, Reason.NO_ROLE):
        return decision, None
    world = slice_of(
        answers[READ_SETTINGS][0],
        answers,
        subject=question.subject,
        is_active=True,
        permission=question.permission,
    )
    return decision, world


def explained(decision: Decision, question: Question, world: World | None, now: int) -> Decision:
    """The decision with its explanation from these facts; without facts, a name decided it."""
    if world is None:
        told = _UNKNOWN[decision.reason].format(**_names(question))
        decision.explanation = Explanation(obstacles=(told,))
    elif decision:
        listed, is_complete = first_few(chains(world, question, now))
        decision.explanation = Explanation(chains=listed, is_complete=is_complete)
    else:
        reasons, is_complete = first_few(obstacles(world, question, now))
        decision.explanation = Explanation(obstacles=reasons, is_complete=is_complete)
    return decision


def _names(question: Question) -> dict[str, str]:
    return {
        "organization": question.organization,
        "subject": question.subject,
        "permission": question.permission,
        "resource": question.resource,
    }


def first_few(found: Iterator[T]) -> tuple[tuple[T, ...], bool]:
    """The first chains or obstacles, up to the limits, and whether these are all."""
    listed: list[T] = []
    groups = 0
    for item in found:
        groups += len(item.groups) if isinstance(item, Chain) else 0
        if len(listed) == MAX_CHAINS or (listed and groups > MAX_GROUPS):
            return tuple(listed), False
        listed.append(item)
    return tuple(listed), True


_UNKNOWN = {
    Reason.UNKNOWN_ORGANIZATION: "there is no organization {organization}",
    Reason.UNKNOWN_SUBJECT: "{subject} has no membership in {organization}",
    Reason.DEACTIVATED: "the membership of {subject} is deactivated",
    Reason.UNKNOWN_PERMISSION: "the permission {permission} is not defined",
    Reason.UNKNOWN_RESOURCE: "the resource {resource} does not exist",
}


def chains(world: World, question: Question, now: int) -> Iterator[Chain]:
    """Every chain that allows. A default role in force is a chain of its own."""
    subject, permission, resource = question[1:]
    line = access.ancestors(world, resource)
    won = access.won_role(world, subject, now) if world.is_single_role else None
    wanted: dict[str, list[Assignment]] = {}
    for assignment, until in sorted(world.assignments.items(), key=str):
        if (
            access.in_force(until, now)
            and assignment.resource in line
            and permission in world.roles[assignment.role].permissions
            and (not world.is_single_role or assignment.resource != ROOT or assignment.role == won)
        ):
            wanted.setdefault(assignment.holder, []).append(assignment)
    for way in ways(world, subject, now, wanted.keys()):
        for assignment in wanted[f"group:{way[-1]}" if way else subject]:
            yield _chain(world, question, way, assignment)
    role = world.default_role
    if (
        world.is_single_role
        and won is None
        and role is not None
        and permission in world.roles[role].permissions
    ):
        yield Chain(subject, (), role, permission, ROOT, resource, None, is_default_role=True)


def obstacles(world: World, question: Question, now: int) -> Iterator[str]:
    """What would allow but is expired, set aside or outranked. Else: no role contains the permission."""
    subject, permission, resource = question[1:]
    line = access.ancestors(world, resource)
    held = access.held(world, subject, None)
    would = [
        assignment
        for assignment in sorted(held, key=str)
        if assignment.resource in line and permission in world.roles[assignment.role].permissions
    ]
    useful = leading(world, {assignment.holder for assignment in would})
    is_any = False
    for (member, group), until in sorted(world.members.items()):
        if member == subject and group in useful and not access.in_force(until, now):
            is_any = True
            yield f"the membership of {subject} in group {group} expired {_moment(until)}"
    winner = access.winning_role(world, subject, now) if world.is_single_role else None
    for assignment in would:
        for sentence in _why_not(world, subject, assignment, winner, now):
            is_any = True
            yield sentence
    if not is_any:
        yield (
            f"no role of {subject}, its own or through a group, contains {permission}"
            f" on {resource} or above it"
        )


def _why_not(
    world: World, subject: str, assignment: Assignment, winner: str | None, now: int
) -> Iterator[str]:
    what = f"role {assignment.role} of {assignment.holder} on {assignment.resource}"
    until = world.assignments[assignment]
    if not access.in_force(until, now):
        yield f"the assignment of {what} expired {_moment(until)}"
    if world.is_single_role and assignment.resource == ROOT:
        if (subject, assignment.role) in world.resets:
            yield f"{what} does not count: it was set aside when {subject} lost a higher one; give it again"
        elif winner != assignment.role:
            yield f"{what} does not count: in this single-role organization {winner or 'none'} does"


def _moment(until: int | None) -> str:
    return "" if until is None else moment(until).isoformat()


def _chain(world: World, question: Question, way: tuple[str, ...], assignment: Assignment) -> Chain:
    untils = [world.assignments[assignment]]
    if way:
        untils.append(world.members[(question.subject, way[0])])
    limits = [until for until in untils if until is not None]
    return Chain(
        subject=question.subject,
        groups=way,
        role=assignment.role,
        permission=question.permission,
        assigned_on=assignment.resource,
        resource=question.resource,
        expires_at=moment(min(limits)) if limits else None,
    )
