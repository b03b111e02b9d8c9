"""`rescind review`: start an access review, export its lines, and apply what reviewers decided."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import click

from rescind import transfer
from rescind.authority import Authority
from rescind.cli import output, review_proof
from rescind.cli.change_commands import user
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.importing import Between
from rescind.cli.options import Target, with_target
from rescind.cli.review_outcomes import outcome_object, show_outcome
from rescind.cli.times import second
from rescind.cli.transfer import written
from rescind.decision_log import last_used
from rescind.errors import InvalidArgument
from rescind.model import Review
from rescind.transfer.review_decisions import Decisions, read_decisions, review_named_in
from rescind.transfer.review_files import ReviewFormat, written_lines

NOT_ALL: Final = 1
"""The exit code if some lines that were to be revoked are not, and all others are."""
_STARTING: Final = "Start"
_EXPORTING: Final = "Export"
_APPLYING: Final = "Apply"
_VERIFYING: Final = "Verify"


class ReviewAction(StrEnum):
    """What to do with reviews."""

    LIST = "list"
    START = "start"
    SHOW = "show"
    EXPORT = "export"
    APPLY = "apply"
    VERIFY = "verify"


_OWN: Final[dict[ReviewAction, dict[str, str]]] = {
    ReviewAction.START: {
        name: f"--{name}"
        for name in ("subject", "group", "role", "resource", "permission", "critical")
    },
    ReviewAction.EXPORT: {
        "format": "--format",
        "to": "--output",
        "after": "--after",
        "bom": "--bom",
        "used": "--used",
    },
    ReviewAction.APPLY: {"name": "--review", "comment": "--comment", "yes": "--yes"},
    ReviewAction.VERIFY: {"decided": "--decisions", "kept": "--from"},
}
"""Options of one action alone, by their parameters."""


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("review", review, "Questions", with_target)


def review(
    target: Target,
    action: Annotated[ReviewAction, Argument(help="What to do.")] = ReviewAction.LIST,
    which: Annotated[
        str | None,
        Argument(metavar="[NAME|FILE]", help="The review; to apply, the file with decisions."),
    ] = None,
    subject: Annotated[str | None, Option(help="Only of this subject.", panel=_STARTING)] = None,
    group: Annotated[
        str | None,
        Option(help="Only what comes through this group.", panel=_STARTING),
    ] = None,
    role: Annotated[str | None, Option(help="Only this role.", panel=_STARTING)] = None,
    resource: Annotated[
        str | None,
        Option(help="Only on this resource, above and below it.", panel=_STARTING),
    ] = None,
    permission: Annotated[
        str | None,
        Option(help="Only roles with this permission.", panel=_STARTING),
    ] = None,
    critical: Annotated[
        bool,
        Option(
            "--critical",
            help="Only critical roles, and roles with a critical permission.",
            panel=_STARTING,
        ),
    ] = False,
    format: Annotated[
        ReviewFormat, Option(help="How lines are written.", panel=_EXPORTING)
    ] = ReviewFormat.CSV,
    to: Annotated[
        str,
        Option("--output", help="The file to write; - for standard output.", panel=_EXPORTING),
    ] = "-",
    after: Annotated[
        str | None,
        Option(metavar="LINE", help="Only what comes after this line.", panel=_EXPORTING),
    ] = None,
    bom: Annotated[
        bool,
        Option("--bom", help="Begin with a byte order mark, for Excel.", panel=_EXPORTING),
    ] = False,
    used: Annotated[
        list[str] | None,
        Option(
            metavar="FILE",
            help="A file of the decision log, to tell what was used; repeat it for more.",
            panel=_EXPORTING,
        ),
    ] = None,
    life: Annotated[
        int | None,
        Option(
            min=1,
            help="Which of the organizations that had the name, from 1. Default: the one that is there,"
            " or the last one.",
        ),
    ] = None,
    delimiter: Between = None,
    encoding: Annotated[
        str | None,
        Option(
            help="Of the file with decisions, such as windows-1252; else UTF-8.",
            panel=_APPLYING,
        ),
    ] = None,
    name: Annotated[
        str | None,
        Option("--review", help="The review, if the file does not say.", panel=_APPLYING),
    ] = None,
    comment: Annotated[str, Option(help="A reason, for the change log.", panel=_APPLYING)] = "",
    yes: Annotated[
        bool,
        Option("--yes", help="Revoke. Without it, show what that would do.", panel=_APPLYING),
    ] = False,
    decided: Annotated[
        str | None,
        Option(
            "--decisions",
            metavar="FILE",
            help="A file of decisions that must have been applied.",
            panel=_VERIFYING,
        ),
    ] = None,
    kept: Annotated[
        str | None,
        Option(
            "--from",
            metavar="FILE",
            help="Heads of `rescind log head` that were kept elsewhere; - for standard input.",
            panel=_VERIFYING,
        ),
    ] = None,
    actor: Annotated[
        str | None, Option(help="Who reviews. Default: $USER.", show_default=False)
    ] = None,
) -> None:
    """Review who has which access: `start` a review, `export` its lines, fill in keep or revoke, and `apply`.

    A line is one way by which one subject has one role. `apply` exits with 1 if some lines do not apply;
    `verify` if a review is not as it was when it was started, or cannot be verified.
    """
    target.require_organization()
    _require_own(target, action)
    if action is ReviewAction.LIST:
        _list(target, life)
        return
    if action is ReviewAction.VERIFY:
        file = None if decided is None else transfer.read(decided, encoding)
        review_proof.verify(target, which, file, delimiter, kept=kept, life=life)
        return
    if which is None:
        what = "file" if action is ReviewAction.APPLY else "review"
        raise InvalidArgument(what=what, hint=f"name it: `rescind review {action} NAME`")
    if action is ReviewAction.START:
        only = {
            "subject": subject,
            "group": group,
            "role": role,
            "resource": resource,
            "permission": permission,
            "critical": critical,
        }
        _start(target, which, actor or user(), only)
    elif action is ReviewAction.SHOW:
        _show(target, which, life)
    elif action is ReviewAction.EXPORT:
        form = ReviewFormat.NDJSON if target.as_json else format
        how = {} if delimiter is None else {"delimiter": delimiter}
        _export(target, which, life, form, to, after, used, {"has_bom": bom, **how})
    else:
        source = transfer.read(which, encoding)
        _apply(target, source, delimiter, name, actor or user(), comment, is_dry=not yes)


def _require_own(target: Target, action: ReviewAction) -> None:
    """Raises InvalidArgument for an option of another action: `apply` with --role would revoke all roles."""
    for other, options in _OWN.items():
        for name, option in options.items():
            if other is not action and name in target.typed:
                raise InvalidArgument(what=option, hint=f"it is for `rescind review {other}`")


# --- start, list, show, export --------------------------------------------------------------------


def _start(target: Target, name: str, actor: str, only: dict[str, Any]) -> None:
    """Start a review; with options that narrow it, say if it is empty."""
    with target.open() as authority:
        found = authority.start_review(name, actor=actor, **only)
        if target.as_json:
            output.say_json(review_object(found))
        else:
            told = f"review {found.name} of {found.organization} at revision {found.revision}"
            output.say(f"{told} is started")
        if any(only.values()) and not authority.count_review(name).lines:
            output.warn("the review has no lines: nobody has what the options say")


def _list(target: Target, life: int | None) -> None:
    with target.open() as authority:
        found = authority.list_reviews(life=life)
    for each in found[:1]:
        _say_deleted(each)
    if target.as_json:
        for each in found:
            output.say_json(review_object(each))
    elif not found:
        output.say("no reviews; `rescind review start NAME` starts one")
    else:
        columns = ("review", "revision", "started", "by", "only")
        output.table(columns, ((r.name, r.revision, *_told(r)) for r in found))


def _say_deleted(found: Review) -> None:
    """Say that a review is of an organization that was deleted, if so: another may have its name now."""
    if found.organization_deleted_at is not None:
        at = second(found.organization_deleted_at, "")
        output.warn(f"{found.organization} was deleted {at}; this is life {found.life} of the name")


def _show(target: Target, name: str, life: int | None) -> None:
    with target.open() as authority:
        found = authority.find_review(name, life=life)
        counts = authority.count_review(name, life=found.life)
    _say_deleted(found)
    if target.as_json:
        output.say_json({**review_object(found), **counts._asdict()})
        return
    started, by, only = _told(found)
    output.pairs(
        [
            ("review", found.name),
            ("revision", found.revision),
            ("started", f"{started} by {by}"),
            ("only", only or "everything"),
            ("lines", f"{counts.lines:,} of {output.counted(counts.subjects, 'subject')}"),
            ("critical", f"{counts.critical:,}"),
            ("of deactivated", f"{counts.inactive:,}"),
        ]
    )


def _told(found: Review) -> tuple[str, str, str]:
    only = ", ".join(
        name if value is True else f"{name} {value}"
        for name, value in found.filter.as_object().items()
    )
    return second(found.started_at, ""), found.actor, only


def review_object(found: Review) -> dict[str, Any]:
    """A review as plain JSON values."""
    return {
        "review": found.name,
        "organization": found.organization,
        "revision": found.revision,
        "environment_revision": found.environment,
        "started_at": found.started_at,
        "actor": found.actor,
        "only": found.filter.as_object(),
        "life": found.life,
        "organization_deleted_at": found.organization_deleted_at,
    }


def _export(
    target: Target,
    name: str,
    life: int | None,
    form: ReviewFormat,
    to: str,
    after: str | None,
    used: Sequence[str] | None,
    how: dict[str, Any],
) -> None:
    with target.open() as authority:
        found = authority.find_review(name, life=life)
        _say_deleted(found)
        uses = last_used(used, organization=found.organization) if used else None
        lines = authority.review_lines(name, after=after, used=uses, life=found.life)
        with written(to) as write:
            for part in written_lines(found, lines, form, has_header=after is None, **how):
                write(part)


# --- apply ----------------------------------------------------------------------------------------


def _apply(
    target: Target,
    source: transfer.Source,
    delimiter: transfer.Delimiter | None,
    name: str | None,
    actor: str,
    comment: str,
    *,
    is_dry: bool,
) -> None:
    with target.open() as authority:
        found = authority.find_review(name or review_named_in(source, delimiter))
        decisions = read_decisions(source, found, delimiter)
        _require_as_shown(authority, found, decisions)
        done = authority.apply_review(
            found.name, decisions.decided, actor=actor, comment=comment, dry_run=is_dry
        )
    if target.as_json:
        output.say_json(outcome_object(done, decisions.undecided, is_dry=is_dry))
    else:
        show_outcome(done, decisions.undecided, is_dry=is_dry)
    if not done.is_complete:
        raise click.exceptions.Exit(NOT_ALL)


def _require_as_shown(authority: Authority, found: Review, decisions: Decisions) -> None:
    ids = [each.line for each in decisions.decided]
    decisions.require_as_shown(authority.review_lines_of(found.name, ids))
