"""Files written together: none is replaced unasked, and none is there in part."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from rescind.errors import InvalidArgument

SHOWN: Final = 3
"""How many files an error names."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was done with the files of an export, by their paths in it."""

    written: tuple[PurePosixPath, ...]
    unchanged: tuple[PurePosixPath, ...]


def write_files(folder: Path, files: Mapping[PurePosixPath, str], *, force: bool) -> Written:
    """Make the folder if it is missing, and write the files into it. Other files in it stay as they are.

    Raises InvalidArgument, before anything is written, if a file is there with another text and `force` is
    not given; OSError, naming the path, if something cannot be written: then each file is either old or new,
    and whole.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    changed = [path for path, text in files.items() if not _has(folder / path, text)]
    _require_free(folder, changed, force=force)
    staged: list[tuple[Path, Path]] = []
    try:
        for path in changed:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            source = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            staged.append((source, target))
            _write(source, files[path], target)
        while staged:
            source, target = staged[-1]
            source.replace(target)
            staged.pop()
    finally:
        for source, _ in staged:
            with contextlib.suppress(OSError):
                source.unlink(missing_ok=True)
    return Written(tuple(changed), tuple(path for path in files if path not in changed))


def _has(path: Path, text: str) -> bool:
    """Whether it is a file with this text. A link to one is not."""
    try:
        return stat.S_ISREG(path.lstat().st_mode) and path.read_bytes() == text.encode()
    except FileNotFoundError:
        return False


def _require_free(folder: Path, changed: Sequence[PurePosixPath], *, force: bool) -> None:
    """Raises IsADirectoryError or InvalidArgument if something is in the way."""
    taken = [path for path in changed if os.path.lexists(folder / path)]
    for path in taken:
        if stat.S_ISDIR((folder / path).lstat().st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder / path))
    if taken and not force:
        named = ", ".join(map(str, taken[:SHOWN]))
        more = f" and {len(taken) - SHOWN} more" if len(taken) > SHOWN else ""
        raise InvalidArgument(
            what="folder",
            value=str(folder),
            why=f"it has other files of these names: {named}{more}",
            hint="name another folder, or replace them with {force}",
        )


def _write(source: Path, text: str, target: Path) -> None:
    """A new file. Raises OSError naming the target."""
    try:
        with source.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None
