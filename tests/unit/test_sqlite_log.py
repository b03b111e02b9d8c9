"""Who writes the log back into a SQLite file: background work, so that changes do not pay for it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from rescind import Authority, changes
from rescind.propagation.work import Work
from rescind.store import open_store
from rescind.store.sqlite import files
from tests.faults.small import Steady
from tests.jobs import due_jobs

MEMBERS = tuple(f"user:{number}" for number in range(60))
PLACES = tuple(f"doc:{number}" for number in range(60))
GIVEN = tuple(changes.Given(role="reader", on=place) for place in PLACES)
FACTS = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.DefineResourceType(type="doc"),
    *(changes.CreateResource(resource=place) for place in PLACES),
    *(changes.AddMembership(subject=member) for member in MEMBERS),
    *(changes.CreateGroup(group=group) for group in ("all", "other")),
    changes.AddMembers(group="all", members=MEMBERS),
]
OTHERS = itertools.cycle(
    (
        changes.AddMembers(group="other", members=MEMBERS[:1]),
        changes.RemoveMembers(group="other", members=MEMBERS[:1]),
    )
)


@pytest.mark.parametrize("log_pages", [400, 60])
def test_beside_background_work_no_change_writes_the_log_back(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, log_pages: int
) -> None:
    """While a job goes on, its chunks do so, from another process too. Control: where changes may do it at
    the same length of the log, some of them do.
    """
    monkeypatch.setattr(files, "BACKGROUND", files.Commits("FULL", 60))
    monkeypatch.setattr(files, "NOT_DURABLE", files.Commits("NORMAL", 60))
    monkeypatch.setattr(files, "DURABLE", files.Commits("FULL", log_pages))
    url = new_database("sqlite")
    path = Path(url.removeprefix("sqlite:///"))
    wrote = {"chunk": 0, "change": 0}

    def watch(who: str, act: Callable[[], object]) -> None:
        before = _content(path)
        act()
        wrote[who] += _content(path) != before

    with Authority.open(url, organization="acme") as authority:
        authority.apply(FACTS, route="inline")
        given = changes.ReplaceAssignments(to="group:all", assignments=GIVEN)
        authority.apply([given], route="background")
        elsewhere = open_store(url)
        work = Work(elsewhere, due_jobs(elsewhere)[0])
        for change in itertools.islice(OTHERS, len(MEMBERS) - 5):
            watch("chunk", lambda: work.step(Steady(len(PLACES))))
            watch("change", lambda change=change: authority.apply([change]))  # type: ignore[misc]
        elsewhere.close()
    assert wrote["chunk"] > 0
    assert (wrote["change"] == 0) == (log_pages > 60)


def _content(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
