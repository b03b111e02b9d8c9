"""`rescind list`: recorded facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from rescind.authority import Authority
from rescind.cli import output
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.options import Target, with_target
from rescind.cli.questions import WHOLE_PAGE, All, AtLeast, Cursor, Limit
from rescind.cli.times import day, instant, minute
from rescind.errors import InvalidArgument
from rescind.model import SUBJECT_KINDS, FactPage

SHOWN: Final = 5
"""Permissions of a role that a table shows."""


class What(StrEnum):
    """What to list."""

    GROUPS = "groups"
    MEMBERS = "members"
    MEMBERSHIPS = "memberships"
    ROLES = "roles"
    PERMISSIONS = "permissions"
    RESOURCES = "resources"
    ASSIGNMENTS = "assignments"
    EXPIRING = "expiring"


class State(StrEnum):
    """Which memberships."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True)
class Asked:
    """The options given for a list; None and False for those left out."""

    name: str | None = None
    effective: bool = False
    expired: bool = False
    role: str | None = None
    on: str | None = None
    type: str | None = None
    kind: str | None = None
    state: State | None = None
    days: float | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """How a list is read and shown. `takes` are the options that apply to it."""

    takes: tuple[str, ...]
    ask: Callable[[Authority, Asked, dict[str, Any]], FactPage[Any]]
    columns: Callable[[Asked], Sequence[str]]
    row: Callable[[Any, Asked], Sequence[object]]
    empty: str


def register(commands: Commands) -> None:
    """Add the command of this module."""
    commands.add("list", list_facts, "Questions", with_target)


def list_facts(
    target: Target,
    what: Annotated[What, Argument(help="What to list.")],
    name: Annotated[
        str | None,
        Argument(
            help="For members, the group; for groups and assignments, a subject or group:…;"
            " for permissions, a role; for resources, the parent."
        ),
    ] = None,
    effective: Annotated[
        bool,
        Option("--effective", help="Include what holds through groups: members, assignments."),
    ] = False,
    expired: Annotated[
        bool, Option("--expired", help="Include what has expired: members, assignments.")
    ] = False,
    role: Annotated[str | None, Option(help="Assignments of this role.")] = None,
    on: Annotated[str | None, Option(help="Assignments on this resource.")] = None,
    type: Annotated[str | None, Option(help="Resources of this type.")] = None,
    kind: Annotated[
        str | None, Option(help=f"Memberships of a kind: {', '.join(SUBJECT_KINDS)}.")
    ] = None,
    state: Annotated[State | None, Option(help="Memberships in this state.")] = None,
    days: Annotated[
        float | None, Option(help="What expires within this many days. Default: 30.")
    ] = None,
    until: Annotated[str | None, Option(help="What expires by this day or time.")] = None,
    at_least: AtLeast = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    all: All = False,
) -> None:
    """List recorded facts: groups, members, roles, resources, assignments, and what expires."""
    target.require_organization()
    asked = Asked(name, effective, expired, role, on, type, kind, state, days, until)
    table = TABLES[what]
    _require_fitting(what, table, asked)
    paging = {"limit": WHOLE_PAGE if all else limit, "cursor": cursor, "at_least": at_least}
    with target.open() as authority:
        found: list[Any] = []
        while True:
            page = table.ask(authority, asked, paging)
            if target.as_json:
                _say_json(page)
            found += page.items
            paging["cursor"] = page.next_cursor
            if not all or page.next_cursor is None:
                break
    if not target.as_json:
        _show(table, asked, found, page.next_cursor)


def _say_json(page: FactPage[Any]) -> None:
    items = [each._asdict() for each in page.items]
    found = {"items": items, "next_cursor": page.next_cursor}
    output.say_json({**found, "token": page.revision.token()})


def _show(table: Table, asked: Asked, found: list[Any], cursor: str | None) -> None:
    if found:
        output.table(table.columns(asked), (table.row(each, asked) for each in found))
    elif cursor is None:
        output.say(table.empty)
    if cursor is not None:
        output.say(f"… more: --cursor {cursor}")


def _require_fitting(what: What, table: Table, asked: Asked) -> None:
    """Raises InvalidArgument for an option that does not apply to this list, and for a missing one."""
    given = {each.name for each in fields(asked) if getattr(asked, each.name)}
    for option in sorted(given - set(table.takes)):
        takers = " or ".join(f"`list {w}`" for w, t in TABLES.items() if option in t.takes)
        typed = "NAME" if option == "name" else f"--{option}"
        raise InvalidArgument(what=typed, hint=f"leave it out, or use {takers}")
    if what is What.MEMBERS and asked.name is None:
        raise InvalidArgument(what="NAME", hint="name the group: `rescind list members GROUP`")
    if asked.days is not None and asked.until is not None:
        raise InvalidArgument(what="--days", hint="give either --days or --until")


