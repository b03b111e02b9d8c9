"""API keys: what is promised of them, on each engine."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from rescind import Authority, changes
from rescind.errors import ApiKeyNotFound, InvalidArgument, OrganizationNotFound, Unauthenticated
from rescind.http.keys import Keys
from tests.http.serving import Served
from tests.probe import Probe
from tests.sql import ours


@pytest.fixture
def keys(authority: Authority) -> Keys:
    """The keys of a database that has three organizations, on each engine in turn."""
    for name in ("acme", "a", "b"):
        authority.apply([changes.CreateOrganization()], organization=name)
    return Keys(authority.store)


def is_good(keys: Keys, text: str) -> bool:
    try:
        keys.recognize(text)
    except Unauthenticated:
        return False
    return True


def test_a_key_is_recognized_as_what_it_was_made(keys: Keys) -> None:
    """Its name, scopes and organization."""
    made, text = keys.create("ci", ["check", "read"], organization="acme")
    caller = keys.recognize(text)
    assert (caller.key_id, caller.name, caller.organization) == (made.id, "ci", "acme")
    assert caller.scopes == {"read", "check"}
    assert keys.known(text) == caller


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t + "A", lambda t: t.upper()])
def test_another_secret_is_refused(keys: Keys, spoil: object) -> None:
    """Whatever is not the text as it was shown."""
    _, text = keys.create("ci", ["read"])
    assert not is_good(keys, spoil(text))  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "rsk", "rsk__", "sk_1_2", "rsk_0123456789abcdef_", "é", "\0"])
def test_what_is_no_key_is_refused(keys: Keys, text: str) -> None:
    """Without an error of the database."""
    keys.create("ci", ["read"])
    assert not is_good(keys, text)


def test_the_secret_is_nowhere_in_the_database(keys: Keys, authority: Authority) -> None:
    """Nor is any part of it."""
    _, text = keys.create("ci", ["read"])
    secret = text.removeprefix("rsk_").partition("_")[2]
    authority.store.queries["dump"] = ours(authority, "SELECT * FROM rescind.api_key")  # type: ignore[attr-defined]
    assert secret[:8] not in repr(authority.store.fetch("dump", {}))


def test_a_revoked_key_is_refused_at_once(keys: Keys) -> None:
    """Also where it was remembered; and it cannot be rotated back to life."""
    made, text = keys.create("ci", ["read"])
    assert is_good(keys, text)
    assert keys.revoke(made.id).revoked_at is not None
    assert keys.known(text) is None
    assert not is_good(keys, text)
    for action in (keys.revoke, keys.rotate):
        with pytest.raises(ApiKeyNotFound):
            action(made.id)


def test_without_the_statement_a_revoked_key_stays_good(keys: Keys, probe: Probe) -> None:
    """The control."""
    made, text = keys.create("ci", ["read"])
    probe.omitted.add("revoke_api_key")
    keys.revoke(made.id)
    assert is_good(keys, text)


def test_another_process_forgets_in_time(keys: Keys, authority: Authority) -> None:
    """What is remembered elsewhere is forgotten by its own clock; nothing at all with 0 seconds."""
    made, text = keys.create("ci", ["read"])
    other = Keys(authority.store, remember_seconds=0)
    assert is_good(other, text)
    keys.revoke(made.id)
    assert other.known(text) is None
    assert not is_good(other, text)


def test_a_key_revoked_while_it_is_recognized_is_not_remembered(
    keys: Keys, authority: Authority
) -> None:
    """The row that was read before does not outlive the revocation."""
    made, text = keys.create("ci", ["read"])
    fetch = authority.store.fetch

    def slow(name: str, params: dict[str, object], **options: object) -> object:
        rows = fetch(name, params, **options)  # type: ignore[arg-type]
        authority.store.fetch = fetch  # type: ignore[method-assign]
        keys.revoke(made.id)
        return rows

    authority.store.fetch = slow  # type: ignore[method-assign,assignment]
    keys.recognize(text)
    assert keys.known(text) is None


class Later:
    """The clocks of the module that is tested, two hours on."""

    seconds = 2 * 3600

    def monotonic(self) -> float:
        return time.monotonic() + self.seconds

    def time_ns(self) -> int:
        return time.time_ns() + self.seconds * 10**9


def test_an_expired_key_is_refused(
    keys: Keys, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its time on, however long it is remembered."""
    patient = Keys(authority.store, remember_seconds=5 * 3600)
    past = datetime.now(UTC) - timedelta(seconds=1)
    _, text = keys.create("ci", ["read"], expires_at=past)
    assert not is_good(keys, text)
    _, text = keys.create("ci", ["read"], expires_at=datetime.now(UTC) + timedelta(hours=1))
    _, other = keys.create("ci", ["read"])
    assert [is_good(patient, each) for each in (text, other)] == [True, True]
    monkeypatch.setattr("rescind.http.keys.key_store.time", Later())
    assert patient.known(text) is None
    assert patient.known(other) is not None
    assert not is_good(patient, text)


