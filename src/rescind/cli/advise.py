"""`rescind advise`: what to set differently on this store, with the numbers, from its log."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from rescind.cli import output
from rescind.cli.declared import Commands, Option
from rescind.cli.options import Target, with_target
from rescind.cli.targets import Config, Window
from rescind.cli.times import duration, shown_seconds
from rescind.errors import InvalidArgument

if TYPE_CHECKING:
    from rescind.insight.advice import Advised, Forecast

_TEN_YEARS = 3_660.0
_ASKED = ("members", "assignments", "rtt_ms")


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("advise", advise, "Background work", with_target)


def advise(
    target: Target,
    what_if: Annotated[
        str | None,
        Option("--what-if", help="members=5000,assignments=5000,rtt_ms=20: what would it cost?"),
    ] = None,
    window: Window = "30d",
    config: Config = None,
) -> None:
    """Say what to set differently here, and what that would change. Changes nothing itself."""
    from rescind.http.server.configuration import environment, load
    from rescind.insight.advice import advise as advice_of
    from rescind.insight.advice import forecast

    seconds = duration("--window", window, most_days=_TEN_YEARS)
    asked = None if what_if is None else _asked(what_if)
    settings = load(config, environment(), {})[0].settings
    with target.open() as authority:
        store = authority.store
        found = advice_of(store, settings, organization=target.organization, window_seconds=seconds)
        told = None
        if asked is not None:
            told = forecast(
                store,
                found.model,
                settings,
                members=int(asked["members"]),
                assignments=int(asked["assignments"]),
                rtt_ms=asked.get("rtt_ms"),
            )
    if target.as_json:
        output.say_json(
            {
                "changes": found.model.changes,
                "measured": len(found.model.samples),
                "has_data": found.has_data,
                "advice": [asdict(each) for each in found.items],
                "what_if": None if told is None else asdict(told),
            }
        )
    elif told is None:
        say_advice(found)
    else:
        _say_forecast(told)


def _asked(text: str) -> dict[str, float]:
    """The numbers of `members=5000,assignments=5000`. Raises InvalidArgument."""
    hint = "write members=5000,assignments=5000, and rtt_ms=20 if you like"
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        try:
            number = float(value) if name == "rtt_ms" else int(value)
        except ValueError:
            raise InvalidArgument(what="--what-if", value=part, hint=hint) from None
        if name not in _ASKED or name in found:
            raise InvalidArgument(what="--what-if", value=part, hint=hint)
        found[name] = number
    if not {"members", "assignments"} <= found.keys():
        raise InvalidArgument(what="--what-if", value=text, hint=hint)
    return found


def say_advice(found: Advised) -> None:
    model = found.model
    output.say(
        f"from {output.counted(model.changes, 'change')}, {len(model.samples):,} of them with a"
        " measured duration"
    )
    if not model.has_durations:
        output.say(
            "no data on durations: at least 5 inline revocations with an enforcement record are needed"
        )
    for each in found.items:
        output.say("")
        output.say(each.text)
        output.say(f"  {each.effect}")


def _say_forecast(told: Forecast) -> None:
    route = "no data" if told.route is None else told.route.value
    output.pairs(
        [
            ("pairs", f"{told.members:,} × {told.assignments:,} = {told.pairs:,}"),
            ("all inline", shown_seconds(told.inline_seconds)),
            ("route", route),
            ("returns after", shown_seconds(told.returns_seconds)),
            ("settled after", shown_seconds(told.settled_seconds)),
        ]
    )
