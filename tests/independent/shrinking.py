"""The shortest steps that still show a disagreement, found by leaving out what is not needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.independent.steps import Step

Fails = Callable[[list[Step]], bool]


def shrunk(steps: list[Step], fails: Fails, *, most_tries: int = 400) -> list[Step]:
    """Steps that fail still, where no single step, change or piece of work can be left out."""
    tries = iter(range(most_tries))

    def holds(candidate: list[Step]) -> bool:
        return next(tries, None) is not None and fails(candidate)

    size = max(len(steps) // 2, 1)
    while size:
        place = 0
        while place < len(steps):
            candidate = [*steps[:place], *steps[place + size :]]
            if candidate and holds(candidate):
                steps = candidate
            else:
                place += size
        size //= 2
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for place in range(len(steps) - 1, -1, -1):
            for simpler in _simpler(steps[place]):
                candidate = [*steps[:place], simpler, *steps[place + 1 :]]
                if holds(candidate):
                    steps, is_smaller = candidate, True
                    break
    return steps


def _simpler(step: Step) -> Iterator[Step]:
    for place in range(len(step.batch)):
        if len(step.batch) > 1:
            yield replace(step, batch=(*step.batch[:place], *step.batch[place + 1 :]))
    if step.work:
        yield replace(step, work=())
    if step.previews or step.detail:
        yield replace(step, previews=False, detail=False)
    if step.route != "inline":
        yield replace(step, route="inline")
