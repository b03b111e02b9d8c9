"""A rule for ids: what it makes of a batch, and of the ids that an organization has when the rule is set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rescind import model
from rescind.applying.spelled import spelled
from rescind.applying.step import folding
from rescind.changes import Change, CreateOrganization, SetIdRule, to_json
from rescind.errors import IdsLookAlike
from rescind.model import IdRule
from rescind.store import Rows, Store

if TYPE_CHECKING:
    from rescind.applying.transaction import LogDraft, Plan

MOST_SHOWN: Final = 20
"""Sets of look-alikes that a refusal names."""


@dataclass(frozen=True, slots=True)
class Respelling:
    """The ids of an organization that are not in the canonical spelling, as of a revision."""

    revision: int
    respellings: dict[str, list[tuple[str, str, str | None]]]

    def of_rows(self, rows: dict[str, Rows]) -> dict[str, Rows]:
        """The facts as the queries of `decision.world` have them, with the ids spelled anew."""
        spell = {old: new for old, new, _ in self.respellings["memberships"]}
        groups = {old: new for old, new, _ in self.respellings["groups"]}
        spell |= {f"group:{old}": f"group:{new}" for old, new in groups.items()}
        places = {
            "read_memberships": (spell,),
            "read_group_members": (spell, groups),
            "read_nestings": (groups, groups),
            "read_assignments": (spell,),
            "read_resets": (spell,),
        }
        return rows | {
            query: [
                (
                    *(names.get(id, id) for names, id in zip(maps, row, strict=False)),
                    *row[len(maps) :],
                )
                for row in rows[query]
            ]
            for query, maps in places.items()
        }


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
    o = {"o": plan.o}
    ((_, revision, _),) = store.fetch("read_revision", o, within=within)
    found: dict[str, list[tuple[str, str, str | None]]] = {"memberships": [], "groups": []}
    sets: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, name in store.fetch("list_uncanonical", o, within=within):
        canonical = _canonical(kind, name)
        sets[kind, canonical].add(name)
        if canonical != name:
            found[kind].append((name, canonical, folding(canonical)))
    for kind in found:
        query = f"list_{kind}_alike"
        for _, name in store.fetch(query, {**o, "limit": -1 + 2**31}, within=within):
            sets[kind, _canonical(kind, name)].add(name)
    _require_apart(sets)
    return Respelling(revision, found)


def _canonical(kind: str, name: str) -> str:
    return model.canonical_subject(name) if kind == "memberships" else model.canonical(name)


def _require_apart(sets: dict[tuple[str, str], set[str]]) -> None:
    alike = [sorted(names) for _, names in sorted(sets.items()) if len(names) > 1]
    if alike:
        shown = "; ".join(" and ".join(names) for names in alike[:MOST_SHOWN])
        more = f"; and {len(alike) - MOST_SHOWN:,} more" if len(alike) > MOST_SHOWN else ""
        raise IdsLookAlike(ids=shown + more)
