"""What is beyond the machine: a power law through the largest sizes that were measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

POINTS = 3
"""The largest sizes that count: small ones are mostly what every size costs."""


@dataclass(frozen=True)
class Fit:
    """`factor` × size ** `exponent`: 1 is linear, 0 means that size does not matter."""

    factor: float
    exponent: float

    def at(self, size: float) -> float:
        """The value that the fit has for a size."""
        return float(self.factor * size**self.exponent)


def fit(measured: Mapping[int, float]) -> Fit | None:
    """By least squares of the logarithms; None with fewer than two sizes. Only positive
    values count."""
    points = [(math.log(size), math.log(value)) for size, value in measured.items() if value > 0]
    points = sorted(points)[-POINTS:]
    if len(points) < 2:
        return None
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    exponent = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    return Fit(math.exp(middle_y - exponent * middle_x), exponent)
