"""`user.has_perm` and what goes with it."""

from __future__ import annotations

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, PermissionsMixin, User
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from rescind import Authority, changes
from rescind.errors import DecisionUnavailable, MalformedId
from rescind.integrations.django import access, apply, authority, check, explain
from rescind.integrations.django.backend import RescindModelBackend
from rescind.integrations.django.naming import subject_of
from rescind.integrations.outcomes import Refused
from tests.django_app import RESCIND
from tests.django_app.conftest import Configure
from tests.django_app.people import NAMES, person
from tests.django_app.shelf.models import Document, Invoice, Note, Page, Plain, Report, Tenant

pytestmark = pytest.mark.usefixtures("project")


def held(name: str, permission: str) -> list[int]:
    """The documents on which somebody has a permission."""
    user = person(name)
    return [doc.pk for doc in Document.objects.order_by("pk") if user.has_perm(permission, doc)]


def test_it_is_what_the_facts_say() -> None:
    """By a group on what is above, by oneself on one object, and on the organization."""
    assert held("ada", "doc:read") == [1, 3, 5]
    assert held("ada", "doc:write") == []
    assert held("bob", "doc:read") == held("bob", "doc:write") == [2]
    assert held("cyd", "doc:write") == [1, 2, 3, 4, 5, 6]
    assert held("eve", "doc:read") == []
    assert person("cyd").has_perm("doc:write")
    assert not person("ada").has_perm("doc:read")
    first, second = Note.objects.order_by("pk")
    assert person("bob").has_perm("doc:read", first)
    assert not person("bob").has_perm("doc:read", second)
    assert person("bob").has_perm("doc:read", Page.objects.get(slug="page 2"))
    assert person("bob").has_perm("doc:read", "doc:2")
    assert person("bob").has_perms(["doc:read", "doc:write"], Document.objects.get(pk=2))


@pytest.mark.parametrize("name", ["doc:read", "shelf.view_document", "view_document"])
def test_names_of_django_mean_permissions(name: str) -> None:
    """By the option, with or without the app where the object's model tells it."""
    doc = Document.objects.get(pk=1)
    assert person("ada").has_perm(name, doc)
    assert not person("bob").has_perm(name, doc)


def test_another_name_is_the_permission_of_that_name() -> None:
    doc = Document.objects.get(pk=1)
    apply(
        [
            changes.DefinePermission(permission="shelf.print_document"),
            changes.DefineRole(role="printer", permissions=("shelf.print_document",)),
            changes.Assign(role="printer", to=subject_of(person("eve")), on="doc:1"),
        ]
    )
    for name in ("shelf.print_document", "print_document"):
        assert person("eve").has_perm(name, doc)
    for name in ("", "nonsense", "doc:read\0", "x" * 300, "shelf.view_folder"):
        assert not person("cyd").has_perm(name, doc), name


def test_a_removal_holds_for_a_user_that_is_loaded() -> None:
    """Nothing is cached on it, as Django's own backend does."""
    ada, doc = person("ada"), Document.objects.get(pk=1)
    assert ada.has_perm("doc:read", doc)
    ada.groups.clear()
    assert not ada.has_perm("doc:read", doc)


