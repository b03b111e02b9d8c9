"""What the decisions of a review mean for the facts as they are now. Pure, no I/O.

A line is one way to a role. Revoking it takes away what begins the way: the subject's own assignment, or its
place in a group. So lines that begin with the same place stand and fall together.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rescind.changes import Change, RemoveMembers, Unassign
from rescind.errors import BadInput, RescindError
from rescind.history.population import Population, Way
from rescind.model import (
    MAX_TEXT_LENGTH,
    ROOT,
    Difference,
    LineDecision,
    LineSource,
    Review,
    StaleLine,
    Verdict,
)
from rescind.semantics import access
from rescind.semantics.state import Assigned, Place

MEMBERS_A_CHANGE = 500
Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Revocation:
    """A line that is to be revoked."""

    decision: LineDecision
    way: Way

    @property
    def taken(self) -> tuple[str, ...]:
        """What is taken away; equal for lines that stand and fall together."""
        way = self.way
        if way.source is LineSource.GROUP:
            return ("place", way.subject, way.chain[0])
        if way.source is LineSource.DEFAULT_ROLE:
            return ("default role", way.subject)
        return ("assignment", way.subject, way.role, way.resource)


def revocations(
    ways: dict[str, Way], decisions: Sequence[LineDecision]
) -> tuple[list[Revocation], int]:
    """The lines that are to be revoked, and how many are kept.

    Raises BadInput for lines that cannot be revoked, and for those that are kept and begin with what another
    line takes away.
    """
    revoked = [
        Revocation(each, ways[each.line]) for each in decisions if each.verdict is Verdict.REVOKE
    ]
    kept = [Revocation(each, ways[each.line]) for each in decisions if each.verdict is Verdict.KEEP]
    by_taken: dict[tuple[str, ...], Revocation] = {}
    problems = []
    for each in revoked:
        by_taken.setdefault(each.taken, each)
        if each.way.source is LineSource.DEFAULT_ROLE:
            why = f"{each.way.role} is the default role, which nobody gave {each.way.subject}"
            hint = "remove or deactivate the membership, or set another default role"
            problems.append(BadInput(at=each.decision.at, why=why, hint=hint))
    for each in kept:
        other = by_taken.get(each.taken)
        if other is not None:
            problems.append(_contradiction(each, other))
    require_none(problems)
    return revoked, len(kept)


def require_none(problems: list[BadInput]) -> None:
    """Raises BadInput if there is any: the only one, or one with the first of them."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        first = problems[:20]
        raise BadInput(first, len(problems), at=first[0].facts.get("at", "?"))


def _contradiction(kept: Revocation, revoked: Revocation) -> BadInput:
    way = kept.way
    where = revoked.decision.at or revoked.decision.line
    if way.source is not LineSource.GROUP:
        return BadInput(
            at=kept.decision.at, why=f"{where} revokes what is kept here", hint="keep one"
        )
    why = f"{where} takes {way.subject} out of the group {way.chain[0]}, which gives this line too"
    hint = (
        "decide both alike, or give the role that is to stay in another way first;"
        " or take the other role from the group"
    )
    return BadInput(at=kept.decision.at, why=why, hint=hint)


def changes_of(revoked: Iterable[Revocation]) -> list[Change]:
    """The changes that take these lines away, in an order that depends on nothing but the lines."""
    members: dict[str, set[str]] = defaultdict(set)
    own: set[tuple[str, str, str]] = set()
    for each in revoked:
        way = each.way
        if way.source is LineSource.GROUP:
            members[way.chain[0]].add(way.subject)
        else:
            own.add((way.subject, way.role, way.resource))
    changes: list[Change] = []
    for group, subjects in sorted(members.items()):
        listed = sorted(subjects)
        for start in range(0, len(listed), MEMBERS_A_CHANGE):
            part = tuple(listed[start : start + MEMBERS_A_CHANGE])
            changes.append(RemoveMembers(group=group, members=part))
    for subject, role, resource in sorted(own):
        on = None if resource == ROOT else resource
        changes.append(Unassign(role=role, to=subject, on=on))
    return changes


class _Respelled:
    """Facts of the review that are there still, under another id of their subject or group.

    A fact that is older than the review, of an id that was not there then, can only be one of these.
    """

    def __init__(self, reviewed: Population, now: Population) -> None:
        self._subjects = now.state.memberships.keys() - reviewed.state.memberships.keys()
        self._groups = now.state.groups.keys() - reviewed.state.groups.keys()
        self._places: dict[int, list[tuple[str, str]]] = defaultdict(list)
        self._own: dict[tuple[int, str, str], list[str]] = defaultdict(list)
        if self._subjects or self._groups:
            for (subject, group), place in now.state.places.items():
                if subject in self._subjects or group in self._groups:
                    self._places[place.since].append((subject, group))
            for (holder, role, resource), assigned in now.state.assignments.items():
                if holder in self._subjects:
                    self._own[assigned.since, role, resource].append(holder)

    def of(self, way: Way) -> list[str]:
        """What may be the way's first fact now, in words. More than one if a batch made several alike."""
        if way.source is LineSource.ASSIGNMENT:
            return self._own.get((way.own_since, way.role, way.resource), [])
        return [
            subject if group == way.chain[0] else f"{subject} in {group}"
            for subject, group in self._places.get(way.own_since, ())
            if (subject == way.subject or subject in self._subjects)
            and (group == way.chain[0] or group in self._groups)
        ]


