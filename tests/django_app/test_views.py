"""Views, the API, pages and the admin: who is let in, and what the others get."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.test import Client

from rescind import Authority, changes
from rescind.errors import DecisionUnavailable, MalformedId
from rescind.integrations.django import apply, permission_required, rest_framework
from rescind.integrations.django.naming import subject_of
from tests.django_app.conftest import Configure
from tests.django_app.people import person
from tests.django_app.shelf.models import Document

pytestmark = [
    pytest.mark.usefixtures("project"),
    pytest.mark.parametrize("engine", ["sqlite"], ids=[""]),  # nothing here depends on it
]
TOKEN = "Rescind-At-Least"


def client(name: str | None) -> Client:
    found = Client(raise_request_exception=True)
    if name is not None:
        found.force_login(person(name))
    return found


def status(name: str | None, path: str, method: str = "get", **options: Any) -> int:
    return int(getattr(client(name), method)(path, **options).status_code)


def test_a_denial_is_logged_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    """Django logs the traceback of each PermissionDenied: there is no second one of a cause."""
    with caplog.at_level("WARNING", logger="django.request"):
        assert status("ada", "/show/2/") == 403
    (record,) = (record for record in caplog.records if record.name == "django.request")
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], PermissionDenied)
    assert record.exc_info[1].__cause__ is None
    assert record.exc_info[1].__suppress_context__


PATHS = ("/show/{}/", "/show-async/{}/", "/detail-async/{}/", "/api/documents/{}/")


@pytest.mark.parametrize("path", PATHS)
def test_who_may_is_let_in(path: str) -> None:
    assert status("ada", path.format(1)) == 200
    assert status("bob", path.format(2)) == 200
    assert status("cyd", path.format(1)) == 200
    assert status("root", path.format(1)) == 200


@pytest.mark.parametrize("path", PATHS)
def test_who_may_not_is_denied(path: str) -> None:
    assert status("ada", path.format(2)) == 403
    assert status("eve", path.format(1)) == 403
    assert status("dan", path.format(1)) in (302, 403)  # Django signs nobody in who is not active


def test_nobody_is_sent_to_the_login_page() -> None:
    """Whether or not there is what is asked for."""
    for number in (1, 404):
        answer = client(None).get(f"/show/{number}/?a=b")
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/accounts/login/?next=/show/{number}/%3Fa%3Db"
    assert status(None, "/show-async/1/") == 403
    assert status("ada", "/show/404/") == 404
    assert status("ada", "/show-async/404/") == 403
    assert status(None, "/detail/1/") == status(None, "/settings/") == 302
    assert status(None, "/api/documents/1/") == status(None, "/api/documents/") == 403


def test_a_view_without_an_object_is_about_the_organization() -> None:
    for path in ("/settings/", "/class-settings/"):
        assert status("cyd", path) == 200
        assert status("bob", path) == 403


def test_a_view_of_an_object_requires_all_that_it_names() -> None:
    assert client("bob").get("/detail/2/").content == b"Document 2"
    assert status("ada", "/detail/1/") == 403
    assert status("ada", "/detail/404/") == 404


def test_a_view_that_creates_is_about_the_organization() -> None:
    sent = {"title": "new", "folder": 1}
    assert status("bob", "/create/", "post", data=sent) == 403
    assert status(None, "/create/", "post", data=sent) == 302
    assert not Document.objects.filter(title="new").exists()
    assert status("cyd", "/create/", "post", data=sent) == 302
    assert Document.objects.filter(title="new").exists()


def test_a_removal_holds_for_the_next_request() -> None:
    signed_in = client("ada")
    assert signed_in.get("/show/1/").status_code == 200
    apply([changes.RemoveMembers(group="django-1", members=(subject_of(person("ada")),))])
    assert signed_in.get("/show/1/").status_code == 403
    assert signed_in.get("/documents/").content == b""


ALL = (
    "/show/1/",
    "/show-async/1/",
    "/detail/1/",
    "/detail-async/1/",
    "/create/",
    "/settings/",
    "/api/documents/1/",
)


@pytest.mark.parametrize("path", ALL)
def test_without_a_decision_nobody_is_let_in(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """(Control: cyd is let in while there are decisions.)"""

    def unavailable(*_: object, **__: object) -> None:
        raise DecisionUnavailable

    signed_in = client("cyd")
    assert signed_in.get(path).status_code == 200
    monkeypatch.setattr(Authority, "check", unavailable)
    answer = signed_in.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert "unavailable" not in answer.content.decode()


@pytest.mark.parametrize("path", ALL)
def test_a_token_of_a_change_is_heeded(path: str) -> None:
    token = apply([changes.Assign(role="editor", to=subject_of(person("eve")))]).token
    assert client("eve").get(path, headers={TOKEN: token}).status_code == 200
    assert client("eve").get(path, headers={TOKEN: "nonsense"}).status_code == 400


def test_a_list_view_has_exact_pages() -> None:
    assert client("ada").get("/documents/").content == b"1,3"
    assert client("ada").get("/documents/?page=2").content == b"5"
    assert client("ada").get("/documents/?page=3").status_code == 404
    assert client("eve").get("/documents/").content == b""
    assert client(None).get("/documents/").content == b""


def test_the_api_lists_what_may_be_used() -> None:
    def numbers(name: str) -> list[int]:
        return [row["id"] for row in client(name).get("/api/documents/").json()]

    assert numbers("ada") == [1, 3, 5]
    assert numbers("bob") == [2]
    assert numbers("eve") == []
    assert len(numbers("cyd")) == 6


def test_the_api_requires_what_each_action_names() -> None:
    body = {"title": "changed", "folder": 1}
    sent = {"data": body, "content_type": "application/json"}
    assert status("ada", "/api/documents/1/", "put", **sent) == 403
    assert status("bob", "/api/documents/2/", "put", **sent) == 200
    assert status("bob", "/api/documents/2/", "patch", **sent) == 200
    assert status("bob", "/api/documents/", "post", **sent) == 403
    assert status("cyd", "/api/documents/", "post", **sent) == 201
    assert status("ada", "/api/documents/1/", "delete") == 403
    assert status("bob", "/api/documents/2/", "delete") == 204
    assert status("ada", "/api/documents/", "options") == 200
    assert Document.objects.get(pk=1).title == "Document 1"


def test_an_action_that_loads_no_object_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """(Control: Django REST framework itself would ask for nothing.)"""
    assert status("bob", "/api/documents/2/shred/", "post") == 200
    for name, number in (("ada", 1), ("bob", 1), ("bob", 404), ("bob", "01"), ("bob", "2%00")):
        assert status(name, f"/api/documents/{number}/shred/", "post") in (403, 404), (name, number)
    assert status(None, "/api/documents/2/shred/", "post") == 403
    monkeypatch.setattr(
        rest_framework.RescindPermission, "has_permission", lambda self, request, view: True
    )
    assert status("bob", "/api/documents/1/shred/", "post") == 200


def test_an_action_without_a_permission_is_for_nobody() -> None:
    with pytest.raises(ImproperlyConfigured, match="forgotten"):
        status("cyd", "/api/documents/1/forgotten/", "post")


def test_a_list_without_the_filter_is_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """(Control: without the guard it shows everything to everybody.)"""
    with pytest.raises(ImproperlyConfigured, match="AuthorizedFilter"):
        status("eve", "/api/unfiltered/")
    monkeypatch.setattr(rest_framework, "require_filter", lambda view: None)
    assert len(client("eve").get("/api/unfiltered/").json()) == 6


def test_the_api_finds_tenants_by_the_object(project: Configure) -> None:
    """The object is loaded then, and the filter hides what is another tenant's."""
    project(ORGANIZATION=None, ORGANIZATION_RESOLVER=lambda user, obj: "acme")
    assert status("ada", "/api/documents/1/") == 200
    assert status("ada", "/api/documents/2/") == 404
    assert status("bob", "/api/documents/2/shred/", "post") == 200
    assert status("bob", "/api/documents/1/shred/", "post") == 404


