"""When a request is sent again, and which error a call ends with. Pure: time and chance come from outside.

A question may be repeated. A change is repeated with its idempotency key, so that it has one effect, or else
only if it surely was not done. Where the outcome of an earlier try is unknown, no later error hides that.

What is not the service's own answer tells nothing of the outcome: a proxy may have forwarded the request
before it answered with a page, a redirect or a status of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Generic, TypeVar

import msgspec

from rescind.client.calls import JSON, Call, Effect
from rescind.client.problems import error_of
from rescind.errors import (
    DecisionUnavailable,
    InternalError,
    InvalidArgument,
    OutcomeUnknown,
    RescindError,
    RoleNotForResource,
    RouteNotFound,
    StoreUnavailable,
    TimedOut,
)

T = TypeVar("T")
DECIDED: Final = (404, 409, 412)
"""Statuses of problems that are found in the transaction of a change: what was sent before was not done."""
MAY_PASS: Final = (408, 425, 429, 499, 502, 503, 504, *range(520, 525))
"""Statuses of proxies after which it is worth trying again."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `total_seconds` covers all tries of a call and the waits between them; `check_seconds` is that
    for checks. `try_seconds` is for one try, `connect_seconds` for its connection.
    """

    total_seconds: float = 30.0
    check_seconds: float = 5.0
    try_seconds: float = 10.0
    connect_seconds: float = 3.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            _require_positive(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when a call is repeated: at most `most_tries` in all, after a random time of up to
    `first_seconds`, which doubles up to `longest_seconds`.

    The budget keeps a client from multiplying the load of a service in trouble: each call adds `per_call`
    repetitions to it, up to `budget`.
    """

    most_tries: int = 4
    first_seconds: float = 0.1
    longest_seconds: float = 2.0
    budget: float = 10.0
    per_call: float = 0.1

    def __post_init__(self) -> None:
        if type(self.most_tries) is not int or self.most_tries < 1:
            hint = "use a whole number of at least 1"
            raise InvalidArgument(what="most_tries", value=self.most_tries, hint=hint)
        for name in ("first_seconds", "longest_seconds"):
            _require_positive(name, getattr(self, name))
        for name in ("budget", "per_call"):
            if not getattr(self, name) >= 0:
                raise InvalidArgument(what=name, value=getattr(self, name), hint="use 0 or more")


class Budget:
    """Repetitions that are left. Threads may lose an update of each other, which does no harm."""

    def __init__(self, retries: Retries) -> None:
        self._most, self._per_call = retries.budget, retries.per_call
        self._left = retries.budget

    def earn(self) -> None:
        """Count a call."""
        self._left = min(self._most, self._left + self._per_call)

    def spend(self) -> bool:
        """Take one repetition, if there is one."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media(self) -> str:
        """The media type, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing came back that is an answer of the service. If it is not `is_sent`, nothing was done. Nobody
    should try again if it is `is_final`.
    """

    why: str
    is_sent: bool = True
    is_late: bool = False
    is_final: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How calls of one client are repeated."""

    timeouts: Timeouts
    retries: Retries
    address: str
    budget: Budget = field(init=False)
    chance: Callable[[float, float], float] = random.uniform

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", Budget(self.retries))

    def seconds(self, call: Call[Any]) -> float:
        """All the time of a call."""
        return self.timeouts.check_seconds if call.is_check else self.timeouts.total_seconds


