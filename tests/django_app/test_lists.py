"""`authorized`: the rows on which `has_perm` is true, whatever becomes of the queryset."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.core.exceptions import FullResultSet, ImproperlyConfigured
from django.db import connections, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, Window
from django.db.models.functions import RowNumber
from django.test.utils import CaptureQueriesContext

from rescind import changes
from rescind.integrations.django import apply, authorized, authorized_sql
from rescind.integrations.django.authorized_sql import Allowed
from rescind.integrations.django.naming import subject_of
from tests.django_app import Current
from tests.django_app.conftest import Configure
from tests.django_app.people import NAMES, person
from tests.django_app.shelf.models import Document, Folder, Note, Page, Plain, Report

pytestmark = pytest.mark.usefixtures("project")
WHO: Final = ("ada", "bob", "cyd", "eve")


def docs(name: str, permission: str = "doc:read") -> Any:
    return Document.objects.authorized(person(name), permission)


def may(name: str, permission: str = "doc:read") -> set[int]:
    """By one question for each document."""
    user = person(name)
    return {doc.pk for doc in Document.objects.all() if user.has_perm(permission, doc)}


@pytest.mark.parametrize("name", NAMES)
def test_a_list_has_what_a_check_allows(name: str) -> None:
    """For ids of every kind: numbers, UUIDs and texts, and for what inherits from them."""
    user = person(name)
    Report.objects.create(title="Report", folder_id=1)
    models: tuple[Any, ...] = (Document, Note, Page, Report, Folder)
    for model in models:
        found = authorized(model.objects.all(), user, "doc:read")
        allowed = {each.pk for each in model.objects.all() if user.has_perm("doc:read", each)}
        assert {each.pk for each in found} == allowed, model


def sql(queryset: Any) -> str:
    return str(queryset.query.get_compiler(Current.alias).as_sql()[0])


def keys(queryset: Any) -> list[int]:
    return [each.pk for each in queryset]


SHAPES: Final[dict[str, Callable[[Any], Any]]] = {
    "all": lambda q: sorted(keys(q)),
    "ordered": lambda q: keys(q.order_by("-updated", "pk")),
    "pages": lambda q: [keys(q.order_by("updated", "pk")[at : at + 2]) for at in range(0, 8, 2)],
    "count": lambda q: q.count(),
    "exists": lambda q: q.exists(),
    "filter": lambda q: keys(q.filter(updated__gt=2).order_by("pk")),
    "filter before a join": lambda q: keys(q.filter(folder__name="first").order_by("pk")),
    "either": lambda q: keys(q.filter(Q(folder__name="second") | Q(updated=5)).order_by("pk")),
    "exclude": lambda q: keys(q.exclude(title="Document 1").order_by("pk")),
    "select_related": lambda q: [
        (doc.pk, doc.folder.name) for doc in q.select_related("folder").order_by("pk")
    ],
    "joined order": lambda q: keys(q.order_by("folder__name", "pk")),
    "values": lambda q: list(q.order_by("pk").values("title", "folder__name")),
    "only": lambda q: [doc.title for doc in q.only("title").order_by("-updated", "pk")],
    "first": lambda q: q.order_by("-updated", "-pk").first(),
    "last": lambda q: q.order_by("updated", "pk").last(),
    "earliest": lambda q: q.order_by().earliest("updated") if q.exists() else None,
    "aggregate": lambda q: q.aggregate(n=Count("pk"), m=Count("folder", distinct=True)),
    "sliced aggregate": lambda q: q.order_by("pk")[:3].aggregate(n=Count("pk")),
    "groups": lambda q: list(q.values("folder").annotate(n=Count("pk")).order_by("folder")),
    "annotated": lambda q: list(
        q.annotate(n=Count("folder__documents")).order_by("pk").values_list("pk", "n")
    ),
    "having": lambda q: list(
        q.values("folder").annotate(n=Count("pk")).filter(n__gt=1).order_by("folder")
    ),
    "window": lambda q: list(
        q.annotate(at=Window(RowNumber(), order_by=F("pk").asc()))
        .order_by("pk")
        .values_list("pk", "at")
    ),
    "window filter": lambda q: keys(
        q.annotate(at=Window(RowNumber(), order_by=F("pk").asc())).filter(at__lte=2).order_by("pk")
    ),
    "distinct": lambda q: sorted(q.values_list("folder__name", flat=True).distinct()),
    "in_bulk": lambda q: sorted(q.in_bulk([1, 2, 3])),
    "iterator": lambda q: sorted(each.pk for each in q.iterator()),
    "get": lambda q: [each for each in range(1, 7) if q.filter(pk=each).first()],
    "reverse": lambda q: keys(q.order_by("pk").reverse()),
    "subquery": lambda q: sorted(keys(Folder.objects.filter(documents__in=q).distinct())),
    "subquery by a field": lambda q: sorted(keys(Folder.objects.filter(pk__in=q.values("folder")))),
    "not in": lambda q: sorted(keys(Document.objects.exclude(pk__in=q))),
    "exists outer": lambda q: sorted(
        keys(Folder.objects.filter(Exists(q.filter(folder=OuterRef("pk")))))
    ),
    "prefetch": lambda q: [
        sorted(keys(folder.documents.all()))
        for folder in Folder.objects.order_by("pk").prefetch_related(
            Prefetch("documents", queryset=q)
        )
    ],
    "union": lambda q: sorted(keys(q.union(Document.objects.filter(pk=6)))),
    "union of the other": lambda q: sorted(keys(Document.objects.filter(pk=6).union(q))),
    "union all, ordered": lambda q: keys(q.union(q, all=True).order_by("pk")),
    "intersection": lambda q: sorted(keys(Document.objects.filter(pk__lte=3).intersection(q))),
    "difference": lambda q: sorted(keys(Document.objects.all().difference(q))),
    "or": lambda q: sorted(keys(q | Document.objects.filter(pk=6))),
    "or of the other": lambda q: sorted(keys(Document.objects.filter(pk=6) | q)),
    "and": lambda q: sorted(keys(q & Document.objects.filter(pk__lte=3))),
    "and of the other": lambda q: sorted(keys(Document.objects.filter(pk__lte=3) & q)),
    "pickled": lambda q: sorted(keys(_unpickled(q))),
    "dates": lambda q: list(q.values_list("updated", flat=True).order_by("updated")),
    "in an empty list": lambda q: keys(q.filter(pk__in=[])),
    "contains": lambda q: [q.contains(doc) for doc in Document.objects.order_by("pk")],
}


def _unpickled(queryset: Any) -> Any:
    copy = Document.objects.all()
    copy.query = pickle.loads(pickle.dumps(queryset.query))
    return copy


@pytest.mark.parametrize("permissions", [("doc:read",), ("doc:read", "doc:write")], ids=len)
def test_it_composes_as_the_rows_themselves(permissions: tuple[str, ...]) -> None:
    """Whatever is made of it is what is made of the rows that are found one by one."""
    for name in WHO:
        listed, found = Document.objects.all(), set(range(1, 7))
        for permission in permissions:
            listed = listed.authorized(person(name), permission)
            found &= may(name, permission)
        rows = Document.objects.filter(pk__in=found)
        for shape, make in SHAPES.items():
            assert make(listed) == make(rows), (name, shape)


def test_its_plan_may_be_looked_at() -> None:
    for listed in (docs("ada"), docs("ada").values("folder").annotate(n=Count("pk"))):
        assert "SCAN" in listed.explain().upper()


def test_lists_of_two_users_may_be_joined_by_or() -> None:
    assert set(keys(docs("ada") | docs("bob"))) == {1, 2, 3, 5}
    assert set(keys(docs("ada") & docs("cyd"))) == {1, 3, 5}
    ada = docs("ada")
    condition = next(iter(ada.query.where.children))
    assert set(keys(Document.objects.exclude(condition))) == {2, 4, 6}
    assert set(keys(Document.objects.filter(~Q(condition)))) == {2, 4, 6}
    assert set(keys(Document.objects.filter(Q(condition) | Q(pk=6)))) == {1, 3, 5, 6}


def test_a_page_is_one_query() -> None:
    """With the objects that it names."""
    ada = person("ada")
    with CaptureQueriesContext(connections[Current.alias]) as sent:
        page = list(Document.objects.authorized(ada, "doc:read").select_related("folder")[:2])
        assert [doc.folder.name for doc in page] == ["first", "first"]
    assert len(sent) == 1
    assert "FROM permitted" in sent[0]["sql"]


CHANGING: Final[dict[str, Callable[[Any], Any]]] = {
    "update": lambda q: q.update(title="changed"),
    "update of a filter": lambda q: q.filter(updated__gte=0).update(title="changed"),
    "delete": lambda q: q.delete(),
    "raw delete": lambda q: q._raw_delete(q.db),
    "bulk_update": lambda q: q.bulk_update(
        [Document(pk=each, title="changed") for each in range(1, 7)], ["title"]
    ),
}


def unchanged() -> set[int]:
    return set(keys(Document.objects.filter(title__startswith="Document")))


@pytest.mark.parametrize("change", CHANGING)
def test_what_is_changed_is_what_is_listed(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no other row. (Control: where the condition is left out, all rows are changed.)"""
    CHANGING[change](docs("ada"))
    assert unchanged() == {2, 4, 6}

    def everything(*_: object) -> None:
        raise FullResultSet

    monkeypatch.setattr(Allowed, "as_sql", everything)
    monkeypatch.setattr(authorized_sql, "conditions", lambda where: ())
    CHANGING[change](docs("ada"))
    assert unchanged() == set()


