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

from rescind.authority import Authority
from rescind.changes import Change, CreateOrganization, to_json
from rescind.errors import InvalidArgument, RescindError
from rescind.model import ENVIRONMENT, Difference, Direction, LookAlike, organization_id
from rescind.propagation.pending import settle_organization
from rescind.transfer.batches import Batches
from rescind.transfer.importer import BATCH_SIZE, Batch, Importer, batched
from rescind.transfer.parts import Applied
from rescind.transfer.readers import Item
from rescind.transfer.refusals import placed
from rescind.transfer.since import LeftOut, merged
from rescind.transfer.survey import Survey, survey

MOST_SHOWN = 20
"""Look-alikes that a summary names."""

Progress = Callable[[int, int], None]
"""Told after each batch how many of the items are applied, and of how many."""


@dataclass(slots=True)
class Summary:
    """What an import did.

    `repeated` counts batches that an earlier import had done, `not_found` what was to be taken away and did
    not exist, `look_alikes` ids that others look like, with some `examples`. `left_out` is what was not
    given, `token` the last of all batches.
    """

    organizations: list[str] = field(default_factory=list)
    changes: int = 0
    batches: int = 0
    repeated: int = 0
    granting: int = 0
    revoking: int = 0
    not_found: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    look_alikes: int = 0
    examples: list[LookAlike] = field(default_factory=list)
    seconds: float = 0.0
    token: str | None = None

    def add(self, applied: Applied) -> None:
        """Count a batch."""
        self.batches += 1
        self.changes += applied.changes
        self.left_out += applied.left_out
        receipt = applied.receipt
        if receipt is None:
            return
        self.token = receipt.token
        self.not_found += len(receipt.not_found)
        self.look_alikes += len(receipt.look_alikes)
        room = MOST_SHOWN - len(self.examples)
        self.examples += receipt.look_alikes[:room]
        if applied.is_repeated:
            self.repeated += 1
        elif receipt.changed:
            self.revoking += receipt.direction is Direction.REVOKES
            self.granting += receipt.direction is Direction.GRANTS


@dataclass(frozen=True, slots=True)
class Import:
    """What is to be imported: items, the digest of what they were read from, and where they go.

    With `again` batches that an earlier import had done are applied anew instead of being passed over, and
    what was taken since is given again.
    """

    items: Sequence[Item]
    digest: str
    organization: str | None = None
    batch_size: int = BATCH_SIZE
    again: bool = False

    def parts(self) -> dict[str, list[Batch]]:
        """The batches of each organization, in the order in which they are applied."""
        if self.batch_size < 1:
            hint = "use 1 or more"
            raise InvalidArgument(what="batch size", value=self.batch_size, hint=hint)
        owned = by_organization(self.items, self.organization)
        return {
            name: list(batched(name, _with_creation(name, items), self.batch_size))
            for name, items in owned.items()
        }


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

    An organization that is missing is created. What others take while it lasts, or between an import that
    was interrupted and this one, is not given again: it is `left_out`, and so are rows of a list that name
    somebody who is deactivated. What batches leave to be done in the background is done before this
    returns, but for what another worker is at, or is parked. With `again` batches done by an earlier import
    are applied anew instead of being passed over. Raises BadInput naming the place of a change that the
    store refuses, with nothing of its batch applied.
    """
    whole = Import(items, digest, organization, batch_size, again)
    summary, done, clock = Summary(), 0, time.perf_counter()
    run = f"import/{digest[:32]}{secrets.token_hex(8) if again else ''}/"
    importer = Importer(authority, run=run, actor=actor, reason=reason)
    for name, parts in whole.parts().items():
        summary.organizations.append(name)
        for key, part in zip(_keys(run, parts), parts, strict=True):
            try:
                applied = importer.apply(part, key)
            except RescindError as error:
                raise placed(error, importer.begun(name), summary.batches) from error
            summary.add(applied)
            done += sum(bool(item.place) for item in part.items)
            if progress is not None:
                progress(done, len(items))
        settle_organization(authority.store, organization_id(name))
    summary.left_out = merged(summary.left_out)
    summary.seconds = time.perf_counter() - clock
    return summary


def foresee(
    authority: Authority, items: Sequence[Item], *, organization: str | None = None
) -> dict[str, Difference]:
    """What the items would give and take in each organization, exactly, without doing it."""
    return {
        name: difference
        for name, (difference, _) in forecasts(authority, Import(items, "", organization)).items()
    }


def forecasts(authority: Authority, whole: Import) -> dict[str, tuple[Difference, Survey]]:
    """What an import would give, take, make and leave out in each organization, without doing it.

    Raises BadInput as the import would.
    """
    found = {}
    surveyed = surveys(authority, whole)
    for name, parts in whole.parts().items():
        items = [item for part in parts for item in part.items]
        batches = _begun(authority, whole, name, parts)
        batches.tried, _ = batches.rest(items, batches.look(items))
        try:
            rest = [item.change for item in batches.tried]
            found[name] = authority.preview(rest, organization=name), surveyed[name]
        except RescindError as error:
            raise placed(error, batches, 0) from error
    return found


def surveys(authority: Authority, whole: Import) -> dict[str, Survey]:
    """What an import would make and leave out in each organization.

    Raises BadInput with every row of a list that names a role or a resource that is not there.
    """
    return {
        name: survey(
            _begun(authority, whole, name, parts), [item for part in parts for item in part.items]
        )
        for name, parts in whole.parts().items()
    }


def _begun(authority: Authority, whole: Import, name: str, parts: list[Batch]) -> Batches:
    """The batches of an import as an earlier one left them, if there was one."""
    run = f"import/{whole.digest[:32]}/"
    batches = Batches(authority, name, run=run)
    is_first = whole.again or not whole.digest
    batches.begin(parts[0].items, None if is_first else _keys(run, parts)[0])
    return batches


def _keys(run: str, parts: list[Batch]) -> list[str]:
    return [
        f"{run}{number}/{_digest([item.change for item in part.items])}"
        for number, part in enumerate(parts)
    ]


def by_organization(items: Sequence[Item], organization: str | None) -> dict[str, list[Item]]:
    """The items of each organization in their order; the environment comes first."""
    found: dict[str, list[Item]] = {}
    for item in items:
        name = organization if item.organization is None else item.organization
        if name is None:
            hint = "name one with --organization, or RESCIND_ORGANIZATION"
            raise InvalidArgument(what="organization", at=item.place, hint=hint)
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
