"""The command line: `rescind`. An error is one line: what is wrong, and how to correct it."""

from __future__ import annotations

import io
import os
import sys

import typer

from rescind.cli import options
from rescind.cli.commands import application
from rescind.cli.output import complain, one_line
from rescind.errors import BadInput, RescindError

USAGE_ERROR: type[BaseException] = typer.BadParameter.__mro__[2]
"""The base class of Typer's own errors, wherever Typer defines it."""
FAILED = 2
INTERRUPTED = 130


def main() -> None:
    """Run the command and exit: 0 for done or allowed, 1 for denied, 2 for an error, printed in one line."""
    _prepare_streams()
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """The exit code of one command."""
    try:
        app = application(sys.argv[1:] if arguments is None else arguments)
        code = app(args=arguments, prog_name="rescind", standalone_mode=False)
    except BadInput as error:
        return failed(options.told(error), error)
    except RescindError as error:
        return failed(options.told(error))
    except USAGE_ERROR as error:
        message = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
        message = message.replace(": Value error, ", ": ", 1)  # Typer's words for an unknown choice
        command = getattr(getattr(error, "ctx", None), "command_path", "") or "rescind"
        end = "" if message.endswith("?") else "."
        return failed(f"{message}{end} Try `{command} --help`." if message else "")
    except (typer.Abort, KeyboardInterrupt):
        return failed("interrupted; what was committed stays.")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except SystemExit as stop:  # Typer and Rich exit with 1 when the reader went away
        return FAILED if stop.code == 1 else int(stop.code or 0)
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename or repr('')}: "
        return failed(f"{where}{error.strerror or error}.")
    if code == INTERRUPTED:
        return failed("interrupted; what was committed stays.")
    return code if isinstance(code, int) else 0


def _prepare_streams() -> None:
    """Replace closed streams by the null device; escape what a stream's encoding cannot express."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def failed(message: str, several: BadInput | None = None) -> int:
    if message:
        complain(message)
    if several is not None and several.problems:
        for problem in several.problems:
            print(f"  {one_line(problem.place_and_why())}", file=sys.stderr)
        if (more := several.count - len(several.problems)) > 0:
            print(f"  … and {more:,} more", file=sys.stderr)
    return FAILED
