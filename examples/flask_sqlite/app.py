"""Documents of teams: Flask on one SQLite file, with sqlite3 and no further library."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import Any

from flask import Flask, abort, g, jsonify, request
from flask.typing import ResponseReturnValue

from rescind import Authority, changes, sql
from rescind.changes import Change
from rescind.errors import OrganizationExists, RescindError
from rescind.integrations.flask import Access, from_view

ORGANIZATION = "example"
MODEL: list[Change] = [
    changes.CreateOrganization(),
    *(
        changes.DefinePermission(permission=name)
        for name in ("doc:read", "doc:write", "doc:share", "team:manage")
    ),
    changes.DefineRole(role="viewer", permissions=("doc:read",)),
    changes.DefineRole(
        role="manager", permissions=("doc:read", "doc:write", "doc:share", "team:manage")
    ),
    changes.DefineResourceType(type="team"),
    changes.DefineResourceType(type="doc", parents=("team",)),
]
"""What may be done here. Recorded once: the batch is refused where the organization exists."""
TABLE = """
CREATE TABLE IF NOT EXISTS document (
    id INTEGER PRIMARY KEY, resource TEXT UNIQUE, title TEXT NOT NULL, updated INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS document_by_update ON document (updated);
CREATE TABLE IF NOT EXISTS team (name TEXT PRIMARY KEY);
"""
PAGE = (
    sql.permitted("document AS d", resource="d.resource", engine="sqlite")
    + " SELECT id, title, updated FROM permitted WHERE updated < :before ORDER BY updated DESC LIMIT 20"
)


def current_subject() -> str | None:
    """Your own login goes here. The example trusts a header."""
    name = request.headers.get("X-User")
    return None if name is None else f"user:{name}"


def make_app(path: str) -> Flask:
    """The application on the file."""
    authority = Authority.open(path, organization=ORGANIZATION, create=True)
    with suppress(OrganizationExists):
        authority.apply(MODEL, actor="setup")
    connection = sqlite3.connect(path)
    connection.executescript(TABLE)
    connection.close()
    app = Flask("documents")
    app.extensions["rescind"] = authority
    access = Access(authority, subject=current_subject)

    def database() -> sqlite3.Connection:
        """The request's connection."""
        if "database" not in g:
            g.database = sqlite3.connect(path, timeout=30)
            g.database.row_factory = sqlite3.Row
        return g.database  # type: ignore[no-any-return]

    @app.teardown_appcontext
    def close(_: BaseException | None) -> None:
        if "database" in g:
            g.database.close()

    def change(*made: Change) -> ResponseReturnValue:
        """Record changes. A revocation holds in every process when this returns."""
        try:
            authority.apply(made, actor=current_subject() or "unknown")
        except RescindError as error:
            abort(409, str(error))
        return "", 204

    def named(field: str) -> str:
        found = request.get_json().get(field)
        return found if isinstance(found, str) else abort(400, f"{field} is missing")

    @app.post("/users")
    def sign_up() -> ResponseReturnValue:
        return change(changes.AddMembership(subject=f"user:{named('name')}"))

    @app.post("/teams")
    def create_team() -> ResponseReturnValue:
        subject, team = current_subject() or abort(401), named("name")
        made = [
            changes.CreateResource(resource=f"team:{team}"),
            changes.CreateGroup(group=team),
            changes.Assign(role="viewer", to=f"group:{team}", on=f"team:{team}"),
            changes.Assign(role="manager", to=subject, on=f"team:{team}"),
        ]
        connection = database()
        try:  # the key decides who made a team: Rescind takes a group that is there already for done
            connection.execute("INSERT INTO team VALUES (?)", (team,))
            receipt = authority.apply(made, actor=subject, within=connection)
            connection.commit()
        except (sqlite3.IntegrityError, RescindError):
            abort(409, "There is such a team, or it cannot be.")
        receipt.enforce()
        return "", 204

    @app.put("/teams/<team>/members/<user>")
    @access.require("team:manage", resource=from_view("team", type="team"))
    def add_member(team: str, user: str) -> ResponseReturnValue:
        return change(changes.AddMembers(group=team, members=(f"user:{user}",)))

    @app.delete("/teams/<team>/members/<user>")
    @access.require("team:manage", resource=from_view("team", type="team"))
    def remove_member(team: str, user: str) -> ResponseReturnValue:
        return change(changes.RemoveMembers(group=team, members=(f"user:{user}",)))

    @app.post("/teams/<team>/docs")
    @access.require("doc:write", resource=from_view("team", type="team"))
    def create_doc(team: str) -> ResponseReturnValue:
        """The row and its resource are one transaction: neither is there without the other."""
        connection = database()
        inserted = connection.execute(
            "INSERT INTO document (title, updated) SELECT ?, coalesce(max(updated), 0) + 1 FROM document",
            (named("title"),),
        )
        number = inserted.lastrowid
        connection.execute("UPDATE document SET resource = 'doc:' || id WHERE id = ?", (number,))
        made = changes.CreateResource(resource=f"doc:{number}", parent=f"team:{team}")
        receipt = authority.apply([made], actor=g.subject, within=connection)
        connection.commit()
        receipt.enforce()
        return jsonify(number), 201

    @app.put("/docs/<int:doc>/readers/<user>")
    @access.require("doc:share", resource=from_view("doc", type="doc"))
    def share(doc: int, user: str) -> ResponseReturnValue:
        return change(changes.Assign(role="viewer", to=f"user:{user}", on=f"doc:{doc}"))

    @app.delete("/docs/<int:doc>/readers/<user>")
    @access.require("doc:share", resource=from_view("doc", type="doc"))
    def unshare(doc: int, user: str) -> ResponseReturnValue:
        return change(changes.Unassign(role="viewer", to=f"user:{user}", on=f"doc:{doc}"))

    @app.get("/docs/<int:doc>")
    @access.require("doc:read", resource=from_view("doc", type="doc"))
    def read_doc(doc: int) -> ResponseReturnValue:
        found = (
            database()
            .execute("SELECT id, title, updated FROM document WHERE id = ?", (doc,))
            .fetchone()
        )
        return jsonify(dict(found)) if found else abort(404)

    @app.get("/docs")
    def list_docs() -> ResponseReturnValue:
        """A page of what may be read, newest first, by one query. `before` is the last page's `updated`."""
        asked: dict[str, Any] = {
            "organization": ORGANIZATION,
            "subject": current_subject() or abort(401),
            "permission": "doc:read",
            "before": request.args.get("before", 2**31 - 1, type=int),
        }
        return jsonify([dict(row) for row in database().execute(PAGE, asked)])

    return app


def create() -> Flask:
    """For `flask --app "app:create" run`: the file is DATABASE, or one here."""
    return make_app(os.environ.get("DATABASE", "example.db"))
