"""From the events alone a consumer knows who is in which group and who holds which role, also in time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from rescind import Authority, changes, model
from rescind.changes import Change
from rescind.errors import RescindError
from rescind.model import ENVIRONMENT
from tests.http.serving import Served
from tests.http.workos.conftest import CLOCK
from tests.http.workos.world import acme, fresh
from tests.probe import Probe
from tests.sql import ours

SUBJECTS = ("user:ada", "user:bob", "agent:cyd")
GROUPS = ("eng", "ops", "all")
HOLDERS = (*SUBJECTS, *(f"group:{group}" for group in GROUPS))
RESOURCES = ("organization", "workspace:1", "project:2")
SECOND = 1_000_000


class Clock:
    """A time for the library and the service alike, which goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 2_000_000_000 * SECOND

    def moment(self, seconds: int = 0) -> datetime:
        return model.moment(self.now + seconds * SECOND)


@pytest.fixture
def service_clock() -> Iterator[Clock]:
    """The authority's clock, by which the directory goes as well."""
    made = Clock()
    CLOCK.follows = made.moment
    yield made
    CLOCK.follows = None


class Consumer:
    """Reads events on and on, and keeps what they say. It knows nothing else of the service."""

    def __init__(self, read: Callable[[str | None], dict[str, Any]]) -> None:
        self._read, self._after = read, None
        self.names: list[str] = []
        self.people: dict[str, str] = {}
        self.groups: set[str] = set()
        self.members: set[tuple[str, str]] = set()
        self.nestings: set[tuple[str, str]] = set()
        self.held: set[tuple[str, str, str, str]] = set()

    def read_on(self) -> None:
        while events := self._read(self._after)["data"]:
            for event in events:
                self._after = event["id"]
                self.names.append(event["event"])
                self._take(event["event"], event["data"])

    def _take(self, name: str, data: dict[str, Any]) -> None:
        kind, what = name.rsplit(".", 1)
        if kind == "organization_membership":
            if what == "deleted":
                del self.people[data["id"]]
            else:
                self.people[data["id"]] = data["user_id"]
        elif kind == "group" and what in ("created", "deleted"):
            _move(self.groups, data["id"], is_in=what == "created")
        elif kind == "group" and what.startswith("member_"):
            place = (data["group_id"], data["organization_membership_id"])
            _move(self.members, place, is_in=what == "member_added")
        elif kind == "group" and what in ("nested", "unnested"):
            nesting = (data["group_id"], data["parent_group_id"])
            _move(self.nestings, nesting, is_in=what == "nested")
        elif kind in ("role_assignment", "group_role_assignment"):
            holder = data.get("group_id") or data["organization_membership_id"]
            resource = data["resource"]
            where = (resource["resource_type_slug"], resource["external_id"])
            held = (holder, data["role"]["slug"], *where)
            _move(self.held, held, is_in=what == "created")


def _move(known: set[Any], what: Any, *, is_in: bool) -> None:
    """Everything is told once: what is told to come was not there, and what is told to go was."""
    assert (what in known) is not is_in, what
    (known.add if is_in else known.remove)(what)


@pytest.fixture
def consumer(service: Served) -> Iterator[Callable[[str], Consumer]]:
    """Makes consumers of the events of an organization."""
    with service.client() as client:

        def make(organization_id: str) -> Consumer:
            def read(after: str | None) -> dict[str, Any]:
                asked = {"organization_id": organization_id, "limit": 40}
                if after is not None:
                    asked["after"] = after
                answer = client.get("/events", params=asked)
                assert answer.status_code == 200, answer.text
                return dict(answer.json())

            return Consumer(read)

        yield make


def organization(service: Served, client: Any) -> tuple[str, str]:
    """The name and the public id of a fresh organization of the library, with something in it."""
    name = fresh("rebuilt")
    apply(service, name, *BASE)
    return name, str(client.organizations.get_organization_by_external_id(name).id)


BASE: list[Change] = [
    changes.CreateOrganization(),
    *(changes.DefineRole(role=role) for role in ("reader", "writer")),
    *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
    *(changes.CreateGroup(group=group) for group in GROUPS),
    changes.CreateResource(resource="workspace:1"),
    changes.CreateResource(resource="project:2", parent="workspace:1"),
]


def apply(service: Served, name: str, *batch: Change, **options: Any) -> None:
    service.service.authority.apply(batch, organization=name, **options)


