"""`if_revision`: a change that is made only if the organization is still at a revision."""

from __future__ import annotations

import threading

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument, PreconditionFailed
from tests.state import dump

WRITERS = 4
ROUNDS = 5


def test_at_that_revision_it_is_made(acme: Authority) -> None:
    """And the receipt's token is good for the next one."""
    first = acme.apply([changes.CreateGroup(group="one")])
    second = acme.apply([changes.CreateGroup(group="two")], if_revision=first.token)
    assert second.revision.organization == first.revision.organization + 1
    found = acme.preview([changes.DeleteGroup(group="two")], if_revision=second.token)
    assert not found.revoked


@pytest.mark.parametrize("off", [(0, -1), (0, 1), (1, 0), (0, 2**40)])
def test_at_any_other_nothing_is_done(acme: Authority, off: tuple[int, int]) -> None:
    """An older one, a later one, one of another organization; also where nothing would be altered."""
    at = acme.apply([changes.CreateGroup(group="one")]).revision
    numbers = at.incarnation + off[0], at.organization + off[1], at.environment
    token = acme.store.seals.revision(*numbers).token()
    before = dump(acme)
    for change in (changes.CreateGroup(group="two"), changes.CreateGroup(group="one")):
        with pytest.raises(PreconditionFailed):
            acme.apply([change], if_revision=token, idempotency_key="k")
        with pytest.raises(PreconditionFailed):
            acme.preview([change], if_revision=token)
    assert dump(acme) == before
    acme.apply([changes.CreateGroup(group="two")], if_revision=at.token(), idempotency_key="k")


def test_what_was_done_is_told_again(acme: Authority) -> None:
    """Repeated with its key, the change has its receipt, though the organization has moved on."""
    token = acme.apply([changes.CreateGroup(group="one")]).token
    change = [changes.CreateGroup(group="two")]
    first = acme.apply(change, if_revision=token, idempotency_key="k")
    acme.apply([changes.CreateGroup(group="three")])
    assert acme.apply(change, if_revision=token, idempotency_key="k") == first


def test_another_organization_of_the_name_is_another(acme: Authority) -> None:
    """A token does not outlive its organization."""
    receipt = acme.apply([changes.DeleteOrganization(cascade=True)])
    with pytest.raises(PreconditionFailed):
        acme.apply([changes.CreateOrganization()], if_revision=receipt.token)
    token = acme.apply([changes.CreateOrganization()]).token
    assert acme.apply([changes.CreateGroup(group="one")], if_revision=token).changed


def winners(acme: Authority) -> list[int]:
    """How many of the writers that start from the same token have made their change, round by round."""
    found = []
    for turn in range(ROUNDS):
        token = acme.apply([changes.CreateGroup(group=f"turn{turn}")]).token
        together, won = threading.Barrier(WRITERS), []

        def write(number: int, turn: int = turn, token: str = token) -> None:
            together.wait()  # noqa: B023
            try:
                acme.apply([changes.CreateGroup(group=f"by{turn}.{number}")], if_revision=token)
            except PreconditionFailed:
                return
            won.append(number)  # noqa: B023

        threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found.append(len(won))
    return found


def test_of_writers_with_the_same_token_one_wins(acme: Authority) -> None:
    """Exactly one, however many there are at the same time."""
    assert winners(acme) == [1] * ROUNDS


def test_without_the_guard_all_win(acme: Authority) -> None:
    """The control: it is the guard within the transaction that lets one win."""
    queries = acme.store.queries  # type: ignore[attr-defined]
    queries["refuse_moved"] = queries["refuse_moved"] + " AND FALSE"
    assert winners(acme) == [WRITERS] * ROUNDS


def test_former_name(acme: Authority) -> None:
    """`only_at` is what `if_revision` was called: it warns and does the same; both together are refused."""
    first = acme.apply([changes.CreateGroup(group="one")])
    with pytest.warns(DeprecationWarning, match="if_revision"):
        assert acme.apply([changes.CreateGroup(group="two")], only_at=first.token).changed
    for call in (acme.apply, acme.preview):
        with (
            pytest.warns(DeprecationWarning, match="if_revision"),
            pytest.raises(PreconditionFailed),
        ):
            call([changes.CreateGroup(group="three")], only_at=first.token)
        with (
            pytest.warns(DeprecationWarning, match="if_revision"),
            pytest.raises(InvalidArgument, match="only_at"),
        ):
            call([], only_at=first.token, if_revision=first.token)
