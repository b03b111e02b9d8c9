"""Random histories of an organization, and everything that can be asked about it at a point of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from hypothesis import strategies as st

from rescind import Authority, changes, model
from rescind.errors import OrganizationNotFound, RescindError
from tests.clock import SettableClock
from tests.property.test_machine import RESOURCES, SETUP, SUBJECTS, one_change

PERMISSIONS = ("p", "q", "shared")
START = 1_000_000
WAITS = (1, 1, 3, 6, 86_400)
"""Seconds between two changes: facts expire 5 to 20 seconds after the start; a day makes snapshots due."""

on_environment = st.one_of(
    st.builds(
        changes.DefineRole,
        role=st.just("everywhere"),
        permissions=st.sampled_from(((), ("shared",))),
        priority=st.integers(0, 2),
    ),
    st.builds(changes.EditRole, role=st.just("everywhere"), set=st.sampled_from(((), ("shared",)))),
    st.builds(changes.EditRole, role=st.just("everywhere"), priority=st.integers(0, 2)),
    st.builds(changes.DeleteRole, role=st.just("everywhere"), cascade=st.booleans()),
    st.builds(changes.DefinePermission, permission=st.just("shared")),
    st.builds(changes.DeletePermission, permission=st.just("shared"), cascade=st.booleans()),
)
of_environment_role = st.one_of(
    st.builds(
        changes.Assign,
        role=st.just("everywhere"),
        to=st.sampled_from((*SUBJECTS[:2], "group:g1")),
        on=st.sampled_from((None, "doc:1")),
    ),
    st.builds(changes.EditRole, role=st.just("r1"), set=st.just(("p", "shared"))),
    st.builds(changes.SetDefaultRole, role=st.just("everywhere")),
)
again = st.just([changes.DeleteOrganization(cascade=True)])

steps = st.lists(
    st.tuples(
        st.one_of(
            st.lists(one_change, min_size=1, max_size=3),
            st.lists(one_change, min_size=1, max_size=3),
            of_environment_role.map(lambda change: [change]),
            on_environment,
            again,
        ),
        st.sampled_from(WAITS),
    ),
    min_size=8,
    max_size=12,
)


class Point(NamedTuple):
    """A moment of a history: its time, a token of its state if there was one, and the answers given then."""

    at: datetime
    token: str | None
    answers: dict[Any, Any]


def played(
    authority: Authority, clock: SettableClock, name: str, history: list[Any]
) -> Iterator[Point]:
    """Make the changes, and ask everything after each. Refused changes are part of a history."""
    seconds = itertools.count(START // 1_000_000)
    clock.now = model.moment(next(seconds) * 1_000_000)
    authority.apply(SETUP, organization=name)
    now = START
    yield _point(authority, clock, name)
    for batch, wait in history:
        now += wait * 1_000_000
        clock.now = model.moment(now)
        is_shared = not isinstance(batch, list)
        try:
            authority.apply(
                [batch] if is_shared else batch, organization="*" if is_shared else name
            )
        except OrganizationNotFound:
            authority.apply(SETUP, organization=name)
        except RescindError:
            continue
        yield _point(authority, clock, name)


def _point(authority: Authority, clock: SettableClock, name: str) -> Point:
    assert clock.now is not None
    found = answers(authority, name)
    token = authority.check(SUBJECTS[0], "p", organization=name).token
    return Point(clock.now, token, found)


def answers(authority: Authority, name: str, **at: Any) -> dict[Any, Any]:
    """Every kind of question about an organization."""
    options = {"organization": name, **at}
    triples = list(itertools.product(SUBJECTS, PERMISSIONS, (None, *RESOURCES)))
    decisions = authority.check_many(triples, **options)
    found: dict[Any, Any] = {
        triple: (decision.allowed, decision.reason)
        for triple, decision in zip(triples, decisions, strict=True)
    }
    for subject, permission in itertools.product(SUBJECTS, PERMISSIONS):
        told = authority.explain(subject, permission, "doc:2", **options)
        assert told.explanation is not None
        chains = sorted(map(str, told.explanation.chains))
        found["why", subject, permission] = (
            told.reason,
            chains,
            sorted(told.explanation.obstacles),
        )
    for permission, resource in itertools.product(PERMISSIONS, (None, "doc:2")):
        found["who", permission, resource] = _items(
            lambda p=permission, r=resource: authority.who_can(p, r, **options)
        )
    for subject in SUBJECTS:
        found["what", subject] = _items(
            lambda s=subject: authority.permissions_of(s, "doc:2", **options)
        )
        found["where", subject] = _items(
            lambda s=subject: authority.resources_of(s, "p", **options)
        )
    return found


def _items(ask: Any) -> tuple[str, ...] | None:
    try:
        return tuple(sorted(ask().items))
    except OrganizationNotFound:
        return None
