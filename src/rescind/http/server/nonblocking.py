"""Checks that memory answers at once, so that they need not leave the event loop.

It waits neither for a database nor for a lock, and a large batch, or a large body, leaves it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rescind.authority import Authority
from rescind.model import Assurance, At, Decision
from rescind.store import Store
from rescind.waiting import AT_ONCE, MustWait

MOST_QUESTIONS: Final = 128
"""Of one request, that are answered on the event loop: together they take well under a millisecond."""
MOST_BYTES: Final = 16_384
"""Of one request's body that is read there."""


class WouldBlock(Exception):
    """No cached index has the answer: ask where waiting does no harm."""


class SlowQuestion(WouldBlock):
    """It may take longer than a check: ask where waiting does no harm, without the time limit of one."""


@dataclass(frozen=True, slots=True)
class NonblockingAuthority:
    """An authority's checks out of memory alone."""

    authority: Authority

    @property
    def store(self) -> Store:
        """Raises SlowQuestion: what reads the store is asked elsewhere."""
        raise SlowQuestion

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
        at: At | None = None,
    ) -> Decision:
        """As `Authority.check`; raises WouldBlock where that would have to ask the store. With `at` it
        raises SlowQuestion.
        """
        if at is not None:
            raise SlowQuestion
        if explain:
            raise WouldBlock
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
        at: At | None = None,
    ) -> list[Decision]:
        """As `check`, for `Authority.check_many`."""
        if at is not None:
            raise SlowQuestion
        if at_least is not None or assurance != "standard":
            raise WouldBlock
        try:
            with AT_ONCE:
                found = self.authority.recall(questions, organization=organization)
        except MustWait:
            raise WouldBlock from None
        if found is None:
            raise WouldBlock
        return found
