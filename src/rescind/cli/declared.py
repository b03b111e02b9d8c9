"""Commands of Click from functions: the annotation of each parameter declares how it is typed.

    def check(subject: Annotated[str, Argument(help="…")], live: Annotated[bool, Option("--live")] = False)

Owns what is typed and how it is converted. Knows nothing of what commands do, and draws no help.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin

import click

if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:  # not generic before Click 8.2
    _Choice = click.Choice

OPTIONS: Final = "Options"
"""The panel of the help for options that name no other."""
Function = Callable[..., Any]


class Argument:
    """A parameter that is given by its place."""

    def __init__(
        self, *, help: str = "", metavar: str = "", min: int | None = None, max: int | None = None
    ) -> None:
        self.help, self.metavar, self.min, self.max = help, metavar, min, max


class Option:
    """A parameter that is given by a name: `--` and the parameter's, unless others are given."""

    def __init__(
        self,
        *names: str,
        help: str = "",
        metavar: str = "",
        panel: str = OPTIONS,
        envvar: str | None = None,
        min: int | None = None,
        max: int | None = None,
        show_default: bool = True,
        at_once: Callable[[], None] | None = None,
    ) -> None:
        """`at_once` is called instead of the command, if a flag is given."""
        self.names, self.help, self.metavar, self.panel = names, help, metavar, panel
        self.envvar, self.min, self.max = envvar, min, max
        self.show_default, self.at_once = show_default, at_once


ALONE: Final = (
    "Nothing was done: that option must stand alone."
    " Before values that may begin with '-', write '--'"
)


@contextmanager
def parsing(context: click.Context, arguments: list[str]) -> Iterator[None]:
    """A block that parses these arguments: a mistake names the command.

    What ends it at once, such as `--help`, is a mistake unless it stands alone. It may have been meant for a
    value, and 0 would tell a script that somebody is allowed, or that a change was made.
    """
    is_alone = len(arguments) == 1
    try:
        yield
    except click.UsageError as error:
        error.ctx = error.ctx or context
        raise
    except click.exceptions.Exit as stop:
        if is_alone or stop.exit_code:
            raise
        raise click.UsageError(ALONE, context) from None


