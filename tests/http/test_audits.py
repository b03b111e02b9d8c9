"""The audit by replay over HTTP."""

from __future__ import annotations

import httpx
import pytest

from rescind.history import facts_look
from tests.contract.test_audit import by_hand
from tests.http.serving import Served

ACME = {"organization": "acme"}


def test_replay(served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs is told; an organization that is too large is refused."""
    found = client.get("/v1/audits/replay", params=ACME).json()
    assert (found["clean"], found["differing"], found["misfit_at"]) == (True, 0, None)
    by_hand(served.service.authority, "UPDATE rescind.membership SET name = 'Eve'")
    found = client.get("/v1/audits/replay", params=ACME).json()
    assert not found["clean"]
    assert found["differences"][0]["kind"] == "membership"
    assert client.get("/v1/audits/replay", params={"organization": "nobody"}).status_code == 404
    monkeypatch.setattr(facts_look, "MOST_ROWS", 0)
    refused = client.get("/v1/audits/replay", params=ACME)
    assert refused.status_code == 400
    assert "rescind audit --replay" in refused.text
