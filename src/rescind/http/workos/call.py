"""One request: whose it is, what it may see, what it reads, and how it writes.

A write is one transaction: the core's changes, the directory's entries, the events and the answer to be given
again are all committed, or none of them. It is answered when what it revoked is enforced.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from rescind import model
from rescind.changes import Change
from rescind.decision.check import require
from rescind.errors import InvalidToken, KeyReused, StoreConflict
from rescind.http.answers import REVISION
from rescind.http.auth import Caller
from rescind.http.server.service import Service
from rescind.http.workos.errors import Refused, invalid, not_found
from rescind.http.workos.ids import PREFIXES, Ids, Kind, Place
from rescind.model import Direction, Receipt, Revision, Route
from rescind.store import Rows, Store
from rescind.store.base import Params

ANSWERS_KEPT_SECONDS: Final = 48 * 3600
"""How long a request may be repeated with its idempotency key and have the same answer."""
ATTEMPTS: Final = 8
"""How often a write is tried again when another was in its way."""

_ids: WeakKeyDictionary[Store, Ids] = WeakKeyDictionary()


class Call:
    """A request under way. For one thread."""

    def __init__(
        self,
        service: Service,
        caller: Caller,
        *,
        at_least: str | None,
        key: str | None,
        chosen_id: str | None,
        behalf: str | None,
        digest: str,
    ) -> None:
        self.service, self.caller = service, caller
        self.authority, self.store = service.authority, service.authority.store
        self.seals = self.store.seals
        self.at_least = None if at_least is None else self.seals.parse(at_least)
        self.now = time.time_ns() // 1_000
        self.chosen_id = chosen_id
        self._actor = caller.actor(behalf)
        self._key, self._digest = key, digest
        self._connection: object = None
        self._receipts: list[Receipt] = []
        self._applied: list[tuple[Receipt, Sequence[Change]]] = []
        self._about: int | None = None
        self._seen: set[int] = set()
        self._is_fresh = at_least is None
        self._bound: int | None = None

    # --- reading ----------------------------------------------------------------------------------

    @property
    def ids(self) -> Ids:
        """The ids of this database."""
        known = _ids.get(self.store)
        if known is None:
            ((secret,),) = self.store.fetch("read_directory_secret", {})
            known = _ids[self.store] = Ids(secret)
        return known

    def fetch(self, query: str, **params: Any) -> Rows:
        """The rows of a query, at least as fresh as the request asks for; in a write, within it."""
        if not self._is_fresh:
            self._require_fresh()
        for name, value in params.items():
            if isinstance(value, str) and "\0" in value:
                raise invalid(name, "may not contain NUL")
        return self.store.fetch(query, params, within=self._connection)

    def fetch_many(self, questions: Sequence[tuple[str, Params]]) -> list[Rows]:
        """The rows of several queries; outside of writes, all of one snapshot."""
        if self._connection is None:
            return self.store.fetch_many(questions)
        return [self.fetch(query, **params) for query, params in questions]

    def _require_fresh(self) -> None:
        assert self.at_least is not None
        self._is_fresh = True
        incarnation = self.at_least.incarnation
        rows = self.fetch("read_revision", o=incarnation) if incarnation < 2**31 else []
        if not rows or not (incarnation == 0 or self.may_see(incarnation)):
            raise InvalidToken(token=self.at_least.token())
        require(self.seals.revision(*rows[0]), self.at_least)

    def token_for(self, o: int) -> str | None:
        """What a question about an organization is at least as fresh as.

        A token of what is for all organizations counts for each. Raises InvalidToken for one of another.
        """
        at_least = self.at_least
        if at_least is None:
            return None
        if at_least.incarnation == 0:
            return self.seals.revision(o, 0, at_least.organization).token()
        if at_least.incarnation != o:
            raise InvalidToken(token=at_least.token())
        return at_least.token()

    # --- seeing -----------------------------------------------------------------------------------

    @property
    def bound(self) -> int | None:
        """The number of the only organization that the key is good for; None for all."""
        if self.caller.organization is not None and self._bound is None:
            rows = self.fetch("find_organization_named", organization=self.caller.organization)
            self._bound = rows[0][0] if rows else -1
        return self._bound

    def may_see(self, o: int) -> bool:
        """Whether the key is good for that organization."""
        return self.bound in (None, o)

    def place(self, kind: Kind, public_id: str, what: str) -> Place:
        """Where an object is. Raises not found for what the key may not see, as for what is no id.

        That it is there is not promised: it may have been deleted.
        """
        place = self.find(kind, public_id)
        if place is None or not self.may_see(place.organization):
            raise not_found(what, public_id)
        self._seen.add(place.organization)
        return place

    def find(self, kind: Kind, public_id: str) -> Place | None:
        """Where the object of an id is or was, if it is one. The key need not be good for that place."""
        return self.ids.place(kind, public_id) or self._chosen(kind, public_id)

    def cursor(self, kind: Kind, public_id: str) -> Place:
        """Where a cursor of a list stands, whether its object is still there or not."""
        place = self.find(kind, public_id)
        if place is None or not self.may_see(place.organization):
            raise Refused(400, "invalid_cursor", "The cursor does not belong to this list.")
        return place

    def _chosen(self, kind: Kind, public_id: str) -> Place | None:
        if not public_id.startswith(PREFIXES[kind]) or "\0" in public_id:
            return None
        for o, name, number in self.fetch("find_public_id", public_id=public_id):
            if name == kind.name.lower():
                return Place(o, number)
        return None

    def require_unbound(self) -> None:
        """Raises unless the key is good for all organizations."""
        if self.caller.organization is not None:
            raise Refused(
                403, "forbidden", "This needs an API key that is bound to no organization."
            )

    # --- writing ----------------------------------------------------------------------------------

    def write(self, work: Callable[[], Any], *, status: int = 200) -> Response[Any]:
        """The answer to a write: what `work` returns, or what it returned when the request first came.

        When this returns, all that `work` did is committed, and what it revoked is enforced. When it
        raises, none of it was done. Where there was nothing to do, somebody may have done it whose change is
        not enforced yet: that is waited for as well, also before it is said that something is not there.
        """
        for attempt in range(ATTEMPTS):
            try:
                answer = self._transacted(work, status)
                break
            except StoreConflict:
                if attempt == ATTEMPTS - 1:
                    raise
            except Refused as refused:
                if refused.status == 404:
                    self._enforce_seen()
                raise
        if not self._receipts:
            self._enforce_seen()
        for receipt in self._receipts:
            receipt.enforce()
        for receipt, applied in self._applied:
            self.service.applied(receipt, applied)
        return answer

    def _enforce_seen(self) -> None:
        """When this returns, what was committed in the organizations that are named is enforced."""
        if self.store.engine == "sqlite":
            return
        for o in self._seen | ({0} if self.bound is None else {self.bound}):
            for at in self.store.fetch("read_revision", {"o": o}):
                self.authority.enforce(self._unaltered(self.seals.revision(*at)))

    def _transacted(self, work: Callable[[], Any], status: int) -> Response[Any]:
        self._receipts.clear()
        self._applied.clear()
        self._about = None
        with self.transaction():
            answer = self._claimed()
            if answer is None:
                result = work()
                body = b"" if status == 204 else msgspec.json.encode(result)
                answer = self._kept(status, body)
        return answer

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is fetched in the block is one transaction, committed at its end if nothing is raised."""
        with self.store.connection() as connection:
            self._connection = connection
            try:
                yield
            finally:
                self._connection = None

    def revisions(self, o: int) -> tuple[int, int] | None:
        """The first and the last revision of an organization that this write has made so far."""
        made = [r.revision for r in self._receipts if r.changed and r.revision.incarnation == o]
        return (made[0].organization, made[-1].organization) if made else None

    def about(self, o: int) -> None:
        """Say which organization the write is about, even if it changes nothing of the core's."""
        self._about = o
        self._seen.add(o)

    def mode(self, o: int) -> str:
        """`single` or `multiple`: how many organization-wide roles count there."""
        return str(self.fetch("show_organization_ever", o=o)[0][-1])

    def lock(self, o: int) -> None:
        """Let nothing else change the organization from here to the end of the write."""
        self.about(o)
        self.fetch("lock_organization", o=o)

    def apply(self, organization: str, *changes: Change) -> Receipt:
        """Apply the core's changes as part of the write.

        Raises not found where the core did not find what was to be taken away: it went since it was shown.
        """
        receipt = self.authority.apply(
            changes,
            actor=self._actor,
            organization=organization,
            within=self._connection,
        )
        for missing in receipt.not_found:
            raise not_found(missing.what.capitalize(), missing.name)
        self._receipts.append(receipt)
        self._applied.append((receipt, changes))
        return receipt

    def _claimed(self) -> Response[Any] | None:
        """The answer that was given to this request before."""
        if self._key is None:
            return None
        names = {"caller": self.caller.key_id, "key": self._key}
        cutoff = self.now - ANSWERS_KEPT_SECONDS * 1_000_000
        self.fetch("forget_old_answers", cutoff=cutoff)
        if self.fetch("claim_answer", digest=self._digest, now=self.now, **names):
            return None
        ((digest, status, body, receipts),) = self.fetch("read_answer", **names)
        if digest != self._digest:
            raise KeyReused(key=self._key)
        state, facts = json.loads(receipts)
        self._receipts += [self._again(*each) for each in facts]
        at = None if state is None else self._revision(state)
        return _answer(status, body.encode(), at)

    def _kept(self, status: int, body: bytes) -> Response[Any]:
        at = self._state()
        if self._key is not None:
            self.fetch(
                "keep_answer",
                caller=self.caller.key_id,
                key=self._key,
                status=status,
                body=body.decode(),
                receipts=json.dumps(
                    (at and _numbers(at), [_facts(receipt) for receipt in self._receipts])
                ),
            )
        return _answer(status, body, at)

    def _state(self) -> Revision | None:
        """The state of the facts that the write left."""
        if self._receipts:
            return self._receipts[-1].revision
        rows = [] if self._about is None else self.fetch("read_revision", o=self._about)
        return self.seals.revision(*rows[0]) if rows else None

    def _revision(self, kept: list[int] | str) -> Revision:
        """A revision of a kept answer: its numbers, or a token as they were before they were sealed."""
        if isinstance(kept, str):
            _, *numbers = base64.urlsafe_b64decode(kept + "==").decode().split(".")
            kept = [int(number) for number in numbers]
        return self.seals.revision(*kept)

    def _again(
        self,
        organization: str,
        kept: list[int] | str,
        changed: bool,
        recorded_at: int,
        direction: str,
    ) -> Receipt:
        """A receipt of an answer that is given again, so that what it promised is awaited again."""
        recorded = model.moment(recorded_at)
        return Receipt(
            organization=model.organization_id(organization),
            revision=self._revision(kept),
            changed=changed,
            direction=Direction(direction),
            route=Route.INLINE,
            fan_out=0,
            recorded_at=recorded,
            settled_at=None,
            enforcer=self.authority.enforce,
        )

    def _unaltered(self, at: Revision) -> Receipt:
        """The receipt of a change that found all as it should be, at a state that is committed."""
        return Receipt(
            organization=model.ENVIRONMENT,
            revision=at,
            changed=False,
            direction=Direction.GRANTS,
            route=Route.INLINE,
            fan_out=0,
            recorded_at=model.moment(self.now),
            settled_at=None,
        )


def _answer(status: int, body: bytes, at: Revision | None) -> Response[Any]:
    headers = {} if at is None else {REVISION: at.token()}
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _facts(receipt: Receipt) -> tuple[str, list[int], bool, int, str]:
    recorded_at = model.microseconds(receipt.recorded_at)
    direction = receipt.direction.value
    numbers = _numbers(receipt.revision)
    return receipt.organization, numbers, receipt.changed, recorded_at, direction


def _numbers(revision: Revision) -> list[int]:
    return [revision.incarnation, revision.organization, revision.environment]


Asked: TypeAlias = NamedDependency[Call]
"""A request as the routes take it."""
