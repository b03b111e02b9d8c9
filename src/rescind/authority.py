"""The front door. One public method is one transaction, or one question.

    with Authority.open("rescind.db", organization="acme") as authority:
        receipt = authority.apply([AddMembers(group="eng", members=("user:ada",))])
        authority.check("user:ada", "code:push", at_least=receipt.token)

Knows the order in which things are done; what a change means is in `recording`, what a question
means in `decision`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any

from rescind import model
from rescind.changes import Change, CreateOrganization, DeleteRole, checked
from rescind.decision import lists
from rescind.decision.check import Guesses, Question, check, check_many
from rescind.decision.difference import difference
from rescind.decision.explain import explained
from rescind.errors import (
    InvalidArgument,
    KeyReused,
    NotCommitted,
    OrganizationNotFound,
    StoreConflict,
)
from rescind.model import (
    ENVIRONMENT,
    Assurance,
    Decision,
    Difference,
    Direction,
    Microseconds,
    OrganizationId,
    Page,
    Receipt,
    Revision,
    Route,
)
from rescind.propagation import reconcile as reconciling
from rescind.propagation.budget import FORCED, Budget, Costs
from rescind.propagation.worker import OnProgress, Workers
from rescind.recording.batch import Batch, Entry, Plan
from rescind.settings import Settings
from rescind.store import Rows, Store, Transaction, open_store
from rescind.store.base import KeyTaken, PlanStale

PLAN_ATTEMPTS = 16

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change as recorded: who, why, when, what, and its direction."""

    organization: str
    revision: int
    recorded_at: datetime
    actor: str
    reason: str
    direction: Direction
    route: Route
    fan_out: int
    idempotency_key: str | None
    settled_at: datetime | None
    changes: str
    """A JSON list."""


