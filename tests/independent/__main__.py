"""Compares the product with the oracle: `python -m tests.independent --minutes 60 --seed 1`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rescind.store.migrations import migrate
from tests.conftest import ENGINES, FOLDER
from tests.faults.server import Server, running
from tests.independent.worlds import compare, kinds


def main() -> int:
    """Worlds of later and later seeds, on both engines, until the time is up or one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.independent", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first world")
    parser.add_argument("--changes", type=int, default=1_000, help="in each world, at least")
    asked = parser.parse_args()
    ends_at = time.monotonic() + asked.minutes * 60
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder, running() as server:
        databases = makers(Path(folder), server)
        for kind in kinds(asked.seed, 1_000_000_000, changes=asked.changes):
            for engine in ENGINES:
                try:
                    compare(kind, databases[engine], most_tries=1_000)
                except AssertionError as error:
                    print(f"{engine}: {error}", flush=True)
                    return 1
            print(f"{kind}: no difference", flush=True)
            if time.monotonic() > ends_at:
                return 0
    return 0


def makers(folder: Path, server: Server) -> dict[str, Callable[[], str]]:
    """Makers of empty databases, on each engine."""
    template, copy = folder / "template.db", folder / "rescind.db"
    migrate(str(template))
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.execute(f"ALTER SYSTEM SET {setting} = off")
    server.execute("SELECT pg_reload_conf()")

    def new_file() -> str:
        for left in folder.glob("rescind.db*"):
            left.unlink()
        shutil.copy(template, copy)
        return f"sqlite:///{copy}"

    return {"sqlite": new_file, "postgres": server.new_database}


if __name__ == "__main__":
    sys.exit(main())
