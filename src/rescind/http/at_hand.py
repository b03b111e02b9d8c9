"""Checks that memory answers, so that they need not leave the event loop: it never waits for a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rescind.authority import Authority
from rescind.model import Assurance, Decision


class NotAtHand(Exception):
    """Memory has no answer: ask where waiting does no harm."""


@dataclass(frozen=True, slots=True)
class AtHand:
    """An authority's checks out of memory alone."""

    authority: Authority

    def check(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        explain: bool = False,
    ) -> Decision:
        """As `Authority.check`; raises NotAtHand where that would have to ask the store."""
        if explain:
            raise NotAtHand
        asked = [(subject, permission, resource)]
        return self.check_many(
            asked, organization=organization, at_least=at_least, assurance=assurance
        )[0]

    def check_many(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
    ) -> list[Decision]:
        """As `Authority.check_many`; raises NotAtHand where that would have to ask the store."""
        if at_least is not None or assurance != "standard":
            raise NotAtHand
        found = self.authority.recall(questions, organization=organization)
        if found is None:
            raise NotAtHand
        return found
