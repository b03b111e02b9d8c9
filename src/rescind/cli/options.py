"""Options of every command: database, organization, and whether to print JSON."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import click

from rescind import __version__
from rescind.authority import Authority
from rescind.cli import output
from rescind.cli.declared import Option
from rescind.errors import InvalidArgument, OrganizationNotFound, RescindError
from rescind.settings import Settings
from rescind.store.open import with_password_file

DEFAULT_DATABASE = "./rescind.db"
FILE_VARIABLE: Final = "RESCIND_DATABASE_PASSWORD_FILE"
_SETTINGS: Final = Settings(past_most_facts=0)
"""A command is a process of its own, and its user sees what it takes: no limit keeps it from the past."""

Database = Annotated[
    str | None,
    Option(
        "--database",
        "-d",
        help=f"A SQLite file or postgresql://…. Default: RESCIND_DATABASE, else {DEFAULT_DATABASE}.",
    ),
]
Organization = Annotated[
    str | None,
    Option(
        "--organization",
        "-o",
        help="The organization. Default: RESCIND_ORGANIZATION. '*' is the environment.",
    ),
]
AsJson = Annotated[bool, Option("--json", help="Print JSON.")]


@dataclass(slots=True)
class _Given:
    """Options before the command's name."""

    database: str | None = None
    organization: str | None = None


_given = _Given()


def _say_version() -> None:
    output.say(f"rescind {__version__}")


def _install_completion() -> None:
    from rescind.cli import completion

    completion.install()


def _show_completion() -> None:
    from rescind.cli import completion

    completion.show()


def remember(
    database: Annotated[
        str | None,
        Option("--database", "-d", envvar="RESCIND_DATABASE", help="A file or postgresql://…."),
    ] = None,
    organization: Annotated[
        str | None,
        Option("--organization", "-o", envvar="RESCIND_ORGANIZATION", help="The organization."),
    ] = None,
    version: Annotated[  # noqa: ARG001 - these three act at once
        bool, Option("--version", at_once=_say_version, help="Print the version.")
    ] = False,
    install_completion: Annotated[  # noqa: ARG001
        bool, Option(at_once=_install_completion, help="Let this shell complete commands.")
    ] = False,
    show_completion: Annotated[  # noqa: ARG001
        bool, Option(at_once=_show_completion, help="Print the script that does that.")
    ] = False,
) -> None:
    """Who may do what, by groups and roles. What is revoked is enforced when the call returns.

    See it at work with `rescind demo`. Begin with `rescind init -o acme`, and ask with `rescind check -o acme
    ada doc:read`. Each command explains itself: `rescind check --help`.
    """
    _given.database, _given.organization = database, organization


@dataclass(frozen=True, slots=True)
class Target:
    """The database and organization that a command works on, and how it answers."""

    database: str
    organization: str | None
    as_json: bool
    typed: frozenset[str] = frozenset()
    """The command's parameters that were given on the command line."""

    @property
    def shown(self) -> str:
        """The database's name without its user and password."""
        if not self.database.startswith(("postgresql://", "postgres://")):
            return self.database
        from rescind.store.postgres import location

        return location(self.database)

    def open(self, *, listen_database: str = "") -> Authority:
        """An authority on this database. Raises StoreUnavailable, SchemaMissing and the like."""
        settings = replace(_SETTINGS, listen_database=listen_database)
        return Authority.open(self.database, organization=self.organization, settings=settings)

    def hinted(self, error: OrganizationNotFound) -> RescindError:
        """The error with similar names of organizations. Users of the database may know all of them."""
        name = error.facts.get("organization")
        if not isinstance(name, str):
            return error
        try:
            with self.open() as authority:
                similar = authority.similar_organizations(name)
        except RescindError:
            return error
        return OrganizationNotFound(**error.facts, did_you_mean=similar) if similar else error

    def refuse_given(self, *parameters: str, hint: str) -> None:
        """Raises InvalidArgument for an option that was typed and would have no effect.

        One that the environment has may be meant for other commands, and is no error.
        """
        for name in parameters:
            if name in self.typed:
                raise InvalidArgument(what=f"--{name.replace('_', '-')}", hint=hint)

    def require_organization(self) -> str:
        """The organization's name. Raises InvalidArgument, which says how to give it."""
        if self.organization is None:
            hint = "name one with --organization, or set RESCIND_ORGANIZATION"
            raise InvalidArgument(what="organization", hint=hint)
        return self.organization


def with_target(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `target` is made from the options of this module."""

    def run(
        database: str | None,
        organization: str | None,
        as_json: bool,
        **others: object,
    ) -> None:
        where = _last_given("database", database, _given.database)
        whose = _last_given("organization", organization, _given.organization)
        database = with_password_file(where or DEFAULT_DATABASE, os.environ.get(FILE_VARIABLE))
        target = Target(database, whose, as_json, _typed())
        try:
            command(target, **others)
        except OrganizationNotFound as error:
            raise target.hinted(error) from None

    keyword = inspect.Parameter.KEYWORD_ONLY
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    common = [
        inspect.Parameter("database", keyword, default=None, annotation=Database),
        inspect.Parameter("organization", keyword, default=None, annotation=Organization),
        inspect.Parameter("as_json", keyword, default=False, annotation=AsJson),
    ]
    return shaped(run, [*own, *common], command.__doc__)


def _typed() -> frozenset[str]:
    context = click.get_current_context()
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(
        name for name, source in sources.items() if source and source.name == "COMMANDLINE"
    )


_TYPED = {
    "idempotency key": "--key",
    "expires_at": "--expires-at",
    "batch size": "--batch-size",
    "subject kind": "--kind",
    "resource type": "--type",
    "grace": "--grace",
    "cursor": "--cursor",
    "limit": "--limit",
    "after": "--after",
    "actor": "--actor",
    "reason": "--reason",
}
"""The options for names that the library's errors use."""


def told(error: RescindError) -> str:
    """The error's message and hint, with options as they are typed on the command line."""
    what = error.facts.get("what")
    if isinstance(error, InvalidArgument) and what in _TYPED:
        error = InvalidArgument(**{**error.facts, "what": _TYPED[str(what)]})
    return error.sentence(lambda option: f"--{option.replace('_', '-')}")


def given_database(after: str | None) -> str | None:
    """The database that the command line or RESCIND_DATABASE names, if either does."""
    return _last_given("database", after, _given.database)


def _last_given(what: str, after: str | None, before: str | None) -> str | None:
    """The option after the command, else before it, else what the environment has. Raises InvalidArgument for
    an empty one: an unset variable must not mean the default.
    """
    given = before if after is None else after
    if given is not None and not given.strip():
        hint = f"it is empty: name one, or leave the option out and unset RESCIND_{what.upper()}"
        raise InvalidArgument(what=f"--{what}", hint=hint)
    return given


def shaped(
    run: Callable[..., Any], parameters: list[inspect.Parameter], promise: str | None
) -> Callable[..., Any]:
    """The function with another signature. Arguments are passed by keyword."""
    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    run.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in keywords}
    run.__doc__ = promise
    return run
