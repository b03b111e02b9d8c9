"""Which unmet precondition of a check is reported, where several are: decided once."""

from __future__ import annotations

from itertools import product

import pytest

from rescind import Reason
from rescind.semantics.preconditions import first_unmet

ORDER = {
    "organization": Reason.UNKNOWN_ORGANIZATION,
    "membership": Reason.UNKNOWN_SUBJECT,
    "active": Reason.DEACTIVATED,
    "permission": Reason.UNKNOWN_PERMISSION,
    "resource": Reason.UNKNOWN_RESOURCE,
}


@pytest.mark.parametrize("met", tuple(product([True, False], repeat=len(ORDER))))
def test_the_first_in_order_is_reported(met: tuple[bool, ...]) -> None:
    """And None if all are met."""
    given = dict(zip(ORDER, met, strict=True))
    expected = next((reason for name, reason in ORDER.items() if not given[name]), None)
    assert first_unmet(**given) is expected
