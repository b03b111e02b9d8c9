"""What `Authority` offers to prove that the change log was not altered."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rescind import history, model
from rescind.errors import InvalidArgument

if TYPE_CHECKING:
    from rescind.history.verify import VerifyProgress
    from rescind.model import Action, KeptHeads, LogHead, VerifiedLog
    from rescind.store import Store


class LogProof(ABC):
    """The heads of logs, and their verification. Each method may raise a StoreError."""

    store: Store

    def log_heads(self, *, organization: str | None = None) -> Iterator[LogHead]:
        """The newest digest of each log, of one organization or of all. Keep them where nobody who can write
        the database can write: see `verify_log`.
        """
        name = None if organization is None else model.organization_id(organization)
        return history.heads.log_heads(self.store, name)

    def verify_log(
        self,
        *,
        organization: str | None = None,
        heads: KeptHeads | Iterable[LogHead] | None = None,
        progress: VerifyProgress | None = None,
    ) -> Iterator[VerifiedLog]:
        """Make every digest of the log again, of one organization or of all, and say which first change of
        each does not fit. `heads` were kept elsewhere: the log must still have each of them.
        `progress` is called after each page, with an organization, its verified and its newest revision.

        Raises OrganizationNotFound, and InvalidArgument for contradicting heads, and for a `progress` that is
        no function.
        """
        name = None if organization is None else model.organization_id(organization)
        heads = kept_heads(heads)
        if progress is not None and not callable(progress):
            raise InvalidArgument(
                what="progress", value=repr(progress)[:60], hint="pass a function"
            )
        return self._verified(name, heads, progress)

    def _verified(
        self, name: str | None, heads: KeptHeads | None, progress: VerifyProgress | None
    ) -> Iterator[VerifiedLog]:
        if name is None:
            kept = {} if heads is None else heads.digests.get(history.heads.ACTIONS_NUMBER, {})
            if (found := history.actions.verified_actions(self.store, kept)) is not None:
                yield found
        yield from history.verify.verified_logs(self.store, name, heads, progress)

    def actions(
        self, *, organization: str | None = None, after: int = 0, limit: int | None = None
    ) -> Iterator[Action]:
        """What was done to keys, reviews, pending work, logs and the schema, oldest first: of one
        organization or of all, after an action's number.
        """
        name = None if organization is None else model.organization_id(organization)
        return history.actions.listed_actions(self.store, name, after, limit)


def kept_heads(heads: KeptHeads | Iterable[LogHead] | None) -> KeptHeads | None:
    """Heads as a caller gave them. Raises InvalidArgument for anything else, and for none: they would prove
    nothing.
    """
    if heads is None:
        return None
    found = heads if isinstance(heads, model.KeptHeads) else model.KeptHeads.of(_heads(heads))
    if not found:
        raise InvalidArgument(what="heads", hint="there is none with a digest: pass some, or None")
    return found


def _heads(given: Any) -> list[LogHead]:
    """Heads that a caller gave. Raises InvalidArgument for anything else."""
    try:
        found = list(given)
    except TypeError:
        found = [given]
    if not all(isinstance(each, model.LogHead) for each in found):
        hint = "Pass what `log_heads` returned, or KeptHeads"
        raise InvalidArgument(what="heads", value=repr(given)[:60], hint=hint)
    return found
