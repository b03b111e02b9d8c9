"""The upgrade test has code of every schema from some version on."""

from __future__ import annotations

import re

from rescind.store.schema import VERSIONS
from tests.upgrade.installing import COMMITS
from tests.upgrade.scenario import TOGETHER_FROM


def test_no_schema_is_left_out() -> None:
    """The newest may be missing as long as no commit has it; the one before it may not."""
    first = VERSIONS.index(TOGETHER_FROM)
    assert set(VERSIONS[first:-1]) <= COMMITS.keys() <= set(VERSIONS)
    assert all(re.fullmatch("[0-9a-f]{40}", commit) for commit in COMMITS.values())
    assert len(set(COMMITS.values())) == len(COMMITS)
