"""`rescind advise` says what it measured, or that there is no data."""

from __future__ import annotations

import json

import pytest

from rescind.cli.advise import say_advice
from rescind.insight.advice import Advice, Advised
from rescind.insight.cost_model import fitted
from tests.unit.command_line import CommandLine, one_error


def test_advise(acme: CommandLine) -> None:
    """Without data nothing is made up; with some, each item has its numbers; a question is answered."""
    assert "no data" in acme("advise")[1]
    told = json.loads(acme("advise", "--json", "--what-if", "members=5,assignments=5")[1])
    assert (told["has_data"], told["advice"]) == (False, [])
    assert (told["what_if"]["pairs"], told["what_if"]["inline_seconds"]) == (25, None)
    for _ in range(6):
        assert acme("remove-member", "eng", "ada")[0] == 0
        assert acme("add-member", "eng", "ada")[0] == 0
    code, out, err = acme("advise")
    assert (code, err) == (0, "")
    assert "Stay inline: 6 measured changes" in out
    out = acme("advise", "--what-if", "members=5,assignments=2,rtt_ms=20")[1]
    assert "5 × 2 = 10" in out
    assert "no data" in out, "no background work was measured, and no pair's cost"


@pytest.mark.parametrize(
    "question",
    ["", "members=5", "members=x,assignments=5", "members=5,assignments=5,what=1", "members=1e3"],
)
def test_a_question_that_is_none(acme: CommandLine, question: str) -> None:
    """Is refused with how to write it."""
    assert "members=5000" in one_error(acme("advise", "--what-if", question))


def test_other_advice_does_not_hide_that_no_duration_was_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The costs of groups are known without durations."""
    say_advice(
        Advised(fitted([]), (Advice("costly_group", "90% of the cost is here", "Split it", {}),))
    )
    out = capsys.readouterr().out
    assert "no data on durations" in out
    assert "90% of the cost is here" in out


def test_a_question_beyond_every_size(acme: CommandLine) -> None:
    """Is refused with the most that may be asked, however many digits it has."""
    question = f"members={'9' * 400},assignments=5"
    assert "1,000,000,000" in one_error(acme("advise", "--what-if", question))
