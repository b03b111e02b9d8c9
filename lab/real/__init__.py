"""Real data: who holds which permission in three companies, and the predefined roles of a cloud.

HP Labs' role-mining sets are pairs of a user and a permission (Ene et al., SACMAT 2008); users with equal
sets become a group with a role. Google Cloud's predefined roles have between one permission and thousands;
here 1,000 people are in 40 groups that hold them on 200 projects. Both are read from `../shared/data`: every
file of HP Labs' that is there, and all roles. What is absent is left out.

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
COMPANIES: Final = {
    "hc": "hp_labs_hc",
    "domino": "hp_labs_domino",
    "americas": "hp_labs_americas_small",
}
"""Files that are missed if they are absent. Others that begin as these do are measured by their own names."""
BEGINNING: Final = "hp_labs_"
ENDING: Final = ".txt.gz"
SMALL_BYTES: Final = 20_000
"""Files that are larger are left out of a quick run."""
ROLES: Final = "gcp_roles_to_permissions.json.gz"
ENGINES: Final = ("sqlite", "postgres")


def data_folder(start: Path = Path(__file__)) -> Path:
    """`shared/data` beside the repository, or beside a folder that it is in, if there is one."""
    places = [parent / "shared" / "data" for parent in start.resolve().parents]
    return next((place for place in places if place.is_dir()), places[-1])


def companies_in(data: Path) -> dict[str, Path]:
    """The files of companies by name: those that are expected, and whatever else is there."""
    known = {name: data / f"{stem}{ENDING}" for name, stem in COMPANIES.items()}
    others = {
        file.name.removeprefix(BEGINNING).removesuffix(ENDING): file
        for file in sorted(data.glob(f"{BEGINNING}*{ENDING}"))
        if file not in known.values()
    }
    return known | others


def run(*, quick: bool, seed: int, data: Path | None = None) -> Measured:
    """Figures as `real.what.engine.figure`; about two minutes in full."""
    data = data or data_folder()
    measured = Measured(versions={"HP Labs sets": "SACMAT 2008"})
    rounds = 20 if quick else 300
    with servers() as make:
        for name, file in companies_in(data).items():
            if (why := _missing(file, quick)) is not None:
                measured.left_out[file.name] = why
                continue
            for engine in ENGINES:
                _say(f"{engine}, {name}")
                found = companies.measured(make(engine), file, rounds, seed)
                measured.figures |= _named(f"{name}.{engine}", found)
        file = data / ROLES
        if (why := _missing(file, False)) is not None:
            measured.left_out[file.name] = why
        else:
            for engine in ENGINES:
                _say(f"{engine}, cloud roles")
                found = roles.measured(make(engine), file, 60 if quick else None, rounds, seed)
                measured.figures |= _named(f"cloud.{engine}", found)
    wrong = [value for name, value in measured.figures.items() if name.endswith(".wrong")]
    if wrong:
        measured.figures["real.wrong"] = sum(wrong)
    return measured


def _missing(file: Path, quick: bool) -> str | None:
    """Why a file is left out, or None."""
    if not file.exists():
        return "it is not in ../shared/data"
    if quick and file.stat().st_size > SMALL_BYTES:
        return "it is too large for a quick run"
    return None


def _say(what: str) -> None:
    print(f"lab: {what} …", file=sys.stderr)


def _named(part: str, found: dict[str, float]) -> dict[str, float]:
    return {f"real.{part}.{what}": value for what, value in found.items()}


def plot(result: dict[str, Any]) -> list[Any]:
    """Plots of a result; Matplotlib is needed for them alone."""
    from lab.plots import real

    return real.plot(result)
