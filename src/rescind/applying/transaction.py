"""The statements of one batch of changes, from the organization's lock to the change log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rescind import model
from rescind.applying import required
from rescind.applying.handlers import record, together
from rescind.applying.handlers.roles import end_expired, end_role
from rescind.applying.look_alikes import LOOK_ALIKES, watched, with_foldings
from rescind.applying.respelling import Respelling
from rescind.applying.single_role import (
    remember_holders,
    remember_roles,
    require_same_definitions,
    set_aside,
    settle_losses,
)
from rescind.applying.step import Step
from rescind.changes import (
    Change,
    CreateOrganization,
    DeleteOrganization,
    DeleteRole,
    SetIdRule,
    to_json,
)
from rescind.changes.spelled import at_end, at_start
from rescind.decision.world import WHOLE, whole
from rescind.errors import InvalidChange
from rescind.model import IdRule, OrganizationNumber
from rescind.propagation.budget import Budget
from rescind.propagation.routing import Router
from rescind.store import Transaction
from rescind.store.contract import Counter
from rescind.store.retries import OverBudget
from rescind.store.rows import Answers
from rescind.store.rows.changes import OutcomeRow, RoleUserRow
from rescind.store.rows.facts import READ_SETTINGS
from rescind.store.rows.replicas import LIST_LEASES, LeaseRow
from rescind.store.rows.spelling import LookAlikeRow

if TYPE_CHECKING:
    from rescind.store.rows.actions import ServiceAction

KEY_RETENTION_SECONDS: Final = 48 * 3600
"""How long idempotency keys are kept at least."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What must be known of an organization before its lock; checked under the lock."""

    organization: OrganizationNumber
    mode: str
    id_rule: str = IdRule.EXACT
    is_new: bool = False
    has_required: bool = False
    """Whether a role keeps its last holder in it."""


class LogDraft(NamedTuple):
    """What goes into the change log about a batch, beside what it did."""

    now: model.Microseconds
    actor: str = ""
    reason: str = ""
    key: str | None = None
    body: str = "[]"
    given: str | None = None
    """The batch as it was given, where the log has its ids in another spelling."""

    @property
    def digest(self) -> str:
        given = self.body if self.given is None else self.given
        return hashlib.sha256(given.encode()).hexdigest()

    def names(self) -> dict[str, Any]:
        """As the statements of the log take it."""
        return {
            "now": self.now,
            "actor": self.actor,
            "reason": self.reason,
            "key": self.key,
            "body": self.body,
            "is_elsewhere": False,
        }


def _unread() -> None:
    """Who holds the organization was not read."""


def number_in(organization: OrganizationNumber, revision: model.Revision) -> int:
    """The revision's number if it is of this organization; else -1, which none has."""
    number = revision.organization
    return number if revision.incarnation == organization and 0 <= number < 2**63 else -1


def require_order(changes: list[Change]) -> None:
    """Raises InvalidChange unless an organization is created by the first change and deleted by the last.

    A rule for ids is set by a batch of its own.
    """
    if len(changes) > 1 and any(isinstance(change, SetIdRule) for change in changes):
        raise InvalidChange(change="SetIdRule", hint="make it a batch of its own")
    if any(isinstance(change, DeleteOrganization) for change in changes[:-1]):
        raise InvalidChange(change="DeleteOrganization", hint="make it the last of its batch")
    if any(isinstance(change, CreateOrganization) for change in changes[1:]):
        raise InvalidChange(change="CreateOrganization", hint="make it the first of its batch")