def _until(asked: Asked) -> datetime | None:
    """The end of the time asked about. Raises InvalidArgument if it is past: nothing can expire by then."""
    now = datetime.now(UTC)
    hint = "ask about a time to come"
    if asked.until is not None:
        until = instant("--until", asked.until)
        if until <= now:
            raise InvalidArgument(what="--until", value=asked.until, hint=hint)
        return until
    if asked.days is None:
        return None
    if asked.days <= 0:
        raise InvalidArgument(what="--days", value=asked.days, hint=hint)
    try:
        return now + timedelta(days=asked.days)
    except (OverflowError, ValueError):
        raise InvalidArgument(what="--days", value=asked.days, hint="use fewer") from None


def _holder(name: str, is_active: bool) -> str:
    return name if is_active else f"{name} (deactivated)"


def _for(is_shared: bool) -> str:
    return "all" if is_shared else "this one"


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _given(name: str) -> Callable[[Asked], Any]:
    return lambda asked: getattr(asked, name)


TABLES: Final[dict[What, Table]] = {
    What.GROUPS: Table(
        takes=("name",),
        ask=lambda authority, asked, paging: authority.list_groups(asked.name, **paging),
        columns=lambda asked: (
            ("group", "name", "since", "until", "by") if asked.name else ("group", "name")
        ),
        row=lambda e, asked: (
            (e.group, e.name or "", day(e.since), minute(e.expires_at, "never"), e.by or "")
            if asked.name
            else (e.group, e.name or "")
        ),
        empty="no groups",
    ),
    What.MEMBERS: Table(
        takes=("name", "effective", "expired"),
        ask=lambda authority, asked, paging: authority.list_members(
            asked.name or "", effective=asked.effective, expired=asked.expired, **paging
        ),
        columns=lambda asked: (
            ("member", *(("through",) if asked.effective else ()), "since", "until", "by")
        ),
        row=lambda e, asked: (
            _holder(e.member, e.is_active),
            *((_some(e.through),) if asked.effective else ()),
            day(e.since),
            minute(e.expires_at, "never"),
            e.by or "",
        ),
        empty="nobody is in it",
    ),
    What.MEMBERSHIPS: Table(
        takes=("kind", "state"),
        ask=lambda authority, asked, paging: authority.list_memberships(
            subject_kind=asked.kind,
            active=None if asked.state is None else asked.state is State.ACTIVE,
            **paging,
        ),
        columns=lambda _: ("subject", "name", "state", "since"),
        row=lambda e, _: (
            e.subject,
            e.name or "",
            "active" if e.is_active else "deactivated",
            day(e.created_at),
        ),
        empty="no memberships",
    ),
    What.ROLES: Table(
        takes=(),
        ask=lambda authority, _, paging: authority.list_roles(**paging),
        columns=lambda _: ("role", "for", "type", "critical", "priority", "permissions"),
        row=lambda e, _: (
            e.role,
            _for(e.is_shared),
            e.resource_type or "any",
            "yes" if e.is_critical else "no",
            e.priority,
            _some(e.permissions),
        ),
        empty="no roles",
    ),
    What.PERMISSIONS: Table(
        takes=("name",),
        ask=lambda authority, asked, paging: authority.list_permissions(asked.name, **paging),
        columns=lambda _: ("permission", "for", "critical", "description"),
        row=lambda e, _: (
            e.permission,
            _for(e.is_shared),
            "yes" if e.is_critical else "no",
            e.description,
        ),
        empty="no permissions",
    ),
    What.RESOURCES: Table(
        takes=("name", "type"),
        ask=lambda authority, asked, paging: authority.list_resources(
            asked.name, resource_type=asked.type, **paging
        ),
        columns=lambda _: ("resource", "below"),
        row=lambda e, _: (e.resource, e.parent),
        empty="no resources",
    ),
    What.ASSIGNMENTS: Table(
        takes=("name", "effective", "expired", "role", "on"),
        ask=lambda authority, asked, paging: authority.list_assignments(
            asked.name,
            role=asked.role,
            resource=asked.on,
            effective=asked.effective,
            expired=asked.expired,
            **paging,
        ),
        columns=lambda _: ("holder", "role", "on", "since", "until", "by"),
        row=lambda e, _: (
            _holder(e.holder, e.is_active),
            e.role,
            e.resource,
            day(e.since),
            minute(e.expires_at, "never"),
            e.by or "",
        ),
        empty="nothing is assigned",
    ),
    What.EXPIRING: Table(
        takes=("days", "until"),
        ask=lambda authority, asked, paging: authority.list_expiring(_until(asked), **paging),
        columns=lambda _: ("until", "holder", "loses", "by"),
        row=lambda e, _: (
            minute(e.expires_at, ""),
            _holder(e.holder, e.is_active),
            f"its place in {e.group}" if e.role is None else f"{e.role} on {e.resource}",
            e.by or "",
        ),
        empty="nothing expires by then",
    ),
}
