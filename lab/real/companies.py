"""A company of HP Labs' sets: imported from its file, asked about every kind of pair, and people who move."""

from __future__ import annotations

import gzip
import random
import time
from collections import defaultdict
from pathlib import Path

from lab.real.asked import Figures, Question, answers, percentiles, timed
from rescind import Authority, changes
from rescind.transfer import loading
from rescind.transfer.formats import Format, parse
from rescind.transfer.pairs import as_sets
from rescind.transfer.readers import read

ASKED = 4_000
COMPANY = "company"


def measured(url: str, file: Path, rounds: int, seed: int) -> Figures:
    """Importing, checks in SQL and from memory, and moves. Half of the questions are pairs of the file."""
    held = pairs(file)
    figures = {
        "users": float(len(held)),
        "permissions": float(len(set().union(*held.values()))),
        "pairs": float(sum(map(len, held.values()))),
    }
    choose = random.Random(seed)
    with Authority.open(url, organization=COMPANY) as authority:
        start = time.perf_counter()
        source = read(str(file))
        items = parse(source, Format.PAIRS)
        loading.load(authority, items, digest=source.digest, organization=COMPANY)
        figures["import_s"] = time.perf_counter() - start
        questions = expected(held, choose, ASKED)
        found, wrong = answers(authority, "sql", questions[: ASKED // 4])
        figures |= found
    with Authority.open(url, organization=COMPANY, index=True) as replica:
        figures["load_s"] = timed([replica.load])[0]
        found, more = answers(replica, "check", questions)
        figures |= found
        moved = moves(replica, held, choose, rounds)
        figures |= percentiles("churn", moved, 1e3, "ms")
        _, after = answers(replica, "after", expected(held, choose, ASKED // 4))
    figures["wrong"] = float(wrong + more + after)
    return figures


def pairs(file: Path) -> dict[str, set[str]]:
    """Who holds what, by the file."""
    held: dict[str, set[str]] = defaultdict(set)
    with gzip.open(file, "rt") as lines:
        for line in lines:
            if fields := line.split():
                held[fields[0]].add(fields[1])
    return held


def expected(
    held: dict[str, set[str]], choose: random.Random, count: int
) -> list[tuple[Question, bool]]:
    """Questions with their answers; every other one is about something that the user holds."""
    users = sorted(held)
    permissions = sorted(set().union(*held.values()))
    found = []
    for number in range(count):
        user = choose.choice(users)
        mine = sorted(held[user])
        permission = choose.choice(mine if number % 2 and mine else permissions)
        found.append(((user, permission, ""), permission in held[user]))
    return found


def moves(
    authority: Authority, held: dict[str, set[str]], choose: random.Random, rounds: int
) -> list[float]:
    """Seconds of each move: out of one group and into another in one batch. `held` follows."""
    sets = as_sets(held)
    group_of = {user: place for place, (_, _, users) in enumerate(sets) for user in users}
    users = sorted(held)
    times = []
    for _ in range(rounds):
        user = choose.choice(users)
        there = choose.randrange(len(sets))
        here = group_of[user]
        if there == here:
            continue
        batch = [
            changes.RemoveMembers(group=sets[here][0], members=(user,)),
            changes.AddMembers(group=sets[there][0], members=(user,)),
        ]
        times += timed([lambda batch=batch: authority.apply(batch)])  # type: ignore[misc]
        group_of[user], held[user] = there, set(sets[there][1])
    return times
