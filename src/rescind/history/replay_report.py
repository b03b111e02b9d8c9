"""What an audit by replay found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """A fact that the log and the tables do not agree on."""

    kind: str
    name: str
    """Of the fact: `user:ada staff` for the place of a membership in a group."""
    in_log: str | None
    """What the log makes of it; none if it is not there."""
    in_tables: str | None
    logged_at: int | None
    """The revision that altered it last, by the log."""
    parts_at: int | None
    """The first revision from which on the log never has it as the tables do; none if it never had."""


@dataclass(slots=True)
class ReplayedOrganization:
    """An organization's log (`*`: all organizations'), replayed and compared with the tables."""

    organization: str
    revision: int
    """Up to which it was replayed: that of the tables."""
    since: int
    """After which it was replayed: 0 from the first change on, else from a snapshot."""
    changes: int = 0
    """How many were replayed."""
    facts: int = 0
    differing: int = 0
    differences: list[ReplayDifference] = field(default_factory=list)
    misfit_at: int | None = None
    """The first revision that cannot follow from those before it; then no facts were compared."""
    misfit: str = ""
    unaudited: str = ""
    """Why nothing can be said, if so: the log was pruned, and there is no snapshot to begin with."""
    is_upgraded: bool = False
    """Whether the log begins with changes of an older version: an upgrade may have altered facts without one.
    Told only of what is not clean.
    """

    @property
    def is_clean(self) -> bool:
        return not self.differing and self.misfit_at is None

    @property
    def first_revision(self) -> int | None:
        """The first revision from which log and tables part, as far as it can be known."""
        if self.misfit_at is not None:
            return self.misfit_at
        known = [found.parts_at or found.logged_at for found in self.differences]
        return min((revision for revision in known if revision is not None), default=None)


@dataclass(slots=True)
class ReplayReport:
    """The result of an audit by replay."""

    organizations: list[ReplayedOrganization] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return all(each.is_clean for each in self.organizations)
