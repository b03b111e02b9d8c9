"""Real data: who holds which permission in three companies, and the predefined roles of a cloud.

HP Labs' role-mining sets are pairs of a user and a permission (Ene et al., SACMAT 2008); users with equal
sets become a group with a role. Google Cloud's predefined roles have between one permission and thousands;
here 1,000 people are in 40 groups that hold them on 200 projects. Both are read from `../shared/data`, and
left out where that is absent.

Each is imported, checked and changed. Every check is compared with the file: `wrong` counts answers that
differ from it. `churn` is a move from one group to another, or an edit of a role that people have.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from lab.databases import servers
from lab.real import companies, roles
from lab.real.table import shape as shape
from lab.report import Goal, Measured

TITLE: Final = "Real data"
GOALS: Final = {"real.wrong": Goal(0)}
DATA: Final = Path(__file__).parents[3] / "shared" / "data"
COMPANIES: Final = {
    "hc": "hp_labs_hc",
    "domino": "hp_labs_domino",
    "americas": "hp_labs_americas_small",
}
ROLES: Final = "gcp_roles_to_permissions.json.gz"
ENGINES: Final = ("sqlite", "postgres")


def run(*, quick: bool, seed: int, data: Path = DATA) -> Measured:
    """Figures as `real.what.engine.figure`; about two minutes in full."""
    measured = Measured(versions={"HP Labs sets": "SACMAT 2008"})
    rounds = 20 if quick else 300
    with servers() as make:
        for name, stem in COMPANIES.items():
            file = data / f"{stem}.txt.gz"
            if quick and name == "americas":
                measured.left_out[file.name] = "it is too large for a quick run"
                continue
            if not file.exists():
                measured.left_out[file.name] = "it is not in ../shared/data"
                continue
            for engine in ENGINES:
                _say(f"{engine}, {name}")
                found = companies.measured(make(engine), file, rounds, seed)
                measured.figures |= _named(f"{name}.{engine}", found)
        file = data / ROLES
        if file.exists():
            for engine in ENGINES:
                _say(f"{engine}, cloud roles")
                found = roles.measured(make(engine), file, 60 if quick else None, rounds, seed)
                measured.figures |= _named(f"cloud.{engine}", found)
        else:
            measured.left_out[file.name] = "it is not in ../shared/data"
    wrong = [value for name, value in measured.figures.items() if name.endswith(".wrong")]
    if wrong:
        measured.figures["real.wrong"] = sum(wrong)
    return measured


def _say(what: str) -> None:
    print(f"lab: {what} …", file=sys.stderr)


def _named(part: str, found: dict[str, float]) -> dict[str, float]:
    return {f"real.{part}.{what}": value for what, value in found.items()}


def plot(result: dict[str, Any]) -> list[Any]:
    """Plots of a result; Matplotlib is needed for them alone."""
    from lab.plots import real

    return real.plot(result)
