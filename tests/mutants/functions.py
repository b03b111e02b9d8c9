"""Puts a mutant of a function in place where its module is imported: the function gets other code."""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

from tests.mutants import python

Place = tuple[str, str, int]
"""A file, the name of a function in it, and its first line."""


class Functions:
    """The functions that this process has made from files in `source`, but for those that are frozen."""

    def __init__(self, source: str) -> None:
        self._made: dict[Place, list[FunctionType]] = defaultdict(list)
        for made in gc.get_objects():
            # not isinstance: some objects find out their class only when they are asked
            if type(made) is FunctionType and made.__code__.co_filename.startswith(source):
                self._made[_place(made.__code__)].append(made)

    def change(self, module: str, number: int) -> bool:
        """Whether the mutant is in place now. It is not if it cannot be put into functions."""
        path = sys.modules[module].__file__
        assert path is not None
        tree = python.mutated(Path(path).read_text("utf-8"), number)
        changed = [
            (function, code)
            for code in _functions_of(compile(tree, path, "exec", dont_inherit=True))
            for function in self._made.get(_place(code), ())
            if function.__code__ != code
        ]
        if any(len(f.__code__.co_freevars) != len(code.co_freevars) for f, code in changed):
            return False
        for function, code in changed:
            function.__code__ = code
        return bool(changed)


def _place(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _functions_of(code: CodeType) -> Iterator[CodeType]:
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield part
            yield from _functions_of(part)
