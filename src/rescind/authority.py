"""The front door. One public method is one transaction, or one question.

    with Authority.open("rescind.db", organization="acme") as authority:
        receipt = authority.apply([AddMembers(group="eng", members=("user:ada",))])
        authority.check("user:ada", "code:push", at_least=receipt.token)

Opens and closes, applies changes, and reads the log. Its questions are declared in `decision.questions`, its
lists of facts in `listing.lists`, background work in `propagation.background_work`, the proof of the log in
`history.log_proof`: see decision 037.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from rescind import changelog, model
from rescind.applying.apply import ChangeApplier
from rescind.applying.enforcing import ReceiptEnforcer
from rescind.applying.options import ApplyOptions, require_key, required_revision
from rescind.applying.receipts import Recorded
from rescind.applying.transaction import LogDraft
from rescind.changes import Change, checked
from rescind.decision import single_role
from rescind.decision.past import PastAnswers
from rescind.decision.questions import Questions
from rescind.decision.router import DecisionRouter
from rescind.decision_log import DecisionLog, recorder_of
from rescind.errors import InvalidArgument, RescindError
from rescind.history.families import Histories
from rescind.history.states import PastStates
from rescind.instruments import Instruments
from rescind.listing import UNKNOWN, Listings, Similar
from rescind.model import (
    Difference,
    GroupId,
    LogEntry,
    LogPage,
    Microseconds,
    OrganizationId,
    Receipt,
    Revision,
    Route,
)
from rescind.propagation.background_work import BackgroundWork
from rescind.propagation.budget import Costs
from rescind.replicas import CachedAnswers, measure_cache, open_cache
from rescind.replicas.enforcement import Enforcer
from rescind.settings import Settings
from rescind.store import Store, open_store

Clock = Callable[[], datetime]
Wait = Literal["enforced", "recorded"]


class Authority(
    Listings, Questions, BackgroundWork, Histories, AbstractContextManager["Authority"]
):
    """Changes facts and answers questions about them. Safe to use from many threads.

    `organization` is the one meant where a call names none. `clock` is for tests. `instruments` are given
    where several processes share them.
    """

    def __init__(
        self,
        store: Store,
        *,
        organization: str | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        index: bool = False,
        instruments: Instruments | None = None,
        decision_log: DecisionLog | None = None,
    ) -> None:
        self.store = store
        self.settings = settings or Settings()
        self.instruments = instruments or Instruments(self.settings)
        self._organization = None if organization is None else model.organization_id(organization)
        self._clock = clock
        self.applier = ChangeApplier(
            store, Costs(store.engine, self.settings), self.settings.id_rule, self.instruments
        )
        self.cache = open_cache(store, self.settings) if index else None
        self._recall = None
        if self.cache is not None:
            self._recall = CachedAnswers(self.cache, self._now, self.instruments)
            measure_cache(self.cache, self.instruments)
        seconds = self.settings.check_seconds
        self._questions = DecisionRouter(
            store, self._recall, self._now, check_seconds=seconds, instruments=self.instruments
        )
        self.decision_log = recorder_of(
            decision_log, self._questions.explanation, self.instruments, clock, store.close
        )
        states = PastStates(store, self._now, self.settings)
        self._past = PastAnswers(store.seals, states.find)
        self.enforcer = Enforcer(store, self.settings, self.cache)
        self._receipts = ReceiptEnforcer(store, self.enforcer, self._now, self.instruments)
        self._similar = Similar(store)

    @classmethod
    def open(
        cls,
        database: str | os.PathLike[str],
        *,
        organization: str | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        index: bool = False,
        decision_log: DecisionLog | None = None,
        create: bool = False,
    ) -> Authority:
        """An authority on `postgresql://…`, `sqlite:///file.db` or a file's path.

        With `create`, an SQLite file that is missing or empty gets the schema first.
        With `index`, organizations that are asked about are held in memory and checks answered from
        there; on PostgreSQL this process is a replica then. With `decision_log`, its decisions are
        logged. Raises StoreUnavailable, SchemaMissing, SchemaTooOld or SchemaTooNew.
        """
        store = open_store(database, settings, create=create)
        return cls(
            store,
            organization=organization,
            settings=settings,
            clock=clock,
            index=index,
            decision_log=decision_log,
        )

    def close(self) -> None:
        """Write the decision log's queue; give up what is held in memory, and the store's connections."""
        if self.decision_log is not None:
            self.decision_log.close()
        if self.cache is not None:
            self.cache.close()
        self.enforcer.close()
        self.store.close()

    def load(self, organization: str | None = None) -> bool:
        """Hold an organization in memory now, rather than some time after it is first asked about.

        Says whether there is one. Raises InvalidArgument without an index, and a StoreError.
        """
        if self.cache is None:
            raise InvalidArgument(what="index", hint="open the authority with {index}")
        return self.cache.load(self._named(organization))

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- changes ----------------------------------------------------------------------------------

    def apply(
        self,
        changes: Sequence[Change],
        *,
        actor: str = "unknown",
        reason: str = "",
        idempotency_key: str | None = None,
        organization: str | None = None,
        within: object = None,
        detail: bool = False,
        route: Route | str | None = None,
        inline_most_pairs: int | None = None,
        wait: Wait = "enforced",
        if_revision: str | None = None,
        force: bool = False,
        only_at: str | None = None,
    ) -> Receipt:
        """Apply a batch of changes as one transaction with one revision.

        When this returns, no check that starts anywhere allows what was revoked; with `within` (a
        psycopg, sqlite3, SQLAlchemy or Django connection in a transaction) that holds once the
        caller has committed and called `receipt.enforce()`. The changes take effect in order. If
        nothing is altered, `changed` is false and there is no new revision. With `detail` the
        receipt tells the exact difference, at the cost of reading the organization's facts twice; it
        is worked out when the change is enforced. A `route` forces how effective roles follow; else
        the estimated work decides. Forced inline it takes the background nevertheless, and the receipt
        says so, where it has more than `inline_most_pairs`. With
        `wait="recorded"` it returns once the change is on record, and `receipt.enforce()` waits. With
        `if_revision`, a revision token, it is done only if the organization's facts are still at that
        revision (`only_at` is its deprecated name). Only with `force` may it leave a required role without an
        active holder.

        Raises the refusal of the first change that cannot be, with nothing written; LastHolder; KeyReused;
        PreconditionFailed; OutcomeUnknown when the commit was not confirmed: the connection was lost, or
        the server did not wait for its synchronous standby.
        """
        name = self._named(organization)
        if wait not in ("enforced", "recorded"):
            hint = "use 'enforced' or 'recorded'"
            raise InvalidArgument(what="wait", value=repr(wait), hint=hint)
        actor, reason = model.require_text("actor", actor), model.require_text("reason", reason)
        key = None if idempotency_key is None else require_key(idempotency_key)
        changes, body = checked(changes)
        entry = LogDraft(self._now(), actor, reason, key, body)
        at = required_revision(self.store.seals, if_revision, only_at)
        options = ApplyOptions(route, inline_most_pairs, within, detail, at, force)
        with self.instruments.change(name, changes) as measured:
            recorded = self._recorded(name, changes, entry, options)
            if recorded.is_repeated and within is None and wait == "enforced":
                return self.enforce(recorded.receipt)
            if within is not None or wait == "recorded":
                receipt = replace(recorded.receipt, enforcer=self.enforce)
            else:
                receipt = self._receipts.enforced(recorded.receipt, recorded.leases, is_first=True)
            if not recorded.is_repeated:
                measured.note(receipt)
        return recorded.detailed(receipt)

    def preview(
        self,
        changes: Sequence[Change],
        *,
        organization: str | None = None,
        if_revision: str | None = None,
        force: bool = False,
        only_at: str | None = None,
    ) -> Difference:
        """What a batch would give and take, exactly, without doing it. Raises its refusals."""
        name = self._named(organization)
        changes, _ = checked(changes)
        at = required_revision(self.store.seals, if_revision, only_at)
        options = ApplyOptions(if_revision=at, force=force)
        try:
            return self.applier.preview(name, changes, self._now(), options)
        except UNKNOWN as error:
            raise self._similar.hinted(error, name) from None

    def enforce(self, receipt: Receipt) -> Receipt:
        """The receipt of a committed change with `enforced_at` set, also one made again from what was kept.

        When this returns, no check that starts anywhere allows what the change revoked. Raises
        NotCommitted while the transaction that carried the change is open or was rolled back.
        """
        return self._receipts.enforce(receipt)

    # --- the log ----------------------------------------------------------------------------------

    def log(
        self,
        *,
        organization: str | None = None,
        after: int = 0,
        limit: int | None = None,
        **about: Any,
    ) -> Iterator[LogEntry]:
        """The changes after a revision as they stand now, oldest first, also of a deleted organization.

        `about` says which: `actor` (part of it), `subject`, `group`, `role`, `resource` (what a change
        names), `since` and `until` (when it was recorded). Raises OrganizationNotFound, MalformedId, and
        InvalidArgument.
        """
        return changelog.entries(
            self.store,
            self._named(organization),
            after=after,
            limit=limit,
            enforced=self._receipts.known,
            which=changelog.about(**about),
        )

    def log_page(
        self,
        *,
        organization: str | None = None,
        after: int = 0,
        limit: int = 100,
        **about: Any,
    ) -> LogPage:
        """A page of the same. It looks at no more than 20,000 changes, so it may have fewer than `limit`."""
        return changelog.page(
            self.store,
            self._named(organization),
            after=after,
            limit=limit,
            enforced=self._receipts.known,
            which=changelog.about(**about),
        )

    # --- within -----------------------------------------------------------------------------------

    def _apply_rest(
        self,
        rest: Sequence[Change],
        asked: Sequence[Change],
        *,
        actor: str,
        reason: str,
        idempotency_key: str | None,
        organization: str,
        at: Revision | None,
    ) -> tuple[Receipt, bool]:
        """Apply what is left of a batch, at a revision. The key stands for the batch that was asked for; the
        answer says whether it had been used.
        """
        name = self._named(organization)
        actor, reason = model.require_text("actor", actor), model.require_text("reason", reason)
        key = None if idempotency_key is None else require_key(idempotency_key)
        changes, body = checked(rest)
        whole = body if len(rest) == len(asked) and rest == asked else checked(asked)[1]
        entry = LogDraft(self._now(), actor, reason, key, body, whole)
        with self.instruments.change(name, changes) as measured:
            recorded = self._recorded(name, changes, entry, ApplyOptions(if_revision=at))
            if recorded.is_repeated:
                return self.enforce(recorded.receipt), True
            receipt = self._receipts.enforced(recorded.receipt, recorded.leases, is_first=True)
            measured.note(receipt)
        return receipt, False

    def _winning_role(self, organization: str, **membership: Any) -> str | None:
        """The organization-wide role that counts for a membership of a single-role organization.

        For the directory. Options as for `single_role.winning_role`.
        """
        name = model.organization_id(organization)
        return single_role.winning_role(self.store, name, **membership)

    def _recorded(
        self, name: OrganizationId, changes: list[Change], entry: LogDraft, options: ApplyOptions
    ) -> Recorded:
        """As `ChangeApplier.record`; the refusal of a name that does not exist says which are like it."""
        try:
            return self.applier.record(name, changes, entry, options)
        except UNKNOWN as error:
            raise self._similar.hinted(error, name) from None

    def _refused(self, changes: Sequence[Change], organization: str) -> RescindError | None:
        """Why a batch would be refused, if it would; nothing of it is kept."""
        name = self._named(organization)
        return self.applier.refusal_of(name, checked(changes)[0], self._now())

    def _now(self) -> Microseconds:
        if self._clock is None:
            return Microseconds(time.time_ns() // 1_000)
        return model.microseconds(self._clock())

    def _spelled_group(self, organization: OrganizationId, group: GroupId) -> GroupId:
        return self._questions.group(organization, group)

    def _named(self, organization: str | None) -> OrganizationId:
        if organization is not None:
            return model.organization_id(organization)
        if self._organization is None:
            raise InvalidArgument(what="organization", hint="name the organization")
        return self._organization
