"""Filling the batches of an import, and applying them in order, each to its organization.

A file and a stream of lines go through the same two steps: `BatchBuilder` says where a batch ends, and
`Importer` applies it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rescind.authority import Authority
from rescind.changes import Change, CreateOrganization, SetIdRule
from rescind.transfer.batches import Batches
from rescind.transfer.parts import Applied
from rescind.transfer.readers import Item

BATCH_SIZE: Final = 500
"""Changes of a batch, where each member that a change names counts."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one organization that become one transaction."""

    organization: str
    items: Sequence[Item]


class BatchBuilder:
    """Puts items into batches, in their order.

    A batch has items of one organization, of at most `most_weight` and `most_bytes` together; one item that
    is larger is a batch of its own. A change that must be the first of a transaction begins a batch.
    """

    def __init__(self, most_weight: int = BATCH_SIZE, most_bytes: int | None = None) -> None:
        self._most_weight, self._most_bytes = most_weight, most_bytes
        self._organization = ""
        self._items: list[Item] = []
        self._weight = self._bytes = 0

    def add(self, organization: str, item: Item, size_bytes: int = 0) -> Batch | None:
        """Add an item; the batch before it, if it begins a new one."""
        weight = item.change.weight
        is_full = self._weight + weight > self._most_weight or (
            self._most_bytes is not None and self._bytes + size_bytes > self._most_bytes
        )
        is_new = organization != self._organization or _begins(item.change, self._items)
        full = self.rest() if is_full or is_new else None
        self._organization = organization
        self._items.append(item)
        self._weight += weight
        self._bytes += size_bytes
        return full

    def rest(self) -> Batch | None:
        """The batch that is being filled, if it has items; the next begins empty."""
        batch = Batch(self._organization, self._items) if self._items else None
        self._items, self._weight, self._bytes = [], 0, 0
        return batch


def batched(organization: str, items: Iterable[Item], most_weight: int) -> Iterator[Batch]:
    """The items of an organization in batches."""
    builder = BatchBuilder(most_weight)
    for item in items:
        if (batch := builder.add(organization, item)) is not None:
            yield batch
    if (batch := builder.rest()) is not None:
        yield batch


class Importer:
    """Applies the batches of one import. `run` begins its idempotency keys, if it has any."""

    def __init__(
        self, authority: Authority, *, run: str | None, actor: str = "unknown", reason: str = ""
    ) -> None:
        self._authority, self._run = authority, run
        self._actor, self._reason = actor, reason
        self._begun: dict[str, Batches] = {}

    def apply(self, batch: Batch, key: str | None) -> Applied:
        """Apply a batch, as `Batches.apply`; the first of its organization begins the import there."""
        batches = self._begun.get(batch.organization)
        if batches is None:
            batches = Batches(
                self._authority,
                batch.organization,
                run=self._run,
                actor=self._actor,
                reason=self._reason,
            )
            batches.begin(batch.items, key)
            self._begun[batch.organization] = batches
        return batches.apply(batch.items, key)

    def begun(self, organization: str) -> Batches | None:
        """The batches of an organization, once its first has been looked up."""
        return self._begun.get(organization)


def _begins(change: Change, before: Sequence[Item]) -> bool:
    """Whether a change begins a batch: where it must be the first, or what stands before it is alone."""
    is_first = isinstance(change, CreateOrganization | SetIdRule)
    return is_first or (bool(before) and isinstance(before[-1].change, SetIdRule))
