"""The API keys of a database: made, rotated, revoked and recognized."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

from rescind import forks, model
from rescind.errors import ApiKeyNotFound, InvalidArgument, Unauthenticated
from rescind.http.auth import SCOPES, Caller
from rescind.http.keys.api_key import ApiKey
from rescind.http.keys.key_text import (
    checked_id,
    key_text,
    new_id,
    new_secret,
    parted,
    secret_digest,
)
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows.actions import ServiceAction
from rescind.store.rows.keys import LIST_API_KEYS, READ_API_KEY, KeyRow

FIRST_NAME: Final = "first"
"""The name of the key that is made when a service starts with none."""
MOST_REMEMBERED: Final = 10_000


class Keys:
    """The keys of one database. Safe to use from many threads.

    A key that was recognized is remembered for `remember_seconds`: this process refuses a revoked one at
    once, another process within that time.
    """

    def __init__(
        self, store: Store, *, remember_seconds: float = 1.0, note_use_seconds: float = 60.0
    ) -> None:
        self._store = store
        self._remember_seconds, self._note_use_seconds = remember_seconds, note_use_seconds
        self._known: dict[bytes, tuple[Caller, float]] = {}
        self.noted_uses: dict[str, float] = {}
        self._forgotten = 0
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """As in a new process: nobody holds the lock."""
        self._lock = threading.Lock()

    # --- management -------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        scopes: Collection[str],
        *,
        organization: str | None = None,
        expires_at: datetime | None = None,
        actor: str = "",
        request: str = "",
    ) -> tuple[ApiKey, str]:
        """A new key, and the text to send, which cannot be had again.

        With an organization the key is good for that one alone, and ends with it. The log of service
        actions has who made it, and by which request. Raises InvalidArgument
        and OrganizationNotFound.
        """
        key_id, secret = new_id(), new_secret()
        names = {
            "id": key_id,
            "name": _checked_name(name),
            "digest": secret_digest(secret),
            "scopes": " ".join(_checked_scopes(scopes)),
            "organization": None if organization is None else model.organization_id(organization),
            "now": now_microseconds(),
            "expires_at": None if expires_at is None else model.microseconds(expires_at),
        }

        def create(tx: Transaction) -> None:
            if organization is not None:
                tx.refuse("refuse_organization_missing", organization=names["organization"])
            tx.count("create_api_key", Counter.ALTERED, **names)
            detail = {key: names[key] for key in ("name", "scopes", "organization", "expires_at")}
            tx.note_action(_action("key_made", key_id, detail, actor, request))

        self._store.transact(create)
        return self.read(key_id), key_text(key_id, secret)

    def create_first(self) -> str | None:
        """An admin key where there is no key at all; None where there is or was one."""
        key_id, secret = new_id(), new_secret()
        names = {
            "id": key_id,
            "name": FIRST_NAME,
            "digest": secret_digest(secret),
            "scopes": "admin",
        }

        def create(tx: Transaction) -> None:
            query = "create_first_api_key"
            tx.count(query, Counter.ALTERED, now=now_microseconds(), **names)
            detail = {"name": FIRST_NAME, "scopes": names["scopes"]}
            tx.note_action(_action("key_made", key_id, detail, "rescind serve", ""))

        self._store.transact(create)
        is_made = bool(self._store.fetch(READ_API_KEY, {"id": key_id}))
        return key_text(key_id, secret) if is_made else None

    def read(self, key_id: str) -> ApiKey:
        """What is known of a key. Raises ApiKeyNotFound."""
        rows = self._store.fetch(READ_API_KEY, {"id": checked_id(key_id)})
        if not rows:
            raise ApiKeyNotFound(key=key_id)
        return ApiKey.of(rows[0])

    def list(
        self,
        *,
        organization: str | None = None,
        with_unbound: bool = False,
        after: str = "",
        limit: int = 1_000,
    ) -> list[ApiKey]:
        """Keys in the order of their ids, also revoked ones; of one organization or all.

        With `with_unbound`, of an organization also those that are good for all: they are good for it too.
        """
        names = {
            "organization": organization,
            "with_unbound": with_unbound,
            "after": after,
            "limit": limit,
        }
        return [ApiKey.of(row) for row in self._store.fetch(LIST_API_KEYS, names)]

    def rotate(
        self, key_id: str, *, grace_seconds: float = 0.0, actor: str = "", request: str = ""
    ) -> tuple[ApiKey, str]:
        """Another secret for a key; the one before it is good for the grace. Raises ApiKeyNotFound."""
        if not 0 <= grace_seconds <= 90 * 86_400:
            raise InvalidArgument(
                what="grace", value=grace_seconds, hint="use 0 to 90 days, in seconds"
            )
        secret = new_secret()
        names = {"id": checked_id(key_id), "digest": secret_digest(secret)}
        until = now_microseconds() + int(grace_seconds * 1e6)
        action = _action("key_rotated", key_id, {"former_until": until}, actor, request)
        self._alter("rotate_api_key", action, former_until=until, **names)
        return self.read(key_id), key_text(key_id, secret)

    def revoke(self, key_id: str, *, actor: str = "", request: str = "") -> ApiKey:
        """Refuse a key from now on. Raises ApiKeyNotFound, also for one that was revoked before."""
        action = _action("key_revoked", checked_id(key_id), {}, actor, request)
        self._alter("revoke_api_key", action, id=key_id, now=now_microseconds())
        return self.read(key_id)

    def _alter(self, query: str, action: ServiceAction, **names: Any) -> None:
        before: list[Callable[[], list[KeyRow]]] = []

        def alter(tx: Transaction) -> None:
            before[:] = [tx.read_later(READ_API_KEY, id=names["id"])]
            tx.count(query, Counter.ALTERED, **names)
            tx.note_action(action)

        self._store.transact(alter)
        rows = before[0]()
        if not rows or rows[0].revoked_at is not None:
            raise ApiKeyNotFound(key=names["id"])
        self._forget(lambda caller: caller.key_id == names["id"])

    def forget_organization(self, name: str) -> None:
        """Take nobody by memory for a caller of the organization: it was deleted."""
        self._forget(lambda caller: caller.organization == name)

    def _forget(self, is_meant: Callable[[Caller], bool]) -> None:
        with self._lock:
            self._forgotten += 1
            self._known = {
                digest: known for digest, known in self._known.items() if not is_meant(known[0])
            }

    # --- recognition ------------------------------------------------------------------------------

    def known(self, text: str) -> Caller | None:
        """Whose key it is, if that is remembered; reads no database."""
        found = self._known.get(hashlib.sha256(text.encode()).digest())
        return found[0] if found is not None and found[1] > time.monotonic() else None

    def recognize(self, text: str) -> Caller:
        """Whose key it is, as the database says now. Raises Unauthenticated."""
        start, forgotten = time.monotonic(), self._forgotten
        key_id, secret = parted(text)
        rows = self._store.fetch(READ_API_KEY, {"id": key_id})
        now = now_microseconds()
        if not rows or not _is_good(rows[0], secret, now):
            raise Unauthenticated()
        key = ApiKey.of(rows[0])
        caller = Caller(key.id, key.name, frozenset(key.scopes), key.organization)
        seconds = min(self._remember_seconds, _good_seconds(rows[0], now))
        self._remember(text, caller, start + seconds, forgotten)
        return caller

    def note_use(self, caller: Caller) -> bool:
        """Record that the key was used, at most once in a while; says whether it wrote."""
        now = time.monotonic()
        if self.noted_uses.get(caller.key_id, 0.0) > now:
            return False
        if len(self.noted_uses) >= MOST_REMEMBERED:
            self.noted_uses.clear()
        self.noted_uses[caller.key_id] = now + self._note_use_seconds
        names = {"id": caller.key_id, "now": now_microseconds()}
        self._store.transact(lambda tx: tx.run("note_api_key_used", **names), yields=True)
        return True

    def is_use_to_note(self, caller: Caller) -> bool:
        """Whether `note_use` would write."""
        return self.noted_uses.get(caller.key_id, 0.0) <= time.monotonic()

    def _remember(self, text: str, caller: Caller, until: float, forgotten: int) -> None:
        """Unless a key was revoked since it was read."""
        with self._lock:
            if forgotten != self._forgotten:
                return
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[hashlib.sha256(text.encode()).digest()] = (caller, until)


def _is_good(row: KeyRow, secret: str, now: int) -> bool:
    given = secret_digest(secret)
    is_current = hmac.compare_digest(given, row.digest)
    is_former = hmac.compare_digest(given, row.former_digest or row.digest)
    is_in_grace = (row.former_until or 0) > now
    is_revoked = row.revoked_at is not None or row.is_orphan
    is_expired = row.expires_at is not None and row.expires_at <= now
    return not is_revoked and not is_expired and (is_current or (is_former and is_in_grace))


def _good_seconds(row: KeyRow, now: int) -> float:
    """Seconds until something about the key ends."""
    ends = [at for at in (row.expires_at, row.former_until) if at is not None and at > now]
    return (min(ends) - now) / 1e6 if ends else float("inf")


def now_microseconds() -> model.Microseconds:
    return model.Microseconds(time.time_ns() // 1_000)


def _action(
    kind: str, key_id: str, detail: dict[str, Any], actor: str, request: str
) -> ServiceAction:
    """What the log of service actions has of it: never a secret, or its digest."""
    text = json.dumps(detail)
    now = now_microseconds()
    model.require_text("actor", actor)
    return ServiceAction(kind, key_id, now, text, actor, request, key=key_id)


def _checked_name(name: str) -> str:
    model.require_text("name", name)
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise InvalidArgument(
            what="name", value=repr(name[:60]), hint="use 1 to 100 printable characters"
        )
    return name


def _checked_scopes(scopes: Collection[str]) -> list[str]:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        hint = f"use some of {', '.join(SCOPES)}"
        raise InvalidArgument(what="scopes", value=", ".join(map(repr, unknown)), hint=hint)
    return [scope for scope in SCOPES if scope in scopes]
