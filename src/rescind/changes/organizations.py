"""Changes of the organization itself."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from rescind import model
from rescind.changes.base import AffectedFacts, ChangeType


class CreateOrganization(ChangeType, frozen=True, tag="create_organization"):
    """Create the organization that the batch is for. Creating it again with the same name is a no-op.

    Which spellings of an id mean the same is the settings' to say, where no `id_rule` is given.
    """

    name: str | None = None
    id_rule: model.IdRule | UnsetType = UNSET

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # the organization's own row is read at any rate


class RenameOrganization(ChangeType, frozen=True, tag="rename_organization"):
    """Give the organization another display name; its id stays."""

    name: str

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # the organization's own row is read at any rate


class DeleteOrganization(ChangeType, frozen=True, tag="delete_organization"):
    """Delete the organization; its change log stays. Refused while it is not empty, unless `cascade`."""

    cascade: bool = False

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # the organization's own row is read at any rate


class SetRoleMode(ChangeType, frozen=True, tag="set_role_mode"):
    """Say whether all organization-wide roles of a membership count, or only the one with the highest
    priority, and what a membership falls to when it loses that one.
    """

    mode: model.RoleMode
    on_loss: model.OnLoss = model.OnLoss.DEFAULT

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # the organization's own row is read at any rate


class SetDefaultRole(ChangeType, frozen=True, tag="set_default_role"):
    """Choose the role of memberships without an organization-wide one (single-role mode), or none."""

    role: str | None

    def note_affected(self, facts: AffectedFacts) -> None:
        pass  # the organization's own row is read at any rate


class SetIdRule(ChangeType, frozen=True, tag="set_id_rule"):
    """Say which spellings of the id of a person or group mean the same one. A change of its own batch.

    Under `casefold` ids are kept in their canonical spelling; those of two that differ by less are refused.
    """

    rule: model.IdRule

    def note_affected(self, facts: AffectedFacts) -> None:
        facts.is_all = True
