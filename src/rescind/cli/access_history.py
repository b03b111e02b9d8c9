"""`rescind history`: from when to when somebody had access, by which way, and by whose change."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

from rescind.cli import output
from rescind.cli.asked import warn_of_unknown
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.options import Target, with_target
from rescind.cli.times import instant, second
from rescind.errors import InvalidArgument
from rescind.history.histories import MOST_CHANGES
from rescind.history.lives import lives_of
from rescind.model import (
    AccessHistory,
    AccessPeriod,
    Cause,
    CauseKind,
    OrganizationLife,
    organization_id,
)

EVERYBODY: Final = "-"
_INDENT: Final = " " * 4


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("history", history, "Questions", with_target)


def history(
    target: Target,
    subject: Annotated[str, Argument(help="Whose access; - for everybody's.")],
    permission: Annotated[
        str | None, Argument(help="Only this permission. Default: all that roles gave.")
    ] = None,
    resource: Annotated[
        str | None, Argument(help="Only on this resource. Default: wherever it was given.")
    ] = None,
    since: Annotated[str | None, Option(help="Only what lasted then, or began later.")] = None,
    until: Annotated[str | None, Option(help="Only up to this day or time.")] = None,
    after: Annotated[
        int | None, Option(min=0, help="Go on after this revision of the log.")
    ] = None,
    most_changes: Annotated[
        int, Option(min=1, help="Changes of the log to look at, at most.")
    ] = MOST_CHANGES,
    life: Annotated[
        int | None,
        Option(
            min=1,
            help="Which of the organizations that had the name, from 1. Default: all, one after another.",
        ),
    ] = None,
) -> None:
    """Show from when to when a subject had access, through which groups, and whose change began and ended it.

    What ended because its time had come was nobody's change. A role that was edited begins anew.
    """
    target.require_organization()
    if subject == EVERYBODY and permission is None:
        hint = "name a permission: `rescind history - doc:read doc:1`"
        raise InvalidArgument(what="permission", hint=hint)
    end = None if until is None else instant("--until", until)
    begin = None if since is None else instant("--since", since)
    with target.open() as authority:
        ask = partial(
            authority.access_history,
            None if subject == EVERYBODY else subject,
            permission,
            resource,
            since=begin,
            until=end,
            after=after,
            most_changes=most_changes,
        )
        name = organization_id(target.require_organization())
        lives = [each.told for each in lives_of(authority.store, name)]
        is_empty = True
        for number in _asked(lives, life, begin, end) if after is None else [life]:
            found = ask(life=number)
            is_empty = is_empty and not found.periods and found.next_after is None
            _show(target, found, end)
            _tell_ids(found)
        if is_empty and after is None and lives[-1].deleted_at is None:
            who = None if subject == EVERYBODY else subject
            names = {"subject": who, "permission": permission, "resource": resource}
            warn_of_unknown(authority, names, of_past=True)


def _asked(
    lives: list[OrganizationLife], life: int | None, begin: datetime | None, end: datetime | None
) -> list[int]:
    """The lives to tell of. If none is within the times, the last one before their end; else the first,
    which says from when on can be asked.
    """
    if life is not None:
        return [life]
    within = [each.number for each in lives if _is_within(each, begin, end)]
    before = [each.number for each in lives if end is None or each.created_at <= end]
    return within or before[-1:] or [1]


def _is_within(life: OrganizationLife, begin: datetime | None, end: datetime | None) -> bool:
    ended_before = begin is not None and life.deleted_at is not None and life.deleted_at < begin
    return not ended_before and (end is None or life.created_at <= end)


def _show(target: Target, found: AccessHistory, end: datetime | None) -> None:
    """The history of one life of the organization's name, under a heading if there are others."""
    assert found.life is not None
    number = found.life.number
    if target.as_json:
        for each in found.periods:
            output.say_json({**period_object(each), "life": number})
    else:
        if len(found.lives) > 1 or found.life.deleted_at is not None:
            output.say(life_shown(target.require_organization(), found.life))
        for each in found.periods:
            _say(each, end)
        if not found.periods:
            output.say("no access" if found.next_after is None else "no access that ended so far")
    if found.next_after is not None:
        which = f"--life {number} " if len(found.lives) > 1 else ""
        output.warn(f"there is more: go on with {which}--after {found.next_after}")


def _tell_ids(found: AccessHistory) -> None:
    """Say under which other ids there is more to ask: on stderr, as JSON has a line for each period only."""
    for each in found.id_changes:
        output.warn(
            f"{each.former} became {each.new} with revision {each.revision},"
            f" {second(each.at, '')}: what it had before is told of {each.former}"
        )


def life_shown(organization: str, life: OrganizationLife) -> str:
    """Which of the organizations that had a name: created, and deleted, when."""
    deleted = "" if life.deleted_at is None else f", deleted {second(life.deleted_at, '')}"
    return f"{organization}, life {life.number}: created {second(life.created_at, '')}{deleted}"


def period_object(period: AccessPeriod) -> dict[str, Any]:
    """A period as plain JSON values."""
    return {
        **period._asdict(),
        "began": cause_object(period.began),
        "ended": None if period.ended is None else cause_object(period.ended),
    }


def cause_object(cause: Cause) -> dict[str, Any]:
    """What began or ended a period, as plain JSON values."""
    return {**cause._asdict(), "kind": cause.kind.value}


def _say(period: AccessPeriod, end: datetime | None) -> None:
    way = "by default" if period.is_default_role else ""
    if period.chain:
        way = f"through {' > '.join(period.chain)}"
    head = f"{period.subject}  {period.role} on {period.resource}  {way}".rstrip()
    lines = [head, f"{_INDENT}may:  {', '.join(period.permissions) or 'nothing'}"]
    lines.append(f"{_INDENT}from: {_told(period.began)}")
    lines.append(f"{_INDENT}to:   {_last(end) if period.ended is None else _told(period.ended)}")
    width = output.console().width
    for line in lines:
        for part in textwrap.wrap(
            output.plain(line), width, subsequent_indent=_INDENT * 2, break_on_hyphens=False
        ):
            output.say(part)


def _last(end: datetime | None) -> str:
    """Up to when access that has no end lasted: what came after `end` was not looked at."""
    return "now" if end is None or end > datetime.now(UTC) else f"still so at {second(end, '')}"


def _told(cause: Cause) -> str:
    when = cause.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if cause.kind is CauseKind.EXPIRY:
        return f"{when}  its time had come"
    if cause.kind is CauseKind.BEFORE:
        if cause.revision is not None:
            return f"before {when}  revision {cause.revision}, which the log does not have any more"
        return f"before {when}: what came earlier was not looked at"
    of = " of *" if cause.kind is CauseKind.ENVIRONMENT else ""
    by = f" by {output.plain(cause.actor)}" if cause.actor else ""
    why = f": {output.plain(cause.reason)}" if cause.reason else ""
    return f"{when}  revision {cause.revision}{of}{by}{why}"
