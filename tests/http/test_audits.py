"""The audit by replay over HTTP."""

from __future__ import annotations

import httpx
import pytest

from rescind.errors import OrganizationNotFound
from rescind.history import facts_look
from rescind.history.replay_report import ReplayedOrganization
from rescind.http.routes import audits
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


def test_few_are_replayed_at_a_time(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused at once; when one has ended, also by an error, the next is answered."""
    begun, found = list[None](), list[int]()

    def audit(*_: object) -> ReplayedOrganization:
        begun.append(None)
        if len(begun) < 4:  # so that it ends without a limit, too
            found.append(client.get("/v1/audits/replay", params=ACME).status_code)
        raise OrganizationNotFound(organization="acme")

    monkeypatch.setattr(audits, "audit_from_snapshot", audit)
    for _ in range(2):
        assert client.get("/v1/audits/replay", params=ACME).status_code == 404
        assert found == [503, 404], "two, and a third within them"
        begun.clear()
        found.clear()
