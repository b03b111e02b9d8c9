"""Debian's Prometheus, which tests of rules and of the dashboard need."""

from __future__ import annotations

import shutil

import pytest


def require(program: str) -> str:
    """The path of `prometheus` or `promtool`. Without it the test is skipped, and says what it needs."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is missing: apt-get install --no-install-recommends prometheus")
    return path
