"""`rescind import`: how files are read, what they would create, and what they created."""

from __future__ import annotations

import hashlib
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import click

from rescind import transfer as exchange
from rescind.authority import Authority
from rescind.cli import output
from rescind.cli.change_commands import DryRun, Reason, user
from rescind.cli.declared import Argument, Option
from rescind.cli.options import Target
from rescind.errors import InvalidArgument
from rescind.transfer import DateOrder, Delimiter, Format, Import, LeftOut, Reading, Survey

WAS_LEFT_OUT = 1
"""The exit code if some rows were left out and all others done."""
_LISTS = "Lists with a header"

Map = Annotated[
    list[str] | None,
    Option(
        "--map",
        metavar="COLUMN=FIELD",
        help="Which field a column of the file is; may be given several times.",
        panel=_LISTS,
    ),
]
Only = Annotated[
    list[str] | None,
    Option(
        "--only",
        metavar="COLUMN=VALUE",
        help="Take only rows with this value; several values of a column are alternatives.",
        panel=_LISTS,
    ),
]
Ignore = Annotated[
    list[str] | None,
    Option(metavar="COLUMN", help="Do not use this column, whatever it says.", panel=_LISTS),
]
IgnoreExtra = Annotated[
    bool,
    Option(
        "--ignore-extra-columns",
        help="Do not use other columns, but for those that may say who has left.",
        panel=_LISTS,
    ),
]
Between = Annotated[
    Delimiter | None,
    Option(
        "--delimiter",
        help="What is between cells; else as the header shows.",
        panel=_LISTS,
    ),
]
Dates = Annotated[
    DateOrder | None,
    Option(help="The order of dates such as 03/04/2030.", panel=_LISTS),
]
Timezone = Annotated[
    str | None,
    Option(
        help="Of times without an offset, such as Europe/Berlin; days end in it, else in UTC.",
        panel=_LISTS,
    ),
]
AllowPast = Annotated[
    bool,
    Option("--allow-past", help="Take expiries that are past; they end access.", panel=_LISTS),
]


