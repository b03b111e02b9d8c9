"""How a batch is to be applied, as its caller says."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rescind import model
from rescind.errors import InvalidArgument
from rescind.model import Revision, Route, Seals

if TYPE_CHECKING:
    from rescind.store.rows.actions import ServiceAction


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
    action: ServiceAction | None = None
    """What is logged of the batch as a service action, in its transaction, if it alters anything."""

    def __post_init__(self) -> None:
        """Raises InvalidArgument: what is no number bounds nothing, and a text counts as true."""
        if (most := self.inline_most_pairs) is not None:
            model.require_number("inline_most_pairs", most, least=0)
        model.require_flag("detail", self.detail)
        model.require_flag("force", self.force)


DEFAULT = ApplyOptions()


def required_revision(
    seals: Seals, if_revision: str | None, only_at: str | None
) -> Revision | None:
    """The revision that a caller's token names; `only_at` is the deprecated name of `if_revision`.

    Raises InvalidToken and InvalidArgument. Called by a public method, whose caller the warning shows.
    """
    if only_at is not None:
        warnings.warn("use if_revision, not only_at", DeprecationWarning, stacklevel=3)
        if if_revision is not None:
            raise InvalidArgument(what="only_at", hint="it is the former name of if_revision")
        if_revision = only_at
    return None if if_revision is None else seals.parse(if_revision)


def require_key(value: object) -> str:
    """An idempotency key that is not empty. Raises InvalidArgument."""
    if key := model.require_text("idempotency key", value):
        return key
    raise InvalidArgument(what="idempotency key", hint="use a text of its own, or none")
