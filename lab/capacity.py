"""What one PostgreSQL primary carries: changes and checks a second through 1, 2 and 4 server processes.

Requests come over 16 and over 128 connections, to one organization and to many in turn. Each change alters
something: a member leaves its group, or comes back. The server, the database and the load generator share the
machine. The sizing table divides what an organization asks by what was measured here.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from itertools import product
from typing import Any

import psycopg

from lab.databases import servers
from lab.http import served
from lab.load import Load
from lab.report import Goal, Measured
from lab.worlds import definitions, subjects
from rescind import Authority, changes
from rescind.http.keys import Keys

TITLE = "Capacity: what one primary carries"
GOALS = {
    "capacity.postgres.write_per_s": Goal(
        3_000,
        is_least=True,
        why=(
            "a change takes the server process and PostgreSQL milliseconds of processor time, and both share"
            " two processors with the load generator"
        ),
    )
}
ORGANIZATIONS, QUICK_ORGANIZATIONS = 1_024, 128
MEMBERS = 128
"""Of the one organization, and so many connections at most: each has a member of its own."""
FEW_MEMBERS = 4
SIZES = (10_000, 1_000_000, 100_000_000)
CHANGES_A_DAY = 1 / 30
"""Of one membership: joined, left or moved once a month."""
CHECKS_A_DAY = 200
"""Of one membership: an active user of a web application."""
PEAK = 5.0
"""The busiest second, beside the mean of a day."""
HEADROOM = 0.5
"""The share of what was measured that is planned with."""
DAY_SECONDS = 86_400.0
Figures = dict[str, float]


def run(*, quick: bool, seed: int) -> Measured:  # noqa: ARG001
    """Answers by the second, latencies in ms, and how many were refused for too much load, of each way."""
    many = QUICK_ORGANIZATIONS if quick else ORGANIZATIONS
    seconds = 1.0 if quick else 5.0
    figures: Figures = {"capacity.organizations": many}
    with servers() as make, tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        database = make("postgres")
        key, bytes_each = _fill(database, many)
        for processes in (1, 2) if quick else (1, 2, 4):
            print(f"lab: {processes} processes …", file=sys.stderr)
            with served(folder, database, f"--processes={processes}") as (port, _):
                # Each connection to the database plans its statements once.
                Load("127.0.0.1", port, key, "/v1/changes", _writes(many), 16, seconds).run()
                ways = product((1, many), (16,) if quick else (16, 128), ("write", "check"))
                for organizations, connections, what in ways:
                    path = {"write": "/v1/changes", "check": "/v1/check"}[what]
                    bodies = BODIES[what](organizations)
                    load = Load("127.0.0.1", port, key, path, bodies, connections, seconds)
                    found = load.run()
                    where = "one" if organizations == 1 else "many"
                    prefix = f"capacity.{what}.{where}.{processes}.{connections}"
                    for name in ("per_s", "p50_ms", "p99_ms", "refused"):
                        figures[f"{prefix}.{name}"] = found[name]
    for what in ("write", "check"):
        figures[f"capacity.postgres.{what}_per_s"] = max(
            rate
            for name, rate in figures.items()
            if name.startswith(f"capacity.{what}.many.") and name.endswith(".per_s")
        )
    figures["capacity.bytes_per_membership"] = bytes_each
    return Measured(figures, data={"sizing": sizing(figures)})


def sizing(figures: Figures) -> list[dict[str, float]]:
    """For each number of memberships: what it asks, and how much of what was measured that takes."""
    rows = []
    for size in SIZES:
        changes_per_s = size * CHANGES_A_DAY / DAY_SECONDS * PEAK
        checks_per_s = size * CHECKS_A_DAY / DAY_SECONDS * PEAK
        rows.append(
            {
                "memberships": size,
                "changes_per_s": changes_per_s,
                "checks_per_s": checks_per_s,
                "primaries": _many(changes_per_s, figures["capacity.postgres.write_per_s"]),
                "machines": _many(checks_per_s, figures["capacity.postgres.check_per_s"]),
                "disk_gb": size * figures["capacity.bytes_per_membership"] / 1e9,
            }
        )
    return rows


def more(result: dict[str, Any]) -> str:
    """The sizing table and what it assumes."""
    table = ["| memberships | changes/s | checks/s | primaries | machines that check | disk, GB |"]
    table.append("|" + " ---: |" * 6)
    table.extend(
        f"| {row['memberships']:,.0f} | {row['changes_per_s']:,.1f} | {row['checks_per_s']:,.0f} |"
        f" {row['primaries']:,.0f} | {row['machines']:,.0f} | {row['disk_gb']:,.2f} |"
        for row in result["data"]["sizing"]
    )
    assumed = [
        f"Assumed of each membership: {CHECKS_A_DAY:,} checks a day, and one change in 30 days.",
        f"The busiest second asks {PEAK:g} times the mean.",
        f"Planned with {HEADROOM:.0%} of what was measured, on machines like this one.",
    ]
    return "\n\n".join(["## Sizing", "\n".join(assumed), "\n".join(table)])


def _many(asked: float, measured: float) -> int:
    return max(1, -int(-asked // (measured * HEADROOM)))


# --- the world and the requests ------------------------------------------------------------------------


def _fill(database: str, many: int) -> tuple[str, float]:
    """A key for all organizations, and the bytes on disk of a membership with a place in a group."""
    with Authority.open(database) as authority:
        _make(authority, "one", MEMBERS)
        before = _size(database)
        for number in range(many):
            _make(authority, _name(number, many), FEW_MEMBERS)
        bytes_each = (_size(database) - before) / (many * FEW_MEMBERS)
        return Keys(authority.store).create("lab", ["admin"])[1], bytes_each


def _make(authority: Authority, organization: str, members: int) -> None:
    people = tuple(subjects(members))
    batch = [
        *definitions(),
        *(changes.AddMembership(subject=subject) for subject in people),
        changes.CreateResource(resource="doc:0"),
        changes.CreateGroup(group="all"),
        changes.AddMembers(group="all", members=people),
        changes.Assign(role="reader", to="group:all", on="doc:0"),
    ]
    authority.apply(batch, organization=organization)


def _size(database: str) -> float:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return float(row[0]) if row else 0.0


def _name(number: int, organizations: int) -> str:
    return "one" if organizations == 1 else f"org-{number}"


def _writes(organizations: int) -> list[str]:
    """Each member leaves, and then each comes back: whoever sends them in turn alters something each time."""
    places = _places(organizations)
    return [
        json.dumps(
            {
                "organization": organization,
                "changes": [{"change": f"{verb}_members", "group": "all", "members": [subject]}],
            }
        )
        for verb in ("remove", "add")
        for organization, subject in places
    ]


def _checks(organizations: int) -> list[str]:
    asked = {"permission": "read", "resource": "doc:0"}
    return [
        json.dumps({"organization": organization, "subject": subject, **asked})
        for organization, subject in _places(organizations)
    ]


def _places(organizations: int) -> Sequence[tuple[str, str]]:
    if organizations == 1:
        return [("one", subject) for subject in subjects(MEMBERS)]
    return [(_name(number, organizations), "user:0") for number in range(organizations)]


BODIES = {"write": _writes, "check": _checks}


def plot(result: dict[str, Any]) -> list[Any]:
    """Changes and checks a second by processes."""
    from lab.plots import capacity

    return capacity.plots(result)
