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
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

from rescind import applying, decision, history, listing, model, replicas
from rescind import changes as codec
from rescind import decision_log as decision_logs
from rescind.decision.questions import Questions
from rescind.decision.router import DecisionRouter
from rescind.deferred import part
from rescind.errors import InvalidArgument, RescindError
from rescind.history.families import Histories
from rescind.instruments import Instruments
from rescind.listing.lists import Listings
from rescind.model import GroupId, Microseconds, OrganizationId
from rescind.propagation.background_work import BackgroundWork
from rescind.settings import Settings
from rescind.store import Store, open_store

if TYPE_CHECKING:
    from rescind.applying.apply import ChangeApplier
    from rescind.applying.enforcing import ReceiptEnforcer
    from rescind.applying.options import ApplyOptions
    from rescind.applying.receipts import Recorded
    from rescind.applying.transaction import LogDraft
    from rescind.changes import Change
    from rescind.decision.past import PastAnswers
    from rescind.decision_log import DecisionLog
    from rescind.listing.names import Similar
    from rescind.model import Difference, Receipt, Revision, Route
    from rescind.replicas.enforcement import Enforcer
    from rescind.store.rows.actions import ServiceAction

Clock = Callable[[], datetime]
Wait = Literal["enforced", "recorded"]
LATER: Final = (
    "rescind.applying.apply",
    "rescind.applying.enforcing",
    "rescind.changelog",
    "rescind.decision.explain",
    "rescind.decision.lists.pages",
    "rescind.history.states",
    "rescind.listing.reading",
    "rescind.propagation.worker",
    "rescind.replicas.enforcement",
    "rescind.semantics.chain",
)
"""What the methods of `Authority` load when they are first used."""


def load_all() -> None:
    """Load it now. For processes that serve: no request waits for it, nor does an event loop."""
    for module in LATER:
        import_module(module)


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
        self.cache, self._recall = None, None
        if model.require_flag("index", index):
            self.cache = replicas.open_cache(store, self.settings)
            self._recall = replicas.CachedAnswers(self.cache, self._now, self.instruments)
            replicas.measure_cache(self.cache, self.instruments)
        seconds = self.settings.check_seconds
        self._questions = DecisionRouter(
            store, self._recall, self._now, check_seconds=seconds, instruments=self.instruments
        )
        self.decision_log = None
        if decision_log is not None:
            self.decision_log = decision_logs.recorder_of(
                decision_log, self._questions.explanation, self.instruments, clock, store.close
            )

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
        if "enforcer" in vars(self):
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
        key = None if idempotency_key is None else applying.require_key(idempotency_key)
        changes, body = codec.checked(changes)
        entry = applying.LogDraft(self._now(), actor, reason, key, body)
        at = applying.required_revision(self.store.seals, if_revision, only_at)
        options = applying.ApplyOptions(route, inline_most_pairs, within, detail, at, force)
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
        changes, _ = codec.checked(changes)
        at = applying.required_revision(self.store.seals, if_revision, only_at)
        options = applying.ApplyOptions(if_revision=at, force=force)
        try:
            return self.applier.preview(name, changes, self._now(), options)
        except listing.UNKNOWN as error:
            raise self._similar.hinted(error, name) from None

    def enforce(self, receipt: Receipt) -> Receipt:
        """The receipt of a committed change with `enforced_at` set, also one made again from what was kept.

        When this returns, no check that starts anywhere allows what the change revoked. Raises
        NotCommitted while the transaction that carried the change is open or was rolled back.
        """
        return self._receipts.enforce(receipt)

    # --- parts, loaded when they are first needed -------------------------------------------------

    @part
    def applier(self) -> ChangeApplier:
        """Records changes."""
        return applying.applier_of(self.store, self.settings, self.instruments)

    @part
    def enforcer(self) -> Enforcer:
        """Waits for replicas."""
        return replicas.Enforcer(self.store, self.settings, self.cache)

    @part
    def _receipts(self) -> ReceiptEnforcer:
        return applying.ReceiptEnforcer(self.store, self.enforcer, self._now, self.instruments)

    @part
    def _past(self) -> PastAnswers:
        return history.past_answers(self.store, self._now, self.settings)

    @part
    def _similar(self) -> Similar:
        return listing.Similar(self.store)

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
        action: ServiceAction | None = None,
    ) -> tuple[Receipt, bool]:
        """Apply what is left of a batch, at a revision, and log the service action with it. The key stands
        for the batch that was asked for; the answer says whether it had been used.
        """
        name = self._named(organization)
        actor, reason = model.require_text("actor", actor), model.require_text("reason", reason)
        key = None if idempotency_key is None else applying.require_key(idempotency_key)
        changes, body = codec.checked(rest)
        whole = body if len(rest) == len(asked) and rest == asked else codec.checked(asked)[1]
        entry = applying.LogDraft(self._now(), actor, reason, key, body, whole)
        with self.instruments.change(name, changes) as measured:
            options = applying.ApplyOptions(if_revision=at, action=action)
            recorded = self._recorded(name, changes, entry, options)
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
        return decision.single_role.winning_role(self.store, name, **membership)

    def _recorded(
        self, name: OrganizationId, changes: list[Change], entry: LogDraft, options: ApplyOptions
    ) -> Recorded:
        """As `ChangeApplier.record`; the refusal of a name that does not exist says which are like it."""
        try:
            return self.applier.record(name, changes, entry, options)
        except listing.UNKNOWN as error:
            raise self._similar.hinted(error, name) from None

    def _refused(self, changes: Sequence[Change], organization: str) -> RescindError | None:
        """Why a batch would be refused, if it would; nothing of it is kept."""
        name = self._named(organization)
        return self.applier.refusal_of(name, codec.checked(changes)[0], self._now())

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
