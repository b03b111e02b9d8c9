"""Two servers on one PostgreSQL: what one revoked is denied by the other when the call has returned."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.http.processes import started
from tests.http.test_serve import ADA, ASKED, change

MANY = int(os.environ.get("RESCIND_TEST_MANY", "150"))
"""How many times."""
LEAVE = {"change": "remove_members", "group": "eng", "members": ["ada"]}
JOIN = {"change": "add_members", "group": "eng", "members": ["ada"]}


def test_a_revocation_is_denied_everywhere_at_return(
    tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    """Over HTTP, by either route, many times; a grant is allowed by its token."""
    database = new_database("postgres")
    with (
        started(tmp_path, "-d", database) as one,
        one.client() as first,
        started(tmp_path, "-d", database) as two,
        two.client(one.key) as second,
    ):
        change(first, ADA)
        for number in range(MANY):
            writer, reader = (first, second) if number % 2 else (second, first)
            route = ("inline", "background")[number % 5 == 0]
            body = {"organization": "acme", "changes": [LEAVE], "route": route}
            receipt = writer.post("/v1/changes", json=body).json()
            assert receipt["changed"], receipt
            assert not reader.post("/v1/check", json=ASKED).json()["allowed"], number
            token = writer.post("/v1/changes", json={**body, "changes": [JOIN]}).json()["revision"]
            headers = {"Rescind-At-Least": token}
            assert reader.post("/v1/check", json=ASKED, headers=headers).json()["allowed"], number
