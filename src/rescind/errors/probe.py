"""What the probe meets in other systems."""

from __future__ import annotations

from rescind.errors.base import RescindError


class TargetFailed(RescindError):
    """The probed system did not do what was asked."""

    code = "target_failed"
    hint = "Try the request by itself: the file must describe one that works"
