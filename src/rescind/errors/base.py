"""What all errors have in common: a code, facts, and how to mend it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import ClassVar, Final

HINTS: Final = frozenset({"did_you_mean", "such_as"})
"""Facts with names of other things than those that were named."""
_OPTION: Final = re.compile(r"\{(cascade|force|at_least|organization|index)\}")
"""An option in a `hint`: each of Python, the command line and HTTP has its own spelling of it."""


class RescindError(Exception):
    """Something in Rescind went wrong."""

    code: ClassVar[str] = "error"
    retry: ClassVar[bool] = False
    hint: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.sentence(_in_python))

    @property
    def mend(self) -> str:
        """Deprecated: the name of `hint` in 0.1."""
        warnings.warn("use `hint`", DeprecationWarning, stacklevel=2)
        return self.hint

    def without_hint(self) -> RescindError:
        """The error without names that it was not asked about."""
        if self.facts.keys().isdisjoint(HINTS):
            return self
        return type(self)(**{fact: v for fact, v in self.facts.items() if fact not in HINTS})

    def sentence(self, spelled: Callable[[str], str]) -> str:
        """What is wrong and what to do, with options as `spelled` has them."""
        message = (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")
        facts = dict(self.facts)
        hint = str(facts.pop("hint", self.hint)).rstrip(".")
        similar = facts.pop("did_you_mean", ())
        if facts:
            message += ": " + ", ".join(_told(facts)).rstrip(".")
        if isinstance(similar, tuple) and similar:
            return f"{message}. Did you mean {did_you_mean(similar)}?"
        hint = _OPTION.sub(lambda match: spelled(match[1]), hint)
        return f"{message}. {hint[:1].upper()}{hint[1:]}." if hint else f"{message}."


def did_you_mean(similar: tuple[str, ...]) -> str:
    """Names to choose from, in words."""
    *others, last = similar
    return f"{', '.join(others)} or {last}" if others else last


_IN_WORDS: Final = {"used_by": "used by", "such_as": "such as"}
_IN_PYTHON: Final = {"cascade": "cascade=True", "force": "force=True", "index": "index=True"}


_IN_JSON: Final = {"cascade": '"cascade": true', "force": '"force": true'}


def in_json(option: str) -> str:
    """An option as a change in JSON has it."""
    return _IN_JSON.get(option, option)


def _in_python(option: str) -> str:
    return _IN_PYTHON.get(option, option)


def _told(facts: dict[str, object]) -> Iterator[str]:
    """Each fact after its name; `what` is the name of `value`, and `why` needs none."""
    if "what" in facts:
        yield f"{_shown(facts.pop('what'))} {_shown(facts.pop('value', ''))}".rstrip()
    for name, value in facts.items():
        yield _shown(value) if name == "why" else f"{_IN_WORDS.get(name, name)} {_shown(value)}"


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "…"
