"""What cannot be read to begin with."""

from __future__ import annotations

from rescind.errors.base import RescindError


class BadInput(RescindError):
    """The input cannot be read."""

    code = "bad_input"
