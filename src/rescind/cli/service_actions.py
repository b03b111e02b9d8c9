"""`rescind log actions`: what was done to keys, reviews, pending work, logs and the schema."""

from __future__ import annotations

from dataclasses import asdict

from rescind.cli import output
from rescind.cli.options import Target
from rescind.cli.times import second
from rescind.model import Action


def say(target: Target, after: int, limit: int | None) -> None:
    """List actions, the newest last: all, or those of an organization."""
    is_any = False
    with target.open() as authority:
        found = authority.actions(organization=target.organization, after=after, limit=limit)
        for action in found:
            is_any = True
            if target.as_json:
                output.say_json(asdict(action))
            else:
                output.say(_line(action))
    if not is_any and not target.as_json:
        output.say("no service actions")


def _line(action: Action) -> str:
    words = [str(action.number), second(action.at, ""), action.kind.replace("_", " ")]
    words += [action.subject, f"in {action.organization}" if action.organization else ""]
    words += [f"by {action.actor}" if action.actor else ""]
    words += [f"request {action.request}" if action.request else ""]
    words += [f"{name}: {value}" for name, value in action.detail.items() if value is not None]
    return output.plain("  ".join(word for word in words if word))
