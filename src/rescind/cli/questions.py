"""Questions: check, explain, what-can, who-can."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import click

from rescind.cli import output
from rescind.cli.asked import warn_of_unknown
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.options import Target, with_target
from rescind.errors import InvalidArgument
from rescind.model import SUBJECT_KINDS, Reason

if TYPE_CHECKING:
    from rescind.authority import Authority
    from rescind.listing import UnknownName
    from rescind.model import At, Decision, Page

AT_ROOT: Final = " on the organization itself: --on asks about a resource"
DENIED = 1
WHOLE_PAGE = 10_000

Live = Annotated[bool, Option("--live", help="Decide from the facts.")]
AtLeast = Annotated[str | None, Option(help="A revision token: read no older state.")]
PastTime = Annotated[
    str | None,
    Option(
        "--at",
        help="As it was then: a day or time, a revision's number or a token. No access decision.",
    ),
]
Limit = Annotated[int, Option(min=1, max=WHOLE_PAGE, help="Items of a page.")]
Cursor = Annotated[str | None, Option(help="The cursor of the page before.")]
All = Annotated[bool, Option("--all", help="Print all pages.")]
Subject = Annotated[
    str, Argument(help="user:…, service_account:… or agent:…. Without a prefix, a user.")
]
SubjectOrGroup = Annotated[str, Argument(help="A subject, or group:… for what the group gives.")]
Permission = Annotated[str, Argument(help="A permission, such as invoice:refund.")]
Resource = Annotated[
    str | None, Argument(help="A resource, type:id. Default: the organization itself.")
]


def register(commands: Commands) -> None:
    """Add the commands of this module."""
    commands.add("check", check, "Questions", with_target)
    commands.add("explain", explain, "Questions", with_target)
    commands.add("what-can", what_can, "Questions", with_target)
    commands.add("who-can", who_can, "Questions", with_target)


def check(
    target: Target,
    subject: Subject,
    permission: Permission,
    resource: Resource = None,
    live: Live = False,
    at_least: AtLeast = None,
    at: PastTime = None,
) -> None:
    """Whether a subject may. Exits with 0 if allowed, 1 if denied, 2 if there is no answer."""
    _decide(
        target, subject, permission, resource, live=live, at_least=at_least, at=at, explain=False
    )


def explain(
    target: Target,
    subject: Subject,
    permission: Permission,
    resource: Resource = None,
    live: Live = False,
    at_least: AtLeast = None,
    at: PastTime = None,
) -> None:
    """Show every chain that allows it, or what is missing. Exits as `check` does."""
    _decide(
        target, subject, permission, resource, live=live, at_least=at_least, at=at, explain=True
    )


def what_can(
    target: Target,
    subject: SubjectOrGroup,
    on: Annotated[str | None, Option(help="Permissions on this resource.")] = None,
    permission: Annotated[
        str | None, Option(help="List the resources with this permission instead.")
    ] = None,
    type: Annotated[str | None, Option(help="Only resources of this type.")] = None,
    live: Live = False,
    at_least: AtLeast = None,
    at: PastTime = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    all: All = False,
) -> None:
    """List what a subject can do on a resource, or the resources on which it has a permission."""
    target.require_organization()
    if permission is not None and on is not None:
        raise InvalidArgument(what="--on", hint="give either --on or --permission")
    if permission is None and type is not None:
        raise InvalidArgument(what="--type", hint="give --permission with it")
    if permission is not None and subject.startswith("group:"):
        hint = f"see what it holds where: `rescind list assignments {subject}`"
        raise InvalidArgument(what="--permission", hint=hint)
    with target.open() as authority:

        def ask(**options: Any) -> Page:
            if permission is not None:
                return authority.resources_of(subject, permission, resource_type=type, **options)
            return authority.permissions_of(subject, on, **options)

        names = {"subject": subject, "permission": permission, "resource": on}
        can = "could" if at is not None else "can"
        if permission is not None:
            where = "resource" if type is None else f"resource of type {type}"
            empty = f"{subject} {can} {permission} on no {where}"
        else:
            where = f" on {on}" if on is not None else AT_ROOT
            empty = f"{subject} {can} do nothing{where}"
        _pages(
            target,
            authority,
            ask,
            names,
            empty,
            live=live,
            at_least=at_least,
            at=at,
            limit=limit,
            cursor=cursor,
            all=all,
        )


def who_can(
    target: Target,
    permission: Permission,
    resource: Resource = None,
    kind: Annotated[
        str | None, Option(help=f"Only subjects of this kind: {', '.join(SUBJECT_KINDS)}.")
    ] = None,
    live: Live = False,
    at_least: AtLeast = None,
    at: PastTime = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    all: All = False,
) -> None:
    """List who has a permission on a resource, or on the organization."""
    target.require_organization()
    with target.open() as authority:

        def ask(**options: Any) -> Page:
            return authority.who_can(permission, resource, subject_kind=kind, **options)

        names = {"permission": permission, "resource": resource}
        who = "nobody" if kind is None else f"no {kind.replace('_', ' ')}"
        can = "could" if at is not None else "can"
        empty = f"{who} {can} {permission}{'' if resource is None else f' on {resource}'}"
        _pages(
            target,
            authority,
            ask,
            names,
            empty,
            live=live,
            at_least=at_least,
            at=at,
            limit=limit,
            cursor=cursor,
            all=all,
        )


def _decide(
    target: Target,
    subject: str,
    permission: str,
    resource: str | None,
    *,
    live: bool,
    at_least: str | None,
    at: str | None,
    explain: bool,
) -> None:
    target.require_organization()
    with target.open() as authority:
        answer = authority.check(
            subject,
            permission,
            resource,
            at_least=at_least,
            assurance=_assurance(live),
            explain=explain,
            at=None if at is None else _past(at),
        )
        unknown = (
            ()
            if at is not None
            else _unknown(authority, target, answer, subject, permission, resource)
        )
    output.decision(answer, unknown, as_json=target.as_json)
    if not answer:
        raise click.exceptions.Exit(DENIED)


_UNKNOWN = (Reason.UNKNOWN_SUBJECT, Reason.UNKNOWN_PERMISSION, Reason.UNKNOWN_RESOURCE)


def _unknown(
    authority: Authority,
    target: Target,
    answer: Decision,
    subject: str,
    permission: str,
    resource: str | None,
) -> tuple[UnknownName, ...]:
    """The names in a denied question that do not exist: it may be mistyped."""
    if answer.reason is Reason.UNKNOWN_ORGANIZATION:
        name = target.require_organization()
        from rescind.listing import UnknownName

        return (UnknownName("organization", name, authority.similar_organizations(name)),)
    if answer.reason not in _UNKNOWN:
        return ()
    return authority.unknown_names(subject=subject, permission=permission, resource=resource)


def _pages(
    target: Target,
    authority: Authority,
    ask: Callable[..., Page],
    names: dict[str, str | None],
    empty: str,
    *,
    live: bool,
    at_least: str | None,
    at: str | None,
    limit: int,
    cursor: str | None,
    all: bool,
) -> None:
    """Print the items. Where there are none, nothing is printed for programs, and for people why."""
    options: dict[str, Any] = {"at_least": at_least, "assurance": _assurance(live)}
    if at is not None:
        options["at"] = _past(at)
    size, is_empty = WHOLE_PAGE if all else limit, cursor is None
    while True:
        page = ask(limit=size, cursor=cursor, **options)
        _show(page, as_json=target.as_json)
        cursor, is_empty = page.next_cursor, is_empty and not page.items
        if not all or cursor is None:
            break
    if is_empty and cursor is None:
        is_unknown = warn_of_unknown(authority, names, of_past=at is not None)
        if not is_unknown and not target.as_json:
            output.warn(empty)
    if cursor is not None and not target.as_json:
        output.say(f"… more: --cursor {cursor}")


def _show(page: Page, *, as_json: bool) -> None:
    if as_json:
        found = {"items": page.items, "next_cursor": page.next_cursor}
        output.say_json({**found, "token": page.revision.token()})
        return
    for item in page.items:
        output.say(item)


def _past(at: str) -> At:
    from rescind.cli.times import past

    return past("--at", at)


def _assurance(live: bool) -> Literal["standard", "live"]:
    return "live" if live else "standard"