def test_who_is_not_active_may_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the facts say, and without a question. (Control: without the guard the facts allow it.)"""
    cyd, doc = person("cyd"), Document.objects.get(pk=1)
    cyd.is_active = False
    backend = RescindModelBackend()
    assert not cyd.has_perm("doc:read", doc)
    assert not cyd.has_perms(["doc:read"])
    assert not backend.get_all_permissions(cyd)
    assert not backend.has_module_perms(cyd, "shelf")
    root = person("root")
    root.is_active = False
    for nobody in (root, AnonymousUser(), User(username="new"), User(username="new", pk=None)):
        assert not nobody.has_perm("doc:read", doc), nobody
        assert not nobody.has_perm("doc:read"), nobody
    monkeypatch.setattr(access, "preset", lambda user: None)
    assert cyd.has_perm("doc:read", doc)


def test_superusers_may_everything_as_in_django(project: Configure) -> None:
    """In every way of asking, or in none of ours."""
    root, doc = person("root"), Document.objects.get(pk=1)
    assert root.has_perm("doc:read", doc)
    assert access.is_allowed(root, "doc:read", doc)
    assert Document.objects.authorized(root, "doc:read").count() == 6
    assert access.allowed(root, "doc:read", [doc]) == [doc]
    assert not check(root, "doc:read", doc)
    project(SUPERUSERS="ask")
    assert not RescindModelBackend().has_perm(root, "doc:read", doc)
    assert not access.is_allowed(root, "doc:read", doc)
    assert Document.objects.authorized(root, "doc:read").count() == 0
    assert access.allowed(root, "doc:read", [doc]) == []


def test_a_model_of_users_may_ask_for_superusers_as_well(project: Configure) -> None:
    from rescind.integrations.django.users import PermissionsByFacts

    project(SUPERUSERS="ask")
    root, doc = person("root"), Document.objects.get(pk=1)
    assert not PermissionsByFacts.has_perm(root, "doc:read", doc)
    assert not asyncio.run(PermissionsByFacts.ahas_perm(root, "doc:read", "doc:1"))
    assert not PermissionsByFacts.has_module_perms(root, "shelf")
    assert not asyncio.run(PermissionsByFacts.ahas_module_perms(root, "shelf"))
    assert PermissionsByFacts.has_perm(person("cyd"), "doc:read", doc)
    for asked in (
        PermissionsByFacts.ahas_perm(root, "doc:read", "doc:1"),
        PermissionsByFacts.ahas_module_perms(root, "shelf"),
        PermissionsByFacts.ahas_perms(person("cyd"), ["doc:read"], "doc:1"),
    ):
        with pytest.raises(TypeError, match="write `await`"):
            assert asked


def test_all_of_several_permissions_off_the_event_loop(project: Configure) -> None:
    """Each of them, and superusers are no exception. (Control: Django lets root do everything.)"""
    from rescind.integrations.django.users import PermissionsByFacts

    project(SUPERUSERS="ask")
    cyd, root = person("cyd"), person("root")

    def asked(user: User, perms: Any) -> bool:
        one = partial(PermissionsByFacts.ahas_perm, user)
        several: Any = PermissionsByFacts.ahas_perms
        return bool(asyncio.run(several(SimpleNamespace(ahas_perm=one), perms, "doc:1")))

    for perms, may in (
        ([], True),
        (["doc:read"], True),
        (["doc:read", "doc:never"], False),
        (["doc:never", "doc:read"], False),
    ):
        assert asked(cyd, perms) is may, perms
    with pytest.raises(ValueError, match="iterable"):
        asked(cyd, "doc:read")
    assert not asked(root, ["doc:never"])
    assert PermissionsMixin.has_perm(root, "doc:never", Document.objects.get(pk=1))


FAILING = {
    "has_perm": lambda user, doc: user.has_perm("doc:read", doc),
    "without an object": lambda user, doc: user.has_perm("doc:read"),
    "get_all_permissions": lambda user, doc: user.get_all_permissions(doc),
    "allowed": lambda user, doc: access.allowed(user, "doc:read", [doc]),
    "async": lambda user, doc: asyncio.run(user.ahas_perm("doc:read", "doc:1")),
}


@pytest.mark.parametrize("ask", FAILING)
def test_a_failure_is_raised(ask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody is allowed anything by it. (Control: cyd is allowed while nothing fails.)"""

    def unavailable(*_: object, **__: object) -> None:
        raise DecisionUnavailable

    cyd, doc = person("cyd"), Document.objects.get(pk=1)
    assert FAILING[ask](cyd, doc)
    for method in ("check", "check_many", "permissions_of"):
        monkeypatch.setattr(Authority, method, unavailable)
    with pytest.raises(DecisionUnavailable):
        FAILING[ask](cyd, doc)


