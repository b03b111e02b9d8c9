"""What is loaded or made when it is first used: public names of a package (PEP 562), parts of an object.

A package imports its names for type checkers alone, and lists their homes here. A test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


def deferred(
    package: str, homes: Mapping[str, str], *modules: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__`, which imports a name from its home when it is first used, and its `__dir__`.

    `homes` has the names that each module is the home of, with blanks between them. `modules` of the package
    are imported likewise, for those who write `package.module.name`.
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if (home := home_of.get(name)) is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home_of, *modules})

    return load, names


class part(Generic[T]):  # noqa: N801 - a decorator, as `property` is
    """A part of an object that is made when it is first used, once for all threads.

    Two threads may both make it; then one of the two is dropped, so making it must have no other effect.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> part[T]: ...
    @overload
    def __get__(self, owner: object, kind: type) -> T: ...
    def __get__(self, owner: object, kind: type) -> part[T] | T:
        if owner is None:
            return self
        made: T = vars(owner).setdefault(self._name, self._make(owner))
        return made
