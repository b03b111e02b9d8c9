"""The chain of a critical decision that allowed: found afterwards, in the writer's thread, if that is cheap.

A chain is only told if it was found at the revision of the decision.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from rescind.decision_log.entries import Entry
from rescind.decision_log.lines import ChainLine, DecisionLine
from rescind.model import Decision, Question

Explain = Callable[[Question, int], Decision]
"""The decision with its explanation, at a time in microseconds, from the facts as they are now."""

FACTS_CHANGED: Final = "facts_changed"
"""The facts are at another revision by now."""
IN_TRANSACTION: Final = "in_transaction"
"""The decision was made on facts that only its transaction saw."""
UNAVAILABLE: Final = "unavailable"
"""The database did not answer."""
TOO_MANY: Final = "too_many"
"""More chains than MOST_PER_SECOND were to be found."""

MOST_PER_SECOND: Final = 100
MOST_KEPT: Final = 1_024
PAUSE_SECONDS: Final = 5.0
"""For how long nothing is asked after the database did not answer."""


class FoundChain(NamedTuple):
    """A chain and how many there are; or why there is none."""

    chain: ChainLine | None
    chains: int
    missing: str | None = None


class ChainFinder:
    """Finds chains. For one thread."""

    def __init__(self, explain: Explain, clock: Callable[[], float] = time.monotonic) -> None:
        self._explain, self._clock = explain, clock
        self._kept: OrderedDict[tuple[Question, str | None], FoundChain] = OrderedDict()
        self._second, self._count, self._resumes_at = 0, 0, 0.0

    def add_to(self, line: DecisionLine, entry: Entry) -> None:
        """Complete the line of a critical decision that allowed."""
        line.chain, line.chains, line.chain_missing = self._found(line, entry)

    def _found(self, line: DecisionLine, entry: Entry) -> FoundChain:
        if line.in_transaction:
            return FoundChain(None, 0, IN_TRANSACTION)
        names = line.organization, line.subject, line.permission, line.resource
        question = Question(*names)  # type: ignore[arg-type]
        key = question, line.revision
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        now = self._clock()
        if now < self._resumes_at:
            return FoundChain(None, 0, UNAVAILABLE)
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        if self._count >= MOST_PER_SECOND:
            return FoundChain(None, 0, TOO_MANY)
        self._count += 1
        try:
            explained = self._explain(question, entry.nanoseconds // 1_000)
        except Exception:
            self._resumes_at = now + PAUSE_SECONDS
            return FoundChain(None, 0, UNAVAILABLE)
        return self._kept_as(key, _chain_of(explained, entry))

    def _kept_as(self, key: tuple[Question, str | None], found: FoundChain) -> FoundChain:
        if found.missing is None:
            self._kept[key] = found
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return found


def _chain_of(explained: Decision, entry: Entry) -> FoundChain:
    decision, explanation = entry.decision, explained.explanation
    if decision is None or explained.revision != decision.revision or explanation is None:
        return FoundChain(None, 0, FACTS_CHANGED)
    if not explained.allowed or not explanation.chains:
        return FoundChain(None, 0, FACTS_CHANGED)
    return FoundChain(ChainLine.of(explanation.chains[0]), len(explanation.chains))
