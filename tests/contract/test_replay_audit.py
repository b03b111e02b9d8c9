"""The audit by replay finds what was altered without a change, in the facts and in the log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.errors import OrganizationNotFound
from rescind.history import replay_audit
from rescind.history.facts_look import facts_look
from rescind.history.replay_audit import audit_replay
from rescind.history.replay_report import ReplayedOrganization
from rescind.history.snapshots import keep
from rescind.history.states import state_at
from rescind.model import OrganizationId, OrganizationNumber
from rescind.semantics.replay import comparing
from rescind.semantics.state import EnvironmentState, Membership, OrganizationState
from tests.contract.test_audit import by_hand, of

ACME = "(SELECT id FROM rescind.organization WHERE slug = 'acme')"
SHARED: list[Change] = [
    changes.DefinePermission(permission="all"),
    changes.DefineRole(role="everywhere", permissions=("all",), priority=5),
    changes.DefineResourceType(type="thing"),
]
CASES: list[Change] = [
    changes.SetDefaultRole(role="everywhere"),
    changes.EditRole(role="unused", add=("all",)),
    changes.RenameMembership(subject="user:bob", name="Bob"),
]


@pytest.fixture(scope="module", autouse=True)
def more(settled: Authority) -> None:
    settled.apply(SHARED, organization="*")
    settled.apply(CASES)


class Tampering(NamedTuple):
    """What is done by hand, how it is undone, and the facts that differ then."""

    do: str
    undo: str
    kinds: set[str]
    name: str = ""
    organization: str = "acme"


def group(name: str) -> str:
    return f"""(SELECT id FROM rescind."group" WHERE slug = '{name}' AND organization = {ACME})"""


def role(name: str) -> str:
    return f"(SELECT id FROM rescind.role WHERE slug = '{name}')"


def resource(name: str) -> str:
    return f"(SELECT id FROM rescind.resource WHERE slug = '{name}' AND organization = {ACME})"


def update(table: str, column: str, value: str, was: str, where: str) -> tuple[str, str]:
    """One value, there and back."""
    found = [f"UPDATE rescind.{table} SET {column} = {new} WHERE {where}" for new in (value, was)]
    return found[0], found[1]


PLACE = f"membership = {of('user:ada')}"
GIVEN = f"role = {role('owner')} AND ended IS NULL"
TAMPERINGS: dict[str, Tampering] = {
    "an active membership": Tampering(
        *update("membership", "active", "FALSE", "TRUE", "subject = 'user:bob'"),
        {"membership"},
        "user:bob",
    ),
    "a name": Tampering(
        *update("membership", "name", "'Eve'", "'Bob'", "subject = 'user:bob'"), {"membership"}
    ),
    "an id": Tampering(
        *update(
            "membership",
            "subject",
            "'user:eve'",
            "'user:cyd'",
            "subject IN ('user:cyd', 'user:eve')",
        ),
        {"membership", "assignment"},
    ),
    "a group's name": Tampering(
        *update('"group"', "name", "'X'", "'Engineering'", "slug = 'eng'"), {"group"}
    ),
    "when a place ends": Tampering(
        *update("group_member", "expires_at", "5", "NULL", PLACE),
        {"place in a group"},
        "user:ada eng",
    ),
    "a place": Tampering(
        'INSERT INTO rescind.group_member (organization, membership, "group")'
        f" SELECT {ACME}, {of('user:cyd')}, {group('idle')}",
        f'DELETE FROM rescind.group_member WHERE "group" = {group("idle")}',
        {"place in a group"},
        "user:cyd idle",
    ),
    "a nesting": Tampering(
        *update("recorded_nesting", "ended", "1", "NULL", f"organization = {ACME}"),
        {"nesting"},
        "eng staff",
    ),
    "a critical permission": Tampering(
        *update("permission", "critical", "FALSE", "TRUE", "slug = 'purge'"), {"permission"}
    ),
    "what a role contains": Tampering(
        "INSERT INTO rescind.role_permission (role, permission) SELECT"
        f" {role('reader')}, id FROM rescind.permission WHERE slug = 'spare'",
        "DELETE FROM rescind.role_permission WHERE permission ="
        " (SELECT id FROM rescind.permission WHERE slug = 'spare')",
        {"role"},
        "reader",
    ),
    "a priority": Tampering(*update("role", "priority", "9", "1", "slug = 'reader'"), {"role"}),
    "a resource type": Tampering(
        *update(
            "resource_type", "parents", "'[]'", """'["folder", "organization"]'""", "slug = 'doc'"
        ),
        {"resource type"},
    ),
    "where a resource is": Tampering(
        *update("resource", "parent", resource("folder:b"), "0", "slug = 'doc:2'"), {"resource"}
    ),
    "when an assignment ends": Tampering(
        *update("assignment", "expires_at", "5", "NULL", GIVEN),
        {"assignment"},
        "agent:bot owner folder:b",
    ),
    "whose an assignment is": Tampering(
        *update("assignment", "holder", of("user:cyd"), of("agent:bot"), GIVEN), {"assignment"}
    ),
    "an assignment of another role": Tampering(
        *update("assignment", "role", role("owner"), role("writer"), f"holder = {group('eng')}"),
        {"assignment"},
    ),
    "a role set aside": Tampering(
        "INSERT INTO rescind.role_reset (organization, membership, role)"
        f" SELECT {ACME}, {of('user:ada')}, {role('reader')}",
        "DELETE FROM rescind.role_reset",
        {"role set aside"},
        "user:ada reader",
    ),
    "the default role": Tampering(
        *update("organization", "default_role", "NULL", role("everywhere"), "slug = 'acme'"),
        {"setting"},
        "default_role",
    ),
    "the role mode": Tampering(
        *update("organization", "role_mode", "'single'", "'multiple'", "slug = 'acme'"), {"setting"}
    ),
    "a role of all": Tampering(
        *update("role", "required", "TRUE", "FALSE", "slug = 'everywhere'"),
        {"role"},
        "everywhere",
        "*",
    ),
    "a permission of all": Tampering(
        *update("permission", "description", "'X'", "''", "slug = 'all'"),
        {"permission"},
        "all",
        "*",
    ),
    "a resource type of all": Tampering(
        *update("resource_type", "parents", """'["thing"]'""", "'[]'", "slug = 'thing'"),
        {"resource type"},
        "thing",
        "*",
    ),
}


@contextmanager
def tampered(authority: Authority, do: str, undo: str) -> Iterator[None]:
    by_hand(authority, do)
    try:
        yield
    finally:
        by_hand(authority, undo)


def audited(authority: Authority, organization: str = "acme") -> ReplayedOrganization:
    (found,) = audit_replay(authority.store, organization).organizations
    return found


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_with_a_fact(
    what: str, settled: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found and named. Control: without the comparison of that kind of facts it is not."""
    case = TAMPERINGS[what]
    with tampered(settled, case.do, case.undo):
        found = audited(settled, case.organization)
        assert not found.is_clean
        assert {each.kind for each in found.differences} == case.kinds
        assert case.name in ("", found.differences[0].name)
        for kind in case.kinds:
            for table in (comparing.OF_ORGANIZATION, comparing.OF_ENVIRONMENT):
                monkeypatch.delitem(table, kind, raising=False)
        assert audited(settled, case.organization).is_clean
        monkeypatch.undo()
    assert audit_replay(settled.store).is_clean


