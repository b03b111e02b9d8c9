"""Applying what was read: in batches, each one transaction, so that an interrupted import resumes.

A batch's idempotency key comes from its content, the input's and its number: importing the same
input again finds the batches that were done and goes on after them.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rescind.authority import Authority
from rescind.changes import (
    AddMembers,
    Change,
    CreateOrganization,
    RemoveMembers,
    ReplaceMembers,
    SetIdRule,
    to_json,
    to_object,
)
from rescind.errors import BadInput, InvalidArgument, RescindError
from rescind.errors.base import in_json
from rescind.exchange.readers import Item
from rescind.model import ENVIRONMENT, Difference, Direction, LookAlike, Receipt, organization_id
from rescind.propagation.pending import settle_organization

BATCH_SIZE = 500
MOST_SHOWN = 20
"""Look-alikes that a summary names."""

Progress = Callable[[int, int], None]
"""Told after each batch how many of the items are applied, and of how many."""


@dataclass(slots=True)
class Summary:
    """What an import did. `repeated` counts batches that an earlier import had done, `not_found` what was
    to be taken away and did not exist, `look_alikes` ids that others look like, with some `examples`.
    """

    organizations: list[str] = field(default_factory=list)
    changes: int = 0
    batches: int = 0
    repeated: int = 0
    granting: int = 0
    revoking: int = 0
    not_found: int = 0
    look_alikes: int = 0
    examples: list[LookAlike] = field(default_factory=list)
    seconds: float = 0.0
    token: str | None = None

    def add(self, receipt: Receipt, changes: int, started: datetime) -> None:
        """Count a batch; one recorded before this import started was done by an earlier one."""
        self.batches += 1
        self.changes += changes
        self.token = receipt.token
        self.not_found += len(receipt.not_found)
        self.look_alikes += len(receipt.look_alikes)
        room = MOST_SHOWN - len(self.examples)
        self.examples += receipt.look_alikes[:room]
        if receipt.recorded_at < started:
            self.repeated += 1
        elif receipt.changed:
            self.revoking += receipt.direction is Direction.REVOKES
            self.granting += receipt.direction is Direction.GRANTS


def load(
    authority: Authority,
    items: Sequence[Item],
    *,
    digest: str,
    organization: str | None = None,
    actor: str = "unknown",
    reason: str = "",
    batch_size: int = BATCH_SIZE,
    again: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Apply all items, those of one organization in their order, the environment's first.

    An organization that is missing is created. What batches leave to be done in the background is done
    before this returns, but for what another worker is at, or is parked. With `again` batches done by an
    earlier import are applied anew instead of being passed over. Raises BadInput naming the place of a
    change that the store refuses, with nothing of its batch applied.
    """
    if batch_size < 1:
        raise InvalidArgument(what="batch size", value=batch_size, mend="use 1 or more")
    summary, done, started, clock = Summary(), 0, datetime.now(UTC), time.perf_counter()
    run = f"{digest[:32]}{secrets.token_hex(8) if again else ''}"
    for name, owned in by_organization(items, organization).items():
        summary.organizations.append(name)
        for number, batch in enumerate(_batches(_with_creation(name, owned), batch_size)):
            changes = [item.change for item in batch]
            key = f"import/{run}/{number}/{_digest(changes)}"
            try:
                receipt = authority.apply(
                    changes, actor=actor, reason=reason, idempotency_key=key, organization=name
                )
            except RescindError as error:
                raise _placed(error, batch, summary.batches) from error
            summary.add(receipt, len(changes), started)
            done += sum(bool(item.place) for item in batch)
            if progress is not None:
                progress(done, len(items))
        settle_organization(authority.store, organization_id(name))
    summary.seconds = time.perf_counter() - clock
    return summary


def foresee(
    authority: Authority, items: Sequence[Item], *, organization: str | None = None
) -> dict[str, Difference]:
    """What the items would give and take in each organization, exactly, without doing it."""
    found = {}
    for name, owned in by_organization(items, organization).items():
        prepared = _with_creation(name, owned)
        try:
            found[name] = authority.preview([i.change for i in prepared], organization=name)
        except RescindError as error:
            raise _placed(error, prepared, 0) from error
    return found


def by_organization(items: Sequence[Item], organization: str | None) -> dict[str, list[Item]]:
    """The items of each organization in their order; the environment comes first."""
    found: dict[str, list[Item]] = {}
    for item in items:
        name = organization if item.organization is None else item.organization
        if name is None:
            mend = "name one with --organization, or RESCIND_ORGANIZATION"
            raise InvalidArgument(what="organization", at=item.place, mend=mend)
        found.setdefault(name, []).append(item)
    return dict(sorted(found.items(), key=lambda entry: entry[0] != ENVIRONMENT))


def _digest(changes: list[Change]) -> str:
    return hashlib.sha256(to_json(changes)).hexdigest()[:16]


def _with_creation(name: str, items: list[Item]) -> list[Item]:
    """The items from a creation of the organization on: its own, put first, or one that names nothing."""
    if name == ENVIRONMENT:
        return items
    own = next((item for item in items if isinstance(item.change, CreateOrganization)), None)
    if own is None:
        return [Item(CreateOrganization(), ""), *items]
    return [own, *(item for item in items if item is not own)]


def _batches(items: list[Item], size: int) -> list[list[Item]]:
    """In order, each of at most `size` changes, where a list of members counts for each of them. One that
    creates the organization begins a batch.
    """
    found: list[list[Item]] = [[]]
    room = size
    for item in items:
        weight = _weight(item.change)
        if found[-1] and (weight > room or stands_first(item.change, found[-1][-1].change)):
            found.append([])
            room = size
        found[-1].append(item)
        room -= weight
    return found


def stands_first(change: Change, before: Change | None = None) -> bool:
    """Whether a change begins a batch: where it must be the first, or what stands before it is alone."""
    return isinstance(change, CreateOrganization | SetIdRule) or isinstance(before, SetIdRule)


def _weight(change: Change) -> int:
    if isinstance(change, AddMembers | RemoveMembers | ReplaceMembers):
        return max(1, len(change.members))
    return 1


def _placed(error: RescindError, batch: list[Item], batches_done: int) -> RescindError:
    """The refusal with the place of the first change of the batch that mentions what it names."""
    named = {name for value in error.facts.values() for name in _names(str(value))}
    if error.retry:
        return error
    for item in batch:
        if item.place and named & _mentions(item.change):
            facts: dict[str, object] = {
                "at": item.place,
                "why": error.sentence(in_json).rstrip("."),
            }
            if batches_done:
                facts["batches_done_before"] = batches_done
            return BadInput(**facts)
    return error


def _names(value: str) -> set[str]:
    """A fact as it stands, and the name that it begins with where it says more."""
    return {value, *(value.partition(more)[0] for more in (", ", " into ", " below "))}


def _mentions(change: Change) -> set[str]:
    found = set()
    for value in to_object(change).values():
        for text in value if isinstance(value, list | tuple) else [value]:
            bare = str(text)
            found |= {bare, f"user:{bare}", f"group:{bare}", bare.removeprefix("group:")}
    return found
