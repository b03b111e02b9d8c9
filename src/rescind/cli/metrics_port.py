"""`--metrics-port`: the metrics of a command that goes on, at a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

from rescind.authority import Authority
from rescind.cli import output
from rescind.cli.declared import Option
from rescind.cli.options import Target


class MetricsAccess(StrEnum):
    """Who may scrape."""

    KEY = "key"
    LOOPBACK = "loopback"


MetricsPort = Annotated[
    int | None, Option(min=0, max=65_535, help="Serve /metrics there; 0 is any.")
]
MetricsHost = Annotated[str, Option(help="The address of that port.")]
Access = Annotated[MetricsAccess, Option(help="Who may scrape: with a key, or this machine too.")]


def require_port(target: Target, port: int | None) -> None:
    """Raises InvalidArgument for options of the metrics that were given without a port."""
    if port is None:
        target.refuse_given("metrics_host", "metrics_access", hint="give --metrics-port as well")


@contextmanager
def metrics_at(
    target: Target, authority: Authority, host: str, port: int | None, access: MetricsAccess
) -> Iterator[None]:
    """While the block lasts, the metrics of the authority are at a port, if one is named."""
    if port is None:
        yield
        return
    from rescind.http.app import APPLICATIONS
    from rescind.http.keys import Keys
    from rescind.http.server.metrics_listener import address_of, listen, metrics_served
    from rescind.http.server.service import Service

    service = Service(authority, Keys(authority.store), metrics_access=access.value)
    with listen(host, port) as listening, metrics_served(APPLICATIONS, service, listening):
        if not target.as_json:
            output.say(f"metrics on {address_of(listening)}")
        yield
