"""An invented organization of a real one's shape, for a demo where the real one's file is missing.

The shape is that of HP Labs' `americas_small`: 3,477 users, 1,587 permissions and 259 different
sets of them, a few held by many users and most by few.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

USERS = 3_477
PERMISSIONS = 1_587
SETS = 259
LARGEST_SET = 300


def lines(seed: int = 7) -> Iterator[str]:
    """The pairs `user permission`, a line each; the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - nothing here is a secret
    permissions = [f"permission-{n}" for n in range(1, PERMISSIONS + 1)]
    sets = _sets(chance, permissions)
    holders = list(range(SETS)) + chance.choices(
        range(SETS), weights=[1 / (rank + 1) for rank in range(SETS)], k=USERS - SETS
    )
    for user, held in enumerate(holders, 1):
        for permission in sets[held]:
            yield f"user-{user} {permission}"


def _sets(chance: random.Random, permissions: list[str]) -> list[list[str]]:
    """Different sets that together hold every permission."""
    sets: list[set[str]] = []
    while len(sets) < SETS:
        size = max(1, int(LARGEST_SET * chance.random() ** 5))
        drawn = set(chance.sample(permissions, size))
        if drawn not in sets:
            sets.append(drawn)
    for number, permission in enumerate(permissions):
        sets[number % SETS].add(permission)
    return [sorted(each) for each in sets]
