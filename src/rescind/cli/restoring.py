"""`rescind restored`: says that the database was restored from a back-up."""

from __future__ import annotations

import time
from typing import Annotated

from rescind.cli import output
from rescind.cli.change_commands import user
from rescind.cli.declared import Commands, Option
from rescind.cli.options import Target, with_target
from rescind.history.restoring import begin_incarnation
from rescind.http.keys.key_store import Keys
from rescind.model import Microseconds


def register(commands: Commands) -> None:
    """Add the command of this module."""
    commands.add("restored", restored, "Database", with_target)


def restored(
    target: Target,
    reason: Annotated[str, Option(help="Which back-up, and why; for the log.")] = "",
) -> None:
    """Say that the database was restored: tokens, cursors and caches from before are refused then."""
    target.refuse_given("organization", hint="a whole database is restored")
    with target.open() as authority:
        begin_incarnation(
            authority.store, Microseconds(time.time_ns() // 1_000), actor=user(), reason=reason
        )
        heads = list(authority.log_heads())
        keys = [key for key in Keys(authority.store).list() if key.revoked_at is None]
    if target.as_json:
        output.say_json(
            {
                "database": target.shown,
                "heads": [
                    {"organization": head.organization, "revision": head.revision, "at": head.at}
                    for head in heads
                ],
                "valid_keys": [{"id": key.id, "name": key.name} for key in keys],
            }
        )
        return
    output.say(f"{target.shown} is a new incarnation: tokens and cursors from before are refused")
    for head in heads:
        output.say(f"  {head.organization} ends with revision {head.revision}, {head.at}")
    output.say("Changes after that are lost: repeat the revocations among them from a kept log.")
    if keys:
        output.say(
            "These API keys are valid; revoke again those that were revoked since the back-up:"
        )
    for key in keys:
        output.say(f"  {key.id} {key.name}")
