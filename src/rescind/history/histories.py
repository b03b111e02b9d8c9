"""The history of access as `Authority` tells it: who could do what, from when to when, by whose change."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rescind import history, model
from rescind.decision.spelling import folds_ids
from rescind.errors import InvalidArgument

if TYPE_CHECKING:
    from rescind.model import AccessHistory, Microseconds, OrganizationId
    from rescind.settings import Settings
    from rescind.store import Store

MOST_CHANGES: Final = 1_000_000
"""Changes that one answer looks at, at most."""


class AccessHistories(ABC):
    """The questions of `Authority` about the history of access."""

    store: Store
    settings: Settings

    @abstractmethod
    def _named(self, organization: str | None) -> OrganizationId: ...

    @abstractmethod
    def _now(self) -> Microseconds: ...

    def access_history(
        self,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int | None = None,
        most_changes: int = MOST_CHANGES,
        life: int | None = None,
        organization: str | None = None,
    ) -> AccessHistory:
        """From when to when a subject had a permission on a resource, by which way, and by whose change that
        began and ended; of everybody where no subject is named.

        Without a permission, all that its roles gave; without a resource, wherever they were given. Only what
        lasted at `since` or began later is told, up to `until`. `after`, from `next_after` of the answer
        before, goes on where a look at `most_changes` changes ended. If the organization was deleted, it is
        told of the last one that had its name; `life` means another of those, by its number in the order of
        their creation. History goes by id: `id_changes` names the other ids that a membership had or has.
        Raises OrganizationNotFound, MalformedId, PastUnavailable (`until` is before the
        creation, or a time is before the log that is kept) and InvalidArgument (as for `since` after `until`,
        or in the future).
        """
        name = self._named(organization)
        asked = history.holdings.Asked(
            None if permission is None else model.permission_id(permission),
            None if resource is None else model.resource_id(resource),
        )
        given = None if subject is None else model.subject_id(subject)
        who = None if given is None else self._spelled(name, given)
        if who is None and asked.permission is None:
            hint = "name a subject, or a permission (and a resource)"
            raise InvalidArgument(what="subject", hint=hint)
        most = model.require_number("most_changes", most_changes, least=1)
        now = self._now()
        # Without `until`, all changes are told: who made the last ones may have a clock that is ahead.
        end = history.moments.LATEST if until is None else model.microseconds(until)
        if since is not None:
            _require_order(since, until, now)
        reader = history.access_reader.AccessReader(
            self.store, name, life, self.settings.past_most_facts
        )
        reader.require_kept(end)
        start = reader.start(since, after, now)
        last = history.moments.LATEST if end >= now else end
        found = reader.history(who, asked, start, now, last, most)
        if given != who and any(each.former == given for each in found.id_changes):
            found = reader.history(
                given, asked, start, now, last, most
            )  # its spelling before the rule
        return found

    def _spelled(self, name: OrganizationId, subject: str) -> str:
        return model.canonical_subject(subject) if folds_ids(self.store, name) else subject


def _require_order(since: datetime, until: datetime | None, now: Microseconds) -> None:
    if model.microseconds(since) > now:
        hint = f"ask about a time that has passed; now it is {model.moment(now).isoformat()}"
        raise InvalidArgument(what="since", value=since.isoformat(), hint=hint)
    if until is not None and model.microseconds(until) < model.microseconds(since):
        hint = f"give a time that is not before `since`, {since.isoformat()}"
        raise InvalidArgument(what="until", value=until.isoformat(), hint=hint)
