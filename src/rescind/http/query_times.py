"""Times in addresses, in the spellings that `at` takes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar.params import QueryParameter

from rescind.errors import InvalidArgument
from rescind.history.moments import at_of

QueryTime = Annotated[
    str | None,
    QueryParameter(description="A day (its beginning, UTC), or a time with its offset."),
]


def query_time(name: str, text: str | None) -> datetime | None:
    """The time that a parameter names: a day (its beginning, UTC), or a time with its offset.

    Raises InvalidArgument, also for a revision and a token, which `at` takes besides.
    """
    if text is None:
        return None
    found = at_of(text, name)
    if not isinstance(found, datetime):
        hint = "write a day (2027-01-31), or a time with its offset (2027-01-31T12:00:00Z)"
        raise InvalidArgument(what=name, value=text[:60] or repr(text), hint=hint)
    return found
