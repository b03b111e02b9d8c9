"""A unit of work: one caller's request to the directory, its reads and its one transaction.

A write is one transaction: the changes of facts, the directory's entries, the noted events and the recorded
answer are all committed, or none of them. It returns when what it revoked is enforced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from rescind import model
from rescind.authority import Authority
from rescind.changes import Change
from rescind.directory.errors import (
    Forbidden,
    ObjectNotFound,
    invalid,
    invalid_cursor,
    not_found,
)
from rescind.directory.idempotency import AnswerRecorder, IdempotencyKey, RecordedAnswer
from rescind.directory.ids import FOR_ALL, NO_ORGANIZATION, PREFIXES, Kind, Place, PublicIds
from rescind.errors import InvalidToken, RevisionUnavailable, StoreConflict
from rescind.model import Direction, OrganizationNumber, Receipt, Revision, Route
from rescind.store import Store
from rescind.store.rows import Query
from rescind.store.rows.directory import (
    FIND_ORGANIZATION_NAMED,
    FIND_PUBLIC_ID,
    READ_DIRECTORY_SECRET,
    MembershipRow,
)
from rescind.store.rows.events import SHOW_ORGANIZATION_EVER
from rescind.store.rows.organizations import READ_REVISION

ATTEMPTS: Final = 8
"""How often a write is tried when it conflicts with others."""
RowT = TypeVar("RowT", bound=tuple[Any, ...])

_public_ids: WeakKeyDictionary[Store, PublicIds] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the key, the actor for the change log, and the only organization that the key is good for."""

    key_id: str
    actor: str
    organization: str | None = None


