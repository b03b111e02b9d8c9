"""Output for people (Rich) and for programs (JSON). Decides nothing."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rescind.errors.base import did_you_mean
from rescind.model import Reason, Route
from rescind.model.plural import counted as counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from rescind.listing import UnknownName
    from rescind.model import Decision, Difference, LookAlike, Receipt

EXAMPLES = 20
PIPE_WIDTH = 240
LEAST_WIDTH = 20
SHORT = 12
"""Characters up to which a column is not folded."""
UNSETTLED = "not yet; `rescind worker` does that, and answers do not wait for it"

_SAID_BY_NAME: Final = (Reason.UNKNOWN_PERMISSION, Reason.UNKNOWN_RESOURCE)
"""Denials whose only obstacle is the name that does not exist."""


def console(*, on_error_stream: bool = False) -> Console:
    """A console without markup. Into a pipe it is wide enough for long ids."""
    from rich.console import Console

    stream = sys.stderr if on_error_stream else sys.stdout
    width = None if stream.isatty() else _pipe_width()
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def _pipe_width() -> int:
    """The width of output into a pipe: COLUMNS, if that is set."""
    text = os.environ.get("COLUMNS", "")
    return max(int(text), LEAST_WIDTH) if text.isdecimal() and len(text) < SHORT else PIPE_WIDTH


def one_line(text: str) -> str:
    """The text on one line, without control sequences."""
    return plain(" ".join(text.split()))


def plain(text: object) -> str:
    """The text with control characters escaped: callers wrote the names and reasons."""
    return "".join(repr(c)[1:-1] if _is_hidden(c) else c for c in str(text))


def _is_hidden(character: str) -> bool:
    """Whether a terminal would not show the character but obey it, or show nothing."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def say(text: object) -> None:
    """Print a line, never wrapped, so that it can be copied."""
    print(plain(text), flush=True)


def warn(text: object) -> None:
    """Print a line on the error stream, beside the output."""
    complain(str(text))


