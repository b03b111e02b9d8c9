"""The facts that lists read, by number, from the store or from an index."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar

from rescind.decision.lists.streams import Items, Request, Stream

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]
"""A list's steps. Between two of them the lock of the index is free. The last one returns what was found."""
Named: TypeAlias = dict[int, str]
"""Names by their numbers, in the order of the numbers."""

MOST_STREAMS: Final = 10_000
"""Groups that a list merges. With more, it walks all memberships."""
MOST_OF_KIND: Final = 512
"""Subjects of a kind, or resources of a type, up to which each is tested."""
MOST_BELOW: Final = 4_096
"""Resources below a subject's assignments up to which all of them are listed at once."""
MOST_PARENTS: Final = 1_024
"""Resources with children up to which each is tested for a subject."""
BUDGET: Final = 10_000
"""Rows that a page may read beyond four times its limit. Then it ends, perhaps with fewer items."""


class Asked(NamedTuple):
    """A request for one page: the number before it, the limit, and the prefix of names."""

    after: int
    limit: int
    kind: str

    @property
    def budget(self) -> int:
        """Rows that the page may read."""
        return BUDGET + 4 * self.limit


class Found(NamedTuple):
    """Names in order, perhaps more than the limit, and the number to continue after."""

    names: Named
    rest: int | None


class Scope(NamedTuple):
    """Who has a role with the permission on some resources: groups, with all groups nested in them, and
    streams of memberships with a direct assignment. `groups` is None for more than MOST_STREAMS.
    """

    groups: Collection[int] | None
    streams: list[Stream]


class Source(Protocol):
    """The facts at one state, as one question needs them. Expiry is judged at the question's time.

    Numbers are given in order where names are asked for.
    """

    at_once: int
    """Items that one step reads or tests, at most."""
    is_single: bool
    default_is_given: bool
    """Whether a single-role organization's default role has the permission."""

    def read(self, requests: Sequence[Request], /) -> list[Items]:
        """The items of each request."""

    # --- who can ----------------------------------------------------------------------------------

    def line(self) -> Sequence[int]:
        """The resource of the question and those above it, the organization (0) last."""

    def scope(self, places: Collection[int]) -> Scope:
        """Who has a role with the permission on one of some resources."""

    def subjects(self, numbers: Collection[int]) -> Named:
        """The subjects of those memberships that are active."""

    def subjects_of_kind(self, kind: str) -> Sequence[int] | None:
        """The active memberships whose subject has this prefix; None for more than MOST_OF_KIND."""

    def subjects_allowed(self, numbers: Collection[int]) -> set[int]:
        """The memberships, among active ones, that pass the check."""

    # --- which resources --------------------------------------------------------------------------

    def holders(self) -> Collection[int]:
        """The membership of the question, and the groups that it is in."""

    def below(self) -> Sequence[int] | None:
        """All resources below an assignment of a role with the permission, except those on the organization.
        None for more than MOST_BELOW.
        """

    def parents(self) -> Sequence[int] | None:
        """The resources that have children; None for more than MOST_PARENTS."""

    def resources(self, numbers: Collection[int]) -> Named:
        """The names of these resources."""

    def resources_of_kind(self, kind: str) -> Sequence[int] | None:
        """The resources whose name has this prefix; None for more than MOST_OF_KIND."""

    def is_allowed_everywhere(self) -> bool:
        """Whether the check passes on the organization, and so on each resource."""

    def resources_allowed(self, numbers: Collection[int]) -> set[int]:
        """The resources on or above which the membership has a role with the permission. Roles on the
        organization do not count.
        """

    # --- which permissions ------------------------------------------------------------------------

    def roles_held(self) -> Iterable[int]:
        """The roles that count for the membership on the resource."""

    def permissions(self, numbers: Collection[int]) -> Named:
        """The names of these permissions."""


def finished(steps: Steps[T]) -> T:
    """Take all steps of a list at once, and return what it found."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
