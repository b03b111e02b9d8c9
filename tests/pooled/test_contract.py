"""A part of the contract tests, through PgBouncer. `make pgbouncer` runs all of them there."""

from __future__ import annotations

from tests.contract import (
    test_assignments,
    test_connection,
    test_environment,
    test_first,
    test_memory,
)
from tests.members import members_of

MODULES = (
    test_assignments,
    test_connection,
    test_memory,
    test_environment,
    test_first,
)
OF_SESSIONS = {"test_connection_commits_that_a_crash_may_undo"}
"""They change the server's settings, which a session of the pooler may have read before."""

for each in MODULES:
    for name, member in members_of(each).items():
        if name not in OF_SESSIONS:
            globals()[name] = member
