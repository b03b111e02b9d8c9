"""What errors say, and names of them that are kept for one release."""

from __future__ import annotations

import pytest

from rescind.errors import StoreUnavailable


def test_former_name_of_hint() -> None:
    """`mend` is what `hint` was called in 0.1; it warns."""
    error = StoreUnavailable(path="x")
    with pytest.warns(DeprecationWarning, match="hint"):
        assert error.mend == error.hint
