"""A part of that suite, asked of a client on an event loop. `test_every_method` asks it all methods."""

from __future__ import annotations

from rescind.client import AsyncClient
from tests.contract import test_chains_shown, test_groups, test_if_revision, test_lists, test_roles
from tests.http.over_http import acme, authority, rows_but_keys, settled  # noqa: F401
from tests.http.test_client_contract import IN_PROCESS, NOT_OVER_HTTP
from tests.taking import taken

CLIENT = AsyncClient
MODULES = (test_chains_shown, test_groups, test_if_revision, test_lists, test_roles)

globals().update(taken(MODULES, but=NOT_OVER_HTTP, without=IN_PROCESS))