QUERIES = {
    "rebuilt_members": """
        SELECT g.slug, m.subject FROM rescind.group_member AS gm
        JOIN rescind."group" AS g ON g.organization = gm.organization AND g.id = gm."group"
             AND g.ended IS NULL
        JOIN rescind.membership AS m ON m.organization = gm.organization AND m.id = gm.membership
        WHERE gm.organization = :o AND (gm.expires_at IS NULL OR gm.expires_at > :now)""",
    "rebuilt_nestings": """
        SELECT c.slug, p.slug FROM rescind.nesting AS n
        JOIN rescind."group" AS c ON c.organization = n.organization AND c.id = n.child
        JOIN rescind."group" AS p ON p.organization = n.organization AND p.id = n.parent
        WHERE n.organization = :o""",
    "rebuilt_held": """
        SELECT COALESCE(m.subject, 'group:' || g.slug), q.slug, x.slug FROM rescind.assignment AS a
        JOIN rescind.role AS q ON q.id = a.role
        JOIN rescind.resource AS x ON x.organization = a.organization AND x.id = a.resource
        LEFT JOIN rescind.membership AS m ON m.organization = a.organization AND m.id = a.holder
        LEFT JOIN rescind."group" AS g ON g.organization = a.organization AND g.id = a.holder
        WHERE a.organization = :o AND a.ended IS NULL AND (a.expires_at IS NULL OR a.expires_at > :now)""",
}


def facts(service: Served, name: str, now: int) -> tuple[set[Any], set[Any], set[Any]]:
    """Members, nestings and what is held, as recorded and in force."""
    store: Any = service.service.authority.store
    ((o, *_),) = store.fetch("plan", {"organization": name})
    found = []
    for query, sql in QUERIES.items():
        style = ours(store, sql)
        if store.engine == "postgres":
            style = style.replace(":o", "%(o)s").replace(":now", "%(now)s")
        store.queries[query] = style
        found.append({tuple(row) for row in store.fetch(query, {"o": o, "now": now})})
    return found[0], found[1], found[2]


def known(consumer: Consumer, service: Served, name: str, org: str) -> tuple[Any, ...]:
    """The same as the consumer has it, under the names of the library."""
    store: Any = service.service.authority.store
    ((o, *_),) = store.fetch("plan", {"organization": name})
    people = {key: user if ":" in user else f"user:{user}" for key, user in consumer.people.items()}
    with service.client() as client:
        listed = client.get(f"/organizations/{org}/groups", params={"limit": 100}).json()["data"]
    slugs = dict(store.fetch("read_groups", {"o": o}))
    by_name = {label or slug: slug for slug, label in slugs.items()}
    groups = {each["id"]: by_name[each["name"]] for each in listed}
    assert set(groups) == consumer.groups
    holders = people | {key: f"group:{slug}" for key, slug in groups.items()}
    held = {
        (holders[h], role, "organization" if kind == "organization" else f"{kind}:{key}")
        for h, role, kind, key in consumer.held
    }
    members = {(groups[g], people[m]) for g, m in consumer.members}
    return members, {(groups[c], groups[p]) for c, p in consumer.nestings}, held


def step(r: random.Random, service_clock: Clock) -> Change:
    """Any change of what is followed, or of what it is about."""
    until = r.choice(
        (None, None, service_clock.moment(-5), service_clock.moment(5), service_clock.moment(20))
    )
    subject, group, holder = r.choice(SUBJECTS), r.choice(GROUPS), r.choice(HOLDERS)
    role, on = r.choice(("reader", "writer", "shared")), r.choice(RESOURCES)
    some = tuple(r.sample(SUBJECTS, r.randrange(1, 3)))
    given = changes.Given(role=role, on=on, expires_at=until)
    options: list[Change] = [
        changes.AddMembers(group=group, members=some, expires_at=until),
        changes.AddMembers(group=group, members=some, expires_at=until),
        changes.RemoveMembers(group=group, members=some),
        changes.ReplaceMembers(group=group, members=some, create=r.random() < 0.5),
        changes.Assign(role=role, to=holder, on=on, expires_at=until),
        changes.Assign(role=role, to=holder, on=on, expires_at=until),
        changes.Assign(role=role, to=holder, on=on, expires_at=until),
        changes.Unassign(role=role, to=holder, on=on),
        changes.ReplaceAssignments(to=holder, assignments=(given,)),
        changes.NestGroup(group=group, into=r.choice(GROUPS)),
        changes.NestGroup(group=group, into=r.choice(GROUPS)),
        changes.UnnestGroup(group=group, out_of=r.choice(GROUPS)),
        changes.DeleteGroup(group=group, cascade=True),
        changes.CreateGroup(group=group),
        changes.RemoveMembership(subject=subject),
        changes.AddMembership(subject=subject),
        changes.AddMembership(subject=subject),
        changes.DeleteResource(resource=r.choice(RESOURCES[1:]), cascade=True),
        changes.CreateResource(resource="workspace:1"),
        changes.CreateResource(resource="project:2", parent="workspace:1"),
        changes.DeleteRole(role="writer", cascade=True),
        changes.DefineRole(role="writer"),
    ]
    return r.choice(options)


@pytest.mark.parametrize("seed", range(2))
def test_a_consumer_rebuilds_who_is_where_and_holds_what(
    client: Any,
    service: Served,
    service_clock: Clock,
    consumer: Callable[[str], Consumer],
    seed: int,
) -> None:
    """Whenever it has read on: whatever was done, in any batches, by either route, as time goes by."""
    run(client, service, service_clock, consumer, seed)


