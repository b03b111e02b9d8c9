"""What the snapshots contain: a file for each engine and file of statements."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from rescind.store.legible import legible
from rescind.store.queries import Engine, queries, source_files

FOLDER = Path(__file__).parent


def expected() -> dict[Path, str]:
    """The text of each file, by its path."""
    found: dict[Path, list[str]] = {}
    for engine in get_args(Engine):
        rendered = queries(engine)
        for name, source in sorted(source_files(engine).items()):
            text = f"-- {name}\n{legible(rendered[name])}\n"
            found.setdefault(FOLDER / engine / source, []).append(text)
    return {path: "\n".join(texts) for path, texts in found.items()}