def test_no_resource_never_means_the_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cyd may everything there. (Control: where an object has no resource and that is not refused.)"""
    cyd = person("cyd")
    none = [Document(title="new"), Document(pk=1), Plain.objects.create(), object(), 1, ""]
    for obj in none:
        assert not cyd.has_perm("doc:read", obj), obj
        assert not cyd.get_all_permissions(obj), obj
    monkeypatch.setattr(access, "resource_of", lambda obj: None)
    assert cyd.has_perm("doc:read", none[0])


def test_a_model_is_what_it_inherits_from() -> None:
    report = Report.objects.create(title="Report")
    assert person("cyd").has_perm("doc:read", report)
    assert not person("ada").has_perm("doc:read", report)


def test_all_permissions_are_those_that_are_held() -> None:
    """By the names of Rescind and those of Django, each of which `has_perm` has."""
    backend, doc = RescindModelBackend(), Document.objects.get(pk=2)
    for name in NAMES[:-1]:
        user = person(name)
        for obj in (None, doc, Document.objects.get(pk=1)):
            found = backend.get_all_permissions(user, obj)
            for permission in ("doc:read", "doc:write", "shelf.view_document"):
                assert (permission in found) is user.has_perm(permission, obj)
            assert all(user.has_perm(each, obj) for each in found)
    assert backend.get_all_permissions(person("bob"), doc) == {
        "doc:read",
        "doc:write",
        "shelf.view_document",
        "shelf.change_document",
    }


def test_permissions_are_told_apart_by_their_chains() -> None:
    first, ada, bob = Document.objects.get(pk=1), person("ada"), person("bob")
    backend = RescindModelBackend()
    assert "doc:read" in backend.get_group_permissions(ada, first)
    assert not backend.get_user_permissions(ada, first)
    second = Document.objects.get(pk=2)
    assert "doc:write" in backend.get_user_permissions(bob, second)
    assert not backend.get_group_permissions(bob, second)


def test_an_app_is_shown_to_who_has_a_permission_of_it() -> None:
    assert person("cyd").has_module_perms("shelf")
    assert not person("ada").has_module_perms("shelf")
    assert not person("cyd").has_module_perms("other")


def test_users_with_a_permission_are_a_queryset(project: Configure) -> None:
    def found(**options: Any) -> list[str]:
        users = User.objects.with_perm("doc:read", **options).order_by("username")
        return [user.username for user in users]

    doc = Document.objects.get(pk=1)
    assert found(obj=doc) == ["ada", "cyd", "root"]
    assert found(obj=doc, include_superusers=False) == ["ada", "cyd"]
    assert found(include_superusers=False) == ["cyd"]
    assert User.objects.with_perm("doc:read", obj=doc, include_superusers=False).count() == 2
    project(SUPERUSERS="ask")
    assert found(obj=doc) == ["ada", "cyd"]


def test_async_views_ask_off_the_event_loop() -> None:
    ada, bob = person("ada"), person("bob")

    async def asked() -> list[bool]:
        return [
            await ada.ahas_perm("doc:read", "doc:1"),
            await bob.ahas_perm("doc:read", "doc:1"),
            await bob.ahas_perms(["doc:read"], "doc:2"),
            "doc:read" in await ada.aget_all_permissions("doc:1"),
        ]

    assert asyncio.run(asked()) == [True, False, True, True]


def test_every_way_of_asking_for_permissions_asks_rescind() -> None:
    """Also those of async code, which Django's own backend answers from its own tables."""
    backend, first = RescindModelBackend(), Document.objects.get(pk=1)
    ada, cyd = person("ada"), person("cyd")
    cyd.user_permissions.add(Permission.objects.get(codename="delete_document"))

    async def asked(method: str, user: Any, obj: Any) -> set[str]:
        return set(await getattr(backend, f"a{method}")(user, obj))

    for method in ("get_user_permissions", "get_group_permissions", "get_all_permissions"):
        for user in (ada, cyd):
            for obj in (None, first):
                expected = getattr(backend, method)(user, obj)
                assert asyncio.run(asked(method, user, obj)) == expected
                assert "shelf.delete_document" not in expected
    assert asyncio.run(asked("get_group_permissions", ada, first)) >= {"doc:read"}


