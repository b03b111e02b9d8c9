"""What `Authority` offers to audit the facts."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from rescind import history, model

if TYPE_CHECKING:
    from rescind.history.replay_report import ReplayReport
    from rescind.settings import Settings
    from rescind.store import Store


class ReplayAudits(ABC):
    """What `Authority` offers to audit the facts."""

    store: Store
    settings: Settings

    def audit_replay(self, *, organization: str | None = None) -> ReplayReport:
        """Compare the facts in the tables with the change log, replayed: of one organization (`*`: what is
        defined for all), or of all.

        Nothing is changed. Changes that are recorded meanwhile play no part. An organization of more than
        `past_most_facts` is not compared, and the report says so. Raises OrganizationNotFound and a
        StoreError.
        """
        name = None if organization is None else model.organization_id(organization)
        return history.replay_audit.audit_replay(
            self.store, name, most_facts=self.settings.past_most_facts
        )
