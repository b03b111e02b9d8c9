"""`/metrics`: for a key, or for this machine where that is allowed; in the format that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from rescind.http.app import APPLICATIONS
from rescind.http.server.metrics_listener import address_of, listen, metrics_served
from rescind.http.server.scrapes import is_open
from rescind.insight.metrics.exposition import Exposition
from tests.http.serving import Served
from tests.insight.scraped import scraped, value


@pytest.fixture
def scrapable(served: Served) -> Iterator[Served]:
    """A service that has metrics. It is as it was when the test has ended."""
    service = served.service
    service.exposition = Exposition(service.authority)
    yield served
    service.exposition, service.metrics_access = None, "key"


def test_a_key_that_reads_scrapes(scrapable: Served) -> None:
    """Not one that may only check, nor one of a single organization: figures are of all together."""
    with scrapable.client("") as client:
        answers = [
            client.get("/metrics", headers={"Authorization": f"Bearer {key}"})
            for key in (
                scrapable.key("read"),
                scrapable.key("check"),
                scrapable.key("read", organization="acme"),
            )
        ]
        assert [answer.status_code for answer in answers] == [200, 403, 403]
        assert answers[0].headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert client.get("/metrics").status_code == 401
        assert client.post("/metrics").status_code in (401, 405)


def test_checks_are_counted_however_they_are_answered(scrapable: Served) -> None:
    """One for each question, by the route for one and by the route for many."""
    with scrapable.client() as client:
        asked = {"subject": "user:nobody", "permission": "doc:read"}
        for _ in range(3):
            assert (
                client.post("/v1/check", json={"organization": "acme", **asked}).status_code == 200
            )
        client.post("/v1/check/batch", json={"organization": "acme", "checks": [asked] * 2})
        text = client.get("/metrics", headers={"Accept": "application/openmetrics-text"}).text
    found = scraped(text)
    points = ("index", "effective", "live")
    assert text.endswith("# EOF\n")
    denied = [value(found, "rescind_checks_total", point=p, result="denied") for p in points]
    assert sum(denied) == 5


def test_this_machine_scrapes_without_a_key_where_that_is_allowed(scrapable: Served) -> None:
    """But not for somebody else: what a proxy has forwarded needs a key."""
    scrapable.service.metrics_access = "loopback"
    with scrapable.client("") as client:
        answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )
        assert client.head("/metrics").status_code == 200
        assert client.post("/metrics").status_code == 405
        for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Via"):
            forwarded = {header: "127.0.0.1"}
            assert client.get("/metrics", headers=forwarded).status_code == 401
        assert client.get("/v1/keys").status_code == 401
    with scrapable.client() as client:
        assert client.get("/metrics", headers=forwarded).status_code == 200


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_only_this_machines_addresses_are_its_own(
    scrapable: Served, host: str, is_known: bool
) -> None:
    """By the connection's peer, not by what the client says."""
    service = scrapable.service
    service.metrics_access = "loopback"
    assert is_open(service, b"/metrics", {"client": (host, 1)}, {}) is is_known
    assert not is_open(service, b"/v1/keys", {"client": (host, 1)}, {})
    assert not is_open(service, b"/metrics", {"client": None}, {})
    service.metrics_access = "key"
    assert not is_open(service, b"/metrics", {"client": (host, 1)}, {})


def test_without_metrics_there_is_no_such_route(served: Served, client: httpx.Client) -> None:
    """Where they are switched off, or have a port of their own."""
    assert client.get("/metrics").status_code == 404


def test_a_port_of_the_metrics_says_when_the_service_stops(served: Served) -> None:
    """As the service's own port does; a scrape is answered until the end."""
    service = served.service
    headers = {"Authorization": f"Bearer {served.admin}"}
    with listen("127.0.0.1", 0) as listening, metrics_served(APPLICATIONS, service, listening):
        url = address_of(listening)
        ready = url.replace("/metrics", "/readyz")
        assert httpx.get(ready, timeout=30).status_code == 200
        service.is_stopping = True
        try:
            assert httpx.get(ready, timeout=30).status_code == 503
            assert httpx.get(url, headers=headers, timeout=30).status_code == 200
        finally:
            service.is_stopping = False