def complain(text: str) -> None:
    """Print an error as one line that begins with the program's name; on a terminal, wrapped at words."""
    line = f"rescind: {one_line(text)}"
    if sys.stderr.isatty():
        import textwrap

        width = console(on_error_stream=True).width
        line = textwrap.fill(
            line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    print(line, file=sys.stderr)


def say_json(value: object) -> None:
    """Print a line of JSON, with characters that a terminal would obey or hide escaped."""
    import msgspec

    text = msgspec.json.encode(value, order="sorted").decode()
    sys.stdout.write(_escaped_in_json(text) + "\n")


def _escaped_in_json(text: str) -> str:
    if text.isascii() and "\x7f" not in text:
        return text  # the encoder escapes the others of ASCII
    return "".join(_json_escape(c) if _is_hidden(c) else c for c in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def pairs(rows: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one a line, never wrapped or cut, so that a token can be copied."""
    listed = list(rows)
    width = max(len(name) for name, _ in listed)
    for name, value in listed:
        say(f"{name:<{width}}  {value}")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings. Long text folds, nothing is cut. If there is little room, short columns keep
    their width.
    """
    from rich.table import Table

    shown = Table(box=None, header_style="bold", pad_edge=False)
    listed = [[plain(cell) for cell in row] for row in rows]
    for number, column in enumerate(columns):
        longest = max(map(len, [column, *(row[number] for row in listed)]))
        shown.add_column(column, overflow="fold", no_wrap=longest <= SHORT)
    for row in listed:
        shown.add_row(*row)
    console().print(shown)


def progress() -> Progress:
    """A progress bar on the error stream, if that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    screen = console(on_error_stream=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen,
        disable=not screen.is_terminal,
        transient=True,
    )


def receipt(done: Receipt, took_ms: float, *, as_json: bool) -> None:
    """What a change did, and when it held."""
    if as_json:
        say_json(receipt_object(done, took_ms))
        return
    if not done.changed:
        say(f"nothing changed: it is so already  (token {done.token}, {took_ms:.1f} ms)")
        _not_found(done)
        look_alikes(done.look_alikes, len(done.look_alikes))
        return
    why = f": {done.route_reason}" if done.route_reason else ""  # not kept for repeated keys
    pairs(
        [
            ("changed", f"yes, revision {done.revision.organization}"),
            ("direction", done.direction.value),
            ("route", f"{done.route.value}{why}"),
            ("fan-out", fan_out(done)),
            ("settled", _time(done.settled_at) if done.settled_at else UNSETTLED),
            ("enforced", _time(done.enforced_at)),
            ("token", done.token),
            ("took", f"{took_ms:.1f} ms"),
        ]
    )
    _not_found(done)
    look_alikes(done.look_alikes, len(done.look_alikes))


def look_alikes(found: Sequence[LookAlike], total: int) -> None:
    """Warn of ids that look like others, on the error stream, missing ids first."""
    for each in sorted(found, key=lambda each: not each.is_missing)[:EXAMPLES]:
        others = " and ".join(distinct(other) for other in each.others[:EXAMPLES])
        if each.is_missing:
            warn(
                f"WARNING: there is no {each.what} {distinct(each.name)}, but {others} looks like it and"
                " KEEPS all it has; is that who was meant?"
            )
        else:
            warn(
                f"warning: {each.what} {distinct(each.name)} looks like {others}, which is another one"
            )
    if total > EXAMPLES:
        warn(f"{total - EXAMPLES:,} more ids look like others; `rescind doctor` lists all that do")


def distinct(name: str) -> str:
    """An id with escapes for characters that look alike on a screen."""
    return plain(name) if name.isascii() else "".join(map(_seen, name))


def _seen(character: str) -> str:
    """Letters as they are; combining marks, joiners, compatibility characters and odd blanks as escapes."""
    alike = unicodedata.normalize("NFKC", character)
    is_odd = alike != character or unicodedata.combining(character) or not character.isprintable()
    return ascii(character)[1:-1] if is_odd else plain(character)


def fan_out(done: Receipt) -> str:
    """How many effective roles a change made and unmade; on the background route, an estimate."""
    about = "about " if done.route is Route.BACKGROUND and done.fan_out else ""
    return f"{about}{counted(done.fan_out, 'effective role')}"


def _not_found(done: Receipt) -> None:
    """Names in a change that do not exist, and required roles about to lose all holders."""
    for role in done.only_expiring:
        say(f"warning: whoever still holds the required role {role} holds it until a time only")
    for missing in done.not_found[:EXAMPLES]:
        say(f"not found: {missing.what} {missing.name}")
    if len(done.not_found) > EXAMPLES:
        say(f"  … and {len(done.not_found) - EXAMPLES:,} more; --json lists them all")


def receipt_object(done: Receipt, took_ms: float) -> dict[str, Any]:
    """A receipt as plain JSON values."""
    from rescind.transfer.evidence import enforcement_object

    return {
        "organization": done.organization,
        "changed": done.changed,
        "revision": done.revision.organization,
        "token": done.token,
        "direction": done.direction.value,
        "route": done.route.value,
        "route_reason": done.route_reason or None,
        "fan_out": done.fan_out,
        "recorded_at": done.recorded_at,
        "settled_at": done.settled_at,
        "not_found": [{"what": each.what, "name": each.name} for each in done.not_found],
        "only_expiring": list(done.only_expiring),
        "look_alikes": done.look_alikes,
        "enforced_at": done.enforced_at,
        "enforcement": enforcement_object(done.enforcement),
        "took_ms": round(took_ms, 3),
    }


def difference(found: dict[str, Difference], *, as_json: bool) -> None:
    """What a dry run would give and take in each organization."""
    if as_json:
        for name, each in found.items():
            both = {"granted": each.granted, "revoked": each.revoked}
            known = {"direction": each.direction.value, "is_complete": each.is_complete}
            alike = {"look_alikes": each.look_alikes}
            say_json({"organization": name, **known, **both, **alike})
        return
    for name, each in found.items():
        _one_difference(f" in {name}" if len(found) > 1 else "", each)
    say("nothing was changed: this was a dry run")
    for each in found.values():
        look_alikes(each.look_alikes, len(each.look_alikes))


def _one_difference(where: str, found: Difference) -> None:
    if not found.is_complete:
        say("what each organization would gain or lose is not worked out for all organizations (*)")
        return
    for verb, entries in (("grant", found.granted), ("revoke", found.revoked)):
        say(f"would {verb} {counted(len(entries), 'permission')}{where}{':' if entries else ''}")
        for subject, permission, resource in entries[:EXAMPLES]:
            say(f"  {'+' if verb == 'grant' else '-'} {subject}  {permission}  {resource}")
        if len(entries) > EXAMPLES:
            say(f"  … and {len(entries) - EXAMPLES:,} more; --json lists them all")


def decision(answer: Decision, unknown: Sequence[UnknownName], *, as_json: bool) -> None:
    """Print a decision: the reason, the decision point, the token, and names that do not exist."""
    if as_json:
        named = {"unknown": [each._asdict() for each in unknown]} if unknown else {}
        say_json({**decision_object(answer), **named})
        return
    verdict = "allowed" if answer else f"denied: {answer.reason.value}"
    say(f"{verdict}  ({answer.point.value}, token {answer.token or 'none'})")
    for each in unknown:
        say(f"  {not_there(each)}")
    if answer.explanation is None:
        return
    for chain in answer.explanation.chains:
        say(f"  {chain}")
    if unknown and answer.reason in _SAID_BY_NAME:
        return
    for obstacle in answer.explanation.obstacles:
        say(f"  {obstacle}")
    if not answer.explanation.is_complete:
        say("  … and more")


def not_there(unknown: UnknownName, when: str = "") -> str:
    """A line on a name that does not exist, with similar names that do."""
    hint = f"; did you mean {did_you_mean(unknown.similar)}?" if unknown.similar else ""
    return f"there is no {unknown.what} {unknown.name}{when}{hint}"


def decision_object(answer: Decision) -> dict[str, Any]:
    """A decision as plain JSON values."""
    found: dict[str, Any] = {
        "allowed": answer.allowed,
        "reason": answer.reason.value,
        "decision_point": answer.point.value,
        "token": answer.token,
    }
    if answer.explanation is not None:
        found["explanation"] = answer.explanation
    return found


def _time(moment: datetime | None) -> str:
    return "not yet" if moment is None else moment.isoformat(sep=" ", timespec="milliseconds")
