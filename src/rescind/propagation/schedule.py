"""Which due job a worker takes next.

Organizations with due work share a worker's time equally, however much they have to do and however urgent it
is: start-time fair queueing (Goyal, Vin and Cheng, 1996). An organization that used no time lately comes
before those that did; among those with equal claims, revocations of critical roles go first, then other
revocations. Within an organization the most urgent group goes first, then the one that the worker left
longest ago, then the one that has waited longest; every so often the oldest job goes first.
"""

from __future__ import annotations

import random
import time
from typing import Final

from rescind.model import OrganizationNumber
from rescind.propagation.jobs import Job, jobs
from rescind.store import Store
from rescind.store.rows.reconcile import LIST_DUE, LIST_DUE_ORGANIZATIONS

LOOK_AHEAD: Final = 64
"""Groups of an organization among which a worker chooses, for each urgency."""
ORGANIZATIONS: Final = 16
"""Organizations among which a worker chooses, for each urgency."""
FAIR_CHOICE_EVERY: Final = 8
"""Every n-th choice in an organization takes its oldest job, so that none starves."""
MOST_REMEMBERED: Final = 10_000
"""Groups, and organizations, that a worker remembers."""
FIRST_GROUP: Final = -(2**31)
URGENCIES: Final = 3


class Schedule:
    """One worker's choices. What it remembers affects how long a job waits, never whether it is done."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._virtual_time = 0.0
        self.used_until: dict[int, float] = {}
        """Claims of organizations that used time. Who has none beyond the virtual time may be forgotten."""
        self._choices: dict[int, int] = {}
        self._last_group: dict[int, int] = {}
        self._left_at: dict[tuple[int, int], float] = {}
        self._busy_until: dict[tuple[int, int], float] = {}
        self._last_organization = -1

    def choose(self) -> Job | None:
        """The next job; None if all due jobs are in groups that others have."""
        now = time.monotonic()
        self._busy_until = {key: until for key, until in self._busy_until.items() if until > now}
        for organization in self._in_turn(URGENCIES):
            due = due_in(self._store, organization, after=self._last_group.get(organization))
            free = [job for job in due if (job.organization, job.group) not in self._busy_until]
            if free:
                return self._choose_among(free)
        return None

    def used(self, job: Job, seconds: float) -> None:
        """Note the time that the worker spent on a job that it leaves."""
        self.used_until[job.organization] = self.claim(job.organization) + seconds
        self._left_at[(job.organization, job.group)] = time.monotonic()
        self._forget()

    def is_outranked(self, job: Job, seconds: float) -> bool:
        """Whether more urgent work is due in an organization whose turn is no later than this job's."""
        own = self.claim(job.organization) + seconds
        return any(self.claim(other) <= own for other in self._in_turn(job.urgency))

    def leave_alone(self, job: Job, seconds: float) -> None:
        """Pass over the job's group for about this time, because another worker or a change has it."""
        until = time.monotonic() + seconds * (0.5 + random.random())  # noqa: S311
        self._busy_until[(job.organization, job.group)] = until

    def seconds_until_free(self) -> list[float]:
        """For each group that was busy at the last choice, the seconds until it is tried again."""
        now = time.monotonic()
        return [until - now for until in self._busy_until.values()]

    def _in_turn(self, below: int) -> list[OrganizationNumber]:
        """Organizations with due work more urgent than this, in the order of their turns."""
        params = {"after": self._last_organization, "below": below, "limit": ORGANIZATIONS}
        urgency: dict[OrganizationNumber, int] = {}
        for row in self._store.fetch(LIST_DUE_ORGANIZATIONS, params):
            known = urgency.get(row.organization, URGENCIES)
            urgency[row.organization] = min(row.urgency, known)

        def rank(organization: OrganizationNumber) -> tuple[float, ...]:
            has_been = organization <= self._last_organization
            return (self.claim(organization), urgency[organization], has_been, organization)

        return sorted(urgency, key=rank)

    def claim(self, organization: int) -> float:
        """The organization's next turn, on the scale of equally shared seconds of work."""
        return max(self._virtual_time, self.used_until.get(organization, 0.0))

    def _choose_among(self, free: list[Job]) -> Job:
        organization = free[0].organization
        choices = self._choices[organization] = self._choices.get(organization, 0) + 1
        is_fair = choices % FAIR_CHOICE_EVERY == 0

        def rank(job: Job) -> tuple[float, ...]:
            left_at = self._left_at.get((job.organization, job.group), 0.0)
            return (0 if is_fair else job.urgency, left_at, job.recorded_at, job.revision)

        chosen = min(free, key=rank)
        self._virtual_time = self.claim(organization)
        self._last_organization = organization
        self._last_group[organization] = chosen.group
        return chosen

    def _forget(self) -> None:
        if len(self._left_at) > MOST_REMEMBERED:
            self._left_at.clear()
        if len(self._choices) > MOST_REMEMBERED:
            self._choices.clear()
            self._last_group.clear()
        if len(self.used_until) > MOST_REMEMBERED:
            now = self._virtual_time
            self.used_until = {o: until for o, until in self.used_until.items() if until > now}


def due_in(
    store: Store, organization: OrganizationNumber, *, after: int | None = None
) -> list[Job]:
    """The oldest due job of each of an organization's groups and urgencies: of a limited number of groups
    after the named one, and of as many from the beginning.
    """
    first = FIRST_GROUP if after is None else after
    params = {"o": organization, "after": first, "limit": LOOK_AHEAD}
    return jobs(store.fetch(LIST_DUE, params))


def due(store: Store) -> list[Job]:
    """The same for a limited number of organizations: the most urgent first, then the oldest."""
    params = {"after": -1, "below": URGENCIES, "limit": ORGANIZATIONS}
    organizations = {row.organization for row in store.fetch(LIST_DUE_ORGANIZATIONS, params)}
    found = [job for organization in organizations for job in due_in(store, organization)]
    return sorted(found, key=lambda job: (job.urgency, job.recorded_at, job.revision))
