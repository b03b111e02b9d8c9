"""The proof of the log on the command line: its heads, and whether what is there now fits them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from rescind.cli import output
from rescind.cli.change_commands import user
from rescind.cli.options import Target
from rescind.errors import InvalidArgument
from rescind.history.actions import mend_end
from rescind.history.heads import ACTIONS_NUMBER
from rescind.model import Fault, KeptHeads, VerifiedLog
from rescind.propagation.chaining import chain_some
from rescind.transfer.evidence_file import VerifiedFile, verified_file

DOES_NOT_FIT: Final = 1
PARTS_SHOWN: Final = 5


def say_heads(target: Target) -> None:
    """Print the head of each log as a line of JSON."""
    with target.open() as authority:
        for head in authority.log_heads(organization=target.organization):
            output.say_json(asdict(head))


def chain(target: Target) -> None:
    """Chain the changes of older versions now, rather than by a worker. Mends the end of the log of service
    actions, if its row was deleted.
    """
    total = 0
    with target.open() as authority:
        with output.progress() as bar:
            task = bar.add_task("chaining", total=None)
            while done := chain_some(authority.store):
                total += done
                bar.update(task, completed=total)
        is_mended = mend_end(authority.store, actor=user())
    if target.as_json:
        output.say_json({"chained": total, "mended": is_mended})
        return
    output.say(f"{output.counted(total, 'change')} got a digest")
    if is_mended:
        output.say("the log of service actions goes on after its newest action")


def verify(target: Target, *, kept: str | None, file: str | None, with_gaps: bool) -> None:
    """Verify the logs of a database, or a file of evidence. Exits with 1 if something does not fit.

    Raises InvalidArgument for a file with no heads or no changes, which would prove nothing, and for
    `with_gaps` without a file.
    """
    if with_gaps and file is None:
        raise InvalidArgument(what="--with-gaps", hint="it belongs to --file")
    heads = None if kept is None else read_heads(kept)
    if file is not None:
        with _lines(file) as lines:
            verified = verified_file(lines, heads, with_gaps=with_gaps)
        if not verified:
            hint = "it has no change: `rescind log export --evidence` writes them"
            raise InvalidArgument(what="--file", value=file, hint=hint)
        fits = _say_all(target, verified)
    else:
        with target.open() as authority:
            with output.progress() as bar:
                task = bar.add_task("verifying", total=None)
                found = list(
                    authority.verify_log(
                        organization=target.organization,
                        heads=heads,
                        progress=lambda name, done, newest: bar.update(
                            task, description=output.plain(name), completed=done, total=newest
                        ),
                    )
                )
            fits = _say_all(target, found)
    if not fits:
        raise click.exceptions.Exit(DOES_NOT_FIT)


def read_heads(name: str) -> KeptHeads:
    """Heads from a file, or from standard input. Raises InvalidArgument for a file with none."""
    with _lines(name) as lines:
        heads = KeptHeads.read(lines, what="--from")
    if not heads:
        hint = "it has no head with a digest: `rescind log head` prints them"
        raise InvalidArgument(what="--from", value=name, hint=hint)
    return heads


@contextmanager
def _lines(name: str) -> Iterator[Iterable[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as stream:
        yield stream


def _say_all(target: Target, found: Iterable[VerifiedLog | VerifiedFile]) -> bool:
    fits = True
    for each in found:
        fits = fits and each.fits
        if target.as_json:
            output.say_json(as_object(each))
        else:
            _say(each)
    return fits


def as_object(found: VerifiedLog | VerifiedFile) -> dict[str, Any]:
    """What was found, as plain JSON values."""
    return {**asdict(found), "fits": found.fits, "fault": fault_object(found.fault)}


def fault_object(fault: Fault | None) -> dict[str, Any] | None:
    """A fault as plain JSON values."""
    if fault is None:
        return None
    return {"kind": fault.kind.value, "revision": fault.revision, "meaning": fault.meaning}


def _fit(number: int, what: str) -> str:
    return f"{output.counted(number, what)} {'fits' if number == 1 else 'fit'}"


def _say(found: VerifiedLog | VerifiedFile) -> None:
    name = output.plain(found.organization)
    heads = f", {output.counted(found.heads, 'kept head')}" if found.heads else ""
    if isinstance(found, VerifiedLog):
        since = f" after revision {found.after}, where the log begins" if found.after else ""
        what = "action" if found.number == ACTIONS_NUMBER else "change"
        told = f"{_fit(found.rows, what)}{since}{heads}"
    else:
        told = f"{_fit(found.lines, 'line')}, {_parts(found.parts)}{heads}"
    output.say(f"{name}: {told}")
    if isinstance(found, VerifiedLog) and found.unproven:
        left = output.counted(found.unproven, "change")
        output.say(f"{name}: nothing proves {left} that the log still has before it begins")
    if isinstance(found, VerifiedFile) and found.heads and found.heads_absent:
        absent = output.counted(found.heads_absent, "kept head")
        output.say(f"{name}: {absent} could not be compared: the file does not have those changes")
    if found.fault is not None:
        is_action = isinstance(found, VerifiedLog) and found.number == ACTIONS_NUMBER
        what = "action" if is_action else "revision"
        output.say(f"{name}: {what} {found.fault.revision} does not fit: {found.fault.meaning}")
    elif found.digest:
        output.say(f"    digest {found.digest}")


def _parts(parts: list[tuple[int, int]]) -> str:
    if not parts:
        return "none"
    shown = [f"{first} to {last}" if first < last else f"{first}" for first, last in parts]
    more = len(shown) - PARTS_SHOWN
    text = ", ".join(shown[:PARTS_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
    if len(parts) == 1:
        return f"revisions {text} without a gap"
    return f"in {len(parts):,} parts without a gap: {text}"
