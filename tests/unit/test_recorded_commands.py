"""Every command that writes says where that is recorded. A new command must decide."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import rescind
from rescind.cli.commands import every_command
from rescind.history.actions import KINDS

CHANGES: Final = "changes"
"""In the change log of the organization."""
READS: Final = "reads"
"""It writes nothing to the database, or only what follows from the facts and the log."""
NEW: Final = "new database"

ACTIONS: Final[dict[str, set[str]]] = {
    "migrate": {"schema_migrated"},
    "restored": {"database_restored"},
    "log": {"log_pruned", "log_mended"},
    "review": {"review_started", "review_applied"},
    "pending": {"work_parked", "work_retried"},
    "audit": {"roles_repaired"},
    "worker": {"roles_repaired"},
    "serve": {"key_made", "roles_repaired"},
    "keys": {"key_made", "key_rotated", "key_revoked"},
}
"""In the log of service actions. The server records the same kinds for requests."""
OTHERS: Final = {
    **dict.fromkeys(("init", "demo"), NEW),
    **dict.fromkeys(
        (
            *(
                "import",
                "apply",
                "create-organization",
                "rename-organization",
                "delete-organization",
            ),
            *("set-role-mode", "set-default-role", "set-id-rule", "add-membership"),
            *("rename-membership", "change-membership-id", "deactivate", "reactivate"),
            *("remove-membership", "create-group", "rename-group", "change-group-id"),
            *("delete-group", "add-member", "remove-member", "replace-members", "nest", "unnest"),
            *("define-permission", "edit-permission", "delete-permission", "define-role"),
            *("edit-role", "delete-role", "define-resource-type", "delete-resource-type"),
            *("create-resource", "move-resource", "delete-resource", "assign", "unassign"),
            "probe",
        ),
        CHANGES,
    ),
    **dict.fromkeys(
        (
            *("export", "check", "explain", "what-can", "who-can", "doctor", "list", "history"),
            *("targets", "advise", "config", "monitoring", "sql"),
        ),
        READS,
    ),
}


def test_every_command_has_decided() -> None:
    commands = set(every_command())
    assert commands == ACTIONS.keys() | OTHERS.keys()
    assert not ACTIONS.keys() & OTHERS.keys()


def test_every_kind_of_action_is_of_a_command_and_is_documented() -> None:
    assert set().union(*ACTIONS.values()) == KINDS
    page = Path(__file__).parents[2] / "docs/reference/python.md"
    text = page.read_text("utf-8")
    assert all(f"`{kind}`" in text for kind in KINDS)


def test_the_code_records_these_kinds_and_no_others() -> None:
    """Each kind is a literal in exactly the modules that record it, beside the list."""
    home = Path(rescind.__file__).parent
    found: set[str] = set()
    for file in home.rglob("*.py"):
        if file != home / "history/actions.py":
            text = file.read_text("utf-8")
            if "ServiceAction" in text or "note_upgrade" in text or "_action(" in text:
                kinds = re.findall(
                    r'"((?:key|work|log|review|schema|roles|database)_[a-z]+ed|key_made)"', text
                )
                found |= set(kinds)
    found |= {"log_mended"}
    assert found == KINDS