def test_from_which_revision_they_part(settled: Authority) -> None:
    """A fact that is gone was last made by a change; one that is there was last taken by one, or by none."""
    made = settled.apply([changes.AddMembers(group="idle", members=("user:bob",))])
    there = f'WHERE membership = {of("user:bob")} AND "group" = {group("idle")}'
    settled.apply([changes.RenameOrganization(name="Between")])
    with tampered(settled, f"DELETE FROM rescind.group_member {there}", "SELECT 1"):
        found = audited(settled)
        (difference,) = found.differences
        assert (difference.in_log, difference.in_tables) == ("there", None)
        assert difference.parts_at == difference.logged_at == found.first_revision
        assert difference.parts_at == made.revision.organization
    taken = settled.apply(
        [
            changes.RemoveMembers(group="idle", members=("user:bob",)),
            changes.RenameOrganization(name="Acme"),
        ]
    )
    back = (
        'INSERT INTO rescind.group_member (organization, membership, "group")'
        f" SELECT {ACME}, {of('user:bob')}, {group('idle')}"
    )
    with tampered(settled, back, f"DELETE FROM rescind.group_member {there}"):
        (difference,) = audited(settled).differences
        assert (difference.in_log, difference.in_tables) == (None, "there")
        assert difference.parts_at == taken.revision.organization
    assert audited(settled).is_clean


MISFITS = {
    '{"change":"reactivate_membership","subject":"user:eve"}': "user:eve has no membership",
    '{"change":"assign","role":"ghost","to":"user:ada"}': "there is no role ghost",
    '{"change":"assign","role":"reader","to":"user:ada","on":"doc:9"}': "there is no resource doc:9",
    '{"change":"delete_role","role":"reader"}': "the role reader is in use",
}
BODY = "UPDATE rescind.change SET body = {} WHERE organization = " + ACME + " AND revision = {}"


def test_tampering_with_the_log(settled: Authority) -> None:
    """A row that is missing, unreadable or cannot follow is named; else the facts that it gave differ."""
    last = settled.apply([changes.AddMembership(subject="user:dee")]).revision.organization
    good = """'[{"change":"add_membership","subject":"user:dee"}]'"""

    def altered(body: str) -> ReplayedOrganization:
        with tampered(settled, BODY.format(body, last), BODY.format(good, last)):
            return audited(settled)

    assert altered(good).is_clean
    assert altered("'nothing'").misfit_at == last
    for body, why in MISFITS.items():
        misfit = altered(f"'[{body}]'")
        assert (misfit.misfit_at, misfit.first_revision) == (last, last)
        assert why in misfit.misfit
    (other,) = altered("""'[{"change":"rename_organization","name":"Acme"}]'""").differences
    assert (other.kind, other.name, other.in_log) == ("membership", "user:dee", None)
    move = (
        "UPDATE rescind.change SET revision = {} WHERE organization = "
        + ACME
        + " AND revision = {}"
    )
    for gone in (1, last):
        with tampered(settled, move.format(-5, gone), move.format(gone, -5)):
            assert audited(settled).misfit_at in (gone, gone + 1)
    assert audited(settled).is_clean


