"""How a batch is to be applied."""

from __future__ import annotations

from dataclasses import dataclass

from rescind.model import Revision, Route


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the caller said of a batch, beside its changes and its entry in the log."""

    route: Route | str | None = None
    """How effective roles follow; None leaves it to the estimated work."""
    inline_most_pairs: int | None = None
    """With a forced inline route: more pairs than this take the background nevertheless."""
    within: object = None
    """The caller's own connection in a transaction, or None for a transaction of the store's."""
    detail: bool = False
    """Whether the exact difference is wanted."""
    if_revision: Revision | None = None
    """The change is refused if the organization is not at this revision."""
    force: bool = False
    """Whether a required role may lose its last holder."""


DEFAULT = ApplyOptions()
