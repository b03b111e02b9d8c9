"""The batches of one import to one organization, applied so that nothing taken meanwhile is given back.

An import begins with the commit of its first batch. What others take after that is read from the log before
each batch, and the batch is done only if the organization has not moved on since.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from rescind import changelog, model
from rescind.authority import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    CreateOrganization,
    DeleteOrganization,
    SetIdRule,
    list_from_json,
    subjects_in,
)
from rescind.changes.spelled import spelled
from rescind.errors import InvalidArgument, KeyReused, PreconditionFailed, StoreConflict
from rescind.model import IdRule, OrganizationNumber, Receipt
from rescind.store.rows.changes import READ_KEYED_OUTCOME, KeyedOutcomeRow
from rescind.store.rows.facts import READ_LOG, MembershipFact
from rescind.store.rows.imports import FIND_NAMED_MEMBERSHIPS
from rescind.store.rows.organizations import (
    FIND_LOGS_NAMED,
    PLAN,
    READ_REVISION,
    OrganizationRow,
)
from rescind.transfer.parts import Applied, Contention, parts_of, together
from rescind.transfer.readers import Item
from rescind.transfer.since import LeftOut, Taken, rest_of

ATTEMPTS: Final = 32
"""How often a batch is tried while others change the organization between a look and the lock."""
_LOG_ROWS: Final = 500
_ADDING: Final = (CreateOrganization, AddMembership, CreateGroup, AddMembers, Assign)


@dataclass(slots=True)
class View:
    """The organization at one revision: what of the people that a batch names is on record."""

    revision: model.Revision | None
    active: dict[str, bool] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)

    @property
    def inactive(self) -> frozenset[str]:
        return frozenset(subject for subject, active in self.active.items() if not active)


class Batches:
    """Applies batches in order. `run` begins the idempotency keys of the import, if it has any."""

    def __init__(
        self,
        authority: Authority,
        organization: str,
        *,
        run: str | None,
        actor: str = "unknown",
        reason: str = "",
    ) -> None:
        self.authority, self.name = authority, model.organization_id(organization)
        self._run, self._actor, self._reason = run, actor, reason
        self._o: OrganizationNumber | None = None
        self._rule = IdRule.EXACT
        self._read_to: int | None = None
        """The revision up to which the log was read; none before the import has begun."""
        self._own: set[int] = set()
        self.taken = Taken()
        self._is_resumed = False
        self.contention = Contention()
        self.tried: list[Item] = []
        """What was to be done of the batch that was tried last."""

    @property
    def number(self) -> OrganizationNumber | None:
        """The organization's, once it was looked at and is there."""
        return self._o

    def begin(self, items: Sequence[Item], key: str | None) -> None:
        """Find out whether an earlier import had done this batch, as the first of its own, with this key.

        Raises InvalidArgument where the organization was deleted after that, and another has its name, or
        would be made.
        """
        self._find()
        if key is None:
            return
        if self._o is not None and (rows := self._begun(self._o, key)):
            self._read_to, self._is_resumed = _revision_of(rows[0]), True
        elif (self._o is not None or any(map(is_creation, items))) and any(
            self._begun(row.organization, key)
            for row in self._logs()
            if row.organization != self._o
        ):
            raise _deleted(self.name)

    def look(self, items: Sequence[Item]) -> View:
        """The organization as it is now, with everything read of the log up to that."""
        if self._o is None:
            self._find()
        if self._o is None:
            return View(None)
        items = self.spelled(items)
        names = sorted({subject for item in items for subject in _subjects(item)})
        asked = {"o": self._o, "subjects": json.dumps(names, ensure_ascii=False)}
        store, people = self.authority.store, list[MembershipFact]()
        if names:
            (at,), people = store.fetch_many(
                ((READ_REVISION, {"o": self._o}), (FIND_NAMED_MEMBERSHIPS, asked))
            )
        else:
            (at,) = store.fetch(READ_REVISION, {"o": self._o})
        if self._read_to is not None:
            self._read_log(at.organization)
        view = View(store.seals.revision(at.incarnation, at.organization, at.environment))
        for row in people:
            view.active[row.subject], view.names[row.subject] = bool(row.active), row.name
        return view

    def spelled(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items with ids as the organization spells them."""
        if self._rule is IdRule.EXACT:
            return items
        changes = spelled([item.change for item in items], self._rule)
        return [replace(item, change=change) for item, change in zip(items, changes, strict=True)]

    def rest(self, items: Sequence[Item], view: View) -> tuple[list[Item], list[LeftOut]]:
        """What may be done of a batch, and what is left out of it."""
        found: list[Item] = []
        left: list[LeftOut] = []
        inactive = view.inactive
        for item in self.spelled(items):
            kept, parts = rest_of(item, self.taken, inactive)
            left += parts
            if kept is not None:
                found.append(_as_named(kept, view))
        return found, left

    def apply(self, items: Sequence[Item], key: str | None) -> Applied:
        """Apply a batch, but for what others took since the import began. Raises its refusals.

        With a key that an earlier import used for the same batch, what that did is the answer; of rows of a
        list, what that left out and is not left out now is done.

        A batch that only adds is done in parts, each a transaction, if others changed the organization
        lately: then the parts before a refusal stay. Each part has a key as well, to go on after a crash.
        Other batches stay whole: a batch is judged by its end.
        """
        if not all(isinstance(item.change, _ADDING) for item in items):
            return self._whole(items, key, items)
        self.contention.next_batch()
        is_in_parts = self._is_known(key, "/0")
        if not is_in_parts and self._is_known(key):
            return self._whole(items, key, items)
        if not (self.contention or is_in_parts):
            done = self._tried(items, key, items, attempts=1)
            if done is not None:
                return done
        parts = parts_of(items)
        applied = [
            self._whole(part, None if key is None else f"{key}/{number}", part)
            for number, part in enumerate(parts[:-1])
        ]
        applied.append(self._whole(parts[-1], key, items))
        return together(applied, len(items))

    def _is_known(self, key: str | None, part: str = "") -> bool:
        """Whether an interrupted import did this batch, or a part of it: what it did is not done again."""
        if not self._is_resumed or key is None or self._o is None:
            return False
        return bool(self._keyed(self._o, f"{key}{part}"))

    def _whole(self, part: Sequence[Item], key: str | None, items: Sequence[Item]) -> Applied:
        done = self._tried(part, key, items, attempts=ATTEMPTS)
        if done is None:
            why = "others kept changing it; import again"
            raise StoreConflict(organization=self.name, why=why)
        return done

    def _tried(
        self, part: Sequence[Item], key: str | None, items: Sequence[Item], *, attempts: int
    ) -> Applied | None:
        """Apply a part of a batch, whose key stands for `items`; None if others came in between each time. A
        single attempt is not made if others changed the organization since the last batch.
        """
        for _ in range(attempts):
            view = self.look(part)
            if attempts == 1 and self.contention:
                return None
            self.tried, left = self.rest(part, view)
            if not self.tried and self._read_to is not None:
                return Applied(None, 0, left)
            try:
                return self._apply(part, left, key, view, items)
            except PreconditionFailed:
                self._require_same()
                self.contention.note()
            except KeyReused:
                if not _is_list(part):
                    raise
                key = None
        return None

    # --- within -----------------------------------------------------------------------------------

    def _apply(
        self,
        items: Sequence[Item],
        left: list[LeftOut],
        key: str | None,
        view: View,
        whole: Sequence[Item],
    ) -> Applied:
        """The key stands for the `whole` batch, but of a list for what is done of it."""
        rest = [item.change for item in self.tried]
        is_part = list(items) != list(whole)
        is_for_rest = _is_list(items) and not is_part
        receipt, is_repeated = self.authority._apply_rest(
            rest,
            rest if is_for_rest else [item.change for item in whole],
            actor=self._actor,
            reason=self._reason,
            idempotency_key=key,
            organization=self.name,
            at=view.revision,
        )
        self._note(receipt, is_repeated=is_repeated)
        if any(isinstance(change, DeleteOrganization) for change in rest):
            self._o, self._read_to, self.taken = None, None, Taken()
        if is_repeated and not _is_list(items):
            left = []
        done = items if is_repeated else self.tried
        return Applied(receipt, len(done), left, is_repeated)

    def _find(self) -> None:
        """Look up the organization, and how it spells ids."""
        (plan,) = self.authority.store.fetch(PLAN, {"organization": self.name})
        self._o = plan.organization
        own = self.authority.settings.id_rule
        self._rule = own if self._o is None else IdRule(plan.id_rule)

    def _note(self, receipt: Receipt, *, is_repeated: bool) -> None:
        number = receipt.revision.organization
        self._o = OrganizationNumber(receipt.revision.incarnation)
        self._own.add(number)
        if self._read_to is None or (not is_repeated and number > self._read_to):
            self._read_to = number

    def _read_log(self, up_to: int) -> None:
        while self._read_to is not None and self._read_to < up_to:
            params = {
                "o": self._o,
                "after": self._read_to,
                "limit": _LOG_ROWS,
                "characters": changelog.PAGE_CHARACTERS,
            }
            rows = self.authority.store.fetch(READ_LOG, params)
            for row in rows:
                if row.revision not in self._own and not self._is_own(row.idempotency_key):
                    self._heed(list_from_json(row.body))
                    self.contention.note()
            self._read_to = rows[-1].revision if rows else up_to

    def _heed(self, changes: list[Change]) -> None:
        """Note what others took; under another rule for ids, what they took before has other spellings."""
        if any(isinstance(change, SetIdRule) for change in changes):
            self._find()
            self.taken = self.taken.spelled(self._rule)
        self.taken.note(spelled(changes, self._rule))

    def _is_own(self, key: str | None) -> bool:
        return self._run is not None and key is not None and key.startswith(self._run)

    def _begun(self, organization: OrganizationNumber, key: str) -> list[KeyedOutcomeRow]:
        """What an import did first: its first batch, or the first part of that."""
        return self._keyed(organization, f"{key}/0") or self._keyed(organization, key)

    def _keyed(self, organization: OrganizationNumber, key: str) -> list[KeyedOutcomeRow]:
        return self.authority.store.fetch(READ_KEYED_OUTCOME, {"o": organization, "key": key})

    def _logs(self) -> list[OrganizationRow]:
        return self.authority.store.fetch(FIND_LOGS_NAMED, {"organization": self.name})

    def _require_same(self) -> None:
        (plan,) = self.authority.store.fetch(PLAN, {"organization": self.name})
        if plan.organization != self._o:
            raise _deleted(self.name)


def _is_list(items: Sequence[Item]) -> bool:
    """Whether a batch only adds what rows say, so that it may be done again."""
    return all(isinstance(item.change, _ADDING) and _is_row(item) for item in items)


def _is_row(item: Item) -> bool:
    return bool(item.rows) or not item.place  # an import creates the organization by itself


def _revision_of(outcome: KeyedOutcomeRow) -> int:
    """At which revision a keyed batch was done; one that altered nothing, at the one before its own."""
    return outcome.revision if outcome.direction is not None else outcome.revision - 1


def _deleted(name: str) -> InvalidArgument:
    return InvalidArgument(
        what="organization",
        value=name,
        why="it was deleted since the import began",
        hint="to import all of it into a new one, say --again, or use another idempotency key",
    )


def _subjects(item: Item) -> list[str]:
    """The people that an item made from rows names; their ids were checked when the rows were read."""
    return list(subjects_in(item.change)) if item.rows else []


def _as_named(item: Item, view: View) -> Item:
    """A list names who is new; whoever is there keeps the name on record."""
    change = item.change
    if item.rows and isinstance(change, AddMembership) and change.name is not None:
        subject = model.subject_id(change.subject)
        if subject in view.names:
            return replace(item, change=msgspec.structs.replace(change, name=None))
    return item


def is_creation(item: Item) -> bool:
    """Whether the change creates the organization, and so begins a batch."""
    return isinstance(item.change, CreateOrganization)
