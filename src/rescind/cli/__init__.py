"""The command line: `rescind`. An error is one line: what is wrong, and how to correct it."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

import click

from rescind.cli import options
from rescind.cli.commands import COMPLETION, application, completed
from rescind.cli.output import complain, one_line
from rescind.errors import BadInput, RescindError
from rescind.errors.base import did_you_mean

FAILED = 2


def main() -> None:
    """Run the command and exit: 0 for done or allowed, 1 for denied, 2 for an error, printed in one line."""
    _prepare_streams()
    try:
        code = run()
    except Exception as error:  # a fault of ours: Python would exit with 1, which means denied
        sys.excepthook(type(error), error, error.__traceback__)
        code = FAILED
    is_out = [_is_out(stream) for stream in (sys.stdout, sys.stderr)]
    sys.exit(code if all(is_out) else FAILED)


def run(arguments: list[str] | None = None) -> int:
    """The exit code of one command."""
    try:
        return _call(sys.argv[1:] if arguments is None else arguments)
    except BadInput as error:
        return failed(options.told(error), error)
    except RescindError as error:
        return failed(options.told(error))
    except click.ClickException as error:
        return failed(_mistake(error))
    except (click.Abort, KeyboardInterrupt):
        return failed("interrupted; what was committed stays.")
    except BrokenPipeError:
        return FAILED
    except SystemExit as stop:  # Click and Rich exit with 1 when the reader went away
        return FAILED if stop.code == 1 else int(stop.code or 0)
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename or repr('')}: "
        return failed(f"{where}{error.strerror or error}.")


def _call(arguments: list[str]) -> int:
    """As Click's `main`, which prints an empty line of its own where it is interrupted."""
    app = application()
    if asked := os.environ.get(COMPLETION):
        return completed(app, asked)
    try:
        with app.make_context("rescind", list(arguments)) as context:
            app.invoke(context)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    return 0


def _mistake(error: click.ClickException) -> str:
    """What was typed wrongly, in one line, and where to read more."""
    if isinstance(error, click.NoSuchOption):
        similar = tuple(sorted(error.possibilities or ()))
        hint = f" Did you mean {did_you_mean(similar)}?" if similar else ""
        message = f"No such option {error.option_name!r}.{hint}".rstrip(".")
    else:
        message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    command = "rescind" if context is None else context.command_path
    return f"{message}{'' if message.endswith('?') else '.'} Try `{command} --help`."


def _prepare_streams() -> None:
    """Replace closed streams by the null device; escape what a stream's encoding cannot express."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _is_out(stream: TextIO) -> bool:
    """Whether everything that was printed has left this process. If not, the rest goes nowhere: Python would
    try again after the command, and exit with 120.
    """
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def failed(message: str, several: BadInput | None = None) -> int:
    if message:
        complain(message)
    if several is not None and several.problems:
        for problem in several.problems:
            print(f"  {one_line(problem.place_and_why())}", file=sys.stderr)
        if (more := several.count - len(several.problems)) > 0:
            print(f"  … and {more:,} more", file=sys.stderr)
    return FAILED