class UnitOfWork:
    """One request's reads and writes. For one thread.

    `at_least` is a revision token: nothing older is read. `chosen_id` is the public id that the caller wants
    for a new object. `on_applied` is called after the commit with each receipt and its changes.
    """

    def __init__(
        self,
        authority: Authority,
        principal: Principal,
        *,
        at_least: str | None = None,
        idempotency_key: IdempotencyKey | None = None,
        chosen_id: str | None = None,
        on_applied: Callable[[Receipt, Sequence[Change]], None] = lambda *_: None,
    ) -> None:
        self.authority, self.store = authority, authority.store
        self.principal = principal
        self.seals = self.store.seals
        self.at_least = None if at_least is None else self.seals.parse(at_least)
        self.now = authority._now()
        self.chosen_id = chosen_id
        self._key, self._on_applied = idempotency_key, on_applied
        self.connection: object = None
        self._receipts: list[Receipt] = []
        self._applied: list[tuple[Receipt, Sequence[Change]]] = []
        self._concerned: OrganizationNumber | None = None
        self._named: set[OrganizationNumber] = set()
        self._is_fresh = at_least is None
        self._bound: OrganizationNumber | None = None

    # --- reading ----------------------------------------------------------------------------------

    @property
    def public_ids(self) -> PublicIds:
        """The public ids of this database."""
        known = _public_ids.get(self.store)
        if known is None:
            (row,) = self.store.fetch(READ_DIRECTORY_SECRET, {})
            known = _public_ids[self.store] = PublicIds(row.secret)
        return known

    def fetch(self, query: Query[RowT], **params: Any) -> list[RowT]:
        """A query's rows, at least as fresh as the caller asks for; in a write, within its transaction."""
        self._require_readable(params)
        return self.store.fetch(query, params, within=self.connection)

    def execute(self, query: str, **params: Any) -> int:
        """Run a statement within the transaction, and count the rows that it returns."""
        self._require_readable(params)
        return len(self.store.fetch(query, params, within=self.connection))

    def _require_readable(self, params: dict[str, Any]) -> None:
        """Raises where the store is not as fresh as the caller asks for, or a text has a NUL."""
        if not self._is_fresh:
            self._require_fresh()
        for name, value in params.items():
            if isinstance(value, str) and "\0" in value:
                raise invalid(name, "may not contain NUL")

    def winning_role(self, row: MembershipRow) -> str | None:
        """The organization-wide role that counts for a membership of a single-role organization."""
        return self.authority._winning_role(
            row.organization_slug,
            o=row.organization,
            membership=row.number,
            subject=row.subject,
            is_active=bool(row.is_active),
            now=self.now,
            within=self.connection,
        )

    def _require_fresh(self) -> None:
        assert self.at_least is not None
        self._is_fresh = True
        incarnation = OrganizationNumber(self.at_least.incarnation)
        rows = self.fetch(READ_REVISION, o=incarnation) if incarnation < 2**31 else []
        if not rows or not (incarnation == 0 or self.may_see(incarnation)):
            raise InvalidToken(token=self.at_least.token())
        revision = self.seals.revision(*rows[0])
        if not revision.covers(self.at_least):
            raise RevisionUnavailable(
                store_has=revision.organization, asked=self.at_least.organization
            )

    def token_for(self, organization: OrganizationNumber) -> str | None:
        """The revision token that a question about an organization has to be as fresh as.

        A token of the environment counts for each organization. Raises InvalidToken for another
        organization's.
        """
        at_least = self.at_least
        if at_least is None:
            return None
        if at_least.incarnation == 0:
            return self.seals.revision(organization, 0, at_least.organization).token()
        if at_least.incarnation != organization:
            raise InvalidToken(token=at_least.token())
        return at_least.token()

    # --- what the key may see ---------------------------------------------------------------------

    @property
    def bound_organization(self) -> OrganizationNumber | None:
        """The number of the only organization that the key is good for; None for all."""
        named = self.principal.organization
        if named is not None and self._bound is None:
            rows = self.fetch(FIND_ORGANIZATION_NAMED, organization=named)
            self._bound = rows[0].organization if rows else NO_ORGANIZATION
        return self._bound

    def may_see(self, organization: OrganizationNumber) -> bool:
        """Whether the key is good for that organization."""
        return self.bound_organization in (None, organization)

    def place(self, kind: Kind, public_id: str, what: str) -> Place:
        """The place of an object; the object itself may be deleted already.

        Raises ObjectNotFound for what the key may not see, as for what is no id.
        """
        place = self.find_place(kind, public_id)
        if place is None or not self.may_see(place.organization):
            raise not_found(what, public_id)
        self._named.add(place.organization)
        return place

    def find_place(self, kind: Kind, public_id: str) -> Place | None:
        """The place that an id stands for, also one that the key may not see; None for any other text."""
        return self.public_ids.place(kind, public_id) or self._chosen(kind, public_id)

    def cursor_place(self, kind: Kind, public_id: str) -> Place:
        """The place of a list's cursor, whether its object still exists or not. Raises InvalidValue."""
        place = self.find_place(kind, public_id)
        if place is None or not self.may_see(place.organization):
            raise invalid_cursor()
        return place

    def _chosen(self, kind: Kind, public_id: str) -> Place | None:
        if not public_id.startswith(PREFIXES[kind]) or "\0" in public_id:
            return None
        for row in self.fetch(FIND_PUBLIC_ID, public_id=public_id):
            if row.kind == kind.name.lower():
                return Place(row.organization, row.number)
        return None

    def require_unbound(self) -> None:
        """Raises Forbidden unless the key is good for all organizations."""
        if self.principal.organization is not None:
            message = "This needs an API key that is bound to no organization."
            raise Forbidden("forbidden", message)

    # --- writing ----------------------------------------------------------------------------------

    def write(self, work: Callable[[], Any], *, status: int) -> RecordedAnswer:
        """What `work` returned, as JSON (no body for None), or what was recorded under the idempotency key
        before.

        When this returns, all that `work` did is committed, and what it revoked is enforced. When it raises,
        none of it was done. Where there was nothing to do, another request may have done it whose change is
        not enforced yet: that is waited for too, also before an object is said not to exist.
        """
        for attempt in range(ATTEMPTS):
            try:
                answer = self._transact(work, status)
                break
            except StoreConflict:
                if attempt == ATTEMPTS - 1:
                    raise
            except ObjectNotFound:
                self.enforce_named()
                raise
        if not self._receipts:
            self.enforce_named()
        for receipt in self._receipts:
            receipt.enforce()
        for receipt, applied in self._applied:
            self._on_applied(receipt, applied)
        return answer

    def enforce_named(self) -> None:
        """When this returns, what was committed in the organizations that the request named is enforced."""
        if not self.store.capabilities.has_replicas:
            return
        bound = self.bound_organization
        for o in self._named | ({FOR_ALL if bound is None else bound}):
            for row in self.store.fetch(READ_REVISION, {"o": o}):
                self.authority.enforce(self._unchanged(self.seals.revision(*row)))

    def _transact(self, work: Callable[[], Any], status: int) -> RecordedAnswer:
        self._receipts.clear()
        self._applied.clear()
        self._concerned = None
        with self.transaction():
            recorder = AnswerRecorder(self, self._key)
            recorded = recorder.claim()
            if recorded is not None:
                answer, receipts = recorded
                self._receipts += receipts
                return answer
            result = work()
            return recorder.record(status, result, self._revision(), self._receipts)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The block's reads and statements are one transaction, committed at its end if nothing is raised."""
        with self.store.connection() as connection:
            self.connection = connection
            try:
                yield
            finally:
                self.connection = None

    def revisions(self, organization: OrganizationNumber) -> tuple[int, int] | None:
        """The first and the last revision of an organization that this write has made so far."""
        made = [
            receipt.revision.organization
            for receipt in self._receipts
            if receipt.changed and receipt.revision.incarnation == organization
        ]
        return (made[0], made[-1]) if made else None

    def concern(self, organization: OrganizationNumber) -> None:
        """Note which organization the write concerns, even if it changes no facts."""
        self._concerned = organization
        self._named.add(organization)

    def role_mode(self, organization: OrganizationNumber) -> str:
        """`single` or `multiple`: how many organization-wide roles count there."""
        (owner,) = self.fetch(SHOW_ORGANIZATION_EVER, o=organization)
        return owner.role_mode

    def lock(self, organization: OrganizationNumber) -> None:
        """Keep others from changing the organization until the transaction ends."""
        self.concern(organization)
        self.execute("lock_organization", o=organization)

    def apply(self, organization: str, *changes: Change) -> Receipt:
        """Apply changes in the transaction. Raises ObjectNotFound where an object to remove is gone."""
        receipt = self.authority.apply(
            changes,
            actor=self.principal.actor,
            organization=organization,
            within=self.connection,
        )
        for missing in receipt.not_found:
            raise not_found(missing.what.capitalize(), missing.name)
        self._receipts.append(receipt)
        self._applied.append((receipt, changes))
        return receipt

    def _revision(self) -> Revision | None:
        """The revision that the write left."""
        if self._receipts:
            return self._receipts[-1].revision
        if self._concerned is None:
            return None
        rows = self.fetch(READ_REVISION, o=self._concerned)
        return self.seals.revision(*rows[0]) if rows else None

    def _unchanged(self, revision: Revision) -> Receipt:
        """The receipt of a change that altered nothing, at a committed revision."""
        return Receipt(
            organization=model.ENVIRONMENT,
            revision=revision,
            changed=False,
            direction=Direction.GRANTS,
            route=Route.INLINE,
            fan_out=0,
            recorded_at=model.moment(self.now),
            settled_at=None,
        )
