"""Keeps the probe's organization small: what killed rounds have left, pending work, and the log."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final

from rescind.authority import Authority
from rescind.changes import Change, DeleteGroup, DeleteResource, DeleteRole, RemoveMembership
from rescind.errors import GroupBusy, GroupNotFound, RescindError
from rescind.insight.probe.ways import ORGANIZATION, is_left
from rescind.store import Transaction

ACTOR: Final = "rescind probe"
"""How the change log names the probe."""
CHANGES_KEPT: Final = 20_000
"""Of the log of the probe's organization. More than an index in memory follows: see `index/follow.py`."""
MOST_FORGOTTEN: Final = 2_000
"""Changes of the log in one transaction."""


def settle(authority: Authority) -> None:
    """Settle what is pending in the probe's organization, but for groups that a worker is at."""
    for work in authority.pending(organization=ORGANIZATION):
        with contextlib.suppress(GroupBusy, GroupNotFound):
            authority.reconcile(work)


def remove_left(authority: Authority, now: Callable[[], float] = time.time) -> int:
    """Remove what rounds have left that ended long ago without cleaning up. Says how many things.

    Rounds under way, of this probe or of others, keep what is theirs. Raises a RescindError.
    """
    at = now()
    whole: dict[str, Any] = {"organization": ORGANIZATION, "limit": 1_000}
    resources = [each.resource for each in authority.list_resources(**whole).items]
    subjects = [each.subject for each in authority.list_memberships(**whole).items]
    groups = [each.group for each in authority.list_groups(**whole).items]
    roles = [each.role for each in authority.list_roles(**whole).items]
    found: list[Change] = [
        *(DeleteResource(resource=each, cascade=True) for each in resources if is_left(each, at)),
        *(RemoveMembership(subject=each) for each in subjects if is_left(each, at)),
        *(DeleteGroup(group=each, cascade=True) for each in groups if is_left(each, at)),
        *(DeleteRole(role=each, cascade=True) for each in roles if is_left(each, at)),
    ]
    for change in found:
        with contextlib.suppress(RescindError):  # another process may remove it too
            authority.apply([change], organization=ORGANIZATION, actor=ACTOR)
    return len(found)


def forget_log(
    authority: Authority, *, kept: int = CHANGES_KEPT, now: Callable[[], float] = time.time
) -> None:
    """Delete the probe's changes from the log of its organization, but for the newest.

    The chain of its log then starts after them. Nobody else's changes are deleted, and nothing of another
    organization's log. Raises a StoreError.
    """
    names = {
        "organization": ORGANIZATION,
        "actor": ACTOR,
        "kept": max(kept, 1),  # the next change follows from the newest
        "limit": MOST_FORGOTTEN,
    }

    def forget(tx: Transaction) -> None:
        tx.run("start_probe_log", **names, now=int(now() * 1e6))
        tx.run("forget_probe_changes", **names)

    authority.store.transact(forget, yields=True)
