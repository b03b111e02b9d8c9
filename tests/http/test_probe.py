"""The probe asks a service as it asks this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rescind import Authority
from rescind.changes import CreateOrganization
from rescind.errors import TargetFailed
from rescind.http.server.background import background_tasks
from rescind.http.server.configuration import Configuration, ProbeConfiguration
from rescind.insight.probe import ORGANIZATION, HttpPoint, Limits, Probe
from rescind.insight.probe.service import ProbeService
from rescind.insight.probe.tidying import ACTOR, forget_log, settle
from rescind.insight.probe.ways import DEFINITIONS, ways
from rescind.propagation.background_audit import BackgroundAudit
from tests.http.serving import Served


def test_service_is_asked(served: Served) -> None:
    """A service is a decision point like the others, asked with a key of its own."""
    point = HttpPoint(served.url, key=served.admin)
    database = served.service.authority
    probe = Probe(database, [point], limits=Limits(watch_seconds=0.02, expiry_seconds=0.5))
    probe.prepare()
    done = probe.round()
    assert all(not m.violations for m in done)
    assert all(t.appearance is not None and not t.errors for m in done for t in m.times)
    refused = HttpPoint(served.url, key="no-key")
    point.close()
    with pytest.raises(TargetFailed, match="401"):
        refused.allows(ways("x")[0].question)
    refused.close()


@pytest.mark.parametrize("has_followed", [True, False])
def test_events_are_told_after_the_log_was_cut(served: Served, has_followed: bool) -> None:
    """What the log of the probe's organization has no more of is not told; everything else is."""
    authority = served.service.authority
    authority.apply(DEFINITIONS, organization=ORGANIZATION, actor=ACTOR)
    asked = {"limit": 100, "order": "desc"}
    with served.client() as client:
        if has_followed:
            for way in ways("1"):
                authority.apply([*way.prepare, *way.grant], organization=ORGANIZATION, actor=ACTOR)
            assert client.get("/events", params=asked).status_code == 200
        for way in ways("1") if has_followed else ():
            authority.apply(way.clean_up, organization=ORGANIZATION, actor=ACTOR)
        for way in ways("2"):
            for step in (way.prepare, way.grant, way.revoke, way.clean_up):
                authority.apply(step, organization=ORGANIZATION, actor=ACTOR)
        settle(authority)
        forget_log(authority, kept=3)
        authority.apply([CreateOrganization()], organization="another")
        told = client.get("/events", params=asked)
        assert told.status_code == 200, told.text
        names = [event["data"].get("name") for event in told.json()["data"]]
        assert "another" in names


def test_a_service_probes_and_audits_itself(
    new_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is switched on, and until it ends."""
    ran: list[str] = []
    for kind in (ProbeService, BackgroundAudit):
        monkeypatch.setattr(kind, "run", lambda self, _: ran.append(type(self).__name__))
    database = new_database("sqlite")
    probe = ProbeConfiguration(every_seconds=30.0, evidence_folder=str(tmp_path))
    on = Configuration(database=database, probe=probe)
    with Authority.open(database, index=True) as authority:
        with background_tasks(authority, on):
            pass
        assert sorted(ran) == ["BackgroundAudit", "ProbeService"]
        ran.clear()
        with background_tasks(authority, Configuration(database=database, workers=0)):
            pass
        assert ran == []
