"""Write the snapshots anew: `python -m tests.sql_snapshots`."""

from __future__ import annotations

from tests.sql_snapshots.files import FOLDER, expected

for folder in FOLDER.glob("*/"):
    for path in folder.glob("*.sql"):
        path.unlink()
for path, text in expected().items():
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
