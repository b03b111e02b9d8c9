"""Runs the tests of a module once more, where other fixtures hold."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def members_of(module: ModuleType) -> dict[str, Any]:
    """A module's tests under names of their own, and its fixtures under theirs."""
    short = module.__name__.rpartition(".test_")[2]
    return {
        f"test_{short}_{name.removeprefix('test_')}" if name.startswith("test_") else name: value
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
        and (name.startswith("test_") or type(value).__name__ == "FixtureFunctionDefinition")
    }
