"""What to set differently on this store, and what that would change: from its log, with the numbers.

Measures, and decides nothing: no setting is changed, no fact is written. Where nothing was measured the
answer is that there is no data.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rescind.errors import InvalidArgument
from rescind.insight.cost_model import (
    CostModel,
    costly_groups,
    fitted,
    percentile,
)
from rescind.insight.targets import (
    WINDOW_SECONDS,
    attainments,
    organization_range,
    require_window,
    targets_of,
)
from rescind.model import ENVIRONMENT_NUMBER, Direction, Route, microseconds
from rescind.model.plural import counted
from rescind.propagation.budget import TELLING_PAIRS
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.rows.organizations import READ_REVISION
from rescind.store.rows.targets import COST_OF_CHANGES

MOST_CHANGES: Final = 2_000
"""The newest ones of the window are looked at."""
MOST_BODY: Final = 20_000
"""Characters: longer changes are not searched for groups."""
MOST_GROUPS: Final = 3
COSTLY_SHARE: Final = 0.25
"""A group with so much of the pairs is named."""
SLOWER: Final = 2.0
"""How many times slower changes beside background work are before that is worth a word."""
LOW_BUDGET: Final = 0.5
RTT_TRIES: Final = 3
MOST_NUMBER: Final = 10**9
LEAST_CHUNK_MS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do or to leave: what it is, why with the numbers, and what it would change."""

    kind: str
    text: str
    effect: str
    numbers: dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a change of so many pairs would cost here. What nothing was measured of is None."""

    members: int
    assignments: int
    pairs: int
    route: Route | None
    """The route that it would take, if the budget decides."""
    inline_seconds: float | None
    returns_seconds: float | None
    """When the call returns, without waiting for replicas."""
    settled_seconds: float | None
    measured_rtt_ms: float | None
    """Of this connection; None for a file."""


@dataclass(frozen=True, slots=True)
class Advised:
    """All advice for a store, and the measurements that it rests on."""

    model: CostModel
    items: tuple[Advice, ...]

    @property
    def has_data(self) -> bool:
        """Whether there is enough on record to say anything."""
        return bool(self.items)


def advise(
    store: Store,
    settings: Settings,
    *,
    organization: str | None = None,
    window_seconds: float = WINDOW_SECONDS,
    now: datetime | None = None,
) -> Advised:
    """Advice from the changes of the last `window_seconds`, of one organization or of all.

    Raises OrganizationNotFound and InvalidArgument.
    """
    require_window(window_seconds)
    first, last = organization_range(store, organization)
    until = datetime.now(UTC) if now is None else now
    params = {
        "first": first,
        "last": last,
        "since": microseconds(until) - round(window_seconds * 1e6),
        "now": microseconds(until),
        "characters": MOST_BODY,
        "limit": MOST_CHANGES,
    }
    rows = store.fetch(COST_OF_CHANGES, params)
    model = fitted(rows)
    items = [*_route(model, settings), *_background(model, settings)]
    by_group, total = costly_groups(rows)
    for (name, group), pairs in by_group.most_common(MOST_GROUPS):
        if pairs >= TELLING_PAIRS and pairs / total >= COSTLY_SHARE:
            items.append(_group(name, group, pairs, total))
    met = attainments(
        store,
        targets=targets_of(settings),
        organization=organization,
        window_seconds=window_seconds,
        now=until,
    )
    items += [
        _at_risk(each.direction, each.budget_left, each.late, each.changes)
        for each in met
        if each.budget_left is not None and each.budget_left < LOW_BUDGET
    ]
    return Advised(model, tuple(items))


def forecast(
    store: Store,
    model: CostModel,
    settings: Settings,
    *,
    members: int,
    assignments: int,
    rtt_ms: float | None = None,
) -> Forecast:
    """What it would cost to give a group of so many members so many assignments, or to take them off.

    `rtt_ms` is the network's round trip to ask about; a change needs one. Raises InvalidArgument.
    """
    for what, value in (
        ("members", members),
        ("assignments", assignments),
        ("rtt_ms", rtt_ms or 0),
    ):
        if not 0 <= value <= MOST_NUMBER:
            raise InvalidArgument(what=what, value=value, hint=f"use 0 to {MOST_NUMBER:,}")
    pairs = members * assignments
    measured = _rtt_ms(store)
    more = 0.0 if rtt_ms is None or measured is None else (rtt_ms - measured) / 1e3
    inline = model.inline_seconds(pairs, more_seconds=more)
    bound = model.inline_seconds(0, more_seconds=more)
    within = model.pairs_within(settings.inline_budget_ms / 1e3)
    most = settings.inline_most_pairs if within is None else min(within, settings.inline_most_pairs)
    route = Route.INLINE if pairs <= most else Route.BACKGROUND
    is_told = pairs > settings.inline_most_pairs or within is not None
    is_inline = route is Route.INLINE
    return Forecast(
        members,
        assignments,
        pairs,
        route if is_told else None,
        None if inline is None else max(inline, 0.0),
        None if not is_told else inline if is_inline else bound,
        None if not is_told else inline if is_inline else model.settle_seconds(pairs),
        measured,
    )


def _route(model: CostModel, settings: Settings) -> list[Advice]:
    """Stay inline, or send large grants to the background."""
    took = [each.seconds for each in model.samples]
    p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
    if p50 is None or p99 is None:
        return []
    budget = settings.inline_budget_ms / 1e3
    slow = [each for each in model.samples if each.seconds > budget and each.pairs > 1]
    within = model.pairs_within(budget)
    numbers: dict[str, float | str] = {
        "changes": len(took),
        "p50_ms": _ms(p50),
        "p99_ms": _ms(p99),
        "budget_ms": settings.inline_budget_ms,
        "most_pairs": model.most_pairs,
    }
    if not slow or within is None:
        text = (
            f"Stay inline: {counted(len(took), 'measured change')} took p50 {_ms(p50):g} ms and p99"
            f" {_ms(p99):g} ms, with at most {counted(model.most_pairs, 'pair')}."
        )
        return [Advice("stay_inline", text, "Nothing would get better in the background.", numbers)]
    longest = max(each.seconds for each in slow)
    text = (
        f"Send grants above {within:,} pairs to the background (`inline_most_pairs`): a pair takes"
        f" {(model.per_pair or 0) * 1e6:.2g} µs here, and {len(slow)} of {counted(len(took), 'change')}"
        f" took more than {settings.inline_budget_ms:g} ms, the longest {_ms(longest):g} ms."
    )
    settles = model.settle_seconds(max(each.pairs for each in slow))
    effect = (
        f"Such a call would return after about {_ms(model.per_change or 0):g} ms; its effective roles"
        f" would follow within {'a time not measured yet' if settles is None else f'{settles:.1f} s'}."
    )
    return [Advice("background_above", text, effect, {**numbers, "pairs": within})]


def _background(model: CostModel, settings: Settings) -> list[Advice]:
    """Whether changes are slower beside background work: shorter chunks, or fewer workers."""
    during, rest = percentile(model.during, 0.5), percentile(model.at_rest, 0.5)
    if during is None or rest is None or during < SLOWER * rest:
        return []
    numbers: dict[str, float | str] = {
        "during_ms": _ms(during),
        "at_rest_ms": _ms(rest),
        "chunk_target_ms": settings.chunk_target_ms,
    }
    told = (
        f"small changes took {_ms(during):g} ms while background work ran, and {_ms(rest):g} ms"
        " at other times (medians)."
    )
    lost = during - rest
    if lost * 1e3 <= settings.chunk_target_ms and settings.chunk_target_ms > LEAST_CHUNK_MS:
        target = max(settings.chunk_target_ms / 2, LEAST_CHUNK_MS)
        effect = (
            f"With {target:g} ms a change would wait at most about half as long; the work itself would"
            " take somewhat longer."
        )
        text = f"Shorten chunks (`chunk_target_ms`, now {settings.chunk_target_ms:g}): {told}"
        return [Advice("shorten_chunks", text, effect, {**numbers, "to_ms": target})]
    effect = (
        f"The {_ms(lost):g} ms are more than one chunk of {settings.chunk_target_ms:g} ms, so workers"
        " compete with changes for the database. With fewer, the work takes longer, and no answer waits."
    )
    return [Advice("fewer_workers", f"Run fewer workers: {told}", effect, numbers)]


def _group(organization: str, group: str, pairs: int, total: int) -> Advice:
    where = f"group {group} in {organization or 'a deleted organization'}"
    text = f"{pairs / total:.0%} of the cost is in {where}: {pairs:,} of {total:,} pairs."
    effect = (
        "Split it, or assign its roles higher in the resource tree, and changes of it get cheaper."
    )
    numbers: dict[str, float | str] = {"pairs": pairs, "of": total}
    return Advice("costly_group", text, effect, {**numbers, "group": group, "in": organization})


def _at_risk(direction: Direction, left: float, late: int, changes: int) -> Advice:
    what = "revocations" if direction is Direction.REVOKES else "grants"
    text = (
        f"The target for {what} is {'missed' if left < 0 else 'at risk'}: {late:,} of {changes:,} were"
        f" late, and {max(left, 0):.0%} of the error budget is left."
    )
    effect = (
        "`rescind targets` names the slowest; `rescind log show` says which replica was waited for."
    )
    return Advice("target_at_risk", text, effect, {"late": late, "changes": changes})


def _rtt_ms(store: Store) -> float | None:
    """A round trip to the server, the shortest of a few; none for a file."""
    if store.engine == "sqlite":
        return None
    took = []
    for _ in range(RTT_TRIES):
        start = time.perf_counter()
        store.fetch(READ_REVISION, {"o": ENVIRONMENT_NUMBER})
        took.append(time.perf_counter() - start)
    return min(took) * 1e3


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 1)