def sorted_out(
    revoked: Iterable[Revocation], reviewed: Population, now: Population
) -> tuple[list[Revocation], list[StaleLine]]:
    """Which lines apply to the facts as they are now, and which do not any more, with the reason."""
    applying, stale = [], []
    known: dict[str, set[tuple[object, ...]]] = {}
    respelled = _Respelled(reviewed, now)
    for each in revoked:
        why, is_there = gone_since(each.way, now)
        if why and (others := respelled.of(each.way)):
            why = f"{why}; it may be that of {', '.join(others[:3])} now, whose id was changed"
            is_there = True
        why = why or _moved(each.way, now, known)
        if why:
            stale.append(StaleLine(each.decision, why, is_there))
        else:
            applying.append(each)
    return applying, stale


def gone_since(way: Way, now: Population) -> tuple[str, bool]:
    """Why what a line takes away is not there any more, or is another one; empty if it is there. And whether
    one is there.
    """
    state = now.state
    if way.subject not in state.memberships:
        return f"{way.subject} has no membership any more", False
    fact: Place | Assigned | None
    if way.source is LineSource.GROUP:
        what = f"the place of {way.subject} in the group {way.chain[0]}"
        fact = state.places.get((way.subject, way.chain[0]))
    else:
        what = f"the role {way.role} of {way.subject} on {way.resource}"
        fact = state.assignments.get((way.subject, way.role, way.resource))
    if fact is None:
        return f"{what} is not there any more", False
    if not access.in_force(fact.until, now.at):
        return f"{what} has expired", False
    if fact.since != way.own_since:
        return f"{what} was given again, at revision {fact.since}; review it anew", True
    return "", True


def _moved(way: Way, now: Population, known: dict[str, set[tuple[object, ...]]]) -> str:
    """Why what is there does not give the line's role any more; empty if it does."""
    if way.source is not LineSource.GROUP:
        return ""
    if way.subject not in known:
        known.clear()
        known[way.subject] = {_identity(each) for each in now.ways(way.subject)}
    if _identity(way) in known[way.subject]:
        return ""
    return f"the group {way.chain[0]} does not give {way.role} on {way.resource} any more"


def _identity(way: Way) -> tuple[object, ...]:
    return way.chain[:1], way.chain[-1:], way.role, way.resource


def beyond(
    difference: Difference, revoked: Sequence[Revocation], reviewed: Population, now: Population
) -> tuple[tuple[Triple, ...], tuple[Triple, ...]]:
    """What is lost that no revoked line gives, and what such a line gives and is not lost."""
    meant: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in revoked:
        for permission in reviewed.kind(each.way.role).permissions:
            meant[each.way.subject, permission].add(each.way.resource)
    lost = set(difference.revoked)
    more = tuple(
        entry
        for entry in difference.revoked
        if not _covers(meant.get(entry[:2], set()), entry[2], now)
    )
    counting = {each.way.subject for each in revoked if _is_active(each.way.subject, now)}
    retained = sorted(
        (subject, permission, resource)
        for (subject, permission), resources in meant.items()
        for resource in resources
        if subject in counting and (subject, permission, resource) not in lost
    )
    return more, tuple(retained)


def _is_active(subject: str, now: Population) -> bool:
    membership = now.state.memberships.get(subject)
    return membership is not None and membership.is_active


def _covers(on: set[str], resource: str, now: Population) -> bool:
    return any(now.is_within(resource, above) for above in on)


def refusal_of(error: RescindError, applying: list[Revocation]) -> BadInput:
    """The refusal of a batch, with the lines that give the role which it is about, or else all of them."""
    role = error.facts.get("role")
    named = [each for each in applying if each.way.role == role] or applying
    facts = {name: value for name, value in error.facts.items() if name != "hint"}
    why = type(error)(**facts).sentence(str).rstrip(".")
    return BadInput(at=", ".join(_places(named)), why=why, refused_as=error.code)


def _places(named: list[Revocation], most: int = 10) -> list[str]:
    shown = [each.decision.at or each.decision.line for each in named[:most]]
    return shown + ([f"{len(named) - most:,} more"] if len(named) > most else [])


def idempotency_key(scope: tuple[object, ...], revoked: list[Revocation]) -> str:
    """The idempotency key of these decisions, whatever file they stood in and in which order."""
    content = [*map(str, scope), *sorted(each.decision.line for each in revoked)]
    return f"review/{hashlib.sha256(json.dumps(content).encode()).hexdigest()}"


def beginning_of_reason(review: str) -> str:
    """How the reason of each change begins that applied decisions of the review."""
    return f"access review {review}"


def reason_of(review: Review, decisions: Sequence[LineDecision], comment: str) -> str:
    """The review's name, the comment on all of it, and each different comment on a line that is revoked."""
    told = [comment] if comment else []
    for each in decisions:
        if each.verdict is Verdict.REVOKE and each.comment and each.comment not in told:
            told.append(each.comment)
    text = beginning_of_reason(review.name) + (f": {'; '.join(told)}" if told else "")
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[: MAX_TEXT_LENGTH - 1]}…"
