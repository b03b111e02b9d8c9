"""States of an organization's facts."""

from __future__ import annotations

from dataclasses import dataclass, field

from rescind.errors import InvalidArgument
from rescind.model.enums import OrganizationNumber


@dataclass(frozen=True, slots=True, order=False)
class Revision:
    """A state of an organization's facts: its own number and the environment's.

    `incarnation` tells an organization from a deleted one of the same name.
    """

    incarnation: OrganizationNumber
    organization: int
    environment: int
    sealed: str = field(default="", compare=False, repr=False)
    """The token, in revisions that a database gave out."""

    def token(self) -> str:
        """The opaque string that a caller hands back to read no older state.

        Raises InvalidArgument for a revision made by hand: only its database can make the token.
        """
        if not self.sealed:
            hint = "take it from a receipt, a decision or a page"
            raise InvalidArgument(what="revision", value=self, hint=hint)
        return self.sealed

    def covers(self, other: Revision) -> bool:
        """Whether a read at this revision is at least as fresh as `other`."""
        return self.organization >= other.organization and self.environment >= other.environment