class Attempts(Generic[T]):
    """One call on its way: says what to do after each try. `now` is a monotonic time."""

    value: T

    def __init__(self, call: Call[T], policy: Policy, now: float, deadline: float) -> None:
        self.call, self._policy, self._deadline = call, policy, deadline
        self._tries, self._now = 0, now
        self._may_be_done = False
        policy.budget.earn()

    def seconds(self, now: float) -> float:
        """The time of the next try. Raises the error of the call if there is none left."""
        self._now = now
        left = self._deadline - now
        if left <= 0:
            raise self._given_up(self._late(), is_resolved=False)
        self._tries += 1
        return min(left, self._policy.timeouts.try_seconds)

    def after(self, outcome: Answer | Failure, now: float) -> float | None:
        """The seconds to wait before the next try; None once `value` is there. Raises the call's error."""
        self._now = now
        found = self._read(outcome) if isinstance(outcome, Answer) else outcome
        if found is None:
            return None
        if isinstance(found, Failure):
            self._may_be_done |= found.is_sent
            error, wait = self._error_of(found), found.retry_after
            may_repeat = not found.is_final and (
                not found.is_sent or self.call.effect is not Effect.ONCE
            )
            is_resolved = False
        else:
            assert isinstance(outcome, Answer)
            error, wait = found, retry_after(outcome.headers)
            may_repeat, is_resolved = self._judge(found, outcome.status, wait), False
            if self.call.refused is not None:
                self.call.refused(found)
            is_resolved = _is_decided(found, outcome.status)
        if may_repeat and (pause := self._pause(wait)) is not None:
            return pause
        raise self._given_up(error, is_resolved=is_resolved)

    def progressed(self, now: float) -> None:
        """A part of a long answer has come: it has all its time again."""
        self._tries = 0
        self._deadline = now + self._policy.seconds(self.call)

    def _read(self, answer: Answer) -> RescindError | Failure | None:
        shown = f"{answer.status} {answer.media[:60]!r}"
        if 200 <= answer.status < 300:
            if answer.media != JSON:
                return Failure(f"answered {shown}, which is no answer of Rescind")
            try:
                self.value = self.call.read(answer.body)
            except (msgspec.MsgspecError, ValueError, LookupError) as error:
                return Failure(f"answered what cannot be read: {error}")
            return None
        found = error_of(answer.status, answer.media, answer.body)
        if found is not None:
            return found
        why = f"answered {shown}, which is no answer of Rescind"
        if answer.status in MAY_PASS:
            return Failure(why, retry_after=retry_after(answer.headers))
        if 300 <= answer.status < 400:
            why = f"redirects ({answer.status}), which is not followed; give the address itself"
        return Failure(why, is_final=True)

    def _judge(self, error: RescindError, status: int, wait: float | None) -> bool:
        """Whether to try again after an error that the service told."""
        if isinstance(error, OutcomeUnknown):
            self._may_be_done = True
            return self.call.effect is Effect.KEYED
        self._may_be_done |= isinstance(error, InternalError)
        if status in (429, 503):
            return wait is not None
        return status == 408 and error.retry

    def _pause(self, wait: float | None) -> float | None:
        """How long to wait before another try; None if there is to be none."""
        retries = self._policy.retries
        if self._tries >= retries.most_tries:
            return None
        longest = min(retries.longest_seconds, retries.first_seconds * 2 ** (self._tries - 1))
        pause = (wait or 0.0) + self._policy.chance(0.0, longest)
        if self._now + pause >= self._deadline or not self._policy.budget.spend():
            return None
        return pause

    def _error_of(self, failure: Failure) -> RescindError:
        facts = {"service": self._policy.address, "why": failure.why}
        if self.call.effect is not Effect.NONE:
            return StoreUnavailable(**facts)
        if failure.is_late:
            return TimedOut(**facts)
        return DecisionUnavailable(**facts) if self.call.is_check else StoreUnavailable(**facts)

    def _late(self) -> RescindError:
        seconds = self._policy.seconds(self.call)
        return self._error_of(Failure(f"no answer within {seconds:g} s", is_late=True))

    def _given_up(self, error: RescindError, *, is_resolved: bool) -> RescindError:
        """The error that the call ends with."""
        call = self.call
        if call.effect is Effect.NONE or not self._may_be_done or is_resolved:
            return error
        facts: dict[str, object] = {"service": self._policy.address}
        if call.idempotency_key is not None:
            facts["idempotency_key"] = call.idempotency_key
        elif call.effect is Effect.ONCE:
            facts["hint"] = "Look whether it was done before you repeat it."
        if not isinstance(error, OutcomeUnknown):
            facts["why"] = str(error.facts.get("why", error)).rstrip(".")
        return OutcomeUnknown(**facts)


def _is_decided(error: RescindError, status: int) -> bool:
    """Whether the service looked for the change before it refused: then no earlier try was done. One that
    knows neither the route nor what is in the body, such as one of another version, has not looked.
    """
    if isinstance(error, RoleNotForResource):
        return True
    return status in DECIDED and not isinstance(error, RouteNotFound)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of Retry-After, which has a number or a date (RFC 9110, 10.2.3); None if there are none."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _require_positive(name: str, value: object) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
        return
    raise InvalidArgument(what=name, value=repr(value)[:60], hint="use seconds, more than 0")