def run(client: Any, service: Served, service_clock: Clock, consumer: Any, seed: int) -> Consumer:
    r = random.Random(seed)
    apply(service, ENVIRONMENT, changes.DefineRole(role="shared"))
    name, org = organization(service, client)
    reader: Consumer = consumer(org)
    for _ in range(60):
        service_clock.now += r.choice((0, 1, 4)) * SECOND
        batch = [step(r, service_clock) for _ in range(r.randrange(1, 4))]
        try:
            apply(service, name, *batch, route=r.choice((None, "background")))
        except RescindError:
            continue
        if r.random() < 0.3:
            reader.read_on()
            assert known(reader, service, name, org) == facts(service, name, service_clock.now), (
                batch
            )
    for _ in range(2):
        service_clock.now += 30 * SECOND
        reader.read_on()
        assert known(reader, service, name, org) == facts(service, name, service_clock.now)
    another = consumer(org)
    another.read_on()
    assert another.names == reader.names
    return reader


def test_control_what_expires_is_not_told(
    client: Any,
    service: Served,
    service_clock: Clock,
    consumer: Callable[[str], Consumer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without that, the consumer is wrong."""
    monkeypatch.setattr("rescind.directory.reported_state.ReportedState.expire", lambda *_: [])
    with pytest.raises(AssertionError):
        run(client, service, service_clock, consumer, 0)


def test_each_kind_is_told_once_in_order(
    client: Any, service: Served, service_clock: Clock, consumer: Callable[[str], Consumer]
) -> None:
    """A group gains and loses a role, is nested, loses its members with its end; what expires, in time."""
    name, org = organization(service, client)
    reader = consumer(org)
    reader.read_on()
    reader.names.clear()
    soon = service_clock.moment(10)
    apply(service, name, changes.Assign(role="reader", to="group:eng", on="project:2"))
    apply(service, name, changes.NestGroup(group="eng", into="all"))
    apply(service, name, changes.AddMembers(group="eng", members=SUBJECTS[:2], expires_at=soon))
    apply(service, name, changes.AddMembers(group="eng", members=SUBJECTS[2:]))
    apply(service, name, changes.Assign(role="writer", to="user:ada", expires_at=soon))
    reader.read_on()
    service_clock.now += 10 * SECOND
    reader.read_on()
    reader.read_on()
    apply(service, name, changes.DeleteResource(resource="workspace:1", cascade=True))
    apply(service, name, changes.Assign(role="reader", to="group:eng"))
    apply(service, name, changes.DeleteGroup(group="eng", cascade=True))
    reader.read_on()
    assert reader.names == [
        "group_role_assignment.created",
        "group.nested",
        *["group.member_added"] * 3,
        "role_assignment.created",
        "organization_membership.updated",
        *["group.member_removed"] * 2,
        "role_assignment.deleted",
        "group_role_assignment.deleted",
        "group_role_assignment.created",
        "group.member_removed",
        "group_role_assignment.deleted",
        "group.unnested",
        "group.deleted",
    ]


def test_what_the_management_api_does_is_told_as_well(
    client: Any, service: Served, consumer: Callable[[str], Consumer]
) -> None:
    """What it has noted itself once, and what follows from it besides."""
    world = acme(client)
    reader = consumer(world.id)
    authorization = client.authorization
    authorization.create_group_role_assignment(world.eng, role_slug=world.role)
    authorization.assign_role(world.bob, role_slug=world.role, resource_target=world.whole())
    reader.read_on()
    assert reader.members == {(world.eng, world.ada)}
    assert {holder for holder, *_ in reader.held} == {world.eng, world.bob}
    reader.names.clear()
    client.organization_membership.delete_organization_membership(world.bob)
    client.groups.delete_organization_group(world.id, world.eng)
    reader.read_on()
    assert reader.names == [
        "role_assignment.deleted",
        "organization_membership.deleted",
        "group.member_removed",
        "group_role_assignment.deleted",
        "group.deleted",
    ]
    assert not reader.held | reader.members


def test_the_sdk_reads_them(client: Any, service: Served, service_clock: Clock) -> None:
    """Also with names that it does not know."""
    name, org = organization(service, client)
    apply(service, name, changes.Assign(role="reader", to="group:eng"))
    wanted = ["group_role_assignment.created"]
    (found,) = client.events.list_events(events=wanted, organization_id=org).data
    assert found.to_dict()["event"] == "group_role_assignment.created"


def test_it_costs_a_deletion_of_a_resource_one_statement(
    authority: Authority, probe: Probe
) -> None:
    """And other changes none."""
    sent: list[str] = []
    authority.apply([changes.CreateOrganization(), changes.DefineResourceType(type="doc")])
    authority.apply([changes.CreateResource(resource="doc:1")])
    probe.before = sent.append
    authority.apply([changes.DeleteResource(resource="doc:1")])
    assert sent.count("keep_gone_resources") == 1
