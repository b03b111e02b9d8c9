"""The contract of lists of facts, asked of a client over HTTP. Those that name who did it are left out: over
HTTP that is the API key, too.
"""

from __future__ import annotations

import inspect

from tests.contract import test_listing
from tests.contract.test_listing import acme  # noqa: F401
from tests.http.over_http import authority, rows_but_keys  # noqa: F401

WITH_ACTORS = {
    "test_assignments",
    "test_groups",
    "test_members",
    "test_what_expires",
    "test_who_was_put_into_a_group_again_is_there_since_then",
}
BY_NUMBER = {"test_no_older_state_than_asked_for"}
"""They make tokens by the database's secret."""

for _name, _test in tuple(vars(test_listing).items()):
    if inspect.isfunction(_test) and _name not in WITH_ACTORS | BY_NUMBER:
        globals().setdefault(_name, _test)