def test_many_objects_are_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same answers, also for what cannot be a name."""
    many, calls = Authority.check_many, []

    def counted(self: Authority, *asked: Any, **named: Any) -> Any:
        calls.append(asked)
        return many(self, *asked, **named)

    monkeypatch.setattr(Authority, "check_many", counted)
    docs = [*Document.objects.order_by("pk"), "doc:1", "not a name\0"]
    for name in NAMES[:-1]:
        user = person(name)
        assert access.allowed(user, "doc:read", docs) == [
            doc for doc in docs if user.has_perm("doc:read", doc)
        ]
    assert len(calls) == 4  # dan is not active


def test_the_explanation_tells_why() -> None:
    chains = explain(person("ada"), "doc:read", Document.objects.get(pk=1)).explanation
    assert chains is not None
    assert "folder:1" in str(chains.chains[0])


def by_user(*, user: Any, obj: Any) -> str | None:
    return None if user is None or user.username == "eve" else f"tenant-{user.username}"


def test_a_tenant_is_found_by_the_object_or_the_resolver(project: Configure) -> None:
    """A user of one tenant is nobody in another, and nobody where the resolver names none."""
    project(ORGANIZATION=None, ORGANIZATION_RESOLVER=by_user, SYNC_USERS=False)
    ada, bob, eve = (person(name) for name in ("ada", "bob", "eve"))
    tenants = {
        user.username: Tenant.objects.create(slug=f"tenant-{user.username}") for user in (ada, bob)
    }
    for user in (ada, bob):
        name = tenants[user.username].slug
        apply(
            [
                changes.CreateOrganization(),
                changes.DefinePermission(permission="pay"),
                changes.DefineRole(role="payer", permissions=("pay",)),
                changes.AddMembership(subject=subject_of(user)),
                changes.Assign(role="payer", to=subject_of(user)),
            ],
            organization=name,
        )
        Invoice.objects.create(tenant=tenants[user.username])
    own, other = (
        Invoice.objects.get(tenant__slug="tenant-ada"),
        Invoice.objects.get(tenant__slug="tenant-bob"),
    )
    assert ada.has_perm("pay", own)
    assert not ada.has_perm("pay", other)
    assert not eve.has_perm("pay", own)
    assert ada.has_perm("pay")
    assert not eve.has_perm("pay")
    assert list(Invoice.objects.authorized(ada, "pay")) == [own]
    assert list(Invoice.objects.authorized(bob, "pay")) == [other]
    assert not Invoice.objects.authorized(eve, "pay").exists()
    assert not Invoice.objects.authorized(ada, "pay", organization="tenant-bob").exists()
    assert access.allowed(ada, "pay", [own, other]) == [own]


def test_a_subject_is_named_by_a_field_of_the_user(project: Configure) -> None:
    project(USER_ID_FIELD="username")
    apply([changes.AddMembership(subject="user:eve"), changes.Assign(role="viewer", to="user:eve")])
    assert person("eve").has_perm("doc:read")
    assert not person("ada").has_perm("doc:read", "doc:1")
    found = User.objects.with_perm("doc:read", include_superusers=False)
    assert [user.username for user in found] == ["eve"]


def test_answers_come_from_memory_where_that_is_chosen(project: Configure) -> None:
    project(INDEX=True)
    authority().load("acme")
    ada, doc = person("ada"), Document.objects.get(pk=1)
    assert check(ada, "doc:read", doc).point.value == "index"
    ada.groups.clear()
    assert not ada.has_perm("doc:read", doc)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (None, "Set RESCIND"),
        ({}, "ORGANIZATION"),
        ({"ORGANIZATION": "a", "ORGANISATION": "b"}, "ORGANISATION"),
        ({"ORGANIZATION": "a", "ORGANIZATION_RESOLVER": "os.getcwd"}, "not both"),
        ({"ORGANIZATION_RESOLVER": "no.such.function"}, "ORGANIZATION_RESOLVER"),
        ({"ORGANIZATION_RESOLVER": 3}, "dotted path"),
        ({"ORGANIZATION": "a", "SUPERUSERS": "perhaps"}, "allow"),
        ({"ORGANIZATION": "a", "DATABASE": "other"}, "other"),
        ({"ORGANIZATION": "a", "SETTINGS": {"leases": 1}}, "leases"),
    ],
)
def test_a_setting_that_cannot_be_is_told(wrong: Any, told: str) -> None:
    """Nobody is allowed anything by it, and the message names the key."""
    with override_settings(RESCIND=wrong), pytest.raises(ImproperlyConfigured, match=told):
        person("cyd").has_perm("doc:read")
    assert RESCIND["ORGANIZATION"] == "acme"


def test_groups_of_django_give_what_they_are_given() -> None:
    readers = Group.objects.get(name="Readers")
    bob = person("bob")
    readers.user_set.add(bob)
    assert bob.has_perm("doc:read", "doc:1")
    readers.delete()
    assert not bob.has_perm("doc:read", "doc:1")


def test_an_empty_organization_is_not_the_one_of_the_options() -> None:
    """As where the tenant of a request was not found: nobody may, however it is asked."""
    cyd, doc = person("cyd"), Document.objects.get(pk=1)
    assert access.is_allowed(cyd, "doc:write", doc)
    assert not access.is_allowed(cyd, "doc:write", doc, organization="")
    with pytest.raises(MalformedId):
        check(cyd, "doc:write", doc, organization="")
    with pytest.raises(MalformedId):
        access.allowed(cyd, "doc:write", [doc], organization="")
    with pytest.raises(Refused):
        access.require(cyd, "doc:write", doc, organization="")
    assert access.permissions(cyd, doc)
    assert not access.permissions(cyd, doc, organization="")
    assert Document.objects.authorized(cyd, "doc:write").exists()
    assert not Document.objects.authorized(cyd, "doc:write", organization="").exists()