def test_what_is_committed_meanwhile_is_no_drift(
    settled: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes that are recorded after the facts were read, and while the log is read."""
    read = replay_audit.read_states

    def slowly(*arguments: object) -> object:
        found = read(*arguments)  # type: ignore[arg-type]
        settled_later = threading.Thread(target=more_changes)
        settled_later.start()
        settled_later.join()
        return found

    def more_changes() -> None:
        settled.apply([changes.AddMembership(subject="user:late")])
        settled.apply([changes.DefineRole(role="later")], organization="*")

    monkeypatch.setattr(replay_audit, "read_states", slowly)
    assert audited(settled).is_clean
    monkeypatch.undo()
    found = audited(settled)
    assert found.is_clean
    assert found.revision > 1
    settled.apply([changes.RemoveMembership(subject="user:late")])
    settled.apply([changes.DeleteRole(role="later")], organization="*")


def test_all_or_one(settled: Authority) -> None:
    report = audit_replay(settled.store)
    assert {each.organization for each in report.organizations} == {"*", "acme"}
    assert all(each.facts and each.changes and each.since == 0 for each in report.organizations)
    with pytest.raises(OrganizationNotFound):
        audit_replay(settled.store, "nobody")


def test_a_pruned_log(settled: Authority) -> None:
    """It is replayed from a snapshot on, and that is said; without one nothing is. What differs is found."""
    start = (
        "INSERT INTO rescind.log_start (organization, revision, digest, recorded_at, why)"
        f" SELECT {ACME}, 2, c.digest, 0, 'pruned' FROM rescind.change AS c"
        f" WHERE c.organization = {ACME} AND c.revision = 2"
    )
    move = "UPDATE rescind.change SET revision = {} revision WHERE organization = {} AND {}"
    away = move.format("-", ACME, "revision IN (1, 2)")
    state, environment = replayed_at(settled, 2)
    assert environment.revision == 1
    with (
        tampered(settled, start, "DELETE FROM rescind.log_start"),
        tampered(settled, away, move.format("-", ACME, "revision IN (-1, -2)")),
    ):
        assert "without a snapshot" in audited(settled).unaudited
        keep(settled.store, organization_number(settled), state, source="replay")
        try:
            assert audited(settled).is_clean
            assert audited(settled).since == 2
            case = TAMPERINGS["a name"]
            with tampered(settled, case.do, case.undo):
                assert not audited(settled).is_clean
        finally:
            by_hand(settled, "DELETE FROM rescind.snapshot")
    assert audited(settled).since == 0


def test_a_snapshot_of_before_the_first_change_is_none(settled: Authority) -> None:
    """Whoever puts a fact into the tables could put it into such a snapshot too: the log alone counts."""
    eve = (
        "INSERT INTO rescind.membership (organization, id, subject, active, created_at)"
        f" VALUES ({ACME}, 999999, 'user:eve', TRUE, 0)"
    )
    forged = OrganizationState(organization=OrganizationId("acme"))
    forged.memberships["user:eve"] = Membership(is_active=True, name=None, since=0, changed=0)
    with tampered(settled, eve, "DELETE FROM rescind.membership WHERE id = 999999"):
        for revision in (0, -1):
            forged.revision = revision
            keep(settled.store, organization_number(settled), forged, source="replay")
            try:
                assert [each.name for each in audited(settled).differences] == ["user:eve"]
            finally:
                by_hand(settled, "DELETE FROM rescind.snapshot")


def test_a_log_of_an_older_version(settled: Authority) -> None:
    """What differs may come from an upgrade: that is told, and is no drift in the background."""
    column = (
        "UPDATE rescind.change SET environment = {} WHERE revision = 1 AND organization = " + ACME
    )
    with tampered(settled, column.format("NULL"), column.format("0")):
        assert audited(settled).is_clean
        case = TAMPERINGS["a name"]
        with tampered(settled, case.do, case.undo):
            assert audited(settled).is_upgraded
            assert facts_look(settled.store)(organization_number(settled), NAME)[1] is None
    case = TAMPERINGS["a name"]
    with tampered(settled, case.do, case.undo):
        assert not audited(settled).is_upgraded
        assert facts_look(settled.store)(organization_number(settled), NAME)[1] is not None


NAME = OrganizationId("acme")


def organization_number(authority: Authority) -> OrganizationNumber:
    return OrganizationNumber(authority.store.fetch("find_log", {"organization": "acme"})[0][0])


def replayed_at(authority: Authority, revision: int) -> tuple[OrganizationState, EnvironmentState]:
    state, environment, _ = state_at(authority.store, NAME, revision)
    return state, environment
