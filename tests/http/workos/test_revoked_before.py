"""Who finds a revocation done waits until it is real everywhere, as who did it (G1)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from signal import SIGCONT, SIGSTOP
from typing import Any

import pytest
import workos
from workos import NotFoundError

from rescind import Authority, changes
from rescind.directory.unit_of_work import UnitOfWork
from rescind.http.keys import Keys
from rescind.http.server.service import Service
from rescind.replicas.enforcement import Enforcer
from tests.faults.holder import Holder, holding
from tests.http.serving import serving
from tests.http.workos.conftest import client_of

LONG = 600.0
"""A lease that does not run out while the test runs."""
FACTS = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.AddMembership(subject="user:ada"),
    changes.CreateGroup(group="eng"),
    changes.AddMembers(group="eng", members=("user:ada",)),
    changes.Assign(role="reader", to="group:eng"),
]


@dataclass
class World:
    """A replica of another process, the SDK, and what Ada is and is in."""

    replica: Holder
    client: workos.WorkOSClient
    organization: str
    group: str
    ada: str


@pytest.fixture(scope="module")
def world(new_shared_database: Callable[[str], str]) -> Iterator[World]:
    """On PostgreSQL. The replica holds the organization, and Ada may read."""
    database = new_shared_database("postgres")
    with Authority.open(database, organization="acme") as authority:
        authority.apply(FACTS)
        with (
            serving(Service(authority, Keys(authority.store))) as served,
            client_of(served) as client,
            holding(database, LONG) as replica,
        ):
            (organization,) = client.organizations.list_organizations().data
            (group,) = client.groups.list_organization_groups(organization.id).data
            (ada,) = client.organization_membership.list_organization_memberships(
                organization_id=organization.id
            ).data
            yield World(replica, client, organization.id, group.id, ada.id)


def _leave(world: World) -> None:
    world.client.groups.delete_group_organization_membership(
        world.organization, world.group, world.ada
    )


def _take_off(world: World) -> None:
    world.client.authorization.delete_group_role_assignments(world.group, role_slug="reader")


def _join(world: World) -> None:
    world.client.groups.create_group_organization_membership(
        world.organization, world.group, organization_membership_id=world.ada
    )


def _give(world: World) -> None:
    world.client.authorization.create_group_role_assignment(world.group, role_slug="reader")


def _leave_again(world: World) -> None:
    world.client.groups.update_group_organization_memberships(
        world.organization, world.group, remove=[world.ada]
    )


WAYS: dict[str, tuple[Any, Any, Any]] = {
    "a member that is not there": (_leave, _leave, _join),
    "a member that need not go": (_leave, _leave_again, _join),
    "a role that is not there": (_take_off, _take_off, _give),
}
"""Revoking, doing it again, and giving it back."""


@pytest.mark.parametrize("waits", [True, False], ids=["waits", "control"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_revocation_that_is_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch, way: tuple[Any, Any, Any], waits: bool
) -> None:
    """Is answered, with 404 or without, when the replica has heard of the first one. Control: a call that
    altered nothing waits for nobody, and is answered while the replica still allows.
    """
    revoke, again, give = way
    waiting = threading.Semaphore(0)
    enforce = Enforcer.enforce

    def noting(self: Enforcer, *names: Any, **named: Any) -> Any:
        if names[0].incarnation:  # and not of what is for all organizations
            waiting.release()
        return enforce(self, *names, **named)

    monkeypatch.setattr(Enforcer, "enforce", noting)
    if not waits:
        monkeypatch.setattr(UnitOfWork, "enforce_named", lambda _: None)
    with ThreadPoolExecutor(2) as pool:
        world.replica.send(SIGSTOP)
        try:
            first = pool.submit(revoke, world)
            waiting.acquire()
            second = pool.submit(again, world)
            if waits:
                waiting.acquire()
                assert not second.done()
            else:
                second.exception()
            assert not first.done()
        finally:
            world.replica.send(SIGCONT)
        assert isinstance(second.exception(), NotFoundError | None)
        first.result()
    assert not world.replica.allows()
    give(world)
    while not world.replica.allows():
        pass
