"""The commands, and the module of each. Only the command that was typed is loaded and made: doing that with
all of them takes longer than most commands.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

import click

from rescind.cli import declared, options
from rescind.errors.base import did_you_mean

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
COMPLETION = "_RESCIND_COMPLETE"
"""The variable by which a shell asks for completions, as Click names it."""
NOTHING_TO_DO = 2
"""The exit code where no command is named."""


class CommandLine(click.Group):
    """`rescind` itself: options for every command, and the commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names, in the order of the help."""
        return [name for module in MODULES for name in _commands(module).names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> declared.Command | None:  # noqa: ARG002
        """The command of that name; no other is loaded."""
        return find(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As Click does; a mistyped name is told the ones like it."""
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and find(name) is None:
            from difflib import get_close_matches

            similar = tuple(repr(one) for one in get_close_matches(name, self.list_commands(ctx)))
            hint = f" Did you mean {did_you_mean(similar)}?" if similar else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As Click does; without arguments, the help."""
        if not args and not ctx.resilient_parsing:
            click.echo(self.get_help(ctx))
            ctx.exit(NOTHING_TO_DO)
        with declared.parsing(ctx, args):
            return super().parse_args(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The help, for the width of the terminal."""
        from rescind.cli.help import rendered

        return rendered(self, ctx)


def application() -> CommandLine:
    """The command line."""
    return CommandLine(
        "rescind",
        callback=options.remember,
        params=declared.parameters(options.remember),
        help=options.remember.__doc__,
        no_args_is_help=False,
    )


def completed(app: CommandLine, asked: str) -> int:
    """Print the completions that a shell asked for; the exit code."""
    from click.shell_completion import shell_complete

    return shell_complete(app, {}, "rescind", COMPLETION, asked)


def find(name: str) -> declared.Command | None:
    """The command of that name."""
    module = next((module for module, names in MODULES.items() if name in names), CHANGES)
    return _commands(module).find(name)


def every_command() -> dict[str, declared.Command]:
    """All commands by their names, in the order of the help."""
    found = [_commands(module) for module in MODULES]
    return {name: made for each in found for name in each.names() if (made := each.find(name))}


@cache
def _commands(module: str) -> declared.Commands:
    found = declared.Commands()
    import_module(module).register(found)
    return found
