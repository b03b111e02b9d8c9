"""When what is held at a time began: whether facts alone tell, or the log before must be looked at. Pure.

A way to access is there since the youngest of its facts, if nothing else can have switched it on or off
meanwhile: a membership that was deactivated, a role that was edited or that another one outranked. (A batch
may take and give the same at once; then its facts, and what is told of them, begin with that batch.)
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from rescind.history.holdings import DEFAULT_ROLE, Asked, HeldWay
from rescind.model import ROOT, RoleMode
from rescind.semantics.state import EnvironmentState, OrganizationState, is_contained


def is_told_by_facts(
    state: OrganizationState,
    environment: EnvironmentState,
    asked: Asked,
    way: HeldWay,
    chain: tuple[str, ...],
    since: int,
    environment_at: Callable[[int], int | None],
) -> bool:
    """Whether a way surely began at `since`, the organization's revision that made the youngest of its facts.

    `environment_at` tells the environment's revision at one of the organization; None where that is not on
    record. It is asked only about roles of the environment.
    """
    settings, membership = state.settings, state.memberships[way.subject]
    if not since or settings is None or way.holder == DEFAULT_ROLE:
        return False
    is_single = settings.role_mode is RoleMode.SINGLE or settings.role_mode_since > since
    if way.resource == ROOT and is_single:  # only there another role may win
        return False
    if membership.changed > since:
        return False
    if any(state.nestings[each].since == since for each in pairwise(chain)):
        return False  # another chain may have led there before
    return _was_on_line(state, asked, way, since) and _gave_it(
        state, environment, way, since, environment_at
    )


def _was_on_line(state: OrganizationState, asked: Asked, way: HeldWay, since: int) -> bool:
    """Whether the resource that is asked about was below the way's by then."""
    step = asked.resource
    while step is not None and step != way.resource:
        found = state.resources[step]
        if found.changed > since:
            return False
        step = found.parent
    return True


def _gave_it(
    state: OrganizationState,
    environment: EnvironmentState,
    way: HeldWay,
    since: int,
    environment_at: Callable[[int], int | None],
) -> bool:
    """Whether the role was by then as it is."""
    own = state.roles.get(way.role)
    if own is not None:
        are_all = all(is_contained(*each, environment) for each in own.permissions.items())
        return are_all and own.changed <= since
    shared, known = environment.roles[way.role], environment_at(since)
    return known is not None and shared.changed <= known
