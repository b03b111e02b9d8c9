"""The changes of a client, as calls: batches, previews, and background work that is parked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from rescind import model
from rescind.changes import Change, checked
from rescind.client import answers, records
from rescind.client.asking import Asking, header_text, required_token
from rescind.client.calls import Call, Effect
from rescind.errors import InvalidArgument, InvalidChange
from rescind.model import Difference, PendingWork, Receipt, Route

KEY_BYTES: Final = 18
ACTOR: Final = "Rescind-Actor"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
IF_MATCH: Final = "If-Match"
CHANGES: Final = ("v1", "changes")


class Changing:
    """What alters something."""

    asking: Asking

    def apply(
        self,
        changes: Sequence[Change],
        *,
        actor: str = "unknown",
        reason: str = "",
        idempotency_key: str | None = None,
        organization: str | None = None,
        detail: bool = False,
        route: Route | str | None = None,
        if_revision: str | None = None,
        force: bool = False,
    ) -> Call[Receipt]:
        """Apply a batch of changes as one transaction with one revision.

        When this returns, no check that starts anywhere allows what was revoked. The log has the API key as
        the actor, and `actor` as the one on whose behalf it was. Without an `idempotency_key` the client
        makes one: it repeats the call where the outcome is unknown, and the change has one effect. The
        receipt of a repeated call says `is_repeated`, and has no `difference` and no `route_reason`.

        Raises what `Authority.apply` raises. OutcomeUnknown, if the repetitions did not tell the outcome in
        time, has the `idempotency_key` among its facts: the same call with it finds out.
        """
        asking, name = self.asking, self.asking.named(organization)
        key = idempotency_key
        if key is None:
            key = secrets.token_urlsafe(KEY_BYTES)
        fields = {
            **_batch(changes, name, force=force),
            "reason": model.require_text("reason", reason),
            "route": None if route is None else _route(route),
            "detail": model.require_flag("detail", detail),
        }
        headers = [(IDEMPOTENCY_KEY, _key(key)), *_condition(if_revision)]
        if actor != "unknown":
            headers.append((ACTOR, header_text("actor", actor)))
        begun = asking.tokens.begin()

        def read(body: bytes) -> Receipt:
            receipt = answers.receipt(body)
            asking.tokens.note(name, receipt, begun)
            return receipt

        return asking.post(
            CHANGES,
            read,
            fields,
            headers=tuple(headers),
            effect=Effect.KEYED,
            idempotency_key=key,
        )

    def preview(
        self,
        changes: Sequence[Change],
        *,
        organization: str | None = None,
        if_revision: str | None = None,
        force: bool = False,
    ) -> Call[Difference]:
        """What a batch would give and take, exactly, without doing it. Raises its refusals."""
        fields = _batch(changes, self.asking.named(organization), force=force)
        fields["dry_run"] = True
        headers = tuple(_condition(if_revision))
        return self.asking.post(CHANGES, answers.difference, fields, headers=headers)

    def pending(
        self, *, organization: str | None = None, limit: int = 1_000
    ) -> Call[list[PendingWork]]:
        """What is not settled yet, of one organization or of all that the key is good for, the most urgent
        first. `last_error` and `organization_number` are not told.
        """
        limit = model.require_number("limit", limit, least=1)
        name = None if organization is None else model.organization_id(organization)
        return self.asking.get(("v1", "pending"), records.pending, name, limit=limit)

    def park(self, work: PendingWork) -> Call[bool]:
        """Keep workers from what is pending for a group until `retry`. What it fences stays fenced."""
        return self._of_group("park", work)

    def retry(self, work: PendingWork) -> Call[bool]:
        """Let workers take what is pending for a group again, now."""
        return self._of_group("retry", work)

    def _of_group(self, what: str, work: Any) -> Call[bool]:
        if not isinstance(work, PendingWork):
            hint = "pass an item of `pending()`"
            raise InvalidArgument(what="work", value=repr(work)[:60], hint=hint)
        fields: dict[str, object] = {"organization": work.organization}
        if work.group is None:
            fields["group_number"] = abs(work.group_number)
        else:
            fields["group"] = work.group
        return self.asking.post(
            ("v1", "pending", what), records.changed, fields, effect=Effect.ONCE
        )


def _batch(changes: Sequence[Change], organization: str | None, *, force: bool) -> dict[str, Any]:
    """The fields of a batch. Raises InvalidChange."""
    listed, body = checked(changes)
    if not listed:
        raise InvalidChange(why="there is none", hint="pass at least one change")
    return {
        "changes": msgspec.Raw(body.encode()),
        "organization": organization,
        "force": model.require_flag("force", force),
    }


def _key(value: object) -> str:
    """An idempotency key that a header can carry. Raises InvalidArgument."""
    key = header_text("idempotency key", value)
    if not key:
        raise InvalidArgument(what="idempotency key", hint="use a text of its own, or none")
    if not key.isascii():
        raise InvalidArgument(what="idempotency key", value=repr(key[:60]), hint="use ASCII")
    return key


def _condition(if_revision: str | None) -> list[tuple[str, str]]:
    return [] if if_revision is None else [(IF_MATCH, f'"{required_token(if_revision)}"')]


def _route(route: Any) -> str:
    try:
        return Route(route).value
    except ValueError:
        known = ", ".join(known.value for known in Route)
        raise InvalidArgument(what="route", value=route, hint=f"use one of {known}") from None
