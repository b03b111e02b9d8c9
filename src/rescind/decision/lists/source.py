"""What lists read: an organization's facts by number, from the store or out of an index."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar

from rescind.decision.lists.streams import Items, Request, Stream

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]
"""A list's steps; between two of them others may have the index. At last what was found."""
Named: TypeAlias = dict[int, str]

MOST_STREAMS: Final = 10_000
"""Groups of a list that are merged; where there are more, all memberships are gone through."""
MOST_OF_KIND: Final = 512
"""Subjects of a kind, or resources of a type, that are tested one by one instead of looked for."""
MOST_BELOW: Final = 4_096
"""Resources below those that a subject has a role on which are listed at once."""
MOST_PARENTS: Final = 1_024
"""Resources with others below them that are looked at, in search of those that a subject reaches."""
BUDGET: Final = 10_000
"""Rows that a page may read beyond four times its limit. Then it ends, perhaps short of items."""


class Asked(NamedTuple):
    """One page that is asked for: after which number, how many items, and how their names begin."""

    after: int
    limit: int
    kind: str

    @property
    def budget(self) -> int:
        """Rows that it may read."""
        return BUDGET + 4 * self.limit


class Found(NamedTuple):
    """Numbers and names in order, perhaps more than were asked for, and where to go on after them all."""

    names: list[tuple[int, str]]
    rest: int | None


class Scope(NamedTuple):
    """Who has a role with the permission on some resources: the groups, with those nested in them, and the
    streams of memberships that have it themselves. No groups where there are more than MOST_STREAMS.
    """

    groups: Collection[int] | None
    streams: list[Stream]


class Source(Protocol):
    """The facts at one state, as one question needs them; expiry is judged at the question's time."""

    at_once: int
    """Items that one step reads or tests."""
    is_single: bool
    default_is_given: bool
    """Whether a single-role organization's default role has the permission."""

    def read(self, requests: Sequence[Request], /) -> list[Items]:
        """The items of streams."""

    # --- who can ----------------------------------------------------------------------------------

    def line(self) -> Sequence[int]:
        """The resource of the question and those above it, the organization (0) last."""

    def scope(self, places: Collection[int]) -> Scope:
        """Who has a role with the permission on one of some resources."""

    def subjects(self, numbers: Collection[int]) -> Named:
        """The active ones of some memberships."""

    def subjects_of_kind(self, kind: str) -> Sequence[int] | None:
        """The active memberships whose subject begins so; None for more than MOST_OF_KIND."""

    def subjects_allowed(self, numbers: Collection[int]) -> set[int]:
        """Those of some active memberships that pass the check."""

    # --- which resources --------------------------------------------------------------------------

    def holders(self) -> Collection[int]:
        """The membership of the question, and the groups that reach it."""

    def below(self) -> Sequence[int] | None:
        """All resources that a role with the permission reaches, but for what holds on the organization;
        None for more than MOST_BELOW.
        """

    def parents(self) -> Sequence[int] | None:
        """The resources that have others below them; None for more than MOST_PARENTS."""

    def resources(self, numbers: Collection[int]) -> Named:
        """The names of some resources."""

    def resources_of_kind(self, kind: str) -> Sequence[int] | None:
        """The resources whose name begins so; None for more than MOST_OF_KIND."""

    def is_allowed_everywhere(self) -> bool:
        """Whether the check passes on the organization, and so on each resource."""

    def resources_allowed(self, numbers: Collection[int]) -> set[int]:
        """Those of some resources on which, or above which, the membership has a role with the permission;
        short of the organization.
        """

    # --- which permissions ------------------------------------------------------------------------

    def roles_held(self) -> Iterable[int]:
        """The roles that count for the membership on the resource."""

    def permissions(self, numbers: Collection[int]) -> Named:
        """The names of some permissions."""


def finished(steps: Steps[T]) -> T:
    """What a list's steps come to, taken at once."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
