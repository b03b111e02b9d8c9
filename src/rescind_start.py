"""What the command `rescind` begins with. No part of the package, which takes a while to load."""

from __future__ import annotations

import signal
import sys

FAILED = 2
"""Not 1, which means denied."""


def main() -> None:
    """Run the command line. While its parts are loaded, Ctrl-C just ends the process: nothing is begun."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # of a job in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from rescind.errors import ExtraMissing, extra

    try:
        with extra("cli"):
            from rescind.cli import main as command
    except ExtraMissing as error:
        print(f"rescind: {error}", file=sys.stderr)
        sys.exit(FAILED)
    signal.signal(signal.SIGINT, before)
    command()
