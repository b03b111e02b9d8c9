"""What decides about safety is a yes or no, or a number: never a text that counts as true, nor NaN."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest

from rescind import Authority, changes, model
from rescind.client import Client
from rescind.errors import InvalidArgument, RescindError
from rescind.model import LineDecision, Verdict
from rescind.replicas.enforcement import wait_seconds
from rescind.settings import Settings

NEW: Final = [changes.CreateGroup(group="unwanted")]
LINE: Final = LineDecision("0" * 16, Verdict.REVOKE, "")
ASKED: Final[dict[str, tuple[Any, ...]]] = {
    "apply": (NEW,),
    "apply_review": ("r", [LINE]),
    "list_assignments": ("user:ada",),
    "list_members": ("eng",),
    "list_memberships": (),
    "preview": (NEW,),
    "prune_log": (1,),
    "start_review": ("new",),
}
"""How each method that takes one is called."""
HIDDEN: Final = {"start_review": ["critical"]}
"""Options that no signature tells."""
HARMLESS: Final = {("check", "explain")}
"""What only adds to the answer."""
WRONG: Final[tuple[Any, ...]] = ("false", "no", "0", "", "true", 2, 0.0, float("nan"), [], b"0")


def options(kind: type[Any]) -> Iterator[tuple[str, str]]:
    """The options of a class's methods that are a yes or no."""
    for name, method in inspect.getmembers(kind, callable):
        if name.startswith("_") or name == "open":
            continue
        for each in inspect.signature(method).parameters.values():
            is_flag = isinstance(each.default, bool) or str(each.annotation).startswith("bool")
            if is_flag and (name, each.name) not in HARMLESS:
                yield name, each.name
        yield from ((name, option) for option in HIDDEN.get(name, ()))


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Authority]:
    with Authority.open(tmp_path / "acme.db", organization="acme", create=True) as authority:
        authority.apply(
            [
                changes.CreateOrganization(),
                changes.AddMembership(subject="user:ada"),
                changes.CreateGroup(group="eng"),
                changes.AddMembers(group="eng", members=("user:ada",)),
            ]
        )
        authority.start_review("r")
        yield authority


def test_the_table_is_whole() -> None:
    """A new option of a yes or no is among those that are asked."""
    assert {name for name, _ in options(Authority)} == {*ASKED}
    assert {name for name, _ in options(Client)} == {*ASKED} - {"prune_log"}


@pytest.mark.parametrize(("name", "option"), sorted({*options(Authority)}))
def test_a_text_is_no_yes(acme: Authority, name: str, option: str) -> None:
    """It is refused before anything is done. True, False and None are taken."""
    before, reviews = [*acme.log()], acme.list_reviews()
    for value in WRONG:
        with pytest.raises(InvalidArgument, match=option):
            getattr(acme, name)(*ASKED[name], **{option: value})
    assert ([*acme.log()], acme.list_reviews()) == (before, reviews)
    for number, fine in enumerate((True, False, None, 1, 0)):
        given = (f"new{number}",) if name == "start_review" else ASKED[name]
        assert not isinstance(refusal(acme, name, given, {option: fine}), InvalidArgument)


def refusal(asked: Any, name: str, given: tuple[Any, ...], how: dict[str, Any]) -> Any:
    try:
        return getattr(asked, name)(*given, **how)
    except RescindError as error:
        return error


@pytest.mark.parametrize(("name", "option"), sorted({*options(Client)}))
def test_a_client_does_not_send_it(name: str, option: str) -> None:
    """Nor takes it for another value. Control: with a yes or no it is sent, to nobody."""
    with Client("http://127.0.0.1:9", key="k", organization="acme") as client:
        core: Any = vars(client)["_core"]
        described = getattr(core.operations, name)
        for value in WRONG:
            with pytest.raises(InvalidArgument, match=option):
                made(described(*ASKED[name], **{option: value}))
        for fine in (True, False, None):
            made(described(*ASKED[name], **{option: fine}))


def made(asked: Any) -> None:
    """The request that is sent last."""
    if not inspect.isgenerator(asked):
        return
    steps: Any = asked
    next(steps)
    review = model.Review(
        model.organization_id("acme"), "r", 1, 0, model.moment(0), "a", model.ReviewFilter()
    )
    steps.send([review])


def test_what_opens_is_a_yes_or_no(tmp_path: Path) -> None:
    """Nothing is created, held in memory or read differently for a text."""
    file = tmp_path / "acme.db"
    with pytest.raises(InvalidArgument, match="create"):
        Authority.open(file, create="false")  # type: ignore[arg-type]
    assert not file.exists()
    with Authority.open(file, create=True):
        pass
    with pytest.raises(InvalidArgument, match="index"):
        Authority.open(file, index="false")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="read_your_writes"):
        Client("http://127.0.0.1:9", key="k", read_your_writes="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("most", [float("nan"), float("inf"), "5", -1, True])
def test_a_bound_is_a_number(acme: Authority, most: Any) -> None:
    """NaN bounds nothing."""
    with pytest.raises(InvalidArgument, match="inline_most_pairs"):
        acme.apply(NEW, route="inline", inline_most_pairs=most)


def test_an_empty_actor_is_no_filter(acme: Authority) -> None:
    """Everybody's changes would be shown as nobody's."""
    with Client("http://127.0.0.1:9", key="k", organization="acme") as client:
        asked: list[Callable[..., Any]] = [acme.log_page, lambda **how: [*acme.log(**how)]]
        asked += [client.log_page, lambda **how: [*client.log(**how)]]
        for each in asked:
            with pytest.raises(InvalidArgument, match="actor"):
                each(actor="")
    assert acme.log_page(actor="unknown").items
    assert not acme.log_page(actor="nobody").items


@pytest.mark.parametrize(
    "name", [each.name for each in fields(Settings) if each.type in ("bool", "int", "float")]
)
def test_a_setting_is_what_it_should_be(name: str) -> None:
    """A text is no yes and no number; NaN and what is below 0 end no wait."""
    made: Callable[..., Settings] = Settings
    for value in ("false", "1", float("nan"), -1, -0.5):
        with pytest.raises(InvalidArgument, match=rf"settings\.{name}"):
            made(**{name: value})
    made(**{name: 0})


def test_control_a_wait_with_less_than_no_drift() -> None:
    """Unchecked, a revocation would return while a silent replica's lease is in force."""
    settings = Settings()
    object.__setattr__(settings, "clock_drift", -1.0)
    assert wait_seconds(settings.lease_seconds, settings) < settings.lease_seconds
    assert wait_seconds(2.0, Settings(clock_drift=0, lease_grace_seconds=0)) >= 2.0


def test_control_a_text_counts_as_true(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unchecked, a review of everything is one of what is critical, and the deactivated are the active."""
    monkeypatch.setattr(model, "require_flag", lambda _, value: value)
    assert acme.start_review("wrong", critical="false").filter.critical
    monkeypatch.setattr("rescind.listing.reading.require_flag", lambda _, value: value)
    assert acme.list_memberships(active="false").items  # type: ignore[arg-type]
    assert not acme.list_memberships(active=False).items
