"""Verifies the hash chain of the change log: every digest is made again from what the log has now.

Reads page by page; no more than one page is in memory. Changes may go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Final, TypeAlias

from rescind.errors import OrganizationNotFound
from rescind.history.heads import ACTIONS_NUMBER, listed_logs
from rescind.history.log_start import log_start
from rescind.history.remainder import Remainder
from rescind.history.walk import Walk
from rescind.model import Fault, FaultKind, KeptHeads, OrganizationNumber, VerifiedLog
from rescind.propagation.chain_pages import chain_pages
from rescind.semantics.chain import first_digest
from rescind.store import Store
from rescind.store.rows.log import LIST_STRAY_LOGS, READ_LOG_REVISION, ListedLogRow

FIRST: Final = -(2**63)
VerifyProgress: TypeAlias = Callable[[str, int, int], None]
"""Called after each page, with the organization's name, the revision that was verified last, and the newest
one.
"""


def verified_logs(
    store: Store,
    organization: str | None,
    heads: KeptHeads | None = None,
    progress: VerifyProgress | None = None,
) -> Iterator[VerifiedLog]:
    """Verify the log of each organization that has or had a name, or of all; deleted ones too.

    With `heads`, the log must still have each of them, and all their organizations must be there. Raises
    OrganizationNotFound for a name that there never was.
    """
    kept: dict[int, dict[int, bytes]] = dict(heads.digests) if heads is not None else {}
    kept.pop(ACTIONS_NUMBER, None)
    is_any = False
    for log in listed_logs(store, organization):
        is_any = True
        found = verified_log(store, log, digests := kept.pop(log.organization, {}), progress)
        if found.fits and digests and heads and heads.is_other_name(found.number, log.name):
            found = replace(found, fault=Fault(FaultKind.NAME_DIFFERS, max(digests)))
        yield found
    if organization is not None:
        if not is_any and not (heads and organization in heads.names.values()):
            raise OrganizationNotFound(organization=organization)
        kept = {n: k for n, k in kept.items() if heads and heads.names[n] == organization}
    else:
        for log in store.fetch(LIST_STRAY_LOGS, {}):
            kept.setdefault(log.organization, {1: b""})
    for number, digests in sorted(kept.items()):
        name = heads.names.get(number) if heads is not None else None
        fault = Fault(FaultKind.NO_ORGANIZATION, min(digests))
        yield VerifiedLog(name or f"number {number}", number, 0, 0, 0, "", 0, fault)


def verified_log(
    store: Store,
    log: ListedLogRow,
    heads: Mapping[int, bytes],
    progress: VerifyProgress | None = None,
) -> VerifiedLog:
    """Verify one log. It must still have each of the heads, which are digests by revision."""
    o, name = log.organization, log.name or ""
    walk, after = _begun(store, o, heads)
    if heads and max(heads) < after:
        walk.fault = Fault(FaultKind.HEAD_BEFORE_START, max(heads))
    remainder = Remainder(after, walk.digest, first_digest(o), heads)
    position: int | None = FIRST
    while walk.fault is None and position is not None:
        with closing(chain_pages(store, o, position)) as pages:
            position = None
            for rows in pages:
                later = remainder.take(rows)
                fault = walk.fault = remainder.fault or walk.follow(later)
                if progress is not None:
                    progress(name, max(rows[-1][0], 0), log.revision)
                if fault is not None:
                    break
        if walk.fault is not None and walk.fault.kind is FaultKind.MISSING:
            again, start = _begun(store, o, heads)
            if start > walk.revision:  # meanwhile more was taken out
                again.rows, walk, after, position = walk.rows, again, start, start
    remainder.end()
    if walk.fault is None:
        walk.fault = _end(store, log, walk)
    digest = walk.digest.hex()
    found = (walk.rows, after, walk.revision, digest, walk.compared, walk.fault)
    return VerifiedLog(name, o, *found, remainder.unproven)


def _begun(
    store: Store, number: OrganizationNumber, heads: Mapping[int, bytes]
) -> tuple[Walk, int]:
    start = log_start(store, number)
    if start is None:
        return Walk(0, first_digest(number), heads), 0
    return Walk(start.revision, bytes(start.digest), heads), start.revision


def _end(store: Store, log: ListedLogRow, walk: Walk) -> Fault | None:
    """What is wrong with the end of a log all whose rows fit."""
    if (fault := walk.end()) is not None:
        return fault
    if walk.revision < log.revision:
        return Fault(FaultKind.TRUNCATED, walk.revision + 1)
    rows = store.fetch(READ_LOG_REVISION, {"o": log.organization})
    if not rows or walk.revision > rows[0].revision:
        now = rows[0].revision if rows else 0
        return Fault(FaultKind.SURPLUS, now + 1)
    return None
