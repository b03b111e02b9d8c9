"""`make upgrade-test`: databases of earlier versions, upgraded under load, with processes of both versions.

    python -m tests.upgrade [--from 0029 … | --all] [--engine sqlite|postgres] [--seconds N]

For each version and engine: real code of that version makes and fills a database, and serves and works on it,
under checks and changes whose right answers are known. This code migrates the database. Where the two
versions may run together, processes of this one are started beside the others, and all are asked. Then the
older ones are stopped, and the audit and the proof of the log must find nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults.server import Server, running
from tests.release.building import Fault
from tests.upgrade.installing import COMMITS, installed
from tests.upgrade.scenario import Scenario

ENGINES = ("sqlite", "postgres")
USUAL = ("0009", *sorted(COMMITS)[-2:])
"""What was released, the schema before this one, and other code with this schema."""


def main() -> int:
    """0 if everything held; else 1, and what did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    parser.add_argument("--from", dest="versions", action="append", choices=sorted(COMMITS))
    parser.add_argument("--all", action="store_true", help="from every version")
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--seconds", type=float, default=3, help="how long each state lasts")
    asked = parser.parse_args()
    failed = 0
    try:
        with tempfile.TemporaryDirectory(prefix="rescind-upgrade-") as folder, _server() as server:
            for version in asked.versions or (sorted(COMMITS) if asked.all else USUAL):
                older = installed(COMMITS[version])
                for engine in asked.engine or ENGINES:
                    began = time.monotonic()
                    place = Path(folder) / f"{version}-{engine}"
                    place.mkdir()
                    database = str(place / "rescind.db") if engine == "sqlite" else server.empty()
                    said = Scenario(version, older, installed(None), place, database).run(
                        asked.seconds
                    )
                    failed += bool(said.faults)
                    took = time.monotonic() - began
                    print(f"{version} on {engine}: {said.told()} ({took:.0f} s)", flush=True)
    except Fault as fault:
        print(f"upgrade-test: {fault}", file=sys.stderr)
        return 1
    return min(failed, 1)


class Databases:
    """Makes databases without a schema."""

    def __init__(self, server: Server) -> None:
        self._server, self._made = server, 0

    def empty(self) -> str:
        """The URL of a new one."""
        self._made += 1
        name = f"upgraded_{self._made}"
        self._server.execute(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={self._server.folder}"


@contextmanager
def _server() -> Iterator[Databases]:
    with ExitStack() as stack:
        yield Databases(stack.enter_context(running()))


if __name__ == "__main__":
    sys.exit(main())
