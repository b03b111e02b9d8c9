"""The probe asks a service as it asks this process."""

from __future__ import annotations

import httpx
import pytest

from rescind.insight.probe import ORGANIZATION, HttpPoint, Limits, Probe
from rescind.insight.probe.points import Question
from rescind.insight.probe.ways import DEFINITIONS
from tests.http.serving import Served


def test_service_is_asked(served: Served) -> None:
    """A service is a decision point like the others, asked with a key of its own."""
    point = HttpPoint(served.url, ORGANIZATION, key=served.admin)
    database = served.service.authority
    database.apply(DEFINITIONS, organization=ORGANIZATION)
    probe = Probe(database, [point], limits=Limits(watch_seconds=0.02))
    done = probe.round()
    assert all(not m.violations for m in done.measurements)
    assert all(
        t.appearance is not None and not t.errors for m in done.measurements for t in m.times
    )
    refused = HttpPoint(served.url, ORGANIZATION, key="no-key")
    point.close()
    with pytest.raises(httpx.HTTPStatusError):
        refused.allows(Question("user:ada", "read"))
    refused.close()
