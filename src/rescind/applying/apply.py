"""Carrying out a batch: plan, transaction, and what to do when the store asks to do it otherwise.

A batch is tried as planned. The plan may have been overtaken, a step may be too much for the inline route,
the idempotency key may have been used: each of these ends the try, and says how to go on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, NamedTuple

from rescind import model
from rescind.applying.former_keys import FormerKeys
from rescind.applying.look_alikes import look_alikes
from rescind.applying.options import DEFAULT, ApplyOptions
from rescind.applying.receipts import Recorded, receipt_of
from rescind.applying.repeated import repeated, require_deletion, without_organization
from rescind.applying.respelling import read_respelling, spelled_entry
from rescind.applying.transaction import ChangeTransaction, LogDraft, Plan, require_order
from rescind.changes import Change, CreateOrganization, DeleteRole
from rescind.errors import (
    InvalidArgument,
    PreconditionFailed,
    RescindError,
    StoreConflict,
    StoreError,
    StoreUnavailable,
)
from rescind.errors.database import REPEAT_TRANSACTION
from rescind.instruments import Instruments
from rescind.model import ENVIRONMENT, Difference, IdRule, OrganizationId, Route
from rescind.propagation.budget import BACKGROUND, Budget, Costs, forced, why
from rescind.semantics.difference import difference
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.retries import PLAN_ATTEMPTS, KeyTaken, OverBudget, PlanStale
from rescind.store.rows.changes import (
    LIST_ORGANIZATIONS_USING_ROLE,
    RoleUserRow,
)
from rescind.store.rows.organizations import PLAN
from rescind.store.rows.spelling import LookAlikeRow

MOST_STEPS_ASIDE: Final = 4
"""With so many steps of a batch in the background, all the others go there as well."""


MOST_SHARED_WEIGHT: Final = 16
"""Changes of a batch, by weight, with which it may share a commit: others wait for it then."""


def is_small(changes: Sequence[Change]) -> bool:
    """Whether a batch is soon done."""
    return (
        len(changes) <= MOST_SHARED_WEIGHT
        and sum(change.weight for change in changes) <= MOST_SHARED_WEIGHT
    )


class Attempt(NamedTuple):
    """The last attempt at a batch. If its key had been used, its transaction was rolled back."""

    batch: ChangeTransaction
    seconds: float = 0.0
    is_key_taken: bool = False


def applier_of(store: Store, settings: Settings, instruments: Instruments) -> ChangeApplier:
    """What records changes in a store, by settings."""
    return ChangeApplier(store, Costs(store.engine, settings), settings.id_rule, instruments)


class ChangeApplier:
    """Records batches in a store. Safe to use from many threads."""

    def __init__(
        self, store: Store, costs: Costs, id_rule: IdRule, instruments: Instruments
    ) -> None:
        self._store, self.costs, self._id_rule = store, costs, id_rule
        self._instruments = instruments
        self._plans: dict[OrganizationId, Plan] = {}
        self._former_keys = FormerKeys(store)

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
        seals = self._store.seals  # now: after the commit, nothing may fail that the receipt needs
        budget = self._budget(options, name, changes)
        attempt = self._transacted(name, changes, entry, options, budget=budget)
        within = options.within
        if attempt is None:
            recorded = without_organization(self._store, name, changes, entry, options)
            return (
                self._with_look_alikes(recorded, {}, within) if recorded.is_repeated else recorded
            )
        batch = attempt.batch
        if attempt.is_key_taken:
            recorded = repeated(self._store, name, batch.plan.organization, entry, within)
            return self._with_look_alikes(recorded, {}, within)
        recorded = self._recorded(
            seals, batch, attempt.seconds, is_ours=within is None, detail=options.detail
        )
        return self._with_look_alikes(recorded, batch.look_alikes(), within)

    def preview(
        self,
        name: OrganizationId,
        changes: list[Change],
        now: model.Microseconds,
        options: ApplyOptions,
    ) -> Difference:
        """What a batch would give and take, exactly; nothing of it is kept. Raises its refusals."""
        batch = self._tried(name, changes, now, replace(options, detail=True))
        if batch is None:
            return Difference((), ())
        (outcome,) = batch.outcome()
        recorded = Recorded(receipt_of(self._store.seals, batch.name, outcome, now))
        alike = self._with_look_alikes(recorded, batch.look_alikes(), None).receipt.look_alikes
        return replace(_difference(batch), look_alikes=alike)

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
        """The batch after a transaction that was rolled back; None if it deletes what does not exist."""
        require_order(changes)
        attempt = self._transacted(
            name, changes, LogDraft(now), options, budget=BACKGROUND, commit=False
        )
        if attempt is None:
            require_deletion(name, changes, options)
            return None
        self._plans.pop(name, None)
        return attempt.batch

    def _transacted(
        self,
        name: OrganizationId,
        changes: list[Change],
        entry: LogDraft,
        options: ApplyOptions,
        *,
        budget: Budget,
        commit: bool = True,
    ) -> Attempt | None:
        """Attempt a batch until it is done as planned; None if there is no organization, or if the batch was
        done with its key in a deleted one of the name.

        Raises the refusal of the first change that cannot be, PreconditionFailed, OutcomeUnknown
        and StoreConflict.
        """
        within, stale = options.within, None
        aside: dict[int, OverBudget] = {}
        has_replicas = self._store.capabilities.has_replicas
        shares = not (options.detail or budget.waits) and is_small(changes)
        for _ in range(PLAN_ATTEMPTS):
            plan = self._plan(name, changes, within)
            if plan is None or self._former_keys.has(name, plan, entry, within):
                return None
            batch = self._batch(
                plan,
                name,
                changes,
                entry,
                options,
                budget=budget,
                aside=aside,
                looks_for_replicas=commit and within is None and has_replicas,
            )
            start = time.perf_counter()
            try:
                self._store.transact(batch, within=within, commit=commit, shares=shares)
            except PlanStale:
                self._plans.pop(name, None)
                if within is not None and plan == stale:
                    why = "the organization was made or changed after the transaction began to read"
                    raise StoreConflict(why=why, hint=REPEAT_TRANSACTION) from None
                stale = plan
            except PreconditionFailed:
                if batch.respelling is None or options.if_revision is not None:
                    raise
            except OverBudget as refusal:
                aside[refusal.step] = refusal
                budget = BACKGROUND if len(aside) == MOST_STEPS_ASIDE else budget
            except KeyTaken:
                return Attempt(batch, is_key_taken=True)
            except BaseException:
                self._plans.pop(name, None)
                raise
            else:
                return Attempt(batch, time.perf_counter() - start)
        raise StoreConflict(
            organization=name, why="it kept changing its name, mode or rule for ids"
        )

    # --- before -----------------------------------------------------------------------------------

    def _plan(self, name: OrganizationId, changes: Sequence[Change], within: object) -> Plan | None:
        """What is known of the organization before the transaction; None if it does not exist."""
        known = self._plans.get(name)
        if known is not None:
            return known
        (found,) = self._store.fetch(PLAN, {"organization": name}, within=within)
        if found.organization is None:
            if not (changes and isinstance(changes[0], CreateOrganization)):
                return None
            wanted = changes[0].id_rule
            rule = wanted if isinstance(wanted, IdRule) else self._id_rule
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
            action=options.action,
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
            return BACKGROUND if self.costs.is_large(name, changes) else self.costs.budget()
        try:
            return forced(Route(route), options.inline_most_pairs)
        except ValueError:
            known = ", ".join(known.value for known in Route)
            raise InvalidArgument(what="route", value=route, hint=f"use one of {known}") from None

    # --- after ------------------------------------------------------------------------------------

    def _recorded(
        self,
        seals: model.Seals,
        batch: ChangeTransaction,
        seconds: float,
        *,
        is_ours: bool,
        detail: bool,
    ) -> Recorded:
        if batch.plan.is_new or batch.alters_plan:
            self._plans.pop(batch.name, None)
        (outcome,) = batch.outcome()
        if is_ours and outcome.direction is not None:
            self._instruments.note_lock_wait("change", batch.lock_wait())
            if outcome.route == Route.INLINE:
                self._instruments.note_settlement(outcome.direction, seconds)
        if batch.aside:
            self.costs.remember_large(batch.name, batch.changes)
        elif is_ours and not batch.budget.is_background:
            self.costs.learn(outcome.fan_out or 0, seconds)
        reason = why(batch.budget, list(batch.aside.values()), outcome.pairs)
        now = batch.entry.now
        return Recorded(
            receipt_of(seals, batch.name, outcome, now, reason),
            batch.leases(),
            difference=(lambda: _difference(batch)) if detail else None,
        )

    def _with_look_alikes(
        self, recorded: Recorded, known: dict[str, list[LookAlikeRow]], within: object
    ) -> Recorded:
        """With the look-alikes of what was not found, too. They are a warning: the change stands without."""
        receipt = recorded.receipt
        with suppress(StoreError if within is None else StoreUnavailable):
            found = look_alikes(self._store, receipt, known, within)
            if found:
                return recorded._replace(receipt=replace(receipt, look_alikes=found))
        return recorded


def _difference(batch: ChangeTransaction) -> Difference:
    """What the batch gave and took; not worked out for all organizations together."""
    if batch.name == ENVIRONMENT:
        return Difference((), (), is_complete=False)
    return difference(*batch.worlds(), batch.entry.now)
