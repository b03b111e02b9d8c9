"""Several unknown names in one question: each decision point reports the same one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from rescind import Authority, DecisionPoint, Reason, changes
from rescind.semantics import preconditions
from tests.contract.world import WORLD

GONE = "user:gone"
"""A member whose membership is deactivated."""
SUBJECTS = ("user:ada", GONE, "user:nobody")
PERMISSIONS = ("write", "fly")
RESOURCES = ("doc:1", "doc:none")


@pytest.fixture(params=[True, False], ids=["index", "tables"])
def asked(request: pytest.FixtureRequest, database: str) -> Iterator[Authority]:
    """An authority on each engine, with a cached index and without."""
    with Authority.open(database, organization="acme", index=request.param) as opened:
        opened.apply(
            [
                *WORLD,
                changes.AddMembership(subject=GONE),
                changes.DeactivateMembership(subject=GONE),
            ]
        )
        if request.param:
            assert opened.load()
        yield opened


def _expected(subject: str, permission: str, resource: str) -> Reason | None:
    return preconditions.first_unmet(
        membership=subject != "user:nobody",
        active=subject != GONE,
        permission=permission != "fly",
        resource=resource != "doc:none",
    )


@pytest.mark.parametrize("assurance", ["standard", "live"])
def test_every_decision_point_reports_the_same(asked: Authority, assurance: str) -> None:
    """Checks alone and in batches, and explanations: from the index, effective roles and the facts."""
    for question in product(SUBJECTS, PERMISSIONS, RESOURCES):
        expected = _expected(*question) or Reason.ALLOWED
        decisions = [
            asked.check(*question, assurance=assurance),  # type: ignore[arg-type]
            *asked.check_many([question], assurance=assurance),  # type: ignore[arg-type]
            asked.explain(*question, assurance=assurance),  # type: ignore[arg-type]
        ]
        assert [decision.reason for decision in decisions] == [expected] * 3, question
        if assurance == "standard" and asked.cache is not None:
            assert {decision.point for decision in decisions} == {DecisionPoint.INDEX}


def test_lists_about_something_unknown_are_empty(asked: Authority) -> None:
    """Whichever name is unknown; and not where all are known."""
    for subject, permission, resource in product(
        ("user:ada", "user:nobody"), PERMISSIONS, RESOURCES
    ):
        unknown = (subject == "user:nobody", permission == "fly", resource == "doc:none")
        assert bool(asked.permissions_of(subject, resource).items) is not (unknown[0] or unknown[2])
        assert bool(asked.resources_of(subject, permission).items) is not (unknown[0] or unknown[1])
        assert bool(asked.who_can(permission, resource).items) is not (unknown[1] or unknown[2])
