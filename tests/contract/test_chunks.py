"""A job may be cut into chunks anywhere, of sizes that change as it goes: what it makes is the same."""

from __future__ import annotations

import itertools

import pytest

from rescind import Authority, changes
from rescind.changes import Given
from rescind.propagation.audit import audit
from rescind.propagation.work import Work
from tests.faults.small import Steady
from tests.jobs import due_jobs

SIZES = (1, 2, 3, 7)
PLACES = tuple(f"doc:{n}" for n in range(4))
ALL = changes.ReplaceAssignments(
    to="group:team", assignments=tuple(Given(role="reader", on=place) for place in PLACES)
)
NONE = changes.ReplaceAssignments(to="group:team", assignments=())
ROWS = "SELECT count(*) FROM rescind.effective_role WHERE organization = :o"


@pytest.fixture
def team(authority: Authority) -> Authority:
    """A group of three; between its members there are others, so that their numbers have gaps."""
    members = tuple(f"user:{n}" for n in range(6))
    authority.apply(
        [
            changes.CreateOrganization(),
            changes.DefinePermission(permission="read"),
            changes.DefineRole(role="reader", permissions=("read",)),
            changes.DefineResourceType(type="doc"),
            *(changes.CreateResource(resource=place) for place in PLACES),
            *(changes.AddMembership(subject=member) for member in members),
            changes.CreateGroup(group="team"),
            changes.AddMembers(group="team", members=(*members[:2], members[4])),
        ]
    )
    return authority


@pytest.mark.parametrize("one_by_one", [False, True])
def test_chunks_of_any_sizes(team: Authority, one_by_one: bool) -> None:
    """Each way to begin a job, of one revision or of several, then the rest of it; by one worker that
    remembers how it was done.
    """
    assert _unclean(team, one_by_one=one_by_one) == []


def test_control_a_chunk_of_several_begins_each_at_the_first(team: Authority) -> None:
    """Only the first of a chunk's memberships begins where the chunk before ended; where all do, rows are
    missing, or left.
    """
    for name in ("make_assignment", "make_assignment_again", "unmake_assignment"):
        team.store.queries[name] = (  # type: ignore[attr-defined]
            team.store.queries[name].replace(":above", ":after_a").replace("(above)", "(after_a)")  # type: ignore[attr-defined]
        )
    assert _unclean(team, one_by_one=False)


def _unclean(team: Authority, *, one_by_one: bool) -> list[tuple[int, ...]]:
    """Sizes of chunks after which the rows were not what the facts imply."""
    apart = [changes.Assign(role="reader", to="group:team", on=place) for place in PLACES]
    found = []
    for sizes in itertools.product(SIZES, repeat=2):
        for batch in (apart if one_by_one else [ALL], [NONE]):
            for change in batch:
                team.apply([change], route="background")
            while due := due_jobs(team.store):
                work, size = Work(team.store, due[0]), itertools.chain(sizes, itertools.repeat(1))
                while not work.step(Steady(next(size))).is_settled:  # type: ignore[arg-type]
                    pass
            if not audit(team.store).is_clean:
                found.append(sizes)
                audit(team.store, repair=True)
    return found
