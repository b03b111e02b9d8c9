"""What the decisions of an access review do, for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rescind.cli import output
from rescind.model import LineDecision, ReviewOutcome


def outcome_object(done: ReviewOutcome, undecided: int, *, is_dry: bool) -> dict[str, Any]:
    """What decisions did, or would do, as plain JSON values."""
    receipt = done.receipt
    return {
        "review": done.review.name,
        "organization": done.review.organization,
        "dry_run": is_dry,
        "revoked": [_decided(each) for each in done.revoked],
        "kept": done.kept,
        "undecided": undecided,
        "stale": [{**_decided(each.decision), "why": each.why} for each in done.stale],
        "granted": done.difference.granted,
        "lost": done.difference.revoked,
        "beyond": done.beyond,
        "retained": done.retained,
        "is_repeated": done.is_repeated,
        "revision": None if receipt is None else receipt.revision.organization,
        "token": None if receipt is None else receipt.token,
        "enforced_at": None if receipt is None else receipt.enforced_at,
    }


def _decided(each: LineDecision) -> dict[str, str]:
    return {"line": each.line, "comment": each.comment, "at": each.at}


def show_outcome(done: ReviewOutcome, undecided: int, *, is_dry: bool) -> None:
    """Print what decisions did, or would do."""
    would = "would be " if is_dry else ""
    output.pairs(
        [
            ("revoke", f"{output.counted(len(done.revoked), 'line')} {would}revoked"),
            ("keep", f"{done.kept:,}"),
            ("undecided", f"{undecided:,}"),
            ("do not apply", f"{len(done.stale):,}"),
        ]
    )
    for each in done.stale[: output.EXAMPLES]:
        output.say(f"  {each.decision.at or each.decision.line}: {each.why}")
    _more(len(done.stale))
    _say_triples("loses", "-", done.difference.revoked)
    _say_triples("loses beyond what was to be revoked", "!", done.beyond)
    _say_triples("keeps by another way", "=", done.retained)
    _say_triples("gains", "+", done.difference.granted)
    if is_dry:
        output.say("nothing was changed: this was a dry run; --yes revokes")
    elif done.is_repeated:
        assert done.receipt is not None
        at = done.receipt.revision.organization
        output.say(f"these decisions were applied before, at revision {at}; nothing was done again")
    elif done.receipt is None:
        output.say("nothing was left to revoke")
    else:
        revision = done.receipt.revision.organization
        output.say(f"revoked at revision {revision}, enforced  (token {done.receipt.token})")
    if done.stale:
        not_done = output.counted(len(done.stale), "line")
        output.warn(f"NOT ALL: {not_done} did not apply; export the review or start a new one")


def _say_triples(verb: str, sign: str, triples: Sequence[tuple[str, str, str]]) -> None:
    if not triples:
        return
    output.say(f"{verb}: {output.counted(len(triples), 'permission')}")
    for subject, permission, resource in triples[: output.EXAMPLES]:
        output.say(f"  {sign} {subject}  {permission}  {resource}")
    _more(len(triples))


def _more(count: int) -> None:
    if count > output.EXAMPLES:
        output.say(f"  … and {count - output.EXAMPLES:,} more; --json lists them all")
