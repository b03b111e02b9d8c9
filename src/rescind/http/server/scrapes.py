"""Scrapes of the metrics: who may have them without a key, and what they are answered."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final

from rescind.errors import RouteNotFound
from rescind.http.server.headers import Headers
from rescind.http.server.service import Service

PATH: Final = b"/metrics"
FORWARDED: Final = (b"forwarded", b"x-forwarded-", b"x-real-ip", b"via")
"""How the names of headers begin that proxies add. A request with one is not this machine's own."""


def scrape(service: Service, accept: str) -> tuple[str, bytes]:
    """The content type, and the metrics as text. May wait for the database. Raises RouteNotFound without."""
    if service.exposition is None:
        raise RouteNotFound()
    return service.exposition.text(accept)


def is_open(service: Service, raw_path: bytes, scope: Any, headers: Headers) -> bool:
    """Whether a request is a scrape that needs no key: from this machine, where the service allows that."""
    return (
        raw_path == PATH
        and service.metrics_access == "loopback"
        and b"authorization" not in headers
        and not any(name.startswith(FORWARDED) for name in headers)
        and _is_loopback(scope.get("client"))
    )


def _is_loopback(client: Any) -> bool:
    try:
        address = ip_address(client[0])
    except (TypeError, ValueError, IndexError):
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
