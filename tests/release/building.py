"""The packages of a commit: built twice, and compared with each other and with what they should contain."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

from tests.release.changelog import ROOT

SCRIPTS: Final = Path(sysconfig.get_path("scripts"))
CIRCUMSTANCES: Final = (
    {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
)
"""What must not matter to a build."""
UMASKS: Final = (0o022, 0o077)
GENERATED: Final = {"PKG-INFO"}
"""What the source distribution has beside the files of the commit."""


class Fault(Exception):
    """Something that a release must not have. The text says what, and where."""


class Commit(NamedTuple):
    """What is built."""

    name: str
    seconds: int
    """When it was made: the time of every file in the packages."""
    files: frozenset[str]


def commit(root: Path = ROOT) -> Commit:
    """What is checked out. Raises Fault if there are changes that are not committed."""
    if changed := _git("status", "--porcelain", root=root):
        raise Fault(f"commit first, since a commit is what is built: {changed.splitlines()[0]}")
    name = _git("rev-parse", "--short", "HEAD", root=root).strip()
    seconds = int(_git("log", "-1", "--format=%ct", root=root))
    files = _git("ls-tree", "-r", "-z", "--name-only", "HEAD", root=root)
    return Commit(name, seconds, frozenset(files.rstrip("\0").split("\0")))


def _git(*arguments: str, root: Path) -> str:
    return run(["git", "-C", str(root), *arguments])


def run(command: list[str], **environment: str) -> str:
    """What a command prints. Raises Fault with the end of what it said if it fails."""
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise Fault(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout


def built_twice(at: Commit, folder: Path, root: Path = ROOT) -> list[Path]:
    """The source distribution and the wheel. Raises Fault if a second build has other bytes."""
    first, second = (
        _build(at, folder / f"build-{number}", number, root) for number in range(len(UMASKS))
    )
    if [path.name for path in first] != [path.name for path in second]:
        raise Fault(f"two builds made {first} and {second}.")
    for one, other in zip(first, second, strict=True):
        if one.read_bytes() != other.read_bytes():
            raise Fault(f"{one.name}: two builds differ, in {', '.join(differences(one, other))}.")
    return first


def _build(at: Commit, folder: Path, number: int, root: Path) -> list[Path]:
    source = folder / ("source" * (number + 1))  # its path must not matter
    source.mkdir(parents=True)
    before = os.umask(UMASKS[number])
    try:
        archive = folder / "source.tar"
        _git("archive", f"--output={archive}", "HEAD", root=root)
        with tarfile.open(archive) as files:
            files.extractall(source, filter="data")
        run(
            [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(source)],
            SOURCE_DATE_EPOCH=str(at.seconds),
            PIP_CONSTRAINT=str(source / "docker/constraints.txt"),
            **CIRCUMSTANCES[number],
        )
    finally:
        os.umask(before)
    return sorted((folder / "dist").iterdir())


def differences(one: Path, other: Path) -> list[str]:
    """The members of two archives that are not the same."""
    first, second = members(one), members(other)
    names = [name for name in first | second if first.get(name) != second.get(name)]
    return names or ["the container itself"]


def members(path: Path) -> dict[str, tuple[object, ...]]:
    """What an archive says of each of its files, and the content."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return {
                info.filename: (info.date_time, info.external_attr, archive.read(info))
                for info in archive.infolist()
            }
    with tarfile.open(path) as files:
        found: dict[str, tuple[object, ...]] = {}
        for member in files.getmembers():
            content = files.extractfile(member)
            of_member = (member.mtime, member.mode, member.uid, member.gid, member.uname)
            found[member.name] = (*of_member, content.read() if content else b"")
        return found


def check_packages(packages: list[Path], at: Commit, root: Path = ROOT) -> str:
    """The version. Raises Fault if metadata or contents are not what they should be."""
    names = [str(path) for path in packages]
    run([str(SCRIPTS / "twine"), "check", "--strict", *names])
    wheel, source = sorted(packages, key=lambda path: path.suffix != ".whl")
    run(
        [
            str(SCRIPTS / "check-wheel-contents"),
            "--config",
            str(root / "pyproject.toml"),
            str(wheel),
        ]
    )
    version = re.fullmatch(r"rescind-([\d.]+)-py3-none-any\.whl", wheel.name)
    if version is None or source.name != f"rescind-{version[1]}.tar.gz":
        raise Fault(f"the packages are called {wheel.name} and {source.name}.")
    listed = {name.partition("/")[2] for name in members(source)}
    _same(source, listed - GENERATED, set(at.files))
    shipped = {name for name in members(wheel) if ".dist-info/" not in name}
    _same(wheel, shipped, {name[4:] for name in at.files if name.startswith("src/")})
    return version[1]


def _same(package: Path, found: set[str], expected: set[str]) -> None:
    if surplus := sorted(found - expected):
        raise Fault(f"{package.name} has {surplus[0]}, which the commit has not.")
    if missing := sorted(expected - found):
        raise Fault(f"{package.name} lacks {missing[0]}.")