@pytest.mark.parametrize("engine", ["postgres"])
def test_a_lock_is_of_the_rows_themselves(engine: str) -> None:
    """PostgreSQL locks no row that it reads by a CTE."""
    with transaction.atomic(using=Current.alias):
        locked = docs("ada").order_by("pk").select_for_update()
        assert keys(locked) == [1, 3, 5]
        assert "FROM permitted AS" not in sql(locked)


def test_access_is_that_of_when_the_query_runs() -> None:
    """A queryset that was made before a removal shows nothing after it."""
    ada = person("ada")
    listed = Document.objects.authorized(ada, "doc:read").order_by("pk")
    assert keys(listed.all()) == [1, 3, 5]
    ada.groups.clear()
    assert keys(listed.all()) == []


def test_what_is_granted_in_the_transaction_is_on_it() -> None:
    eve = person("eve")
    with transaction.atomic(using=Current.alias):
        apply([changes.Assign(role="viewer", to=subject_of(eve), on="doc:4")])
        assert keys(docs("eve")) == [4]
        transaction.set_rollback(True, using=Current.alias)
    assert keys(docs("eve")) == []


def test_ids_that_only_look_like_a_row_are_none() -> None:
    """Resources of other spellings of a number do not mean its row."""
    eve = subject_of(person("eve"))
    odd = ["doc:01", "doc:+1", "doc:1x", "doc:x", "doc:99999999999999999999", "doc:-1", "doc:1.0"]
    apply(
        [
            *(changes.CreateResource(resource=each) for each in odd),
            *(changes.Assign(role="viewer", to=eve, on=each) for each in odd),
        ]
    )
    assert keys(docs("eve")) == []
    apply([changes.Assign(role="viewer", to=eve, on="doc:6")])
    assert keys(docs("eve")) == [6]


