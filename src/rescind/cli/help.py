"""The help of a command, drawn by Rich: how it is called, what it does, its arguments and its options."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rescind.cli.declared import OPTIONS, Argument, Named, OneOf, Option, Placed, bounds

ARGUMENTS = "Arguments"
KINDS = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}
Line = tuple[Text, Text]


def rendered(command: click.Command, context: click.Context) -> str:
    """The help as text, with colours that Click takes away where nobody sees them."""
    console = Console(markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        console.print(_usage(command, context))
        console.print()
        for paragraph in (command.help or "").split("\n\n"):
            console.print(Padding(Text(" ".join(paragraph.split())), (0, 1, 1, 1)))
        for title, lines in panels(command, context).items():
            console.print(_panel(title, lines))
    return captured.get().rstrip("\n")


def panels(command: click.Command, context: click.Context) -> dict[str, list[Line]]:
    """The lines of each panel, in the order in which they are shown."""
    found: dict[str, list[Line]] = {ARGUMENTS: [], OPTIONS: []}
    for each in command.get_params(context):
        if isinstance(each, Placed):
            found[ARGUMENTS].append((_name(_place(each)), _text(each.declared, each)))
        elif isinstance(each, Named):
            lines = found.setdefault(each.declared.panel, [])
            lines.append((_names(each), _text(each.declared, each)))
        elif isinstance(each, click.Option):
            found[OPTIONS].append((_names(each), Text(each.help or "")))
    if isinstance(command, click.Group):
        found |= _commands(command, context)
    return {title: lines for title, lines in found.items() if lines}


def _commands(group: click.Group, context: click.Context) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        first = " ".join((command.help or "").partition("\n\n")[0].split())
        panel = str(getattr(command, "panel", ""))
        found.setdefault(panel, []).append((_name(name), Text(first)))
    return found


def _usage(command: click.Command, context: click.Context) -> Text:
    words = ["[OPTIONS]", *(map(_place, filter(_is_placed, command.get_params(context))))]
    if isinstance(command, click.Group):
        words.append("COMMAND …")
    return Text.assemble(
        "\n ", ("Usage: ", "yellow"), (f"{context.command_path} {' '.join(words)}", "bold")
    )


def _is_placed(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


def _place(parameter: click.Parameter) -> str:
    """An argument as it is typed: in brackets if it may be left out, with dots if it may be repeated."""
    shown = f"{parameter.metavar}{'…' if parameter.nargs == -1 else ''}"
    return shown if parameter.required else f"[{shown}]"


def _name(text: str) -> Text:
    return Text(text, style="bold cyan", no_wrap=True)


def _names(option: click.Option) -> Text:
    """The option's names, short ones first, and what follows them."""
    names = [*sorted(option.opts, key=len), *option.secondary_opts]
    shown = Text(", ".join(names), style="bold cyan", no_wrap=True)
    if isinstance(option, Named) and not option.is_flag:
        shown.append(f" {option.metavar or KINDS.get(option.kind, 'CHOICE')}", style="yellow")
    return shown


def _text(declared: Argument | Option, parameter: click.Parameter) -> Text:
    shown = Text(declared.help)
    for note in _notes(declared, parameter):
        shown.append(f"{' ' if shown.plain else ''}[{note}]", style="dim")
    return shown


def _notes(declared: Argument | Option, parameter: click.Parameter) -> Iterable[str]:
    if isinstance(parameter.type, OneOf):
        yield ", ".join(map(str, parameter.type.choices))
    if words := bounds(declared):
        yield words.removeprefix("of ").removeprefix("from ")
    default = getattr(parameter.default, "value", parameter.default)
    is_shown = not isinstance(declared, Option) or declared.show_default
    if is_shown and isinstance(default, (str, int, float)) and default not in (False, ""):
        yield f"default: {default}"
    if isinstance(declared, Option) and declared.envvar:
        yield f"env var: {declared.envvar}"


def _panel(title: str, lines: list[Line]) -> Panel:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column()
    table.add_column(ratio=1)
    for line in lines:
        table.add_row(*line)
    return Panel(table, title=title, title_align="left", border_style="dim")
