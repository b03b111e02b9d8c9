"""The end of the demo: its organization over HTTP, with lines that ask."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence

from rescind.authority import Authority

UNWATCHED_SECONDS = 30
"""How long it is served where the output goes to no terminal."""


def serve(path: str, organization: str, group: str, members: Sequence[str], may: str) -> None:
    """Serve the demo's database until told to stop; print three lines that work while it does."""
    from rescind.http.app import APPLICATIONS
    from rescind.http.keys import Keys
    from rescind.http.server.configuration import environment, load
    from rescind.http.server.serving import serve as run
    from rescind.store.migrations import migrate

    with Authority.open(path) as authority:
        scopes, keys = ["check", "write"], Keys(authority.store)
        key = keys.create("demo", scopes, organization=organization)[1]
    given = {"database": path, "log_level": "warning", "processes": 1}
    configuration, _ = load(None, environment(), given)

    def say(text: str) -> None:
        print(text, flush=True)
        if text.startswith("serving on "):
            lines = _lines(text.removeprefix("serving on "), key, group, members[0], may)
            for line in lines:
                print(line, flush=True)
            if not sys.stdout.isatty():
                print(f"nobody watches: it ends by itself in {UNWATCHED_SECONDS} s", flush=True)
                end = threading.Timer(UNWATCHED_SECONDS, os.kill, (os.getpid(), signal.SIGINT))
                end.daemon = True
                end.start()

    run(configuration, APPLICATIONS, migrate=migrate, say=say)


def _lines(url: str, key: str, group: str, subject: str, may: str) -> list[str]:
    """A check, a revocation, and the same check again."""
    check = ("/v1/check", {"subject": subject, "permission": may})
    leave = {"change": "remove_members", "group": group, "members": [subject]}
    asks = [check, ("/v1/changes", {"changes": [leave]}), check]
    kind = "-H 'Content-Type: application/json'"
    return [
        f"  curl {url}{path} -H 'Authorization: Bearer {key}' {kind} -d '{json.dumps(body)}'"
        for path, body in asks
    ]
