"""Worlds of steps, and what is said about one in which the product and the oracle differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.independent.compare import Failure, Fault, failure_of, kind_of_failure
from tests.independent.shrinking import shrunk
from tests.independent.steps import Kind, Maker, Step


def kinds(seed: int, many: int, *, changes: int = 260) -> Iterator[Kind]:
    """Worlds in turn: all roles count or one, with a clock of their own or the machine's."""
    for number in range(seed, seed + many):
        yield Kind(bool(number & 1), bool(number & 2), number, changes)


def compare(
    kind: Kind, new_database: Callable[[], str], *, most_tries: int, fault: Fault | None = None
) -> None:
    """Play a world. Raises AssertionError with the seed, the fewest steps, the question and both answers."""
    steps = Maker(kind).steps()
    failure = failure_of(new_database(), steps, fault, is_whole=True)
    if failure is None:
        return
    number, error = failure
    latest: list[Failure] = [error]

    def fails(candidate: list[Step]) -> bool:
        again = failure_of(new_database(), candidate, fault)
        is_same = again is not None and kind_of_failure(again[1]) == kind_of_failure(error)
        if again is not None and is_same:
            latest[0] = again[1]
        return is_same

    fewest = shrunk(steps[: number + 1], fails, most_tries=most_tries)
    told = "\n".join(_told(step) for step in fewest)
    raise AssertionError(f"{kind}, at step {number}; the fewest steps:\n{told}\n{latest[0]}")


def _told(step: Step) -> str:
    through = "in memory" if step.through_index else "plain"
    extras = f"previews={step.previews} detail={step.detail} work={step.work} seed={step.seed}"
    lines = [f"- {step.organization} at={step.at} route={step.route} {through} {extras}"]
    return "\n".join([*lines, *(f"    {change}" for change in step.batch)])
