"""`rescind review verify`: whether reviews are as they were when they were started."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import click

from rescind import transfer
from rescind.cli import output
from rescind.cli.log_proof import read_heads
from rescind.cli.options import Target
from rescind.cli.times import second
from rescind.errors import InvalidArgument
from rescind.model import AppliedDecisions, VerifiedReview
from rescind.transfer.review_decisions import ReviewNames, read_decisions

DOES_NOT_FIT: Final = 1


def verify(
    target: Target,
    name: str | None,
    file: transfer.Source | None,
    delimiter: transfer.Delimiter | None,
    *,
    kept: str | None,
    life: int | None,
) -> None:
    """Verify a review, or all. Exits with 1 if one does not fit.

    Raises InvalidArgument for a file of decisions without the name of its review.
    """
    if file is not None and name is None:
        raise InvalidArgument(what="--decisions", hint="name the review that they are of")
    heads = None if kept is None else read_heads(kept)
    with target.open() as authority:
        decisions = None
        if file is not None and name is not None:
            review = ReviewNames(name, target.require_organization())
            decisions = read_decisions(file, review, delimiter).decided
        found = authority.verify_reviews(name, decisions=decisions, heads=heads, life=life)
    for each in found:
        if target.as_json:
            output.say_json(verified_object(each))
        else:
            _say(each)
    if not found and not target.as_json:
        output.say("no reviews; `rescind review start NAME` starts one")
    if not all(each.fits for each in found):
        raise click.exceptions.Exit(DOES_NOT_FIT)


def verified_object(found: VerifiedReview) -> dict[str, Any]:
    """The result for one review, as plain JSON values."""
    fault = None
    if (bad := found.fault) is not None:
        fault = {"kind": bad.kind.value, "detail": bad.detail, "meaning": bad.meaning}
    return {**asdict(found), "fits": found.fits, "fault": fault}


def _say(found: VerifiedReview) -> None:
    name = output.plain(f"{found.review} of {found.organization}")
    if found.fault is not None:
        output.say(output.plain(f"{name}: does not fit: {found.fault.meaning}"))
    else:
        heads = f", {output.counted(found.heads, 'kept head')}" if found.heads else ""
        summary = f"{output.counted(found.lines, 'line')} as started, at revision {found.revision}"
        output.say(f"{name}: {summary}{heads}")
    for each in found.applied:
        output.say(output.plain(f"    {_applied(each)}"))


def _applied(each: AppliedDecisions) -> str:
    done = f"{each.revoked:,} revoked, {each.kept:,} kept, {each.stale:,} did not apply"
    at = "" if each.revision is None else f" at revision {each.revision}"
    when = second(each.at, "")
    return f"applied {when} by {each.actor}{at}: {done}  decisions {each.decisions}"
