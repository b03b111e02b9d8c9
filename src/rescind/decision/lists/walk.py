"""The walk that all lists share: candidates in order, until a page is full or its budget is spent."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection

from rescind.decision.lists.source import Asked, Found, Named, Steps
from rescind.decision.lists.streams import DOUBTFUL, EXPIRED, Merge

Names = Callable[[Collection[int]], Named]
Test = Callable[[Collection[int]], set[int]]


def walk(merge: Merge, asked: Asked, names: Names, test: Test) -> Steps[Found]:
    """A page of a merge's candidates: those whose name has the prefix and that are sure or pass the test."""
    found: Named = {}
    tested = 0
    at = asked.after
    while len(found) <= asked.limit:
        if merge.rows + tested >= asked.budget:
            return Found(found, at)
        block = yield from merge.block()
        if not block:
            return Found(found, None)
        yield
        counted = block if merge.is_plain else [n for n, grade in block.items() if grade != EXPIRED]
        named = names(counted)
        if asked.kind:
            named = {n: name for n, name in named.items() if name.startswith(asked.kind)}
        yield
        doubtful = [] if merge.is_sure else [n for n in named if block[n] == DOUBTFUL]
        for number in set(doubtful) - (test(doubtful) if doubtful else set()):
            del named[number]
        tested += len(doubtful)
        found.update(named)
        at = next(reversed(block))
        yield
    return Found(found, at)


def few(numbers: Collection[int], asked: Asked, names: Names) -> Found:
    """A page of a few numbers, all of them known and allowed."""
    ahead = sorted(numbers)
    ahead = ahead[bisect_right(ahead, asked.after) :]
    if not asked.kind:
        return Found(names(ahead[: asked.limit + 1]), None)
    named = names(ahead)
    return Found({n: name for n, name in named.items() if name.startswith(asked.kind)}, None)
