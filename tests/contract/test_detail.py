"""The exact difference is told with the receipt, and nothing that is revoked waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.applying import apply as recorder
from rescind.applying.apply import ChangeApplier
from rescind.applying.enforcing import ReceiptEnforcer
from rescind.applying.receipts import Recorded
from rescind.model import Difference, Receipt
from tests.contract.world import WORLD

QUESTION = ("user:ada", "write", "doc:1")
LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))
LOST = ("user:ada", "write", "folder:a")


@pytest.fixture
def held(database: str) -> Iterator[Authority]:
    """Another process's authority, as far as others can tell, which holds `acme` in memory."""
    with Authority.open(database, organization="acme", index=True) as opened:
        opened.apply(WORLD)
        assert opened.load()
        yield opened


@pytest.fixture
def order(
    held: Authority, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, bool]]:
    """When changes are enforced and when the difference is worked out; whether a replica allows then."""
    seen: list[tuple[str, bool]] = []
    enforced, difference = ReceiptEnforcer.enforced, recorder.difference

    def enforce(self: ReceiptEnforcer, *given: Any, **named: Any) -> Receipt:
        done = enforced(self, *given, **named)
        seen.append(("enforced", bool(held.check(*QUESTION))))
        return done

    def work_out(*given: Any) -> Difference:
        seen.append(("difference", bool(held.check(*QUESTION))))
        return difference(*given)

    monkeypatch.setattr(ReceiptEnforcer, "enforced", enforce)
    monkeypatch.setattr(recorder, "difference", work_out)
    return seen


def test_enforced_before_the_difference_is_worked_out(
    authority: Authority, order: list[tuple[str, bool]]
) -> None:
    """However long that takes, or if it fails, what was revoked is denied everywhere."""
    receipt = authority.apply([LEAVE], detail=True)
    assert order == [("enforced", False), ("difference", False)]
    assert receipt.difference is not None
    assert LOST in receipt.difference.revoked
    assert receipt.enforced_at is not None


def test_control_the_difference_first(
    authority: Authority, order: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: worked out when the change is recorded, it comes before enforcement."""
    record = ChangeApplier.record

    def eagerly(self: ChangeApplier, *given: Any, **named: Any) -> Recorded:
        recorded = record(self, *given, **named)
        assert recorded.difference is not None
        found = recorded.difference()
        return recorded._replace(difference=lambda: found)

    monkeypatch.setattr(ChangeApplier, "record", eagerly)
    authority.apply([LEAVE], detail=True)
    assert [what for what, _ in order] == ["difference", "enforced"]


def test_a_difference_that_cannot_be_worked_out(
    held: Authority, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change stands, and is enforced, though the call fails."""

    def fail(*_: Any) -> Difference:
        raise MemoryError

    monkeypatch.setattr(recorder, "difference", fail)
    with pytest.raises(MemoryError):
        authority.apply([LEAVE], detail=True)
    assert not held.check(*QUESTION)


@pytest.mark.parametrize("way", ["recorded", "within"])
def test_who_enforces_later_is_told_at_once(
    held: Authority, authority: Authority, way: str
) -> None:
    """The receipt that is to be enforced has the difference already."""
    if way == "recorded":
        receipt = authority.apply([LEAVE], detail=True, wait="recorded")
    else:
        with authority.store.connection() as connection:
            receipt = authority.apply([LEAVE], detail=True, within=connection)
    assert receipt.difference is not None
    assert LOST in receipt.difference.revoked
    assert receipt.enforce().difference == receipt.difference
    assert not held.check(*QUESTION)
