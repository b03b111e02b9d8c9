"""When a client sends a request again, and which error a call ends with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rescind.client.calls import Call, Effect, Request
from rescind.client.policy import Answer, Attempts, Failure, Policy, Retries, Timeouts, retry_after
from rescind.errors import (
    DecisionUnavailable,
    GroupNotFound,
    InternalError,
    InvalidArgument,
    InvalidRequest,
    OutcomeUnknown,
    RescindError,
    StoreBusy,
    StoreUnavailable,
    TimedOut,
    TooManyRequests,
    Unauthenticated,
)

REQUEST = Request("POST", "/v1/changes")
BROKEN = Failure("the connection broke")
NOT_SENT = Failure("there is no connection", is_sent=False)
LATE = Failure("it did not answer in time", is_late=True)
OK = Answer(200, {"content-type": "application/json"}, b"1")


def problem(
    status: int, code: str, facts: Any = None, *, detail: str = "told.", **headers: str
) -> Answer:
    body = {
        "type": f"urn:rescind:problem:{code}",
        "code": code,
        "detail": detail,
        "facts": facts,
    }
    fields = {"content-type": "application/problem+json", **headers}
    return Answer(status, fields, json.dumps(body).encode())


def html(status: int, **headers: str) -> Answer:
    return Answer(status, {"content-type": "text/html", **headers}, b"<p>")


def attempts(
    effect: Effect = Effect.NONE, *, is_check: bool = False, chance: float = 0.0, **options: Any
) -> Attempts[Any]:
    key = "key-1" if effect is Effect.KEYED else None
    call = Call(REQUEST, json.loads, effect, is_check, key)
    retries = Retries(**options)
    policy = Policy(Timeouts(), retries, "http://service", lambda a, b: a + (b - a) * chance)
    return Attempts(call, policy, 0.0, policy.seconds(call))


def tried(given: Attempts[Any], outcome: Answer | Failure, now: float = 0.0) -> float | None:
    given.seconds(now)
    return given.after(outcome, now)


def ended(given: Attempts[Any], *outcomes: Answer | Failure) -> RescindError:
    """The error that a call ends with after these outcomes."""
    *before, last = outcomes
    for outcome in before:
        tried(given, outcome)
    with pytest.raises(RescindError) as caught:
        tried(given, last)
    return caught.value


def test_an_answer_ends_the_call() -> None:
    """Its value is what the call reads."""
    call = attempts()
    assert tried(call, OK) is None
    assert call.value == 1


@pytest.mark.parametrize("effect", [Effect.NONE, Effect.KEYED])
@pytest.mark.parametrize(
    "outcome",
    [
        BROKEN,
        LATE,
        NOT_SENT,
        html(502),
        html(503),
        html(504),
        html(200),
        Answer(200, {"content-type": "application/json"}, b"{"),
        problem(503, "store_busy", {}, **{"retry-after": "0"}),
        problem(429, "too_many_requests", {}, **{"retry-after": "0"}),
        problem(408, "body_too_slow", {}),
    ],
)
def test_what_may_be_repeated_is(effect: Effect, outcome: Answer | Failure) -> None:
    """A question, and a change with a key, is sent again after what may pass."""
    call = attempts(effect)
    assert tried(call, outcome) is not None
    assert tried(call, OK) is None


@pytest.mark.parametrize("outcome", [BROKEN, LATE, html(502), problem(504, "outcome_unknown", {})])
def test_what_has_no_key_is_not_repeated_blindly(outcome: Answer | Failure) -> None:
    """It may have been done. What surely was not sent, or not begun, is sent again."""
    error = ended(attempts(Effect.ONCE), outcome)
    assert type(error) is OutcomeUnknown
    assert "before you repeat it" in str(error)
    for harmless in (NOT_SENT, problem(503, "store_busy", {}, **{"retry-after": "0"})):
        call = attempts(Effect.ONCE)
        assert tried(call, harmless) is not None


def test_an_unknown_outcome_is_resolved_with_the_key() -> None:
    """And where it cannot be, the error has the key."""
    call = attempts(Effect.KEYED)
    assert tried(call, problem(504, "outcome_unknown")) is not None
    assert tried(call, OK) is None
    error = ended(attempts(Effect.KEYED, most_tries=2), BROKEN, problem(504, "outcome_unknown"))
    assert type(error) is OutcomeUnknown
    assert error.facts["idempotency_key"] == "key-1"


LATER: list[Answer | Failure] = [
    NOT_SENT,
    problem(401, "unauthenticated", {}),
    problem(403, "scope_missing", {"scope": "write"}),
    problem(503, "schema_missing"),
    problem(429, "too_many_requests", {}, **{"retry-after": "100"}),
]


@pytest.mark.parametrize("later", LATER)
def test_a_later_failure_does_not_hide_that_an_earlier_try_may_be_done(
    later: Answer | Failure,
) -> None:
    """The first request may have been applied: nothing else is true."""
    error = ended(attempts(Effect.KEYED, most_tries=2), BROKEN, later)
    assert type(error) is OutcomeUnknown
    alone = ended(attempts(Effect.KEYED, most_tries=1), later)
    assert type(alone) is not OutcomeUnknown


def test_a_refusal_of_the_transaction_resolves_it() -> None:
    """With its key it would have had the receipt, had it been applied."""
    refused = problem(404, "group_not_found", {"group": "eng"})
    error = ended(attempts(Effect.KEYED), BROKEN, refused)
    assert type(error) is GroupNotFound
    assert error.facts == {"group": "eng"}


def test_a_question_that_is_not_answered() -> None:
    """A check raises what `Authority` raises without a decision; it never has a value."""
    for is_check, kind in ((True, DecisionUnavailable), (False, StoreUnavailable)):
        call = attempts(is_check=is_check, most_tries=1)
        error = ended(call, BROKEN)
        assert type(error) is kind
        assert error.facts == {"service": "http://service", "why": "the connection broke"}
        assert not hasattr(call, "value")
        assert type(ended(attempts(is_check=is_check, most_tries=1), LATE)) is TimedOut


def test_tries_are_bounded() -> None:
    """By their number."""
    call = attempts(most_tries=3)
    assert tried(call, BROKEN) is not None
    assert tried(call, BROKEN) is not None
    with pytest.raises(StoreUnavailable):
        tried(call, BROKEN)


def test_the_deadline_covers_all_tries_and_waits() -> None:
    """No try gets more than what is left, and no wait goes beyond it."""
    call = attempts(chance=1.0)
    assert call.seconds(0.0) == 10.0
    assert call.after(LATE, 10.0) == 0.1
    assert call.seconds(25.0) == 5.0
    with pytest.raises(TimedOut):
        call.after(LATE, 29.9)
    over = attempts()
    with pytest.raises(TimedOut, match="within 30 s"):
        over.seconds(30.0)
    change = attempts(Effect.KEYED)
    tried(change, BROKEN)
    with pytest.raises(OutcomeUnknown):
        change.seconds(30.0)


def test_waits_double_and_are_random() -> None:
    """Up to a longest; Retry-After comes on top."""
    call = attempts(chance=1.0, most_tries=9, longest_seconds=0.3)
    assert [tried(call, BROKEN) for _ in range(4)] == [0.1, 0.2, 0.3, 0.3]
    assert tried(attempts(chance=0.0), BROKEN) == 0.0
    busy = problem(503, "store_busy", {}, **{"retry-after": "2"})
    assert tried(attempts(chance=1.0), busy) == 2.1


def test_a_wait_that_is_too_long_ends_the_call_at_once() -> None:
    """With the error that the service told."""
    busy = problem(503, "store_busy", {}, **{"retry-after": "60"})
    assert type(ended(attempts(), busy)) is StoreBusy
    many = problem(429, "too_many_requests", {"retry_after": 60}, **{"retry-after": "60"})
    assert type(ended(attempts(), many)) is TooManyRequests


def test_the_budget_bounds_repetitions_of_all_calls() -> None:
    """Calls that succeed fill it again."""
    policy = Policy(Timeouts(), Retries(budget=2, per_call=0.5), "http://service", lambda a, _: a)
    call = Call(REQUEST, json.loads)

    def begun() -> Attempts[Any]:
        return Attempts(call, policy, 0.0, 30.0)

    first = begun()
    assert tried(first, BROKEN) is not None
    assert tried(first, BROKEN) is not None
    with pytest.raises(StoreUnavailable):
        tried(first, BROKEN)
    with pytest.raises(StoreUnavailable):
        tried(begun(), BROKEN)
    assert tried(begun(), OK) is None
    assert tried(begun(), BROKEN) is not None


@pytest.mark.parametrize("status", [503, 500, 501])
def test_what_will_not_pass_is_not_repeated(status: int) -> None:
    """Without Retry-After, the service does not expect to be asked again."""
    error = ended(attempts(), problem(status, "schema_missing", {}))
    assert error.code == "schema_missing"


PROXIES = [
    301,
    302,
    307,
    308,
    400,
    401,
    403,
    404,
    408,
    409,
    412,
    413,
    425,
    429,
    499,
    500,
    501,
    502,
    504,
    520,
]


@pytest.mark.parametrize("status", PROXIES)
@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/html", b"<p>"),
        ("application/problem+json", b'{"type": "about:blank", "code": "group_not_found"}'),
        (
            "application/problem+json",
            b'{"type": "urn:rescind:problem:x", "code": "group_not_found"}',
        ),
        ("application/problem+json", b'{"code": "group_not_found"}'),
    ],
)
def test_what_is_not_from_the_service_tells_nothing(status: int, media: str, body: bytes) -> None:
    """A proxy may answer so after it forwarded the request: a change may be done, and no earlier doubt is
    resolved. A check has no decision. (Control: the same problem with the service's type is a refusal.)
    """
    page = Answer(status, {"content-type": media}, body)
    assert type(ended(attempts(is_check=True, most_tries=1), page)) is DecisionUnavailable
    error = ended(attempts(Effect.KEYED, most_tries=1), page)
    assert type(error) is OutcomeUnknown
    assert error.facts["idempotency_key"] == "key-1"
    assert str(status) in str(error.facts["why"])
    assert type(ended(attempts(Effect.KEYED, most_tries=2), BROKEN, page)) is OutcomeUnknown
    assert type(ended(attempts(Effect.ONCE), page)) is OutcomeUnknown
    ours = problem(404, "group_not_found", {"group": "eng"})
    assert type(ended(attempts(Effect.KEYED, most_tries=1), ours)) is GroupNotFound


@pytest.mark.parametrize("status", [408, 425, 429, 499, 502, 503, 504, 520, 524])
def test_an_unknown_outcome_of_a_proxy_is_resolved_with_the_key(status: int) -> None:
    """The request is sent again, and has the receipt."""
    call = attempts(Effect.KEYED)
    assert tried(call, html(status)) is not None
    assert tried(call, OK) is None


@pytest.mark.parametrize(
    "later",
    [
        problem(404, "route_not_found", {}),
        problem(400, "invalid_change", {}),
        problem(400, "brand_new", {}),
        problem(500, "internal_error", {}),
    ],
)
def test_a_refusal_before_the_transaction_resolves_nothing(later: Answer) -> None:
    """While a service is upgraded, another version may refuse what the first one did."""
    assert type(ended(attempts(Effect.KEYED), BROKEN, later)) is OutcomeUnknown


def test_a_mistake_of_the_service_may_be_after_the_commit() -> None:
    """So its outcome is unknown; a question just fails."""
    fault = problem(500, "internal_error", {})
    assert type(ended(attempts(Effect.KEYED), fault)) is OutcomeUnknown
    assert type(ended(attempts(), fault)) is InternalError


def test_an_error_of_a_newer_service() -> None:
    """Its code is unknown here: it is told in words, and nothing is allowed."""
    error = ended(attempts(), problem(400, "brand_new", {"a": 1}, detail="Not today."))
    assert (type(error), error.facts) == (InvalidRequest, {"why": "Not today"})
    assert type(ended(attempts(), problem(500, "brand_new"))) is StoreUnavailable


def test_an_error_of_an_older_service() -> None:
    """It sends no facts: what it says in words is kept."""
    error = ended(attempts(), problem(404, "group_not_found", detail="No group eng."))
    assert (type(error), error.facts) == (GroupNotFound, {"why": "No group eng"})
    assert type(ended(attempts(), problem(401, "unauthenticated"))) is Unauthenticated
    odd = problem(404, "group_not_found", {"self": 1, "": 2}, detail="x.")
    assert type(ended(attempts(), odd)) is GroupNotFound


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        (" 0 ", 0.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
        ("9" * 50, None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    """Seconds or a date; anything else is as if it were not there."""
    assert retry_after({"retry-after": text}) == seconds


@pytest.mark.parametrize("bad", [0, -1, "1", None, float("nan"), float("inf"), True])
def test_limits_that_are_none_are_refused(bad: Any) -> None:
    """At once, by name."""
    with pytest.raises(InvalidArgument, match="total_seconds"):
        Timeouts(total_seconds=bad)
    with pytest.raises(InvalidArgument, match="first_seconds"):
        Retries(first_seconds=bad)
    with pytest.raises(InvalidArgument, match="most_tries"):
        Retries(most_tries=0.5)  # type: ignore[arg-type]
