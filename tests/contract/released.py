"""The digests of all migrations that have landed, which never change: a mistake is mended by the next one.

`python -m tests.contract.released` adds those of new ones.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from rescind.store import migrations

FILE: Final = Path(__file__).with_name("released.json")
RELEASED: Final[dict[str, str]] = json.loads(FILE.read_text("utf-8"))


def digests() -> dict[str, str]:
    """The SHA-256 of each file of a migration as it is."""
    home = migrations.HERE
    files = [*home.glob("0*.sql"), *home.glob("versions/v0*.py")]
    return {
        str(file.relative_to(home)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(files)
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(digests() | RELEASED, indent=1, sort_keys=True) + "\n", "utf-8")