def test_what_cannot_be_listed_is_said() -> None:
    with pytest.raises(ImproperlyConfigured, match="Plain is no resource"):
        authorized(Plain.objects.all(), person("ada"), "doc:read")
    other = "server" if Current.alias == "default" else "default"
    with pytest.raises(ImproperlyConfigured, match="not read from"):
        list(docs("ada").using(other))
    with pytest.raises(TypeError, match="slice"):
        authorized(Document.objects.all()[:2], person("ada"), "doc:read")
    assert keys(docs("ada", "nonsense")) == []
    assert keys(docs("ada", "no\0name")) == []


def test_the_tables_name_must_not_be_one_of_the_clause(
    monkeypatch: pytest.MonkeyPatch, project: Configure
) -> None:
    """Joined with such a table, the list is a condition, in which the names do not meet."""
    taken = "rescind.integrations.django.authorized_sql.clauses.TAKEN"
    monkeypatch.setattr(taken, frozenset(("shelf_folder",)))
    joined = docs("ada").filter(folder__name="first").order_by("pk")
    assert "FROM permitted AS" not in sql(joined)
    assert keys(joined) == [1, 3, 5]


def test_the_largest_numbers_are_listed() -> None:
    """And those below zero; no text that is larger is taken for one."""
    eve, largest = subject_of(person("eve")), 2**63 - 1
    for pk in (largest, 10**18, -7, -largest):
        Document.objects.create(pk=pk, title="new")
        apply([changes.Assign(role="viewer", to=eve, on=f"doc:{pk}")])
    odd = [
        changes.CreateResource(resource=f"doc:{2**63}"),
        changes.CreateResource(resource="doc:²"),
    ]
    apply([*odd, changes.Assign(role="viewer", to=eve, on=f"doc:{2**63}")])
    assert sorted(keys(docs("eve"))) == [-largest, -7, 10**18, largest]


def test_a_user_who_may_nothing_has_no_list() -> None:
    from django.contrib.auth.models import AnonymousUser

    assert keys(docs("dan")) == []
    for nobody in (AnonymousUser(), type(person("eve"))(username="new"), None):
        found = Document.objects.authorized(nobody, "doc:read")
        assert keys(found) == []
        assert keys(found | docs("bob")) == keys(docs("bob") | found) == [2]
        assert keys(found & docs("cyd")) == []
        assert keys(docs("bob").exclude(pk__in=found)) == [2]