def import_files(
    target: Target,
    files: Annotated[list[str], Argument(help="Plain or gzip; - is standard input.")],
    format: Annotated[Format, Option(help="How they are written.")] = Format.AUTO,
    map: Map = None,
    only: Only = None,
    ignore: Ignore = None,
    ignore_extra_columns: IgnoreExtra = False,
    delimiter: Between = None,
    encoding: Annotated[
        str | None, Option(help="Such as windows-1252; else UTF-8, or as its mark says.")
    ] = None,
    dates: Dates = None,
    timezone: Timezone = None,
    allow_past: AllowPast = False,
    batch_size: Annotated[int, Option(min=1, help="Changes a transaction.")] = exchange.BATCH_SIZE,
    again: Annotated[
        bool, Option("--again", help="Also do what an earlier import of the same did.")
    ] = False,
    actor: Annotated[str | None, Option(help="Who does it; else $USER.")] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> None:
    """Import facts. All files are read first. An interrupted import continues where it was.

    Exits with 1 if some rows were left out and all others done.
    """
    reading = Reading(
        columns=_pairs("map", map, at_last=True),
        only=tuple(_each("only", only, at_last=False)),
        ignored=tuple(ignore or ()),
        ignores_extra=ignore_extra_columns,
        delimiter=delimiter,
        dates=dates,
        zone=None if timezone is None else _zone(timezone),
        allows_past=allow_past,
    )
    sources = [exchange.read(file, encoding) for file in files]
    parsed = exchange.parse_all(sources, format, reading)
    whole = Import(
        parsed.items,
        hashlib.sha256("".join(s.digest for s in sources).encode()).hexdigest(),
        target.organization,
        batch_size,
        again,
    )
    with target.open() as authority:
        if dry_run:
            left_out = _foretell(authority, whole, parsed.counts, timezone, as_json=target.as_json)
        else:
            reason = reason or output.plain(f"import of {', '.join(files)}")[:1000]
            left_out = _carry_out(authority, whole, parsed.counts, target, timezone, actor, reason)
    if left_out:
        raise click.exceptions.Exit(WAS_LEFT_OUT)


def _carry_out(
    authority: Authority,
    whole: Import,
    counts: exchange.Counts,
    target: Target,
    timezone: str | None,
    actor: str | None,
    reason: str,
) -> list[LeftOut]:
    """Import, and print what was created and left out."""
    surveys = exchange.surveys(authority, whole)
    summary = _loaded(authority, whole, actor or user(), reason)
    is_settled = not any(
        authority.pending(organization=name, limit=1) for name in summary.organizations
    )
    if target.as_json:
        made = {name: _made(each) for name, each in surveys.items()}
        rows = asdict(counts)
        output.say_json({**asdict(summary), "made": made, "input": rows, "settled": is_settled})
        return summary.left_out
    _show_counts(counts, timezone)
    for name, each in surveys.items():
        _show_made(each, f" in {name}" if len(surveys) > 1 else "", ("added", "kept"))
    _show_left_out(summary.left_out, "left out")
    _summarize(summary, is_settled=is_settled)
    return summary.left_out


def _loaded(authority: Authority, whole: Import, actor: str, reason: str) -> exchange.Summary:
    with output.progress() as bar:
        task = bar.add_task("importing", total=len(whole.items))
        return exchange.load(
            authority,
            whole.items,
            digest=whole.digest,
            organization=whole.organization,
            actor=actor,
            reason=reason,
            batch_size=whole.batch_size,
            again=whole.again,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _foretell(
    authority: Authority,
    whole: Import,
    counts: exchange.Counts,
    timezone: str | None,
    *,
    as_json: bool,
) -> list[LeftOut]:
    """Print what an import would do."""
    found = exchange.forecasts(authority, whole)
    left_out = [each for _, survey in found.values() for each in survey.left_out]
    if as_json:
        for name, (difference, survey) in found.items():
            output.say_json(
                {
                    "organization": name,
                    "direction": difference.direction.value,
                    "granted": difference.granted,
                    "revoked": difference.revoked,
                    "look_alikes": difference.look_alikes,
                    "made": _made(survey),
                    "left_out": survey.left_out,
                    "input": asdict(counts),
                }
            )
    else:
        _show_counts(counts, timezone)
        for name, (_, survey) in found.items():
            where = f" in {name}" if len(found) > 1 else ""
            _show_made(survey, where, ("would add", "would keep"))
        _show_left_out(left_out, "would leave out")
        output.difference({name: each for name, (each, _) in found.items()}, as_json=False)
    return left_out


# --- options --------------------------------------------------------------------------------------


def _each(option: str, given: Sequence[str] | None, *, at_last: bool) -> Iterable[tuple[str, str]]:
    for text in given or ():
        before, sign, after = text.rpartition("=") if at_last else text.partition("=")
        if not (sign and before.strip() and after.strip()):
            hint = "write it with '=', in quotes where there are blanks: 'Work Email=subject'"
            raise InvalidArgument(what=f"--{option}", value=repr(text), hint=hint)
        yield before.strip(), after.strip()


def _pairs(option: str, given: Sequence[str] | None, *, at_last: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for column, target in _each(option, given, at_last=at_last):
        if found.setdefault(column, target) != target:
            hint = "a column is one field"
            raise InvalidArgument(what=f"--{option}", value=repr(column), hint=hint)
    return found


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = "use a name such as UTC, Europe/Berlin or America/New_York"
        raise InvalidArgument(what="timezone", value=repr(name), hint=hint) from None


# --- what is shown --------------------------------------------------------------------------------

_WORDS = {
    "people": ("person", "people"),
    "groups": ("group", "groups"),
    "members": ("group member", "group members"),
    "assignments": ("assignment", "assignments"),
    "roles": ("role", "roles"),
    "permissions": ("permission", "permissions"),
    "resources": ("resource", "resources"),
}


def _made(survey: Survey) -> dict[str, Any]:
    return {name: asdict(new) for name, new in survey.made()}


def _show_counts(counts: exchange.Counts, timezone: str | None) -> None:
    """Print counts of rows and columns that no other output shows."""
    if counts.rows:
        parts = [output.counted(counts.rows, "row")]
        if counts.repeated:
            parts.append(f"{counts.repeated:,} repeated")
        if counts.passed_over:
            parts.append(f"{counts.passed_over:,} passed over by --only")
        output.say(", ".join(parts))
    if counts.ignored_columns:
        listed = ", ".join(map(repr, counts.ignored_columns))
        output.say(f"columns not used: {listed}")
    if counts.has_dates:
        output.say(f"dates without a time end with that day, {timezone or 'UTC'}")


def _show_made(survey: Survey, where: str, words: tuple[str, str]) -> None:
    made, kept = words
    for name, new in survey.made():
        output.say(f"{made} {new.count:,} {_WORDS[name][new.count != 1]}{where}:")
        for thing in new.first:
            output.say(f"  + {thing}")
        if new.count > len(new.first):
            output.say(f"  … and {new.count - len(new.first):,} more")
    if survey.renamed.count:
        listed = ", ".join(survey.renamed.first)
        more = survey.renamed.count - len(survey.renamed.first)
        rest = f" and {more:,} more" if more else ""
        output.say(f"{kept} the names on record of {listed}{rest}")


def _show_left_out(left_out: Sequence[LeftOut], word: str) -> None:
    if not left_out:
        return
    output.say(f"{word} {len(left_out):,}, and all else {_else(word)}:")
    for each in left_out[: output.EXAMPLES]:
        output.say(f"  {each.at}: {each.what} {each.why}")
    if len(left_out) > output.EXAMPLES:
        output.say(f"  … and {len(left_out) - output.EXAMPLES:,} more; --json lists them all")


def _else(word: str) -> str:
    return "would be done" if word.startswith("would") else "was done"


def _summarize(summary: exchange.Summary, *, is_settled: bool) -> None:
    batches = "1 batch" if summary.batches == 1 else f"{summary.batches:,} batches"
    rows: list[tuple[str, object]] = [
        ("organization", ", ".join(summary.organizations)),
        ("changes", f"{summary.changes:,} in {batches}"),
        ("batches that granted", f"{summary.granting:,}"),
        ("batches that revoked", f"{summary.revoking:,}"),
    ]
    if summary.repeated:
        done = f"{summary.repeated:,}, passed over; --again does them anew"
        rows.append(("batches done before", done))
    if summary.not_found:
        rows.append(("to be taken, not found", f"{summary.not_found:,}"))
    if summary.look_alikes:
        rows.append(("ids that look alike", f"{summary.look_alikes:,}; see below"))
    if not is_settled:
        rows.append(("settled", output.UNSETTLED))
    output.pairs([*rows, ("took", f"{summary.seconds:.1f} s")])
    output.look_alikes(summary.examples, summary.look_alikes)
