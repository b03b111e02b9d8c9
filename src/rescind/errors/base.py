"""What all errors have in common: a code, facts, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class RescindError(Exception):
    """Something in Rescind went wrong."""

    code: ClassVar[str] = "error"
    retry: ClassVar[bool] = False
    mend: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        message = (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")
        facts = dict(self.facts)
        mend = str(facts.pop("mend", self.mend)).rstrip(".")
        if facts:
            message += ": " + ", ".join(_told(facts)).rstrip(".")
        return f"{message}. {mend[:1].upper()}{mend[1:]}." if mend else f"{message}."


def _told(facts: dict[str, object]) -> Iterator[str]:
    """Each fact after its name; `what` is the name of `value`, and `why` needs none."""
    if "what" in facts:
        yield f"{facts.pop('what')} {_shown(facts.pop('value', ''))}".rstrip()
    for name, value in facts.items():
        yield _shown(value) if name == "why" else f"{name} {_shown(value)}"


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "…"
