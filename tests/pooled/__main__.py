"""`make pgbouncer`: contract tests, fleet and workers through PgBouncer in transaction mode."""

from __future__ import annotations

import os
import subprocess
import sys

LEFT_OUT = (
    # They look at sessions of the server, or change its settings for new ones.
    "test_commits_that_a_crash_may_undo",
    # They prepare, or explain, on a connection of their own that they configure for a session.
    "test_queries",
    "test_work",
    "test_lists_cost",
    "test_an_async_session",
    # They look at lines or cursors of the driver.
    "test_the_fields_of_each_row_are_the_columns_of_its_query",
    "test_giving_back_once_is_not_enough",
    # They migrate by the URL of the program.
    "test_a_view_of_another_version_is_made_anew",
    "test_one_of_another_version_is_made_anew",
    "test_an_upgrade_is_logged",
    "test_migrations",
    "test_migrate_plan",
    "test_own_schema",
    "test_former",
)


def main(options: list[str]) -> int:
    """The exit code of pytest."""
    chosen = "postgres and " + " and ".join(f"not {name}" for name in LEFT_OUT)
    pytest = [sys.executable, "-m", "pytest", "-q", *options]
    runs = [[*pytest, "tests/contract", "-k", chosen], [*pytest, "tests/pooled"]]
    environment = {**os.environ, "RESCIND_TEST_POOLED": "1"}
    return max(subprocess.run(run, env=environment, check=False).returncode for run in runs)


sys.exit(main(sys.argv[1:]))
