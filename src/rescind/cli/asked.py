"""What a question with an empty answer asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescind.cli import output

if TYPE_CHECKING:
    from rescind.authority import Authority


def warn_of_unknown(
    authority: Authority, names: dict[str, str | None], *, of_past: bool = False
) -> bool:
    """Say which of the names do not exist: they may be mistyped, and then an empty answer tells nothing.
    Returns whether there are any.

    An answer about the past may be right although a name does not exist any more.
    """
    now = " now" if of_past else ""
    unknown = authority.unknown_names(**names)
    for each in unknown:
        output.warn(output.not_there(each, now))
    return bool(unknown)
