"""What the command `rescind` begins with. No part of the package, which takes a while to load."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

FAILED = 2
"""Not 1, which means denied."""


def main() -> None:
    """Run the command line. While its parts are loaded, Ctrl-C just ends the process: nothing is begun."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # of a job in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        command = _loaded()
    except Exception as error:  # of a broken installation: Python would exit with 1
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(FAILED)
    signal.signal(signal.SIGINT, before)
    command()


def _loaded() -> Callable[[], None]:
    from importlib.util import find_spec

    from rescind.errors import ExtraMissing, extra

    try:
        with extra("cli"):
            if find_spec("rich") is None:  # loaded late; Flask brings Click without it
                raise ModuleNotFoundError("No module named 'rich'", name="rich")
            from rescind.cli import main as command
    except ExtraMissing as error:
        print(f"rescind: {error}", file=sys.stderr)
        sys.exit(FAILED)
    return command
