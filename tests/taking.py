"""Tests of some modules, as tests of another one, which has fixtures of its own for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from types import ModuleType
from typing import Any


def taken(
    modules: Collection[ModuleType], *, but: Collection[str], without: Collection[str]
) -> dict[str, Callable[..., Any]]:
    """The tests of the modules by new names, but for these, and for those that use one of these fixtures."""
    found = {}
    for module in modules:
        for name, test in vars(module).items():
            if not name.startswith("test_") or not inspect.isfunction(test) or name in but:
                continue
            if inspect.signature(test).parameters.keys().isdisjoint(without):
                found[f"{name}__{module.__name__.rpartition('.test_')[2]}"] = test
    return found