def test_rotation(keys: Keys) -> None:
    """The new secret is good at once, the old one for the grace."""
    made, old = keys.create("ci", ["read"])
    _, new = keys.rotate(made.id, grace_seconds=60)
    assert is_good(keys, old)
    assert is_good(keys, new)
    _, newest = keys.rotate(made.id)
    assert [is_good(keys, text) for text in (old, new, newest)] == [False, False, True]


def test_the_first_key_is_made_once(keys: Keys) -> None:
    """Where there was a key at any time, none is made."""
    text = keys.create_first()
    assert text is not None
    assert keys.recognize(text).has("admin")
    keys.revoke(keys.recognize(text).key_id)
    assert keys.create_first() is None


def test_use_is_noted_rarely(keys: Keys) -> None:
    """Once, and not again for a while."""
    made, text = keys.create("ci", ["read"])
    caller = keys.recognize(text)
    assert keys.read(made.id).used_at is None
    assert [keys.note_use(caller), keys.note_use(caller)] == [True, False]
    assert keys.read(made.id).used_at is not None


def test_lists(keys: Keys) -> None:
    """All of them page by page, or those of one organization."""
    made = sorted(keys.create(f"k{n}", ["read"], organization="ab"[n % 2])[0].id for n in range(5))
    first = keys.list(limit=3)
    assert [k.id for k in (*first, *keys.list(after=first[-1].id))] == made
    assert {k.organization for k in keys.list(organization="a")} == {"a"}


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["read"]), ("a\nb", ["read"]), ("x", []), ("x", ["all"])]
)
def test_what_makes_no_key(keys: Keys, name: str, scopes: list[str]) -> None:
    """A name or scopes that cannot be are refused."""
    with pytest.raises(InvalidArgument):
        keys.create(name, scopes)
    assert keys.list() == []


# --- the organization that a key is bound to ------------------------------------------------------


def made_anew(authority: Authority) -> None:
    """Acme is deleted, and another organization gets its name."""
    for change in (changes.DeleteOrganization(cascade=True), changes.CreateOrganization()):
        authority.apply([change], organization="acme")


def test_a_key_ends_with_its_organization(keys: Keys, authority: Authority) -> None:
    """It never opens another of the same name, whose keys are others; nor is it seen among them."""
    made, text = keys.create("ci", ["read"], organization="acme")
    assert not made.is_orphan
    made_anew(authority)
    assert not is_good(Keys(authority.store), text)
    assert keys.read(made.id).is_orphan
    assert keys.list(organization="acme") == []
    assert [key.id for key in keys.list()] == [made.id]
    other, _ = keys.create("ci", ["read"], organization="acme")
    assert [key.id for key in keys.list(organization="acme")] == [other.id]
    _, again = keys.rotate(made.id)
    assert not is_good(keys, again)


def test_bound_by_name_it_would_open_the_other(keys: Keys, authority: Authority) -> None:
    """The control: without the number, the key is good for whatever is called so."""
    _, text = keys.create("ci", ["read"], organization="acme")
    made_anew(authority)
    queries = authority.store.queries  # type: ignore[attr-defined]
    queries["read_api_key"] = queries["read_api_key"].replace("o.id = k.bound_to", "TRUE")
    assert is_good(keys, text)


def test_a_deleted_organization_is_forgotten(keys: Keys) -> None:
    """Its keys are read anew; those of others stay remembered."""
    _, text = keys.create("ci", ["read"], organization="acme")
    _, other = keys.create("ci", ["read"], organization="a")
    assert is_good(keys, text)
    assert is_good(keys, other)
    keys.forget_organization("acme")
    assert keys.known(text) is None
    assert keys.known(other) is not None


def test_a_key_needs_its_organization(keys: Keys) -> None:
    """There is none for an organization that does not exist."""
    with pytest.raises(OrganizationNotFound):
        keys.create("ci", ["read"], organization="nobody")
    assert keys.list() == []


def test_over_http_a_key_ends_when_the_answer_is_there(served: Served) -> None:
    """Also where it was remembered a moment ago, and the name has been taken again since."""
    key = served.key("read", organization="acme")
    with served.client(key) as bound, served.client() as client:
        assert bound.get("/v1/changes").status_code == 200
        for change in (
            {"change": "delete_organization", "cascade": True},
            {"change": "create_organization"},
        ):
            body = {"organization": "acme", "changes": [change]}
            assert client.post("/v1/changes", json=body).status_code == 200
        assert bound.get("/v1/changes").status_code == 401
