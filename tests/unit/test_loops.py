"""No loop of ours goes on for as long as something keeps happening: each that could is listed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import rescind

SOURCES: Final = Path(rescind.__file__).parent

ENDS: Final = {
    "aio/calls.py:_ended": "the end of the call, which its store bounds; a round for each cancellation",
    "client/clients.py:AsyncClient._answered": "the deadline of the call, `most_tries` and the budget",
    "client/clients.py:AsyncClient._lines": "the last line; as above where no line comes",
    "client/clients.py:AsyncClient._stepped": "the last of the steps, which are few, and one deadline",
    "client/clients.py:Client._answered": "the deadline of the call, `most_tries` and the budget",
    "client/clients.py:Client._lines": "the last line; as above where no line comes",
    "client/clients.py:Client._stepped": "the last of the steps, which are few, and one deadline",
    "client/sending.py:Sender._parts": "the end of the answer; each part has its time",
    "client/sending_async.py:AsyncSender._parts": "the end of the answer; each part has its time",
    "cli/facts.py:list_facts": "the last page",
    "decision/lists/source.py:finished": "the last step of a page, which looks at a bounded number of rows",
    "store/migrations/__init__.py:_upgrade_on_postgres": "the patience of the migration (`LockWaits`)",
    "store/postgres/connection.py:Connection._connect_gen": "connected, or the deadline of the wait",
    "cli/large_group.py:LargeGroup._follow": "a demonstration: the last row",
    "cli/questions.py:_pages": "the last page",
    "cli/watching.py:_frames": "whoever watches",
    "replicas/enforcement.py:Acknowledgements._run": "closing",
    "replicas/enforcement.py:Enforcer._leases": "the length of a lease",
    "replicas/cache.py:IndexCache._load_wanted": "nothing that is wanted any more",
    "replicas/cached_answers.py:_in_turns": "the list's last step",
    "replicas/lease.py:Replica._run": "closing; it waits longer after each failure",
    "http/routes/imports.py:_lines": "the end of the body",
    "http/server/supervising.py:refreshed.refresh": "stopping; it waits before each refresh",
    "directory/questions.py:_all": "the last page",
    "propagation/tombstones.py:_purge": "a chunk that is not full",
    "integrations/django/access.py:permissions_of": "the last page",
    "integrations/django/management/commands/rescind_sync.py:_pieces": "the highest key",
    "integrations/django/pruning.py:_pages": "the last page",
    "integrations/django/shortcuts.py:get_groups_with_perms": "the last page",
    "insight/probe/service.py:ProbeService.run": "stopping; it waits after each failure",
    "propagation/background_audit.py:BackgroundAudit.run": "stopping; it waits longer after each failure",
    "propagation/worker.py:Worker.run": "stopping; it waits longer after each failure",
    "store/postgres/connection.py:_until_silent": "silence",
    "store/postgres/connector.py:Connector.connect": "CONNECT_SECONDS",
    "store/sqlite/listener.py:SqliteListener.wait": "the seconds asked for",
    "store/sqlite/write_queue.py:begin_write": "BUSY_SECONDS",
    "decision_log/destinations.py:write_whole": "all is written; closing does not wait for it",
    "history/heads.py:listed_logs": "the last page",
    "history/reviews.py:rows_of": "the last page",
    "history/replaying.py:_snapshot": "a snapshot that can be read, or none: each is older",
    "history/snapshots.py:SnapshotWriter.run": "stopping; it waits longer after each failure",
}
"""Loops that are written to go on until they are left from within, or after an error, and what ends them."""


def _is_open(loop: ast.While) -> bool:
    """Whether only its body can end it, or it goes on after an error."""
    handlers = [
        handler
        for node in ast.walk(loop)
        if isinstance(node, ast.Try)
        for handler in node.handlers
        if not isinstance(handler.body[-1], ast.Raise | ast.Return | ast.Break)
    ]
    return isinstance(loop.test, ast.Constant) or bool(handlers)


def open_loops(source: str, name: str) -> set[str]:
    """The functions of a module that have such a loop."""
    found = set()
    tree = ast.parse(source)

    def look(node: ast.AST, where: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.While) and _is_open(child):
                found.add(f"{name}:{'.'.join(where)}")
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            look(child, (*where, child.name) if named else where)  # type: ignore[attr-defined]

    look(tree, ())
    return found


def test_loops_that_only_their_body_ends_are_known() -> None:
    """A new one needs a bound, a test in which its condition keeps changing, and its place here."""
    found = set()
    for path in SOURCES.rglob("*.py"):
        found |= open_loops(path.read_text(), str(path.relative_to(SOURCES)))
    assert found == set(ENDS)


def test_such_loops_are_seen() -> None:
    """Control: one that is left from within, and one that goes on after an error."""
    source = """
def f():
    while True:
        pass
def g():
    while x():
        try:
            y()
        except E:
            continue
def h():
    while x():
        y()
"""
    assert open_loops(source, "m.py") == {"m.py:f", "m.py:g"}
