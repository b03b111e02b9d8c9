"""A page of an application's own rows that a user may see, by one SQL query: `list.page_ms`."""

from __future__ import annotations

from collections.abc import Callable


def figures(make: Callable[[str], str], *, quick: bool, seed: int) -> dict[str, float]:  # noqa: ARG001
    """Figures of the documented query, on databases that `make` gives. Not measured yet."""
    return {}
