"""Answers recorded under idempotency keys: a repeated request gets the same answer and changes nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rescind import model
from rescind.errors import KeyReused
from rescind.model import Direction, Receipt, Revision, Route
from rescind.store.rows.directory import READ_ANSWER

if TYPE_CHECKING:
    from rescind.directory.unit_of_work import UnitOfWork

ANSWERS_KEPT_SECONDS: Final = 48 * 3600
"""How long a request may be repeated with its idempotency key and get the same answer."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key, and the digest of the request that it stands for."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """The answer to a write. The status is recorded with it and means nothing here."""

    status: int
    body: bytes
    revision: Revision | None


class AnswerRecorder:
    """Records the answer of one write within its transaction. Without a key it records nothing."""

    def __init__(self, unit: UnitOfWork, key: IdempotencyKey | None) -> None:
        self._unit, self._key = unit, key

    def claim(self) -> tuple[RecordedAnswer, list[Receipt]] | None:
        """Claim the key; or the answer that is recorded under it, with receipts to enforce again.

        Raises KeyReused where the key stands for another request.
        """
        if self._key is None:
            return None
        unit, key = self._unit, self._key
        params = {"caller": unit.principal.key_id, "key": key.key}
        unit.execute("forget_old_answers", cutoff=unit.now - ANSWERS_KEPT_SECONDS * 1_000_000)
        if unit.execute("claim_answer", digest=key.digest, now=unit.now, **params):
            return None
        (row,) = unit.fetch(READ_ANSWER, **params)
        if row.digest != key.digest:
            raise KeyReused(key=key.key)
        revision, receipts = json.loads(row.receipts)
        at = None if revision is None else self._revision(revision)
        answer = RecordedAnswer(row.status, row.body.encode(), at)
        return answer, [self._receipt(*each) for each in receipts]

    def record(
        self, status: int, result: Any, revision: Revision | None, receipts: Sequence[Receipt]
    ) -> RecordedAnswer:
        """Record the result of a write; its body is empty where there is none."""
        body = b"" if result is None else msgspec.json.encode(result)
        if self._key is not None:
            kept = (revision and _numbers(revision), [_facts(receipt) for receipt in receipts])
            self._unit.execute(
                "keep_answer",
                caller=self._unit.principal.key_id,
                key=self._key.key,
                status=status,
                body=body.decode(),
                receipts=json.dumps(kept),
            )
        return RecordedAnswer(status, body, revision)

    def _revision(self, kept: list[int] | str) -> Revision:
        """A recorded revision: its numbers, or a token as older releases recorded it, not sealed."""
        if isinstance(kept, str):
            _, *numbers = base64.urlsafe_b64decode(kept + "==").decode().split(".")
            kept = [int(number) for number in numbers]
        return self._unit.seals.revision(*kept)

    def _receipt(
        self,
        organization: str,
        kept: list[int] | str,
        changed: bool,
        recorded_at: int,
        direction: str,
    ) -> Receipt:
        """A receipt as it was recorded, so that what it promised is waited for again."""
        enforcer: Callable[[Receipt], Receipt] = self._unit.authority.enforce
        return Receipt(
            organization=model.organization_id(organization),
            revision=self._revision(kept),
            changed=changed,
            direction=Direction(direction),
            route=Route.INLINE,
            fan_out=0,
            recorded_at=model.moment(recorded_at),
            settled_at=None,
            is_repeated=True,
            enforcer=enforcer,
        )


def _facts(receipt: Receipt) -> tuple[str, list[int], bool, int, str]:
    recorded_at = model.microseconds(receipt.recorded_at)
    direction = receipt.direction.value
    numbers = _numbers(receipt.revision)
    return receipt.organization, numbers, receipt.changed, recorded_at, direction


def _numbers(revision: Revision) -> list[int]:
    return [revision.incarnation, revision.organization, revision.environment]
