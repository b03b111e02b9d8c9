"""Which ways the filter of an access review means."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from rescind.history.population import Population, Way
from rescind.model import ROOT, ReviewFilter, canonical, canonical_subject
from rescind.semantics.state import OrganizationState


class Chosen:
    """Which ways a filter means."""

    def __init__(self, population: Population, chosen: ReviewFilter) -> None:
        if population.folds_ids:
            chosen = folded(chosen)
        self._population, self._chosen = population, chosen
        self.is_all = not chosen.as_object()
        """Whether every way is meant."""
        named = chosen.resource
        self._resources = None if named is None else around(population.state, named)

    def subjects(self) -> list[str]:
        """Those who may have such ways, in order."""
        if self._chosen.subject is None:
            return self._population.subjects()
        named = self._chosen.subject
        return [named] if named in self._population.state.memberships else []

    def has(self, way: Way) -> bool:
        """Whether the way is meant."""
        chosen, kind = self._chosen, self._population.kind(way.role)
        return (
            (chosen.group is None or chosen.group in way.chain)
            and (chosen.role is None or chosen.role == way.role)
            and (chosen.permission is None or chosen.permission in kind.permissions)
            and (not chosen.critical or kind.is_critical)
            and (self._resources is None or way.resource in self._resources)
        )


def folded(chosen: ReviewFilter) -> ReviewFilter:
    """The filter with its ids of people and groups in canonical spelling."""
    subject, group = chosen.subject, chosen.group
    return replace(
        chosen,
        subject=None if subject is None else canonical_subject(subject),
        group=None if group is None else canonical(group),
    )


def around(state: OrganizationState, resource: str) -> set[str]:
    """The resource, all above it and all below it."""
    found = {resource, ROOT}
    step = state.resources.get(resource)
    while step is not None and step.parent is not None:
        found.add(step.parent)
        step = state.resources.get(step.parent)
    children: dict[str, list[str]] = defaultdict(list)
    for name, each in state.resources.items():
        if each.parent is not None:
            children[each.parent].append(name)
    fringe = [resource]
    while fringe:
        below = children.get(fringe.pop(), [])
        found.update(below)
        fringe += below
    return found
