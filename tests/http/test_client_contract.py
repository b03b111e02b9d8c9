"""The contract suite of `Authority`, asked of a client over HTTP."""

from __future__ import annotations

from tests.contract import (
    test_assignments,
    test_chains_shown,
    test_groups,
    test_if_revision,
    test_lists,
    test_memberships,
    test_organizations,
    test_refusals,
    test_resources,
    test_roles,
)
from tests.http.over_http import acme, authority, rows_but_keys, settled  # noqa: F401
from tests.taking import taken

MODULES = (
    test_assignments,
    test_chains_shown,
    test_groups,
    test_if_revision,
    test_lists,
    test_memberships,
    test_organizations,
    test_refusals,
    test_resources,
    test_roles,
)
NOT_OVER_HTTP = {
    "test_a_cursor_stays_good_while_facts_change": "it compares the numbers of pages' revisions",
    "test_an_organization_is_created_by_the_first_change": "it applies an empty batch",
    "test_at_any_other_nothing_is_done": "it makes tokens by the database's secret",
    "test_create_organization_makes_an_empty_one": "it looks at incarnations",
    "test_delete_organization_cascade_takes_all_of_it": "it looks at incarnations",
    "test_delete_organization_frees_its_name": "it looks at incarnations",
    "test_rename_group_keeps_its_id": "it compares states of the tables by incarnation",
}
"""Tests that are about something else than what the service answers, and why."""
IN_PROCESS = {"database", "probe"}
"""Fixtures of tests that open a database themselves, or look at statements."""

globals().update(taken(MODULES, but=NOT_OVER_HTTP, without=IN_PROCESS))
