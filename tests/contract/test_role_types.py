"""Roles that are for resources of one type: defined, exported, taken over from what the directory kept."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidChange, MalformedId, RoleNotForResource
from rescind.transfer import exported
from tests.sql import ours

SCOPED = changes.DefineRole(role="editor", permissions=("write",), resource_type="doc")


def test_it_is_exported(acme: Authority) -> None:
    """And what is exported makes the same again."""
    acme.apply([SCOPED])
    assert SCOPED in exported(acme, "acme")
    assert not acme.apply([SCOPED]).changed
    with pytest.raises((MalformedId, InvalidChange)):
        acme.apply([changes.DefineRole(role="x", resource_type="no type")])


def test_a_refused_batch_gives_nothing(acme: Authority) -> None:
    """In a batch, whichever change comes first; where one of several roles is for something else."""
    acme.apply([SCOPED])
    good = changes.Given(role="editor", on="doc:1")
    for batch in (
        [changes.CreateGroup(group="new"), changes.Assign(role="editor", to="user:ada")],
        [
            changes.ReplaceAssignments(
                to="user:ada", assignments=(good, changes.Given(role="editor"))
            )
        ],
        [changes.Assign(role="editor", to="user:ada", on="folder:b")],
    ):
        with pytest.raises(RoleNotForResource):
            acme.apply(batch)
    assert acme.apply([changes.Assign(role="editor", to="user:ada", on="doc:1")]).changed


def test_an_upgrade_takes_over_what_the_directory_kept(acme: Authority) -> None:
    """From then on it is a rule of the facts; before, only two of the roads looked at it."""
    acme.apply([changes.DefineRole(role="editor", permissions=("write",))])
    store = acme.store
    o = acme.check("user:ada", "read").revision.incarnation  # type: ignore[union-attr]
    ((role, *_),) = (row[1:] for row in store.fetch("show_roles", {"o": o, "role": "editor"}))
    entry = {"o": o, "kind": "role", "number": role}
    kept = json.dumps({"description": "x", "resource_type": "doc"})
    store.fetch("touch_entry", {**entry, "now": 1})
    store.fetch("set_entry", {**entry, "attributes": kept})
    name = f"migrations/0011_role_resource_type.{store.engine}.sql"
    script = files("rescind.store").joinpath(name).read_text("utf-8")
    update = script[script.index("UPDATE role") :].strip().rstrip(";")
    for former in ("UPDATE role", "FROM directory", "= role.organization", "= role.id"):
        update = update.replace(former, former.replace(" ", " rescind."))
    wide = changes.Assign(role="editor", to="user:ada")
    assert acme.preview([wide]).granted  # the control: the facts do not know it yet
    store.queries["take over"] = ours(store, f"{update} RETURNING 1")  # type: ignore[attr-defined]
    store.execute_alone("take over", {})
    with pytest.raises(RoleNotForResource):
        acme.apply([wide])
    assert acme.apply([changes.Assign(role="editor", to="user:ada", on="doc:1")]).changed
