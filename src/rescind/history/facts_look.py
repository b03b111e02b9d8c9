"""The background audit's look at the facts: are they what the change log says?"""

from __future__ import annotations

import logging
from typing import Final

from rescind.errors import OrganizationNotFound
from rescind.history.replay_audit import TooManyChanges, audit_organization
from rescind.history.replay_report import ReplayedOrganization
from rescind.model import ENVIRONMENT_NUMBER, OrganizationId, OrganizationNumber
from rescind.propagation.audit import EXAMPLES, Drift
from rescind.propagation.background_audit import FactsLook
from rescind.store import Store
from rescind.store.rows.deletion import WEIGH_ORGANIZATION
from rescind.store.rows.organizations import PLAN

MOST_ROWS: Final = 100_000
"""Facts, or changes since the last snapshot, of an organization that is looked at in the background: they are
read at once. Larger ones are for `rescind audit --replay`.
"""

log = logging.getLogger(__name__)


def facts_look(store: Store) -> FactsLook:
    """Compares one organization's facts with its log, replayed from the newest snapshot on."""

    def look(o: OrganizationNumber, name: OrganizationId) -> tuple[int, Drift | None]:
        try:
            _require_small(store, o)
            found = audit_organization(store, o, name, from_snapshot=True, most_changes=MOST_ROWS)
        except TooManyChanges:
            log.info("organization %s is too large to replay its log in the background", name)
            return 0, None
        if found is None:
            return 0, None
        rows = found.facts + found.changes
        if found.is_clean:
            return rows, None
        if found.is_upgraded:
            log.warning("organization %s differs from a log that an older version began", name)
            return rows, None
        return rows, drift_of(found)

    return look


def audit_from_snapshot(store: Store, name: OrganizationId) -> ReplayedOrganization:
    """The same for one organization by its name, or for what is defined for all, where it is small enough.

    Raises OrganizationNotFound, TooManyChanges and a StoreError.
    """
    (plan,) = store.fetch(PLAN, {"organization": name})
    o = plan.organization
    if o is not None:
        _require_small(store, o)
        found = audit_organization(store, o, name, from_snapshot=True, most_changes=MOST_ROWS)
        if found is not None:
            return found
    raise OrganizationNotFound(organization=name)


def drift_of(found: ReplayedOrganization) -> Drift:
    """What differs, as findings are kept: missing in the tables, or there and not so in the log."""
    if found.misfit_at is not None:
        why = f"the log does not fit at revision {found.misfit_at}: {found.misfit}"
        return Drift(found.organization, None, surplus=1, examples=[why])
    missing = sum(each.in_tables is None for each in found.differences)
    examples = [
        f"{each.kind} {each.name}: by the log {each.in_log or 'none'}, in the tables"
        f" {each.in_tables or 'none'}"
        for each in found.differences[:EXAMPLES]
    ]
    surplus = found.differing - missing
    return Drift(found.organization, None, missing=missing, surplus=surplus, examples=examples)


def _require_small(store: Store, o: OrganizationNumber) -> None:
    """Raise TooManyChanges for an organization of too many facts to be read at once."""
    if o == ENVIRONMENT_NUMBER:
        return
    (weight,) = store.fetch(WEIGH_ORGANIZATION, {"o": o, "most": MOST_ROWS, "takes": False})
    if weight.pairs > MOST_ROWS:
        raise TooManyChanges
