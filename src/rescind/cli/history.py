"""The change log on the command line: what each change did, by whom and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from rescind import changelog, model
from rescind.authority import Authority
from rescind.cli import enforced, log_proof, output, pruning, service_actions
from rescind.cli.asked import warn_of_unknown
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.options import Target, with_target
from rescind.cli.times import instant
from rescind.cli.transfer import written
from rescind.errors import (
    InvalidArgument,
    OrganizationNotFound,
    RevisionNotFound,
    RoleNotFound,
)
from rescind.model import LogEntry
from rescind.transfer.evidence import entry_object, evidence

SHOWN: Final = 5
"""Changes of a batch, and names of a list, that are shown."""
_WHICH: Final = (
    *("after", "limit", "actor", "subject", "group", "role", "resource"),
    *("since", "until"),
)
"""Options that say which changes to list."""
_INDENT: Final = " " * 4
_WORDS: Final = {"expires_at": "until", "out_of": "out of", "resource_type": "for"}


class LogAction(StrEnum):
    """What to do with the log."""

    LIST = "list"
    SHOW = "show"
    EXPORT = "export"
    PRUNE = "prune"
    HEAD = "head"
    VERIFY = "verify"
    CHAIN = "chain"
    ACTIONS = "actions"


_WHOLE: Final = (LogAction.HEAD, LogAction.VERIFY, LogAction.CHAIN)
"""Those that are about whole logs, of all organizations if none is named."""


def register(commands: Commands) -> None:
    """Add the command of this module."""
    commands.add("log", log, "Questions", with_target)


def log(
    target: Target,
    action: Annotated[
        LogAction,
        Argument(
            help="List changes, show one, export, prune; print heads, verify, chain, or"
            " list service actions."
        ),
    ] = LogAction.LIST,
    revision: Annotated[
        int | None,
        Argument(min=1, metavar="REVISION", help="The revision of the change to show."),
    ] = None,
    after: Annotated[int, Option(min=0, help="Only later revisions.")] = 0,
    limit: Annotated[int | None, Option(min=1, help="How many to show, at most.")] = None,
    actor: Annotated[
        str | None, Option(help="Only changes by actors with this in their name.")
    ] = None,
    subject: Annotated[str | None, Option(help="Only changes that name this subject.")] = None,
    group: Annotated[str | None, Option(help="Only changes that name this group.")] = None,
    role: Annotated[str | None, Option(help="Only changes that name this role.")] = None,
    resource: Annotated[str | None, Option(help="Only changes that name this resource.")] = None,
    since: Annotated[str | None, Option(help="From this day or time on.")] = None,
    until: Annotated[str | None, Option(help="Before this day or time.")] = None,
    with_evidence: Annotated[
        bool,
        Option("--evidence", help="Export all that is digested of each change, with digests."),
    ] = False,
    kept: Annotated[
        str | None,
        Option("--from", metavar="HEADS", help="Verify that the log has these heads still."),
    ] = None,
    file: Annotated[
        str | None, Option("--file", help="Verify a file of evidence; - for standard input.")
    ] = None,
    with_gaps: Annotated[
        bool, Option("--with-gaps", help="With --file: the file may lack some changes.")
    ] = False,
    to: Annotated[
        str | None, Option("--output", help="Export to a file; - for standard output.")
    ] = None,
    before: pruning.Before = None,
    yes: pruning.Yes = False,
) -> None:
    """List an organization's changes, oldest first: all, or those that match the options.

    `show` tells when one revision was enforced, and on which replicas.

    `export` writes NDJSON. `prune` says what it would delete; --yes deletes it.

    `head` prints the newest digest of each log. `verify` makes every digest
    again, and exits with 1 if a change does not fit. `chain` gives digests to
    the changes of older versions. These take all organizations if none is named.

    `actions` lists what was done to keys, reviews, pending work, logs and the schema.
    """
    options = {
        "--evidence": (with_evidence, LogAction.EXPORT),
        "--output": (to is not None, LogAction.EXPORT),
        "--from": (kept is not None, LogAction.VERIFY),
        "--file": (file is not None, LogAction.VERIFY),
        "--with-gaps": (with_gaps, LogAction.VERIFY),
    }
    _require_fitting(action, revision, options)
    pruning.require_fitting(before, yes, is_pruning=action is LogAction.PRUNE)
    if action is LogAction.ACTIONS:
        target.refuse_given(*_WHICH[2:], hint="`rescind log actions` lists all of them")
        service_actions.say(target, after, limit)
        return
    if action in _WHOLE:
        target.refuse_given(*_WHICH, hint=f"`rescind log {action.value}` takes whole logs")
        _prove(target, action, kept, file, with_gaps=with_gaps)
        return
    target.require_organization()
    if before is not None:
        pruning.prune(target, before, yes=yes)
        return
    if action is LogAction.SHOW:
        target.refuse_given(*_WHICH, hint="`log show` shows one change: leave it out")
        assert revision is not None
        with target.open() as authority:
            _show(target, authority, revision)
        return
    about: dict[str, Any] = {
        "actor": actor,
        "subject": subject,
        "group": group,
        "role": role,
        "resource": resource,
        "since": None if since is None else instant("--since", since),
        "until": None if until is None else instant("--until", until),
    }
    which = changelog.about(**about)
    with target.open() as authority:
        found = authority.log(after=after, limit=limit, **about)
        if action is LogAction.EXPORT:
            _export(found, to or "-", with_evidence=with_evidence)
        elif target.as_json:
            for each in found:
                output.say_json(entry_object(each))
        else:
            if not _say(found, which):
                _warn_of_unknown(authority, about)


def _require_fitting(
    action: LogAction, revision: int | None, options: dict[str, tuple[bool, LogAction]]
) -> None:
    """Raises InvalidArgument for an option that does not apply to the action."""
    if (revision is None) == (action is LogAction.SHOW):
        hint = (
            "name one: `rescind log show 12`" if revision is None else "only `log show` takes one"
        )
        raise InvalidArgument(what="revision", value=revision or "", hint=hint)
    if revision is not None:
        model.require_number("revision", revision, least=0, most=2**63 - 1)
    for option, (is_given, owner) in options.items():
        if is_given and action is not owner:
            raise InvalidArgument(what=option, hint=f"it belongs to `rescind log {owner.value}`")


def _prove(
    target: Target, action: LogAction, kept: str | None, file: str | None, *, with_gaps: bool
) -> None:
    if action is LogAction.VERIFY:
        log_proof.verify(target, kept=kept, file=file, with_gaps=with_gaps)
    elif action is LogAction.HEAD:
        log_proof.say_heads(target)
    else:
        log_proof.chain(target)


def _export(found: Iterable[LogEntry], to: str, *, with_evidence: bool) -> None:
    lines = evidence(found) if with_evidence else map(entry_object, found)
    with written(to) as write:
        for line in lines:
            write(msgspec.json.encode(line) + b"\n")


def _show(target: Target, authority: Authority, revision: int) -> None:
    found = list(authority.log(after=revision - 1, limit=1))
    if not found or found[0].revision != revision:
        raise RevisionNotFound(organization=target.organization, number=revision)
    if target.as_json:
        (line,) = evidence(found)
        output.say_json(line)
        return
    (entry,) = found
    for text in lines(entry, changelog.About(), output.console().width):
        output.say(text)
    enforced.show(entry)
    at = entry.settled_at
    told = output.UNSETTLED if at is None else at.isoformat(sep=" ", timespec="milliseconds")
    output.say(f"settled:  {told}, {entry.route.value}")
    link = entry.link
    output.say(f"digest:   {(link and link.digest) or 'none yet: run `rescind log chain`'}")


def _say(found: Iterable[LogEntry], which: changelog.About) -> bool:
    """Print the entries. Returns whether there was one."""
    width = output.console().width
    is_any = False
    for entry in found:
        is_any = True
        for line in lines(entry, which, width):
            output.say(line)
    if not is_any:
        output.say("no changes" if which.is_all else "no changes are about that")
    return is_any


def _warn_of_unknown(authority: Authority, about: dict[str, Any]) -> None:
    """No change names it: say which names do not exist either, since they may be mistyped."""
    from rescind.listing import UnknownName

    group, role = about["group"], about["role"]
    names = {"subject": about["subject"], "resource": about["resource"]}
    warn_of_unknown(authority, names, of_past=True)
    if group is not None:
        warn_of_unknown(authority, {"subject": f"group:{group}"}, of_past=True)
    if role is not None:
        try:
            authority.list_assignments(role=role, limit=1)
        except RoleNotFound as error:
            similar = error.facts.get("did_you_mean")
            similar = similar if isinstance(similar, tuple) else ()
            output.warn(output.not_there(UnknownName("role", role, similar), " now"))
        except OrganizationNotFound:  # the log outlives it
            return


def lines(entry: LogEntry, which: changelog.About, width: int) -> list[str]:
    """An entry: when, its kind and its actor; then its changes, or those that match; then the reason."""
    when = entry.recorded_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    head = f"{entry.revision}  {when}  {entry.direction.value}  by {output.plain(entry.actor)}"
    changes: list[dict[str, Any]] = msgspec.json.decode(entry.changes)
    meant = [each for each in changes if which.is_named_by(each)] or changes
    told = [head, *(f"{_INDENT}{sentence(each)}" for each in meant[:SHOWN])]
    if more := len(changes) - len(meant[:SHOWN]):
        told.append(f"{_INDENT}and {output.counted(more, 'more change')}; --json has all")
    if entry.reason:
        told.append(f"{_INDENT}why: {output.plain(entry.reason)}")
    return [part for line in told for part in _folded(line, width)]


def sentence(change: dict[str, Any]) -> str:
    """A change in words: what it does, to what, and how."""
    verb, *values = _words(change)
    return output.plain(" ".join([verb.replace("_", " "), *values]))


def _words(change: dict[str, Any]) -> list[str]:
    verb = str(change["change"])
    words = [verb]
    for at, (field, value) in enumerate((k, v) for k, v in change.items() if k != "change"):
        if _is_nothing(verb, value) and (at or verb == "create_organization"):
            continue
        word = "from" if (verb, field) == ("unassign", "to") else _WORDS.get(field, field)
        if isinstance(value, list):
            found = _listed(value)
            words.append(f"{'' if field == 'members' else word + ': '}{found}")
        elif value is True:
            words.append(word)
        else:
            shown = {None: "none", False: "no"}.get(value, value)
            words.append(f"{shown}" if at == 0 else f"{word} {shown}")
    return words


def _is_nothing(verb: str, value: object) -> bool:
    """Whether a field has its default, so that it need not be shown."""
    if verb.startswith(("edit", "set", "replace")):
        return value is None
    return value in (None, False, 0, "", [])


def _listed(values: list[Any]) -> str:
    names = [each if isinstance(each, str) else " ".join(_given(each)) for each in values]
    more = len(names) - SHOWN
    return (", ".join(names[:SHOWN]) or "none") + (f" and {more:,} more" if more > 0 else "")


def _given(each: dict[str, Any]) -> list[str]:
    words = [str(each["role"])]
    words += [f"on {each['on']}"] if each.get("on") else []
    return words + ([f"until {each['expires_at']}"] if each.get("expires_at") else [])


def _folded(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip(" ")) + 2)
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True
    ) or [line]