class Authority(AbstractContextManager["Authority"]):
    """Changes facts and answers questions about them. Safe to use from many threads.

    `organization` is the one meant where a call names none. `clock` is for tests.
    """

    def __init__(
        self,
        store: Store,
        *,
        organization: str | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.store = store
        self.settings = settings or Settings()
        self.costs = Costs(store.engine, self.settings)
        self._organization = None if organization is None else model.organization_id(organization)
        self._clock = clock
        self._plans: dict[OrganizationId, Plan] = {}
        self._guesses = Guesses()

    @classmethod
    def open(
        cls, database: str, *, organization: str | None = None, settings: Settings | None = None
    ) -> Authority:
        """An authority on `postgresql://…`, `sqlite:///file.db` or a file's path.

        Raises StoreUnavailable, SchemaMissing, SchemaTooOld or SchemaTooNew.
        """
        return cls(open_store(database), organization=organization, settings=settings)

    def close(self) -> None:
        """Give up the store's connections."""
        self.store.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
    ) -> Receipt:
        """Apply a batch of changes as one transaction with one revision.

        When this returns, no check that starts anywhere allows what was revoked; with `within` (a
        psycopg, sqlite3, SQLAlchemy or Django connection in a transaction) that holds once the
        caller has committed and called `receipt.enforce()`. The changes take effect in order. If
        nothing is altered, `changed` is false and there is no new revision. With `detail` the
        receipt tells the exact difference, at the cost of reading the organization's facts twice.
        A `route` forces how effective roles follow; else the estimated work decides.

        Raises the refusal of the first change that cannot be, with nothing written; KeyReused;
        OutcomeUnknown when the connection was lost while committing.
        """
        name = self._named(organization)
        _require_text(actor=actor, reason=reason, idempotency_key=idempotency_key)
        changes, body = checked(changes)
        entry = Entry(self._now(), actor, reason, idempotency_key, body)
        budget = self._budget(route)
        for _ in range(PLAN_ATTEMPTS):
            try:
                plan = self._plan(name, changes, within)
            except OrganizationNotFound:
                if (buried := self._buried(name, entry, within)) is None:
                    raise
                return self._replayed(buried, name, entry, within)
            others = self._users_of_roles(changes, within) if name == ENVIRONMENT else None
            batch = Batch(plan, name, changes, entry, budget, observe=detail, others=others)
            start = time.perf_counter()
            try:
                self.store.transact(batch, within=within)
            except PlanStale:
                self._plans.pop(name, None)
                continue
            except KeyTaken:
                return self._replayed(plan, name, entry, within)
            except BaseException:
                self._plans.pop(name, None)
                raise
            seconds = time.perf_counter() - start
            if plan.is_new or batch.alters_plan:
                self._plans.pop(name, None)
            receipt = self._receipt(name, batch.outcome()[0], entry.now, budget)
            if receipt.route is Route.INLINE and within is None:
                self.costs.learn(receipt.fan_out, seconds)
            if detail:
                receipt = replace(receipt, difference=difference(*batch.worlds(), entry.now))
            return receipt if within is not None else self._enforced(receipt)
        raise StoreConflict(organization=name, why="it kept changing its name or mode")

    def preview(self, changes: Sequence[Change], *, organization: str | None = None) -> Difference:
        """What a batch would give and take, exactly, without doing it. Raises its refusals."""
        name = self._named(organization)
        changes, _ = checked(changes)
        entry, budget = Entry(self._now()), FORCED[Route.BACKGROUND]
        for _ in range(PLAN_ATTEMPTS):
            plan = self._plan(name, changes, None)
            others = self._users_of_roles(changes, None) if name == ENVIRONMENT else None
            batch = Batch(plan, name, changes, entry, budget, observe=True, others=others)
            try:
                self.store.transact(batch, keep=False)
            except PlanStale:
                self._plans.pop(name, None)
                continue
            self._plans.pop(name, None)
            return difference(*batch.worlds(), entry.now)
        raise StoreConflict(organization=name, why="it kept changing its name or mode")

    # --- questions --------------------------------------------------------------------------------

    def check(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        explain: bool = False,
    ) -> Decision:
        """Whether the subject may, decided at a state no older than this call's start.

        The resource is `type:id`, or nothing for the organization itself. What is unknown is denied
        with a reason. Critical permissions, and `assurance="live"`, are decided from the facts.
        Raises MalformedId, InvalidToken, RevisionUnavailable, or a StoreError: never an answer that
        the store did not give.
        """
        question = self._question(organization, subject, permission, resource)
        live, now = _is_live(assurance), self._now()
        token = None if at_least is None else model.parse_token(at_least)
        if explain:
            return explained(self.store, question, live=live, now=now, at_least=token)
        return check(
            self.store, question, live=live, now=now, at_least=token, guesses=self._guesses
        )

    def check_many(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
    ) -> list[Decision]:
        """A decision for each (subject, permission, resource), all at one state of the facts."""
        return check_many(
            self.store,
            [self._question(organization, *question) for question in questions],
            live=_is_live(assurance),
            now=self._now(),
            at_least=None if at_least is None else model.parse_token(at_least),
        )

    def explain(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
    ) -> Decision:
        """The decision with all the chains that allow it, or what stands in the way."""
        return self.check(
            subject,
            permission,
            resource,
            organization=organization,
            at_least=at_least,
            assurance=assurance,
            explain=True,
        )

    def permissions_of(
        self,
        subject: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        **options: Any,
    ) -> Page:
        """What a subject can do on a resource: permissions. Options as for `who_can`."""
        question = self._question(organization, subject, "*", resource)
        return self._page("list_permissions", question, **options)

    def resources_of(
        self,
        subject: str,
        permission: str,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **options: Any,
    ) -> Page:
        """What a subject can reach with a permission: resources, perhaps of one type."""
        question = self._question(organization, subject, permission, None)
        kind = "" if resource_type is None else f"{model.resource_type_id(resource_type)}:"
        return self._page("list_resources", question, kind=kind, **options)

    def who_can(
        self,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        **options: Any,
    ) -> Page:
        """Who has a permission on a resource: subjects, perhaps of one kind.

        Options: `limit` (1 to 10,000), `cursor` (of the page before), `at_least`, `assurance`.
        """
        question = self._question(organization, "user:*", permission, resource)
        if subject_kind is not None and subject_kind not in model.SUBJECT_KINDS:
            raise InvalidArgument(
                what="subject kind",
                value=subject_kind,
                mend=f"use one of {', '.join(model.SUBJECT_KINDS)}",
            )
        kind = f"{subject_kind}:" if subject_kind else ""
        return self._page("list_subjects", question, kind=kind, **options)

    # --- background work --------------------------------------------------------------------------

    def pending(
        self, *, organization: str | None = None, limit: int = 1_000
    ) -> list[model.PendingWork]:
        """What is not settled yet, of one organization or of all: the most urgent first."""
        name = None if organization is None else model.organization_id(organization)
        rows = self.store.fetch("list_pending", {"organization": name, "limit": limit})
        return [model.PendingWork.of(row) for row in rows]

    def reconcile(self, group: str, *, organization: str | None = None) -> None:
        """Settle what is pending for a group, in this thread; for a scheduler of your own.

        When this returns, what was pending at the call is settled. Raises GroupNotFound; GroupBusy
        while a worker has the group.
        """
        reconciling.reconcile(self.store, self._named(organization), model.group_id(group))

    def workers(self, *, concurrency: int = 1, on_progress: OnProgress | None = None) -> Workers:
        """Workers in threads of this process; start them, or use them in a `with` block."""
        return Workers(self.store, self.settings, concurrency=concurrency, on_progress=on_progress)

    def has_due_work(self) -> bool:
        """Whether there is anything that a worker would do at this time."""
        queries = ("list_due", "list_purgeable")
        return any(self.store.fetch(query, {"limit": 1}) for query in queries)

    def park(self, work: model.PendingWork) -> bool:
        """Leave what is pending for a group alone until `retry`. What it fences stays fenced."""
        return self._steer("park_pending", work)

    def retry(self, work: model.PendingWork) -> bool:
        """Let workers take what is pending for a group again, at once."""
        return self._steer("retry_pending", work)

    def _steer(self, query: str, work: model.PendingWork) -> bool:
        tallies: list[Callable[[], Rows]] = []

        def steer(tx: Transaction) -> None:
            tx.count(query, "altered", o=work.organization_number, g=work.group_number)
            tallies[:] = [tx.observe("read_purged")]

        self.store.transact(steer)
        return bool(tallies[0]()[0][0])

    # --- the log ----------------------------------------------------------------------------------

    def log(
        self, *, organization: str | None = None, after: int = 0, limit: int | None = None
    ) -> Iterator[LogEntry]:
        """The organization's changes after a revision, oldest first, also of a deleted one.

        Raises OrganizationNotFound, and InvalidArgument where `after` is no revision's number.
        """
        name = self._named(organization)
        if not 0 <= after < 2**63:
            raise InvalidArgument(what="after", value=after, mend="use 0 or a revision's number")
        rows = self.store.fetch("find_log", {"organization": name})
        if not rows:
            raise OrganizationNotFound(organization=name)
        while limit is None or limit > 0:
            size = 500 if limit is None else min(500, limit)
            page = self.store.fetch("read_log", {"o": rows[0][0], "after": after, "limit": size})
            for entry in page:
                yield _log_entry(name, entry)
            if len(page) < size:
                return
            after = page[-1][0]
            limit = None if limit is None else limit - size

    # --- within -----------------------------------------------------------------------------------

    def _now(self) -> Microseconds:
        if self._clock is None:
            return Microseconds(time.time_ns() // 1_000)
        return model.microseconds(self._clock())

    def _named(self, organization: str | None) -> OrganizationId:
        if organization is not None:
            return model.organization_id(organization)
        if self._organization is None:
            raise InvalidArgument(what="organization", mend="name the organization")
        return self._organization

    def _question(
        self, organization: str | None, subject: str, permission: str, resource: str | None
    ) -> Question:
        return Question(
            self._named(organization),
            model.subject_id(subject),
            model.permission_id(permission),
            model.resource_id(resource),
        )

    def _page(
        self,
        query: str,
        question: Question,
        *,
        limit: int = 100,
        cursor: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        kind: str = "",
    ) -> Page:
        return lists.page(
            self.store,
            query,
            question,
            live=_is_live(assurance),
            now=self._now(),
            at_least=None if at_least is None else model.parse_token(at_least),
            limit=limit,
            cursor=cursor,
            kind=kind,
        )

    def _plan(self, name: OrganizationId, changes: Sequence[Change], within: object) -> Plan:
        known = self._plans.get(name)
        if known is not None:
            return known
        ((o, mode, next_id),) = self.store.fetch("plan", {"organization": name}, within=within)
        if o is None:
            if not (changes and isinstance(changes[0], CreateOrganization)):
                raise OrganizationNotFound(organization=name)
            return Plan(next_id, "multiple", is_new=True)
        plan = Plan(o, mode)
        if within is None:
            self._plans[name] = plan
        return plan

    def _users_of_roles(self, changes: Sequence[Change], within: object) -> dict[int, Rows]:
        """For each cascading deletion of a role of all organizations, those that use it."""
        return {
            place: self.store.fetch(
                "list_organizations_using_role", {"role": change.role}, within=within
            )
            for place, change in enumerate(changes)
            if isinstance(change, DeleteRole) and change.cascade
        }

    def _budget(self, route: Route | str | None) -> Budget:
        if route is None:
            return self.costs.budget()
        try:
            return FORCED[Route(route)]
        except ValueError:
            known = ", ".join(known.value for known in Route)
            raise InvalidArgument(what="route", value=route, mend=f"use one of {known}") from None

    def _receipt(
        self, name: OrganizationId, outcome: tuple[Any, ...], now: int, budget: Budget | None = None
    ) -> Receipt:
        o, number, environment, direction, route, fan_out, recorded_at, settled_at, *weighed = (
            outcome
        )
        changed = direction is not None
        recorded = model.moment(recorded_at if changed else now)
        settled = recorded if not changed else settled_at and model.moment(settled_at)
        return Receipt(
            organization=name,
            revision=Revision(o, number, environment),
            changed=changed,
            direction=Direction(direction or "grants"),
            route=Route(route or "inline"),
            route_reason=_why(Route(route or "inline"), weighed, budget),
            fan_out=fan_out or 0,
            recorded_at=recorded,
            settled_at=settled,
            enforcer=self._enforce_committed,
        )

    def _enforced(self, receipt: Receipt) -> Receipt:
        """Every decision point reads the store itself, so what is committed is enforced."""
        return replace(receipt, enforced_at=model.moment(self._now()))

    def _enforce_committed(self, receipt: Receipt) -> Receipt:
        if receipt.changed:
            names = {"o": receipt.revision.incarnation, "revision": receipt.revision.organization}
            rows = self.store.fetch("read_recorded", names)
            if rows != [(model.microseconds(receipt.recorded_at),)]:
                raise NotCommitted(revision=receipt.revision.organization)
        return self._enforced(receipt)

    def _buried(self, name: OrganizationId, entry: Entry, within: object) -> Plan | None:
        """The deleted organization of this name, where the key was used before it was deleted."""
        for (o,) in self.store.fetch("find_log", {"organization": name}, within=within):
            names = {"o": o, "key": entry.key}
            if entry.key is not None and self.store.fetch(
                "read_keyed_outcome", names, within=within
            ):
                return Plan(o, "")
        return None

    def _replayed(self, plan: Plan, name: OrganizationId, entry: Entry, within: object) -> Receipt:
        names = {"o": plan.o, "key": entry.key}
        ((*outcome, digest),) = self.store.fetch("read_keyed_outcome", names, within=within)
        if digest != entry.digest:
            raise KeyReused(key=entry.key)
        if outcome[3] is None:
            outcome[1] -= 1  # it altered nothing: the key holds the revision that it would have had
        receipt = self._receipt(name, tuple(outcome), outcome[6])
        return receipt if within is not None else self._enforced(receipt)


def _why(route: Route, weighed: Sequence[Any], budget: Budget | None) -> str:
    """Why a change took its route, from what was weighed: pairs, and groups that a job had."""
    if budget is None or not weighed:
        return ""
    pairs, busy, *_ = weighed
    if budget in FORCED.values():
        return "forced"
    if not pairs:
        return "no effective roles to move"
    if busy:
        return "a job had the group"
    if route is Route.BACKGROUND:
        return f"{pairs:,} pairs or more are over the budget of {budget.pairs:,}"
    fits = budget.pairs if pairs <= budget.pairs else budget.critical_pairs
    return f"{pairs:,} pairs are within the budget of {fits:,}"


def _is_live(assurance: str) -> bool:
    if assurance not in ("standard", "live"):
        raise InvalidArgument(what="assurance", value=assurance, mend="use 'standard' or 'live'")
    return assurance == "live"


def _require_text(*, actor: str, reason: str, idempotency_key: str | None) -> None:
    model.require_text("actor", actor)
    model.require_text("reason", reason)
    if idempotency_key is not None:
        model.require_text("idempotency key", idempotency_key)
        if not idempotency_key:
            raise InvalidArgument(what="idempotency key", mend="use a text of its own, or none")


def _log_entry(name: str, row: tuple[Any, ...]) -> LogEntry:
    revision, recorded_at, actor, reason, direction, route, fan_out, key, settled_at, body = row
    return LogEntry(
        organization=name,
        revision=revision,
        recorded_at=model.moment(recorded_at),
        actor=actor,
        reason=reason,
        direction=Direction(direction),
        route=Route(route),
        fan_out=fan_out,
        idempotency_key=key,
        settled_at=None if settled_at is None else model.moment(settled_at),
        changes=body,
    )
