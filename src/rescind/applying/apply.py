"""Carrying out a batch: plan, transaction, and what to do when the store asks to do it otherwise.

A batch is tried as planned. The plan may have been overtaken, a step may be too much for the inline route,
the idempotency key may have been used: each of these ends the try, and says how to go on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from rescind import model
from rescind.applying.look_alikes import look_alikes
from rescind.applying.options import DEFAULT, ApplyOptions
from rescind.applying.receipts import Recorded, receipt_of, unaltered_receipt
from rescind.applying.respelling import read_respelling, spelled_entry
from rescind.applying.transaction import ChangeTransaction, LogDraft, Plan, require_order
from rescind.changes import Change, CreateOrganization, DeleteOrganization, DeleteRole
from rescind.errors import (
    InvalidArgument,
    KeyReused,
    OrganizationNotFound,
    PreconditionFailed,
    RescindError,
    StoreConflict,
    StoreUnavailable,
)
from rescind.errors.database import REPEAT_TRANSACTION
from rescind.model import (
    ENVIRONMENT,
    Difference,
    IdRule,
    Missing,
    OrganizationId,
    Route,
)
from rescind.propagation.budget import BACKGROUND, Budget, Costs, forced, why
from rescind.semantics.difference import difference
from rescind.store import Store
from rescind.store.retries import PLAN_ATTEMPTS, KeyTaken, OverBudget, PlanStale
from rescind.store.rows.changes import (
    CONFIRM_KEYED_OUTCOME,
    LIST_ORGANIZATIONS_USING_ROLE,
    READ_KEYED_OUTCOME,
    RoleUserRow,
)
from rescind.store.rows.organizations import FIND_LOG, PLAN, READ_REVISION
from rescind.store.rows.spelling import LookAlikeRow

MOST_STEPS_ASIDE: Final = 4
"""With so many steps of a batch in the background, all the others go there as well."""


class ChangeApplier:
    """Records batches in a store. Safe to use from many threads."""

    def __init__(self, store: Store, costs: Costs, id_rule: IdRule) -> None:
        self._store, self._costs, self._id_rule = store, costs, id_rule
        self._plans: dict[OrganizationId, Plan] = {}

    def record(
        self,
        name: OrganizationId,
        changes: list[Change],
        entry: LogDraft,
        options: ApplyOptions = DEFAULT,
    ) -> Recorded:
        """Record a batch as one transaction; committed when this returns, unless it is `within` another.

        Raises the refusal of the first change that cannot be, with nothing written; KeyReused;
        PreconditionFailed; OutcomeUnknown; StoreConflict.
        """
        require_order(changes)
        within, detail = options.within, options.detail
        budget = self._budget(options, name, changes)
        aside: dict[int, OverBudget] = {}
        stale: Plan | None = None
        for _ in range(PLAN_ATTEMPTS):
            try:
                plan = self._plan(name, changes, within)
            except OrganizationNotFound:
                if (buried := self._buried(name, entry, within)) is not None:
                    return self._replayed(buried, name, entry, within)
                if options.if_revision is not None or not _is_deletion(changes):
                    raise
                return self._deleted_before(name, entry, within, detail=detail)
            batch = self._batch(
                plan,
                name,
                changes,
                entry,
                options,
                budget=budget,
                aside=aside,
                looks_for_replicas=within is None and self._store.capabilities.has_replicas,
            )
            start = time.perf_counter()
            try:
                self._store.transact(batch, within=within)
            except PlanStale:
                self._plans.pop(name, None)
                if within is not None and plan == stale:
                    why = "the organization was made or changed after the transaction began to read"
                    raise StoreConflict(why=why, hint=REPEAT_TRANSACTION) from None
                stale = plan
                continue
            except PreconditionFailed:
                if batch.respelling is None or options.if_revision is not None:
                    raise
                continue
            except OverBudget as refusal:
                aside[refusal.step] = refusal
                budget = BACKGROUND if len(aside) == MOST_STEPS_ASIDE else budget
                continue
            except KeyTaken:
                return self._replayed(plan, name, entry, within)
            except BaseException:
                self._plans.pop(name, None)
                raise
            seconds = time.perf_counter() - start
            recorded = self._recorded(batch, seconds, is_ours=within is None, detail=detail)
            return self._with_look_alikes(recorded, batch.look_alikes(), within)
        raise StoreConflict(
            organization=name, why="it kept changing its name, mode or rule for ids"
        )

    def preview(
        self,
        name: OrganizationId,
        changes: list[Change],
        now: model.Microseconds,
        options: ApplyOptions,
    ) -> Difference:
        """What a batch would give and take, exactly; nothing of it is kept. Raises its refusals."""
        batch = self._tried(name, changes, now, replace(options, detail=True))
        return Difference((), ()) if batch is None else _difference(batch)

    def refusal_of(
        self, name: OrganizationId, changes: list[Change], now: model.Microseconds
    ) -> RescindError | None:
        """Why a batch would be refused, or None; nothing of it is kept. Raises errors worth a retry."""
        try:
            self._tried(name, changes, now, DEFAULT)
        except RescindError as error:
            if error.retry:
                raise
            return error
        return None

    def _tried(
        self,
        name: OrganizationId,
        changes: list[Change],
        now: model.Microseconds,
        options: ApplyOptions,
    ) -> ChangeTransaction | None:
        """The batch after a transaction of which nothing was kept; None where it deletes what is not
        there.
        """
        require_order(changes)
        for _ in range(PLAN_ATTEMPTS):
            try:
                plan = self._plan(name, changes, None)
            except OrganizationNotFound:
                if options.if_revision is not None or not _is_deletion(changes):
                    raise
                return None
            batch = self._batch(
                plan,
                name,
                changes,
                LogDraft(now),
                options,
                budget=BACKGROUND,
                aside={},
            )
            try:
                self._store.transact(batch, commit=False)
            except PlanStale:
                self._plans.pop(name, None)
                continue
            except PreconditionFailed:
                if batch.respelling is None or options.if_revision is not None:
                    raise
                continue
            self._plans.pop(name, None)
            return batch
        raise StoreConflict(
            organization=name, why="it kept changing its name, mode or rule for ids"
        )

    # --- before -----------------------------------------------------------------------------------

    def _plan(self, name: OrganizationId, changes: Sequence[Change], within: object) -> Plan:
        known = self._plans.get(name)
        if known is not None:
            return known
        (found,) = self._store.fetch(PLAN, {"organization": name}, within=within)
        if found.organization is None:
            if not (changes and isinstance(changes[0], CreateOrganization)):
                raise OrganizationNotFound(organization=name)
            given = changes[0].id_rule
            rule = given if isinstance(given, IdRule) else self._id_rule
            return Plan(
                found.next_id,
                "multiple",
                rule.value,
                is_new=True,
                has_required=bool(found.has_required),
            )
        has_required = bool(found.has_required)
        plan = Plan(found.organization, found.role_mode, found.id_rule, has_required=has_required)
        if within is None:
            self._plans[name] = plan
        return plan

    def _batch(
        self,
        plan: Plan,
        name: OrganizationId,
        changes: list[Change],
        entry: LogDraft,
        options: ApplyOptions,
        **how: Any,
    ) -> ChangeTransaction:
        """A batch as the organization spells ids, with all that is read for it before its transaction."""
        spelled, logged = spelled_entry(plan, changes, entry)
        return ChangeTransaction(
            plan,
            name,
            spelled,
            logged,
            observe=options.detail and name != ENVIRONMENT,
            if_revision=options.if_revision,
            force=options.force,
            others=self._users_of_roles(name, changes, options.within),
            respelling=read_respelling(self._store, plan, changes, options.within),
            **how,
        )

    def _users_of_roles(
        self, name: OrganizationId, changes: Sequence[Change], within: object
    ) -> dict[int, list[RoleUserRow]]:
        """For each deletion of a role of all organizations, those that use it or did until it expired."""
        if name != ENVIRONMENT:
            return {}
        return {
            place: self._store.fetch(
                LIST_ORGANIZATIONS_USING_ROLE, {"role": change.role}, within=within
            )
            for place, change in enumerate(changes)
            if isinstance(change, DeleteRole)
        }

    def _budget(
        self, options: ApplyOptions, name: OrganizationId, changes: Sequence[Change]
    ) -> Budget:
        route = options.route
        if route is None:
            return BACKGROUND if self._costs.is_large(name, changes) else self._costs.budget()
        try:
            return forced(Route(route), options.inline_most_pairs)
        except ValueError:
            known = ", ".join(known.value for known in Route)
            raise InvalidArgument(what="route", value=route, hint=f"use one of {known}") from None

    # --- after ------------------------------------------------------------------------------------

    def _recorded(
        self, batch: ChangeTransaction, seconds: float, *, is_ours: bool, detail: bool
    ) -> Recorded:
        if batch.plan.is_new or batch.alters_plan:
            self._plans.pop(batch.name, None)
        (outcome,) = batch.outcome()
        if batch.aside:
            self._costs.remember_large(batch.name, batch.changes)
        elif is_ours and not batch.budget.is_background:
            self._costs.learn(outcome.fan_out or 0, seconds)
        reason = why(batch.budget, list(batch.aside.values()), outcome.pairs)
        now = batch.entry.now
        return Recorded(
            receipt_of(self._store.seals, batch.name, outcome, now, reason),
            batch.leases(),
            difference=(lambda: _difference(batch)) if detail else None,
        )

    def _buried(self, name: OrganizationId, entry: LogDraft, within: object) -> Plan | None:
        """The deleted organization of this name, where the key was used before it was deleted."""
        for row in self._store.fetch(FIND_LOG, {"organization": name}, within=within):
            params = {"o": row.organization, "key": entry.key}
            if entry.key is not None and self._store.fetch(
                READ_KEYED_OUTCOME, params, within=within
            ):
                return Plan(row.organization, "")
        return None

    def _deleted_before(
        self, name: OrganizationId, entry: LogDraft, within: object, *, detail: bool
    ) -> Recorded:
        """There is no such organization: what a deletion of it is answered with. Its revision is the last
        that an organization of that name had, or all organizations' own.
        """
        found = self._store.fetch(FIND_LOG, {"organization": name}, within=within)
        o = found[0].organization if found else 0
        (last,) = self._store.fetch(READ_REVISION, {"o": o}, within=within)
        revision = self._store.seals.revision(last.incarnation, last.organization, last.environment)
        receipt = unaltered_receipt(name, revision, entry.now, (Missing("organization", name),))
        return Recorded(receipt, difference=(lambda: Difference((), ())) if detail else None)

    def _replayed(
        self, plan: Plan, name: OrganizationId, entry: LogDraft, within: object
    ) -> Recorded:
        params = {"o": plan.o, "key": entry.key}
        found = self._store.fetch(READ_KEYED_OUTCOME, params, within=within)
        if not found:  # used after the caller's snapshot, or forgotten since it was found taken
            hint = "" if within is None else REPEAT_TRANSACTION
            raise StoreConflict(why="its idempotency key was used meanwhile", hint=hint)
        (outcome,) = found
        if outcome.digest != entry.digest:
            raise KeyReused(key=entry.key)
        if within is None and self._store.capabilities.has_standbys:
            self._store.fetch(CONFIRM_KEYED_OUTCOME, params)
        if outcome.direction is None:  # the key holds the revision that it would have had
            outcome = outcome._replace(revision=outcome.revision - 1)
        receipt = receipt_of(self._store.seals, name, outcome, outcome.recorded_at)
        recorded = Recorded(receipt, is_repeated=True)
        return self._with_look_alikes(recorded, {}, within)

    def _with_look_alikes(
        self, recorded: Recorded, known: dict[str, list[LookAlikeRow]], within: object
    ) -> Recorded:
        """With the look-alikes of what was not found, too. They are a warning: the change stands without."""
        receipt = recorded.receipt
        with suppress(StoreUnavailable):
            found = look_alikes(self._store, receipt, known, within)
            if found:
                return recorded._replace(receipt=replace(receipt, look_alikes=found))
        return recorded


def _difference(batch: ChangeTransaction) -> Difference:
    """What the batch gave and took; not worked out for all organizations together."""
    if batch.name == ENVIRONMENT:
        return Difference((), (), is_complete=False)
    return difference(*batch.worlds(), batch.entry.now)


def _is_deletion(changes: Sequence[Change]) -> bool:
    return len(changes) == 1 and isinstance(changes[0], DeleteOrganization)
