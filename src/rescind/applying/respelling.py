"""A rule for ids: what it makes of a batch, and of the ids that an organization has when the rule is set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rescind import model
from rescind.applying.step import folding
from rescind.changes import Change, CreateOrganization, SetIdRule, to_json
from rescind.changes.spelled import spelled
from rescind.errors import IdsLookAlike
from rescind.model import GroupId, IdRule, SubjectId
from rescind.store import Store
from rescind.store.rows import Answers
from rescind.store.rows.facts import (
    READ_ASSIGNMENTS,
    READ_GROUP_MEMBERS,
    READ_MEMBERSHIPS,
    READ_NESTINGS,
    READ_RESETS,
)
from rescind.store.rows.organizations import READ_REVISION
from rescind.store.rows.spelling import (
    LIST_GROUPS_ALIKE,
    LIST_MEMBERSHIPS_ALIKE,
    LIST_UNCANONICAL,
)

if TYPE_CHECKING:
    from rescind.applying.transaction import LogDraft, Plan

ALIKE: Final = {"memberships": LIST_MEMBERSHIPS_ALIKE, "groups": LIST_GROUPS_ALIKE}
MOST_SHOWN: Final = 20
"""Sets of look-alikes that a refusal names."""


@dataclass(frozen=True, slots=True)
class Respelling:
    """The ids of an organization that are not in the canonical spelling, as of a revision."""

    revision: int
    respellings: dict[str, list[tuple[str, str, str | None]]]

    def of_facts(self, facts: Answers) -> Answers:
        """The facts as the queries of `decision.world` have them, with the ids spelled anew."""
        subjects = {old: new for old, new, _ in self.respellings["memberships"]}
        groups = {old: new for old, new, _ in self.respellings["groups"]}
        holders = subjects | {f"group:{old}": f"group:{new}" for old, new in groups.items()}

        def subject(id: SubjectId) -> SubjectId:
            return SubjectId(subjects.get(id, id))

        def group(id: GroupId) -> GroupId:
            return GroupId(groups.get(id, id))

        return (
            facts.replaced(
                READ_MEMBERSHIPS,
                [row._replace(subject=subject(row.subject)) for row in facts[READ_MEMBERSHIPS]],
            )
            .replaced(
                READ_GROUP_MEMBERS,
                [
                    row._replace(subject=subject(row.subject), group=group(row.group))
                    for row in facts[READ_GROUP_MEMBERS]
                ],
            )
            .replaced(
                READ_NESTINGS,
                [
                    row._replace(child=group(row.child), parent=group(row.parent))
                    for row in facts[READ_NESTINGS]
                ],
            )
            .replaced(
                READ_ASSIGNMENTS,
                [
                    row._replace(holder=holders.get(row.holder, row.holder))
                    for row in facts[READ_ASSIGNMENTS]
                ],
            )
            .replaced(
                READ_RESETS,
                [row._replace(subject=subject(row.subject)) for row in facts[READ_RESETS]],
            )
        )


def spelled_entry(
    plan: Plan, batch: list[Change], entry: LogDraft
) -> tuple[list[Change], LogDraft]:
    """A batch and its entry of the log as the organization's rule spells ids; the key stays the given one's.

    A creation says the rule that it was made with, since settings may differ where the log is read again.
    """
    rule = IdRule(plan.id_rule)
    found = spelled(batch, rule)
    if plan.is_new and rule is not IdRule.EXACT and isinstance(found[0], CreateOrganization):
        found[0] = CreateOrganization(name=found[0].name, id_rule=rule)
    if found == batch:
        return batch, entry
    given = entry.body if entry.given is None else entry.given
    return found, entry._replace(body=to_json(found).decode(), given=given)


def read_respelling(
    store: Store, plan: Plan, batch: Sequence[Change], within: object
) -> Respelling | None:
    """What a batch that sets the rule `casefold` has to spell anew.

    Raises IdsLookAlike where two people, or two groups, would have one id.
    """
    change = batch[0] if batch else None
    if not isinstance(change, SetIdRule) or change.rule is not IdRule.CASEFOLD:
        return None
    o = {"o": plan.organization}
    (at,) = store.fetch(READ_REVISION, o, within=within)
    found: dict[str, list[tuple[str, str, str | None]]] = {"memberships": [], "groups": []}
    sets: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in store.fetch(LIST_UNCANONICAL, o, within=within):
        canonical = _canonical(row.kind, row.name)
        sets[row.kind, canonical].add(row.name)
        if canonical != row.name:
            found[row.kind].append((row.name, canonical, folding(canonical)))
    for kind, query in ALIKE.items():
        for alike in store.fetch(query, {**o, "limit": -1 + 2**31}, within=within):
            sets[kind, _canonical(kind, alike.name)].add(alike.name)
    _require_apart(sets)
    return Respelling(at.organization, found)


def _canonical(kind: str, name: str) -> str:
    return model.canonical_subject(name) if kind == "memberships" else model.canonical(name)


def _require_apart(sets: dict[tuple[str, str], set[str]]) -> None:
    alike = [sorted(names) for _, names in sorted(sets.items()) if len(names) > 1]
    if alike:
        shown = "; ".join(" and ".join(names) for names in alike[:MOST_SHOWN])
        more = f"; and {len(alike) - MOST_SHOWN:,} more" if len(alike) > MOST_SHOWN else ""
        raise IdsLookAlike(ids=shown + more)