class Command(click.Command):
    """A command whose help this package draws."""

    panel: str = ""

    def get_help(self, ctx: click.Context) -> str:
        """The help, for the width of the terminal."""
        from rescind.cli.help import rendered

        return rendered(self, ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As Click does; a mistake names this command."""
        with parsing(ctx, args):
            return super().parse_args(ctx, args)


class Commands:
    """The commands of a module, each made when it is asked for."""

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[], Command]] = {}

    def add(
        self,
        name: str,
        of: Any,
        panel: str,
        shape: Callable[[Any], Function] | None = None,
    ) -> None:
        """A command that calls the function `of`, or what `shape` makes of it, in a panel of the help."""

        def make() -> Command:
            return command(name, of if shape is None else shape(of), panel)

        self._makers[name] = cache(make)

    def names(self) -> list[str]:
        """In the order in which they were added."""
        return list(self._makers)

    def find(self, name: str) -> Command | None:
        """The command of that name."""
        make = self._makers.get(name)
        return None if make is None else make()


def command(name: str, function: Function, panel: str) -> Command:
    """A command that calls the function."""
    made = Command(
        name,
        callback=calling(function),
        params=parameters(function),
        help=inspect.cleandoc(function.__doc__ or ""),
    )
    made.panel = panel
    return made


def calling(function: Function) -> Function:
    """What Click calls: the function, with lists as lists, and None for one that was not given."""
    lists = [name for name, (_, is_list, _) in _declared(function).items() if is_list]

    def call(**values: Any) -> Any:
        for name in lists:
            values[name] = list(values[name] or ()) or None
        return function(**values)

    return call


def parameters(function: Function) -> list[click.Parameter]:
    """The parameters that a function declares."""
    defaults = inspect.signature(function).parameters
    found: list[click.Parameter] = []
    for name, (kind, is_list, declared) in _declared(function).items():
        default = defaults[name].default
        if isinstance(declared, Argument):
            found.append(_argument(name, kind, is_list, declared, default))
        else:
            found.append(_option(name, kind, is_list, declared, default))
    return found


def _declared(function: Function) -> dict[str, tuple[Any, bool, Argument | Option]]:
    """The type of each parameter, whether it is a list of that, and its declaration."""
    found = {}
    for name, each in inspect.signature(function, eval_str=True).parameters.items():
        annotation, declared = get_args(each.annotation)
        assert get_origin(each.annotation) is Annotated, name
        kind, *others = [
            one for one in get_args(annotation) or (annotation,) if one is not NoneType
        ]
        is_list = get_origin(annotation) is list or get_origin(kind) is list
        if get_origin(kind) is list:
            (kind,) = get_args(kind)
        assert not others, name
        found[name] = (kind, is_list, declared)
    return found


def _argument(
    name: str, kind: Any, is_list: bool, declared: Argument, default: object
) -> click.Parameter:
    is_required = default in (inspect.Parameter.empty, ...)
    return Placed(
        [name],
        type=_click_type(kind, declared),
        nargs=-1 if is_list else 1,
        required=is_required,
        metavar=declared.metavar or name.upper(),
        declared=declared,
        **({} if is_required else {"default": default}),
    )


def _option(
    name: str, kind: Any, is_list: bool, declared: Option, default: object
) -> click.Parameter:
    return Named(
        [name, *(declared.names or (f"--{name.replace('_', '-')}",))],
        type=None if kind is bool else _click_type(kind, declared),
        is_flag=kind is bool,
        multiple=is_list,
        default=default,
        metavar=declared.metavar or None,
        declared=declared,
        kind=kind,
        envvar=declared.envvar,
        show_default=declared.show_default,
        is_eager=declared.at_once is not None,
        expose_value=declared.at_once is None,
        callback=None if declared.at_once is None else _at_once(declared.at_once),
    )


def _at_once(act: Callable[[], None]) -> Callable[..., None]:
    def call(context: click.Context, _: click.Parameter, is_given: bool) -> None:
        if is_given and not context.resilient_parsing:
            act()
            context.exit()

    return call


class Placed(click.Argument):
    """An argument, and how it was declared."""

    def __init__(self, words: list[str], *, declared: Argument, **options: Any) -> None:
        super().__init__(words, **options)
        self.declared = declared


class Named(click.Option):
    """An option, and how it was declared."""

    def __init__(
        self, words: list[str], *, declared: Option, kind: Any, default: object, **options: Any
    ) -> None:
        super().__init__(words, help=declared.help, default=default, **options)
        self.declared, self.kind = declared, kind

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """As Click does, but an empty variable is a mistake: it may be a secret that was not filled in.
        Before the command's name it is no mistake yet, because the command may be given another value.
        """
        name = self.declared.envvar
        text = None if name is None else os.environ.get(name)
        if text is None or text.strip() or ctx.resilient_parsing:
            return super().resolve_envvar_value(ctx)
        if ctx.parent is None:
            return text
        raise click.UsageError(f"{name} is empty: give it a value, or unset it", ctx)


class OneOf(_Choice):
    """The values of an enumeration; what was typed becomes a member of it."""

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__([str(each.value) for each in kind])
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The member with this value."""
        if isinstance(value, self._kind):
            return value
        return self._kind(super().convert(value, param, ctx))


def _click_type(kind: Any, declared: Argument | Option) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return OneOf(kind)
    if kind is int:
        return _whole_number(declared)
    if kind is Path:
        return click.Path(path_type=Path)
    return _number if kind is float else click.STRING


def _whole_number(declared: Argument | Option) -> Callable[[Any], int]:
    least = float("-inf") if declared.min is None else declared.min
    most = float("inf") if declared.max is None else declared.max

    def convert(value: Any) -> int:
        with suppress(ValueError):
            number = int(value)
            if least <= number <= most:
                return number
        words = bounds(declared)
        raise click.BadParameter(f"{value!r} is not a whole number{words and f' {words}'}.")

    return convert


def bounds(declared: Argument | Option) -> str:
    """Between what a number must be, in words that follow a noun."""
    if declared.min is None:
        return "" if declared.max is None else f"of at most {declared.max:,}"
    if declared.max is None:
        return f"of at least {declared.min:,}"
    return f"from {declared.min:,} to {declared.max:,}"


def _number(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a number.") from None
