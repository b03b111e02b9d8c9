"""What a change is answered with, and the work that it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rescind.model.enforcement import Enforcement
from rescind.model.enums import Direction, OrganizationId, Route
from rescind.model.revisions import Revision

MOST_NOT_FOUND: Final = 10_000
MOST_LOOK_ALIKES: Final = 1_000
"""Of a receipt."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change gives and takes, exactly: (subject, permission, resource) each.

    An entry on a resource says what changes there. It holds for what is below as well, down to where the
    subject has or had a role with that permission (itself or by a group) and to resources that were moved,
    made or deleted: what changes there has an entry of its own, and what has none stays as it was.

    For all organizations (`*`), which have no members of their own, `is_complete` is false and nothing is
    listed: what each organization gains or loses is not worked out, so the change may revoke.

    `look_alikes` are those that the change's receipt would have; a receipt has its own.
    """

    granted: tuple[tuple[str, str, str], ...]
    revoked: tuple[tuple[str, str, str], ...]
    is_complete: bool = True
    look_alikes: tuple[LookAlike, ...] = field(default=(), compare=False)

    @property
    def direction(self) -> Direction:
        return Direction.REVOKES if self.revoked or not self.is_complete else Direction.GRANTS


@dataclass(frozen=True, slots=True)
class Missing:
    """What a change named to take away, or to take something from, and what does not exist.

    `what` is `subject`, `group`, `role`, `permission`, `resource`, `type` or `organization`.
    """

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class LookAlike:
    """An id that a change added, deactivated, removed or did not find, and others that look like it.

    `what` is `subject` or `group`. The others are different people or groups, and keep what they have. Where
    the id itself `is_missing`, one of them may be who was meant.
    """

    what: str
    name: str
    others: tuple[str, ...]
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class AlikeIds:
    """Ids of an organization that look alike; `what` is `subject`, `group`, `role` or `permission`."""

    organization: str
    what: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a change did, and when it held.

    `fan_out` counts the effective roles that the change made or unmade. `recorded_at` is the time
    of the transaction; for the inline route effective roles were settled in that same transaction, for
    the background route `settled_at` is None until they are, and `fan_out` is an estimate.
    `enforced_at` is set once no decision point can still allow what the change revoked; that took
    `enforcement_seconds`, and replicas that did not acknowledge were `waited_out`. It is `recorded_at` for
    a change that revoked nothing. `enforcement` is what each replica did: none until it is enforced, and for
    a change that revoked nothing. `is_repeated` says that the change was repeated with its key: this is what
    it did then, and `route_reason` is empty.
    `not_found` is what was to be taken away, or to lose something, and did not exist: at most
    MOST_NOT_FOUND of them, each once, in the order of the changes. `only_expiring` are the required roles
    that, since this change, only holders who expire have. `look_alikes` are the ids, of
    those that were added, deactivated, removed or not found, that others look like: MOST_LOOK_ALIKES at most.
    """

    organization: OrganizationId
    revision: Revision
    changed: bool
    direction: Direction
    route: Route
    fan_out: int
    recorded_at: datetime
    settled_at: datetime | None
    not_found: tuple[Missing, ...] = ()
    only_expiring: tuple[str, ...] = ()
    look_alikes: tuple[LookAlike, ...] = field(default=(), compare=False)
    route_reason: str = field(default="", compare=False)
    enforced_at: datetime | None = field(default=None, compare=False)
    enforcement_seconds: float | None = field(default=None, compare=False)
    waited_out: tuple[str, ...] = field(default=(), compare=False)
    enforcement: Enforcement | None = field(default=None, compare=False)
    difference: Difference | None = field(default=None, compare=False)
    is_repeated: bool = field(default=False, compare=False)
    enforcer: Callable[[Receipt], Receipt] | None = field(default=None, compare=False, repr=False)

    @property
    def token(self) -> str:
        """Hand it back as `at_least` to read what this change wrote."""
        return self.revision.token()

    def enforce(self) -> Receipt:
        """After your own commit: this receipt with `enforced_at` set.

        When this returns, no check that starts anywhere allows what the change revoked. Raises
        NotCommitted while the transaction that carried the change is open or was rolled back.
        """
        return self.enforcer(self) if self.enforced_at is None and self.enforcer else self


@dataclass(frozen=True, slots=True)
class PendingWork:
    """Background work that is not settled: for whom, how far it has come, and what went wrong.

    `subject` is the membership of kind `member`, the other group of kind `whole`; kind `organization` is
    what is left of a deleted one. A group that was
    deleted has no name. `lag_seconds` counts from when the oldest change behind it was recorded.
    """

    organization: str | None
    group: str | None
    kind: str
    subject: str | None
    direction: Direction
    is_critical: bool
    done: int
    total: int | None
    lag_seconds: float
    attempts: int
    waits_seconds: float
    is_parked: bool
    last_error: str | None
    since: int
    revision: int
    group_number: int
    organization_number: int
