"""The module of each command. Only the module of the command that was typed is loaded: loading all of them
takes longer than most commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module

import typer
from typer.models import CommandInfo

from rescind.cli import options

CHANGES = "rescind.cli.change_commands"
MODULES: dict[str, tuple[str, ...]] = {
    "rescind.cli.transfer": ("init", "import", "export"),
    "rescind.cli.migrating": ("migrate",),
    "rescind.cli.restoring": ("restored",),
    CHANGES: (),
    "rescind.cli.questions": ("check", "explain", "what-can", "who-can"),
    "rescind.cli.doctor": ("doctor",),
    "rescind.cli.facts": ("list",),
    "rescind.cli.history": ("log",),
    "rescind.cli.reviews": ("review",),
    "rescind.cli.access_history": ("history",),
    "rescind.cli.background": ("worker", "pending"),
    "rescind.cli.audits": ("audit",),
    "rescind.cli.targets": ("targets",),
    "rescind.cli.advise": ("advise",),
    "rescind.cli.probe": ("probe",),
    "rescind.cli.service": ("serve", "config", "keys"),
    "rescind.cli.monitoring": ("monitoring",),
    "rescind.cli.sql": ("sql",),
    "rescind.cli.demo": ("demo",),
}
"""Modules in the order of the help. Any other command is a change, and named for it."""

_WITH_VALUE = ("--database", "-d", "--organization", "-o")
"""Options before the command that take a value."""


def application(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line for these arguments: one command if they name it, or else all of them."""
    app = typer.Typer(
        name="rescind",
        help="Who may do what, by groups and roles; what is revoked is enforced when the call returns.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    app.callback()(options.remember)
    name = _command_name(arguments)
    found = [] if name is None else [c for c in _commands(_module(name)) if c.name == name]
    app.registered_commands = found or [c for module in MODULES for c in _commands(module)]
    return app


def _command_name(arguments: Sequence[str]) -> str | None:
    """The first argument that is neither an option nor its value; None if `--help` comes before it."""
    words = iter(arguments)
    for word in words:
        if word == "--help":
            return None
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def _module(command: str) -> str:
    return next((module for module, names in MODULES.items() if command in names), CHANGES)


@cache
def _commands(module: str) -> list[CommandInfo]:
    app = typer.Typer()
    import_module(module).register(app)
    return app.registered_commands
