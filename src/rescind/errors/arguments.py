"""What the caller asked for is not well formed."""

from __future__ import annotations

from rescind.errors.base import RescindError


class MalformedId(RescindError):
    """An id is malformed."""

    code = "malformed_id"


class InvalidChange(RescindError):
    """A change is not well formed."""

    code = "invalid_change"


class InvalidArgument(RescindError):
    """An argument is not well formed."""

    code = "invalid_argument"


class InvalidCursor(RescindError):
    """The cursor does not belong to this question."""

    code = "invalid_cursor"
    hint = "Ask again without a cursor to start from the first page."


class InvalidToken(RescindError):
    """The revision token was not issued for this organization."""

    code = "invalid_token"
    hint = (
        "Pass the token of a receipt or decision of the same organization and database, or none."
        " Tokens that version 0.1 gave out are no longer good"
    )
