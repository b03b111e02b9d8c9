"""One service behind our connections and behind uvicorn's own, and the same requests to both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rescind import Authority, changes
from rescind.http.app import application
from rescind.http.keys import Keys
from rescind.http.server.admission import Admission
from rescind.http.server.entry import FastResponse
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from tests.contract.world import WORLD
from tests.http.raw import answers, exchanged
from tests.http.serving import Served, serving

ASKED = {"organization": "acme", "subject": "user:ada", "permission": "write", "resource": "doc:1"}


@dataclass
class Both:
    """One service behind our connections and behind uvicorn's own."""

    ours: Served
    theirs: Served
    keys: dict[str, str]
    at_once: list[bool] = field(default_factory=list)
    """Of each POST that was asked of a fast route, whether it was answered without the application."""


@contextmanager
def running(database: str, **limits: Any) -> Iterator[Both]:
    with Authority.open(database, index=True) as authority:
        authority.apply(WORLD, organization="acme")
        authority.apply([changes.CreateOrganization()], organization="beta")
        authority.load("acme")
        authority.load("beta")
        service = Service(authority, Keys(authority.store), limits=Limits(**limits))
        entry, at_once = application(service), []
        ask = entry.at_once

        def noted(*arguments: Any) -> FastResponse | Admission | None:
            found = ask(*arguments)
            at_once.append(isinstance(found, FastResponse))
            return found

        entry.at_once = noted  # type: ignore[method-assign]
        with serving(service, entry=entry) as ours, serving(service, http="httptools") as theirs:
            keys = {
                "check": ours.key("check"),
                "bound": ours.key("check", organization="acme"),
                "other": ours.key("check", organization="beta"),
                "write": ours.key("write"),
                "none": "",
                "unknown": ours.admin[:-1] + "_",
            }
            yield Both(ours, theirs, keys, at_once)


def same(both: Both, pieces: list[bytes]) -> list[tuple[bytes, dict[bytes, bytes], bytes]]:
    """The answers, which are the same on both."""
    ours, theirs = (answers(exchanged(each, pieces)) for each in (both.ours, both.theirs))
    assert ours == theirs
    return ours
