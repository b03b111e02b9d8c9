"""SpiceDB in memory behind three HTTP requests, for the probe: grant, revoke, check.

`python -m lab.spicedb_http` prints its port and serves until its input ends. The address of a check names its
consistency: `default`, which a request without one gets, or `strict`, which is fully consistent.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab.spicedb import SCHEMA, relationship, subject, thing

ALLOWED = 2
"""PERMISSIONSHIP_HAS_PERMISSION"""
Answer = tuple[int, dict[str, Any]]


def routes(permissions: Any) -> dict[str, Callable[[str], Answer]]:
    """What each address does for a user."""
    from authzed.api.v1 import (
        CheckPermissionRequest,
        Consistency,
        RelationshipUpdate,
        WriteRelationshipsRequest,
    )

    operation = RelationshipUpdate.Operation
    strict = Consistency(fully_consistent=True)

    def write(kind: Any) -> Callable[[str], Answer]:
        def one(user: str) -> Answer:
            fact = relationship("team", "all", "member", "user", user)
            update = RelationshipUpdate(operation=kind, relationship=fact)
            permissions.WriteRelationships(WriteRelationshipsRequest(updates=[update]))
            return 200, {}

        return one

    def check(consistency: Any) -> Callable[[str], Answer]:
        options = {} if consistency is None else {"consistency": consistency}

        def one(user: str) -> Answer:
            request = CheckPermissionRequest(
                resource=thing("doc", "1"),
                permission="read",
                subject=subject("user", user),
                **options,
            )
            answer = permissions.CheckPermission(request)
            return 200, {"allowed": answer.permissionship == ALLOWED}

        return one

    return {
        "/grant": write(operation.OPERATION_TOUCH),
        "/revoke": write(operation.OPERATION_DELETE),
        "/check/default": check(None),
        "/check/strict": check(strict),
    }


def server(permissions: Any) -> ThreadingHTTPServer:
    """A server of the routes at any free port of this machine."""
    known = routes(permissions)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write for head and body
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = known[self.path](body["user"])
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def main() -> None:
    from spicedb_embedded import EmbeddedSpiceDB

    facts = [relationship("doc", "1", "reader", "team", "all", "member")]
    with EmbeddedSpiceDB.start(SCHEMA, facts) as spicedb, server(spicedb.permissions()) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        print(served.server_address[1], flush=True)
        sys.stdin.read()
        served.shutdown()


if __name__ == "__main__":
    main()