class ChangeTransaction:
    """One batch for one organization. Called with a transaction, it sends its statements there.

    With `force` it may take the last holder of a required role. With `if_revision` it is refused where the
    organization is not at that revision. If it alters anything, `action` is logged with it. With
    `looks_for_replicas` it is read after the commit who holds the organization: `leases()`.
    `aside` are the steps that turned out not to be for the inline route; `others` are, for each place of
    a deletion of a role of all organizations, those that use it. With `observe` the facts are read before
    and after: `worlds()`.
    """

    def __init__(
        self,
        plan: Plan,
        name: model.OrganizationId,
        changes: list[Change],
        entry: LogDraft,
        budget: Budget,
        aside: Mapping[int, OverBudget],
        *,
        observe: bool = False,
        if_revision: model.Revision | None = None,
        looks_for_replicas: bool = False,
        force: bool = False,
        action: ServiceAction | None = None,
        others: dict[int, list[RoleUserRow]] | None = None,
        respelling: Respelling | None = None,
    ) -> None:
        self.plan, self.name, self.changes, self.entry = plan, name, changes, entry
        self.budget = budget
        self.alters_plan = False
        self.aside = aside
        self.outcome: Callable[[], list[OutcomeRow]] = list
        self.lock_wait: Callable[[], float] = float
        self.leases: Callable[[], list[LeaseRow] | None] = _unread
        self._others = others or {}
        self.respelling = respelling
        self._alike: list[tuple[str, Callable[[], list[LookAlikeRow]]]] = []
        self._observe = observe
        self._if_revision = if_revision
        self._looks_for_replicas = looks_for_replicas
        self._force, self._action = force, action
        self._states: list[Callable[[], Answers]] = []

    def __call__(self, tx: Transaction) -> None:
        plan, name = self.plan, self.name
        o = plan.organization
        router = Router(self.budget, self.aside.keys())
        if plan.is_new:
            create = self.changes[0]
            title = getattr(create, "name", None) or name
            about = {"id_rule": plan.id_rule, "search_name": model.folded(title)}
            tx.run(
                "insert_organization",
                o=o,
                organization=name,
                name=title,
                now=self.entry.now,
                **about,
            )
        if self._others:
            self._end_roles_elsewhere(tx, router)
        tx.lock(
            number=o,
            organization=name,
            mode=plan.mode,
            has_required=plan.has_required,
            id_rule=plan.id_rule,
        )
        if self.entry.key is not None:
            self._claim_key(tx)
        if self._if_revision is not None:
            tx.refuse("refuse_moved", o=o, at=number_in(o, self._if_revision))
        if self.respelling is not None:
            tx.refuse("refuse_moved", o=o, at=self.respelling.revision)
        if self._observe:
            self._states = [self._look(tx)]
        if any(self._others.values()):
            tx.count("note_taken_elsewhere", Counter.REVOKES)
            tx.count("note_pended_elsewhere", Counter.PENDED)
        step = self._context(tx, router, o, name, plan.mode)
        is_judged = step.is_single_role and not self._is_deletion
        takes = is_judged and remember_roles(step, at_start(self.changes))
        is_guarded = self._is_guarded(step)
        if is_guarded:
            required.remember_holders(step)
        for place, part in together(self.changes):
            try:
                record(step, part)
            except InvalidChange as error:
                if len(self.changes) > 1:
                    raise InvalidChange(**error.facts, number=place + 1) from None
                raise
        if is_judged:
            set_aside(step, at_end(self.changes), takes=takes)
        if is_guarded:
            required.require_holders(step, self.changes)
        is_mode_other = step.is_single_role != (plan.mode == "single")
        sets_rule = isinstance(self.changes[0], SetIdRule) if self.changes else False
        self.alters_plan = is_mode_other or sets_rule or required.alters(self.changes)
        if self._observe:
            self._states.append(self._look(tx))
        self._look_for_look_alikes(tx)
        self.outcome = tx.record(o=o, **self.entry.names())
        if takes:
            require_same_definitions(step)
        if self._action is not None:
            tx.note_action(self._action)
        self.lock_wait = tx.lock_wait()
        if self._looks_for_replicas:
            self.leases = tx.read_after_commit(LIST_LEASES, o=o)

    def worlds(self) -> tuple[Any, Any]:
        """The organization's facts before and after, when they were observed."""
        before, after = (state() for state in self._states)
        (settings,) = before[READ_SETTINGS]
        if self.respelling is not None:
            before = self.respelling.of_facts(before)
        if not after[READ_SETTINGS]:  # deleted: what may be left of it is nobody's
            nothing = Answers(WHOLE, ([] for _ in WHOLE))
            return whole(settings, before), whole(settings, nothing)
        return whole(settings, before), whole(after[READ_SETTINGS][0], after)

    def _context(
        self,
        tx: Transaction,
        router: Router,
        o: OrganizationNumber,
        name: model.OrganizationId,
        mode: str,
    ) -> Step:
        respellings = {} if self.respelling is None else self.respelling.respellings
        return Step(tx, name, o, self.entry.now, mode == "single", router, respellings)

    def look_alikes(self) -> dict[str, list[LookAlikeRow]]:
        """Which ids that the batch added, deactivated or removed have look-alikes: rows of id and another."""
        return {what: rows() for what, rows in self._alike}

    def _look_for_look_alikes(self, tx: Transaction) -> None:
        for what, names in watched(self.changes).items():
            query, limit = LOOK_ALIKES[what], model.MOST_LOOK_ALIKES
            rows = tx.read_later(
                query, o=self.plan.organization, names=with_foldings(names), limit=limit
            )
            self._alike.append((what, rows))

    @property
    def _is_deletion(self) -> bool:
        """Whether the batch ends with the organization's deletion."""
        return bool(self.changes) and isinstance(self.changes[-1], DeleteOrganization)

    def _is_guarded(self, step: Step) -> bool:
        """Whether the last holder of a required role is to be kept; not where the organization is deleted."""
        return (
            self.plan.has_required
            and not self._force
            and not self._is_deletion
            and required.may_take(step, self.changes)
        )

    def _claim_key(self, tx: Transaction) -> None:
        o, entry = self.plan.organization, self.entry
        tx.run("forget_old_keys", o=o, cutoff=entry.now - KEY_RETENTION_SECONDS * 1_000_000)
        tx.run("claim_key", o=o, key=entry.key, digest=entry.digest, now=entry.now)

    def _look(self, tx: Transaction) -> Callable[[], Answers]:
        """The facts as they are now, to be had when the transaction has ended."""
        settings = tx.read_later(READ_SETTINGS, organization=self.name)
        parts = [settings, *(tx.read_later(query, o=self.plan.organization) for query in WHOLE)]
        return lambda: Answers((READ_SETTINGS, *WHOLE), (part() for part in parts))

    def _end_roles_elsewhere(self, tx: Transaction, router: Router) -> None:
        """Deleting roles of all organizations is one change of each organization that uses some of them.

        The environment is locked first, because each organization's entry names its revision as the cause;
        then the organizations, in a fixed order. Without `cascade`, only expired assignments are taken.
        """
        users: dict[RoleUserRow, list[DeleteRole]] = {}
        for place, rows in self._others.items():
            change = self.changes[place]
            for user in rows:
                if isinstance(change, DeleteRole) and user.organization != self.plan.organization:
                    users.setdefault(user, []).append(change)
        if users:
            plan = self.plan
            tx.lock(
                number=plan.organization,
                organization=self.name,
                mode=plan.mode,
                has_required=plan.has_required,
            )
        for user, deletions in sorted(users.items(), key=lambda listed: listed[0]):
            other, has_required = user.organization, bool(user.has_required)
            tx.lock(
                number=other, organization=user.name, mode=user.role_mode, has_required=has_required
            )
            step = self._context(tx, router, other, user.name, user.role_mode)
            is_guarded = has_required and not self._force
            if is_guarded:
                required.remember_holders(step)
            self._end_roles_of(step, deletions)
            if is_guarded:
                required.require_holders(step, deletions, is_elsewhere=True)
            body = to_json([*deletions]).decode()
            entry = {**self.entry.names(), "key": None, "body": body, "is_elsewhere": True}
            tx.record(o=other, **entry)

    def _end_roles_of(self, step: Step, deletions: list[DeleteRole]) -> None:
        roles = [(model.role_id(deletion.role), deletion.cascade) for deletion in deletions]
        taken = [role for role, is_cascade in roles if is_cascade and step.is_single_role]
        for role in taken:
            remember_holders(step, role=role, owner=0)
        for role, is_cascade in roles:
            end = end_role if is_cascade else end_expired
            end(step, owner=0, role=role)
        if taken:
            settle_losses(step)
