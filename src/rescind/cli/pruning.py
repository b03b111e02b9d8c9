"""`rescind log prune`: takes the oldest changes out of an organization's log."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from rescind.cli import output
from rescind.cli.change_commands import user
from rescind.cli.declared import Option
from rescind.cli.options import Target
from rescind.cli.times import instant, second
from rescind.directory.catching_up import write_events
from rescind.errors import InvalidArgument
from rescind.history.pruning import Pruning

Before = Annotated[
    str | None,
    Option(help="Prune what was recorded before this day or time, or before this revision."),
]
Yes = Annotated[bool, Option("--yes", help="Prune. Without it, only show what would go.")]


def require_fitting(before: str | None, yes: bool, *, is_pruning: bool) -> None:
    """Raises InvalidArgument for an option that does not apply to the action."""
    if is_pruning and before is None:
        raise InvalidArgument(what="--before", hint="name a day, a time or a revision")
    for option, is_given in (("--before", before is not None), ("--yes", yes)):
        if is_given and not is_pruning:
            raise InvalidArgument(what=option, hint="it belongs to `rescind log prune`")


def prune(target: Target, before: str, *, yes: bool) -> None:
    """Prune the organization's log, or show what would go."""
    at = int(before) if before.isascii() and before.isdigit() else instant("--before", before)
    organization = target.require_organization()
    with target.open() as authority:
        write_events(authority, organization)
        found = authority.prune_log(at, dry_run=not yes, actor=user())
    if target.as_json:
        output.say_json(asdict(found))
    else:
        _say(found, yes=yes)


def _say(found: Pruning, *, yes: bool) -> None:
    if found.changes == 0:
        output.say("nothing to prune")
    else:
        changes = output.counted(found.changes, "change")
        verb = "pruned" if found.is_done else "would prune"
        output.say(f"{verb} {changes}, up to revision {found.revision}; {found.kept:,} stay")
        earliest = f"revision {found.revision}, recorded at {second(found.recorded_at, '')} UTC"
        output.say(f"the earliest that can be asked about is then {earliest}")
    if found.held_back is not None:
        output.say(f"it goes no further because {found.held_back}")
    if not yes and found.changes:
        output.say("nothing was deleted: add --yes to do it")
