"""`python -m tests.counts`: accept what the hot paths cost now, for this version of Python."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rescind.store.migrations import migrate
from tests.counts.baselines import renew, version
from tests.counts.paths import measured


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "counts.db")
        migrate(database)
        counts = measured(database)
    renew(counts)
    for path, cost in counts.items():
        print(
            f"{path}: {cost.python} instructions, {cost.sqlite} steps of SQLite (Python {version()})"
        )


if __name__ == "__main__":
    main()