def test_a_template_asks_for_the_requests_user() -> None:
    """A name that it does not have is no object, and so nobody's."""
    assert client("ada").get("/page/").content.split() == b"1 3 5 False False False False".split()
    assert client("bob").get("/page/").content.split() == b"2 True False False False".split()
    assert (
        client("cyd").get("/page/").content.split() == b"1 2 3 4 5 6 True False True False".split()
    )
    assert client(None).get("/page/").content.split() == b"False False False False".split()


def test_a_permission_that_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(MalformedId):
        permission_required("")


# --- the admin ------------------------------------------------------------------------------------


def access_page(name: str, of: str, **asked: str) -> Any:
    return client(name).get(f"/admin/auth/user/{person(of).pk}/access/", asked)


def test_the_admin_shows_what_a_user_has_and_why() -> None:
    page = access_page("root", "ada", permission="doc:read", resource="doc:1")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Allowed" in text
    assert "user:1 → group:django-1 → role viewer on folder:1" in text.replace("&gt;", ">")
    assert "django-1: Readers" in text
    denied = access_page("root", "ada", permission="doc:write", resource="doc:1").content.decode()
    assert "Denied" in denied
    assert "superuser" in access_page("root", "root").content.decode()
    assert "not active" in access_page("root", "dan").content.decode()


