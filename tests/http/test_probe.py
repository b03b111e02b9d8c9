"""The probe asks a service as it asks this process."""

from __future__ import annotations

import pytest

from rescind.errors import TargetFailed
from rescind.insight.probe import HttpPoint, Limits, Probe
from rescind.insight.probe.ways import ways
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
