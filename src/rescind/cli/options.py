"""What every command takes: which database, which organization, and whether to answer in JSON."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from rescind import __version__
from rescind.authority import Authority
from rescind.cli import output
from rescind.errors import InvalidArgument, OrganizationNotFound, RescindError

DEFAULT_DATABASE = "./rescind.db"

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        "-d",
        help=f"A SQLite file or postgresql://…; RESCIND_DATABASE, or else {DEFAULT_DATABASE}.",
    ),
]
Organization = Annotated[
    str | None,
    typer.Option(
        "--organization",
        "-o",
        help="Whose facts; RESCIND_ORGANIZATION. '*' is what is for all organizations.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@dataclass(slots=True)
class _Given:
    """What stood before the command's name."""

    database: str | None = None
    organization: str | None = None


_given = _Given()


def _say_version(wanted: bool) -> None:
    if wanted:
        output.say(f"rescind {__version__}")
        raise typer.Exit


def remember(
    database: Annotated[
        str | None, typer.Option("--database", "-d", envvar="RESCIND_DATABASE")
    ] = None,
    organization: Annotated[
        str | None, typer.Option("--organization", "-o", envvar="RESCIND_ORGANIZATION")
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback says it
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_say_version, help="Say which version this is."
        ),
    ] = False,
) -> None:
    """Who may do what, by groups and roles. What is revoked is enforced when the call returns."""
    _given.database, _given.organization = database, organization


@dataclass(frozen=True, slots=True)
class Target:
    """The database and organization that a command works on, and how it answers."""

    database: str
    organization: str | None
    as_json: bool

    @property
    def shown(self) -> str:
        """The database's name without its user and password."""
        if not self.database.startswith(("postgresql://", "postgres://")):
            return self.database
        parts = urlsplit(self.database)
        return f"{parts.path.lstrip('/')} on {parts.hostname or 'a local socket'}"

    def open(self) -> Authority:
        """The authority there. Raises StoreUnavailable, SchemaMissing and the like."""
        return Authority.open(self.database, organization=self.organization)

    def hinted(self, error: OrganizationNotFound) -> RescindError:
        """The error, with organizations of that name's like: whoever has the database may know them."""
        name = error.facts.get("organization")
        if not isinstance(name, str):
            return error
        try:
            with self.open() as authority:
                similar = authority.similar_organizations(name)
        except RescindError:
            return error
        return OrganizationNotFound(**error.facts, did_you_mean=similar) if similar else error

    def require_organization(self) -> str:
        """The organization's name, or InvalidArgument saying how to give it."""
        if self.organization is None:
            hint = "name one with --organization, or set RESCIND_ORGANIZATION"
            raise InvalidArgument(what="organization", hint=hint)
        return self.organization


def with_target(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `target` is made from the options of this module."""

    def run(
        database: str | None, organization: str | None, as_json: bool, **others: object
    ) -> None:
        where = _last_given("database", database, _given.database)
        whose = _last_given("organization", organization, _given.organization)
        target = Target(where or DEFAULT_DATABASE, whose, as_json)
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
"""How options are typed of which the library speaks by its own names."""


def told(error: RescindError) -> str:
    """What is wrong and what to do, with options as they are typed here."""
    what = error.facts.get("what")
    if isinstance(error, InvalidArgument) and what in _TYPED:
        error = InvalidArgument(**{**error.facts, "what": _TYPED[str(what)]})
    return error.sentence(lambda option: f"--{option.replace('_', '-')}")


def given_database(after: str | None) -> str | None:
    """The database that the command line or RESCIND_DATABASE names, if either does."""
    return _last_given("database", after, _given.database)


def _last_given(what: str, after: str | None, before: str | None) -> str | None:
    """What stands after the command, or else before it. An empty one is refused, since a variable
    that was not set must not come to mean the default.
    """
    given = before if after is None else after
    if given == "":
        raise InvalidArgument(what=f"--{what}", hint="name one, or leave the option out")
    return given


def shaped(
    run: Callable[..., Any], parameters: list[inspect.Parameter], promise: str | None
) -> Callable[..., Any]:
    """The function with another signature, for Typer to read; all is passed by keyword."""
    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    run.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in keywords}
    run.__doc__ = promise
    return run
