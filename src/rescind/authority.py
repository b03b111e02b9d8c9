"""The front door. One public method is one transaction, or one question.

    with Authority.open("rescind.db", organization="acme") as authority:
        receipt = authority.apply([AddMembers(group="eng", members=("user:ada",))])
        authority.check("user:ada", "code:push", at_least=receipt.token)

Knows the order in which things are done; what a change means is in `recording`, what a question
means in `decision`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from rescind import model
from rescind.changes import Change, CreateOrganization, DeleteRole, checked, to_json
from rescind.decision import lists
from rescind.decision.check import Guesses, Question, check, check_many
from rescind.decision.difference import difference
from rescind.decision.explain import explained
from rescind.decision.world import WHOLE, whole
from rescind.errors import (
    InvalidArgument,
    InvalidChange,
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
from rescind.recording import Context, record
from rescind.recording.roles import end_role
from rescind.store import Rows, Store, Transaction, open_store
from rescind.store.base import KeyTaken, PlanStale

KEY_RETENTION_SECONDS = 48 * 3600
"""How long idempotency keys are kept at least."""
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
    changes: str
    """A JSON list."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What must be known of an organization before its lock; checked under the lock."""

    o: int
    mode: str
    is_new: bool = False


class Authority(AbstractContextManager["Authority"]):
    """Changes facts and answers questions about them. Safe to use from many threads.

    `organization` is the one meant where a call names none. `clock` is for tests.
    """

    def __init__(
        self, store: Store, *, organization: str | None = None, clock: Clock | None = None
    ) -> None:
        self.store = store
        self._organization = None if organization is None else model.organization_id(organization)
        self._clock = clock
        self._plans: dict[OrganizationId, _Plan] = {}
        self._guesses = Guesses()

    @classmethod
    def open(cls, database: str, *, organization: str | None = None) -> Authority:
        """An authority on `postgresql://…`, `sqlite:///file.db` or a file's path.

        Raises StoreUnavailable, SchemaMissing, SchemaTooOld or SchemaTooNew.
        """
        return cls(open_store(database), organization=organization)

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
    ) -> Receipt:
        """Apply a batch of changes as one transaction with one revision.

        When this returns, no check that starts anywhere allows what was revoked; with `within` (a
        psycopg, sqlite3, SQLAlchemy or Django connection in a transaction) that holds once the
        caller has committed and called `receipt.enforce()`. The changes take effect in order. If
        nothing is altered, `changed` is false and there is no new revision. With `detail` the
        receipt tells the exact difference, at the cost of reading the organization's facts twice.

        Raises the refusal of the first change that cannot be, with nothing written; KeyReused;
        OutcomeUnknown when the connection was lost while committing.
        """
        name = self._named(organization)
        _require_text(actor=actor, reason=reason, idempotency_key=idempotency_key)
        changes, body = checked(changes)
        now = self._now()
        entry = {"now": now, "actor": actor, "reason": reason, "key": idempotency_key, "body": body}
        for _ in range(PLAN_ATTEMPTS):
            plan = self._plan(name, changes, within)
            run = _Run(plan, name, changes, entry, observe=detail)
            if name == ENVIRONMENT:
                run.others = self._users_of_roles(changes, within)
            try:
                self.store.transact(run, within=within)
            except PlanStale:
                self._plans.pop(name, None)
                continue
            except KeyTaken:
                return self._replayed(plan, name, entry, within)
            except BaseException:
                self._plans.pop(name, None)
                raise
            self._plans.pop(name, None) if plan.is_new or run.alters_plan else None
            receipt = self._receipt(name, run.outcome(), now)
            if detail:
                receipt = replace(receipt, difference=difference(*run.worlds(), now))
            return receipt if within is not None else self._enforced(receipt)
        raise StoreConflict(organization=name, why="it kept changing its name or mode")

    def preview(self, changes: Sequence[Change], *, organization: str | None = None) -> Difference:
        """What a batch would give and take, exactly, without doing it. Raises its refusals."""
        name = self._named(organization)
        changes, _ = checked(changes)
        now = self._now()
        entry = {"now": now, "actor": "", "reason": "", "key": None, "body": "[]"}
        for _ in range(PLAN_ATTEMPTS):
            plan = self._plan(name, changes, None)
            run = _Run(plan, name, changes, entry, observe=True)
            try:
                self.store.transact(run, keep=False)
            except PlanStale:
                self._plans.pop(name, None)
                continue
            self._plans.pop(name, None)
            return difference(*run.worlds(), now)
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
        return model.microseconds(self._clock() if self._clock else datetime.now(UTC))

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

    def _plan(self, name: OrganizationId, changes: Sequence[Change], within: object) -> _Plan:
        known = self._plans.get(name)
        if known is not None:
            return known
        ((o, mode, next_id),) = self.store.fetch("plan", {"organization": name}, within=within)
        if o is None:
            if not (changes and isinstance(changes[0], CreateOrganization)):
                raise OrganizationNotFound(organization=name)
            return _Plan(next_id, "multiple", is_new=True)
        plan = _Plan(o, mode)
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

    def _receipt(self, name: OrganizationId, rows: Rows, now: int) -> Receipt:
        ((o, number, environment, direction, route, fan_out, recorded_at),) = rows
        changed = direction is not None
        recorded = model.moment(recorded_at if changed else now)
        return Receipt(
            organization=name,
            revision=Revision(o, number, environment),
            changed=changed,
            direction=Direction(direction or "grants"),
            route=Route(route or "inline"),
            fan_out=fan_out or 0,
            recorded_at=recorded,
            settled_at=recorded,
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

    def _replayed(
        self, plan: _Plan, name: OrganizationId, entry: dict[str, Any], within: object
    ) -> Receipt:
        names = {"o": plan.o, "key": entry["key"]}
        ((*outcome, digest),) = self.store.fetch("read_keyed_outcome", names, within=within)
        if digest != _digest(entry["body"]):
            raise KeyReused(key=entry["key"])
        if outcome[3] is None:
            outcome[1] -= 1  # it altered nothing: the key holds the revision that it would have had
        receipt = self._receipt(name, [tuple(outcome)], outcome[6])
        return receipt if within is not None else self._enforced(receipt)


class _Run:
    """The statements of one batch, from lock to log."""

    def __init__(
        self,
        plan: _Plan,
        name: OrganizationId,
        changes: list[Change],
        entry: dict[str, Any],
        *,
        observe: bool,
    ) -> None:
        self.plan, self.name, self.changes, self.entry = plan, name, changes, entry
        self.others: dict[int, Rows] = {}
        self.alters_plan = False
        self._observe = observe
        self._states: list[dict[str, Callable[[], Rows]]] = []

    def __call__(self, tx: Transaction) -> None:
        o, name, entry = self.plan.o, self.name, self.entry
        self._states.clear()
        if self.plan.is_new:
            create = self.changes[0]
            title = getattr(create, "name", None) or name
            tx.run("insert_organization", o=o, organization=name, name=title, now=entry["now"])
        self._end_roles_elsewhere(tx)
        tx.begin(o=o, organization=name, mode=self.plan.mode)
        if entry["key"] is not None:
            self._claim_key(tx)
        self._look(tx)
        if any(self.others.values()):
            tx.count("note_taken_elsewhere", "revokes")
        context = self._context(tx, o, name, self.plan.mode)
        for place, change in enumerate(self.changes):
            try:
                record(context, change)
            except InvalidChange as error:
                if len(self.changes) > 1:
                    raise InvalidChange(**error.facts, number=place + 1) from None
                raise
        self.alters_plan = context.is_single_role != (self.plan.mode == "single")
        self._look(tx)
        self.outcome = tx.close(o=o, route=Route.INLINE.value, **entry)

    def worlds(self) -> tuple[Any, Any]:
        """The organization's facts before and after, when they were observed."""
        before, after = (
            {query: rows() for query, rows in observed.items()} for observed in self._states
        )
        after_settings = after["read_settings"] or before["read_settings"]
        return whole(before["read_settings"][0], before), whole(after_settings[0], after)

    def _context(self, tx: Transaction, o: int, name: OrganizationId, mode: str) -> Context:
        return Context(tx, name, o, self.entry["now"], mode == "single")

    def _claim_key(self, tx: Transaction) -> None:
        o, entry = self.plan.o, self.entry
        cutoff = entry["now"] - KEY_RETENTION_SECONDS * 1_000_000
        tx.run("forget_old_keys", o=o, cutoff=cutoff)
        digest = _digest(entry["body"])
        tx.run("claim_key", o=o, key=entry["key"], digest=digest, now=entry["now"])

    def _look(self, tx: Transaction) -> None:
        if self._observe:
            self._states.append(
                {
                    "read_settings": tx.observe("read_settings", organization=self.name),
                    **{query: tx.observe(query, o=self.plan.o) for query in WHOLE},
                }
            )

    def _end_roles_elsewhere(self, tx: Transaction) -> None:
        """Deleting a role of all organizations is a change of each one that uses it."""
        for place, users in self.others.items():
            change = self.changes[place]
            role = model.role_id(getattr(change, "role", None))
            for other, slug, mode in users:
                if other == self.plan.o or slug is None:
                    continue
                tx.begin(o=other, organization=slug, mode=mode)
                end_role(self._context(tx, other, slug, mode), owner=0, role=role)
                entry = {**self.entry, "key": None, "body": to_json([change]).decode()}
                tx.close(o=other, route=Route.INLINE.value, **entry)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


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
    revision, recorded_at, actor, reason, direction, route, fan_out, key, body = row
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
        changes=body,
    )