def test_the_page_escapes_what_it_shows() -> None:
    page = access_page("root", "ada", permission="<script>", resource="doc:<b>").content.decode()
    assert "<script>alert" not in page
    assert "doc:<b>" not in page


def test_the_page_is_for_who_may_view_the_user() -> None:
    cyd = person("cyd")
    assert access_page("cyd", "ada").status_code == 302
    cyd.is_staff = True
    cyd.save()
    assert access_page("cyd", "ada").status_code == 403
    apply(
        [
            changes.DefinePermission(permission="auth.view_user"),
            changes.DefineRole(role="helpdesk", permissions=("auth.view_user",)),
            changes.Assign(role="helpdesk", to=subject_of(cyd)),
        ]
    )
    assert access_page("cyd", "ada").status_code == 200
    assert client("root").get("/admin/auth/user/999/access/").status_code == 404
    change = client("root").get(f"/admin/auth/user/{person('ada').pk}/change/")
    assert "/access/" in change.content.decode()


def test_a_head_request_is_answered_as_get() -> None:
    """Where the view names methods. Denied like it as well."""
    for name, expected in (("cyd", 200), ("ada", 403)):
        for method in ("get", "head"):
            assert status(name, "/api/settings/", method) == expected
            assert status(name, "/api/documents/1/", method) == 200
            assert status(name, "/settings/", method) == expected


def test_every_spelling_of_a_key_is_its_row() -> None:
    """A view may load it by any of them."""
    own, other = ("00000000-0000-4000-8000-00000000000" + each for each in "12")
    for spelled in (str, lambda key: key.replace("-", ""), str.upper):
        assert status("bob", f"/api/notes/{spelled(own)}/") == 200
        assert status("bob", f"/api/notes/{spelled(other)}/") == 403
    assert status("bob", "/api/notes/nonsense/") == 403
    apply([changes.CreateResource(resource="doc:02")])
    apply([changes.Assign(role="editor", to=subject_of(person("eve")), on="doc:02")])
    assert status("eve", "/api/documents/02/shred/", "post") == 403
    assert status("bob", "/api/documents/02/shred/", "post") == 200


def test_hostile_names_are_text_on_the_page_of_a_users_access() -> None:
    hostile = "<script>alert(1)</script>"
    eve = person("eve")
    eve.first_name, eve.username = hostile, hostile
    eve.save()
    group = Group.objects.create(name=hostile)
    eve.groups.add(group)
    answer = client("root").get(
        f"/admin/auth/user/{eve.pk}/access/", {"permission": hostile, "resource": hostile}
    )
    assert answer.status_code == 200
    assert hostile not in answer.content.decode()
    assert "&lt;script&gt;" in answer.content.decode()
    assert status("ada", f"/admin/auth/user/{eve.pk}/access/") == 302
