"""Of several hosts the primary is asked, unless somebody says otherwise."""

from __future__ import annotations

import pytest

from rescind.store.postgres.primary import hosts_of, passing_over_standbys

PRIMARY = {"target_session_attrs": "primary"}


@pytest.mark.parametrize(
    ("url", "variables", "asked"),
    [
        ("postgresql://a/x", {}, {}),
        ("postgresql:///x", {}, {}),
        ("postgresql://a:1,b:2/x", {}, PRIMARY),
        ("postgresql:///x?host=/a,/b", {}, PRIMARY),
        ("postgresql:///x?hostaddr=127.0.0.1,::1", {}, PRIMARY),
        ("postgresql://a,b/x?target_session_attrs=any", {}, {}),
        ("postgresql://a,b/x?target_session_attrs=prefer-standby", {}, {}),
        ("postgresql:///x", {"PGHOST": "a,b"}, PRIMARY),
        ("postgresql://a/x", {"PGHOST": "a,b"}, {}),
        ("postgresql:///x", {"PGHOSTADDR": "127.0.0.1,::1"}, PRIMARY),
        ("postgresql://a,b/x", {"PGTARGETSESSIONATTRS": "standby"}, {}),
    ],
)
def test_which_server_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    variables: dict[str, str],
    asked: dict[str, str],
) -> None:
    """The driver's default takes any, and a standby may allow what was revoked."""
    for name in ("PGHOST", "PGHOSTADDR", "PGTARGETSESSIONATTRS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert passing_over_standbys(url) == asked
    assert (hosts_of(url) > 1) == bool(asked or ",b/" in url)
