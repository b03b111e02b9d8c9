"""Rescind in your tests: the pytest plugin's fixtures, assertions about access, and facts from YAML."""

from rescind.testing.access import assert_allowed, assert_denied
from rescind.testing.facts import facts

__all__ = ["assert_allowed", "assert_denied", "facts"]
