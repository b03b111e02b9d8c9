"""Batches that have nothing left to do: repeated with their key, or deletions of what does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rescind.applying.options import ApplyOptions
from rescind.applying.receipts import Recorded, receipt_of, unaltered_receipt
from rescind.applying.transaction import LogDraft
from rescind.changes import Change, DeleteOrganization
from rescind.errors import KeyReused, OrganizationNotFound, StoreConflict
from rescind.errors.database import REPEAT_TRANSACTION
from rescind.model import Difference, Missing, OrganizationId, OrganizationNumber
from rescind.store import Store
from rescind.store.rows.changes import CONFIRM_KEYED_OUTCOME, READ_KEYED_OUTCOME
from rescind.store.rows.organizations import FIND_FORMER_KEY, FIND_LOG, READ_REVISION


def repeated(
    store: Store,
    name: OrganizationId,
    organization: OrganizationNumber,
    entry: LogDraft,
    within: object,
) -> Recorded:
    """What the batch with this key did when it was applied. Raises KeyReused and StoreConflict."""
    params = {"o": organization, "key": entry.key}
    found = store.fetch(READ_KEYED_OUTCOME, params, within=within)
    if not found:  # used after the caller's snapshot, or forgotten since it was found taken
        hint = "" if within is None else REPEAT_TRANSACTION
        raise StoreConflict(why="its idempotency key was used meanwhile", hint=hint)
    (outcome,) = found
    if outcome.digest != entry.digest:
        raise KeyReused(key=entry.key)
    if within is None and store.capabilities.has_standbys:
        store.fetch(CONFIRM_KEYED_OUTCOME, params)
    if outcome.direction is None:  # the key holds the revision that it would have had
        outcome = outcome._replace(revision=outcome.revision - 1)
    receipt = receipt_of(store.seals, name, outcome, outcome.recorded_at)
    return Recorded(replace(receipt, is_repeated=True), is_repeated=True)


def without_organization(
    store: Store,
    name: OrganizationId,
    changes: Sequence[Change],
    entry: LogDraft,
    options: ApplyOptions,
) -> Recorded:
    """The answer to a batch repeated after the deletion of its organization, whoever has the name now; or, if
    there is no organization, to a deletion.

    Raises OrganizationNotFound, KeyReused and StoreConflict.
    """
    within = options.within
    if entry.key is not None:
        asked = {"organization": name, "key": entry.key, "cutoff": 0}
        for row in store.fetch(FIND_FORMER_KEY, asked, within=within):
            return repeated(store, name, row.organization, entry, within)
    require_deletion(name, changes, options)
    logs = store.fetch(FIND_LOG, {"organization": name}, within=within)
    # The revision is the last of an organization of this name, else that of all organizations.
    number = logs[0].organization if logs else 0
    (last,) = store.fetch(READ_REVISION, {"o": number}, within=within)
    revision = store.seals.revision(last.incarnation, last.organization, last.environment)
    receipt = unaltered_receipt(name, revision, entry.now, (Missing("organization", name),))
    return Recorded(receipt, difference=(lambda: Difference((), ())) if options.detail else None)


def require_deletion(
    name: OrganizationId, changes: Sequence[Change], options: ApplyOptions
) -> None:
    """Raises OrganizationNotFound unless the batch only deletes the organization, at any revision."""
    is_deletion = len(changes) == 1 and isinstance(changes[0], DeleteOrganization)
    if options.if_revision is not None or not is_deletion:
        raise OrganizationNotFound(organization=name)
