"""The wheel, installed in environments of its own: with each extra, on each version of Python."""

from __future__ import annotations

import email.message
import email.parser
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from tests.release.building import SCRIPTS, Commit, Fault, run
from tests.release.changelog import ROOT

SMOKE: Final = Path(__file__).with_name("smoke.py")
EVERYTHING: Final = "all"
CLASSIFIER: Final = "Programming Language :: Python :: 3."


def supported(root: Path = ROOT) -> list[str]:
    """The versions of Python that the package says it is for."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    listed = [each for each in project["classifiers"] if each.startswith(CLASSIFIER)]
    return [each.rpartition(" ")[2] for each in listed]


def interpreters(given: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """An interpreter of each supported version, and the versions that have none here."""
    found: dict[str, str] = {}
    for path in [*given, *_on_path(), *_of_pyenv()]:
        version = _version(path)
        if version in supported():
            found.setdefault(version, path)
    return dict(sorted(found.items())), [each for each in supported() if each not in found]


def _on_path() -> Iterator[str]:
    for name in (f"python{version}" for version in supported()):
        if path := shutil.which(name):
            yield path
    yield sys.executable


def _of_pyenv() -> Iterator[str]:
    """pyenv's own names on the path work for the chosen version alone."""
    if shutil.which("pyenv"):
        versions = Path(run(["pyenv", "root"]).strip()) / "versions"
        yield from map(str, sorted(versions.glob("3.*/bin/python"), reverse=True))


def _version(path: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def extras(wheel: Path) -> list[str]:
    """Every extra, and first of all none."""
    return ["", *(_metadata(wheel).get_all("Provides-Extra") or [])]


def _metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.parser.BytesParser().parsebytes(archive.read(name))


def check_installed(
    wheel: Path, version: str, found: dict[str, str], at: Commit, folder: Path
) -> list[Path]:
    """Use the wheel with every extra on the oldest version, and with none and all on the others.

    Returns a bill of materials of each extra. Raises Fault for what does not work.
    """
    listed = extras(wheel)
    oldest, *others = found
    most = EVERYTHING if EVERYTHING in listed else listed[-1]
    tried = [(oldest, each) for each in listed]
    tried += [(each, extra) for each in others for extra in dict.fromkeys(("", most))]
    with _postgres() as new_database, ThreadPoolExecutor(os.cpu_count()) as pool:

        def try_one(python: str, extra: str) -> Path | None:
            place = folder / f"python{python}-{extra or 'alone'}"
            interpreter = install(wheel, extra, found[python], place)
            command = [str(interpreter), "-I", str(SMOKE), version, extra]
            said = run(command, RESCIND_SMOKE_POSTGRES=new_database(), TMPDIR=str(folder))
            print(f"Python {python}, {wheel_with(extra)}: {said.strip()}", flush=True)
            return bill(interpreter, version, extra, at, folder) if python == oldest else None

        jobs = [pool.submit(try_one, *each) for each in tried]
        made = [job.result() for job in jobs]
    return [path for path in made if path is not None]


def wheel_with(extra: str) -> str:
    """As one writes it."""
    return f"rescind[{extra}]" if extra else "rescind"


def install(wheel: Path, extra: str, python: str, place: Path) -> Path:
    """The interpreter of a new environment that has the wheel, what the extra needs, and nothing else."""
    run([python, "-m", "venv", "--without-pip", str(place)])
    interpreter = place / "bin/python"
    what = f"{wheel}[{extra}]" if extra else str(wheel)
    pip = [sys.executable, "-m", "pip", "--python", str(interpreter)]
    run([*pip, "install", "--quiet", "--no-compile", what])
    run([*pip, "check"])
    return interpreter


def bill(interpreter: Path, version: str, extra: str, at: Commit, folder: Path) -> Path:
    """A CycloneDX document of what is installed, valid by its schema."""
    name = f"rescind-{version}{f'-{extra}' if extra else ''}.cdx.json"
    project = folder / f"{name}.toml"  # the version is in the source, where CycloneDX does not look
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    project.write_text(text.replace('dynamic = ["version"]', f'version = "{version}"'), "utf-8")
    options = ["--pyproject", str(project), "--mc-type", "library", "--output-reproducible"]
    command = [str(SCRIPTS / "cyclonedx-py"), "environment", *options, "--validate"]
    run(
        [*command, "-o", str(folder / name), str(interpreter)],
        SOURCE_DATE_EPOCH=str(at.seconds),
    )
    _hide_paths(folder / name)
    return folder / name


def _hide_paths(path: Path) -> None:
    text = path.read_text("utf-8")
    if found := re.search(r"file://[^\"]*", text):
        raise Fault(f"{path.name} has a path of this machine: {found[0]}")


@contextmanager
def _postgres() -> Iterator[Callable[[], str]]:
    """The maker of migrated databases, on a server that ends with the block."""
    from tests.faults.server import running

    with running() as server:
        lock = Lock()

        def new_database() -> str:
            with lock:
                return server.new_database()

        yield new_database
