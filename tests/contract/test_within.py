"""A change inside the caller's own transaction: their row and our change, both or neither."""

from __future__ import annotations

import pytest

from rescind import Authority, changes
from rescind.errors import GroupNotFound, NotCommitted, UnsupportedConnection
from tests.contract.callers import GRANT, SETUP, Caller, caller

__all__ = ["caller"]


def _rows(caller: Caller) -> int:
    return len(caller.execute("SELECT id FROM theirs").fetchall())


def test_both_commit(authority: Authority, caller: Caller) -> None:
    """After their commit the row is there and access is granted; before it nobody else sees either."""
    caller.execute("INSERT INTO theirs VALUES (1)")
    receipt = authority.apply(GRANT, within=caller.within)
    assert receipt.changed
    assert receipt.enforced_at is None
    assert not authority.check("user:ada", "read")
    with pytest.raises(NotCommitted):
        receipt.enforce()
    caller.commit()
    assert receipt.enforce().enforced_at is not None
    assert authority.check("user:ada", "read", at_least=receipt.token)
    assert _rows(caller) == 1


def test_both_roll_back(authority: Authority, caller: Caller) -> None:
    """After their rollback neither the row nor the change is there."""
    caller.execute("INSERT INTO theirs VALUES (1)")
    receipt = authority.apply(GRANT, within=caller.within)
    caller.rollback()
    assert not authority.check("user:ada", "read")
    with pytest.raises(NotCommitted):
        receipt.enforce()
    assert _rows(caller) == 0


def test_a_refused_change_leaves_their_transaction_usable(
    authority: Authority, caller: Caller
) -> None:
    """Nothing of the refused batch stays, and what they wrote before can still be committed."""
    caller.execute("INSERT INTO theirs VALUES (1)")
    with pytest.raises(GroupNotFound):
        authority.apply(
            [*GRANT, changes.RenameGroup(group="nowhere", name="x")], within=caller.within
        )
    caller.execute("INSERT INTO theirs VALUES (2)")
    caller.commit()
    assert _rows(caller) == 2
    assert not authority.check("user:ada", "read")


def test_two_changes_in_one_transaction(authority: Authority, caller: Caller) -> None:
    """Each has a revision of its own; the second sees what the first did."""
    first = authority.apply([changes.CreateGroup(group="eng")], within=caller.within)
    second = authority.apply(
        [changes.AddMembers(group="eng", members=("user:ada",))], within=caller.within
    )
    caller.commit()
    assert second.revision.organization == first.revision.organization + 1
    assert second.enforce().changed


def test_another_kind_of_connection_is_refused(authority: Authority) -> None:
    """An object that is no connection to this engine is named in the error."""
    with pytest.raises(UnsupportedConnection, match=r"builtins\.object"):
        authority.apply(SETUP, within=object())
