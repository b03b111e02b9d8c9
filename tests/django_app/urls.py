"""Pages and an API of the tests' project."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.generic import CreateView, DetailView, ListView, View
from django.views.generic.detail import SingleObjectMixin
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from rescind.integrations.django import (
    PermissionListMixin,
    PermissionRequiredMixin,
    permission_required,
)
from rescind.integrations.django.admin import UserAdmin
from rescind.integrations.django.rest_framework import AuthorizedFilter, RescindPermission
from tests.django_app.shelf.models import Document, Note

site = admin.AdminSite()
site.register(User, UserAdmin)


@permission_required("doc:read", (Document, "pk", "doc_id"))
def show(request: HttpRequest, doc_id: int) -> HttpResponse:
    return HttpResponse(f"document {doc_id}")


@permission_required("doc:read", lambda request, doc_id: f"doc:{doc_id}", raise_exception=True)
async def show_async(request: HttpRequest, doc_id: int) -> HttpResponse:
    return HttpResponse(f"document {doc_id}")


@permission_required("doc:write")
def settings(request: HttpRequest) -> HttpResponse:
    return HttpResponse("settings")


class Detail(PermissionRequiredMixin, DetailView):  # type: ignore[misc, type-arg]
    model = Document
    permission_required = ("doc:read", "doc:write")

    def render_to_response(self, context: Any, **_: Any) -> HttpResponse:
        return HttpResponse(context["object"].title)


class Settings(PermissionRequiredMixin, View):  # type: ignore[misc]
    permission_required = "doc:write"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("settings")


class Create(PermissionRequiredMixin, CreateView):  # type: ignore[misc, type-arg]
    model = Document
    fields = ("title", "folder")
    permission_required = "doc:write"
    success_url = "/settings/"
    template_name = "shelf/page.html"


class DetailAsync(PermissionRequiredMixin, SingleObjectMixin, View):  # type: ignore[misc, type-arg]
    model = Document
    permission_required = "doc:read"

    async def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse("document")


class Documents(PermissionListMixin, ListView):  # type: ignore[misc, type-arg]
    model = Document
    permission_required = "doc:read"
    paginate_by = 2
    ordering = ("pk",)

    def render_to_response(self, context: Any, **_: Any) -> HttpResponse:
        return HttpResponse(",".join(str(each.pk) for each in context["object_list"]))


def page(request: HttpRequest) -> HttpResponse:
    docs = list(Document.objects.order_by("pk"))
    return render(request, "shelf/page.html", {"docs": docs, "doc": docs[1], "nothing": None})


class DocumentSerializer(serializers.ModelSerializer):  # type: ignore[misc, type-arg]
    class Meta:
        model = Document
        fields = ("id", "title", "folder")


class DocumentViews(viewsets.ModelViewSet):  # type: ignore[misc, type-arg]
    queryset = Document.objects.order_by("pk")
    serializer_class = DocumentSerializer
    permission_classes = (RescindPermission,)
    filter_backends = (AuthorizedFilter,)
    rescind_permissions = {  # noqa: RUF012
        "list": "doc:read",
        "retrieve": "doc:read",
        "update": "doc:write",
        "destroy": "doc:write",
        "create": "doc:write",
        "shred": "doc:write",
    }

    @action(detail=True, methods=["post"])
    def shred(self, request: Any, pk: str) -> Response:
        """It loads no object, which Django REST framework needs to ask for its permission."""
        return Response({"shredded": pk})

    @action(detail=True, methods=["post"])
    def forgotten(self, request: Any, pk: str) -> Response:
        return Response({"forgotten": pk})


class Unfiltered(DocumentViews):
    filter_backends = ()


class NoteViews(viewsets.ViewSet):  # type: ignore[misc]
    """Its actions load no object by Django REST framework."""

    permission_classes = (RescindPermission,)
    rescind_permissions = {"GET": "doc:read"}  # noqa: RUF012
    lookup_field, lookup_url_kwarg = "pk", None

    def get_queryset(self) -> Any:
        return Note.objects.all()

    def retrieve(self, request: Any, pk: str) -> Response:
        return Response({"note": pk})


class SettingsOfApi(APIView):  # type: ignore[misc]
    permission_classes = (RescindPermission,)
    rescind_permissions = {"GET": "doc:write"}  # noqa: RUF012

    def get(self, request: Any) -> Response:
        return Response({})


router = SimpleRouter()
router.register("notes", NoteViews, "note")
router.register("documents", DocumentViews, "document")
router.register("unfiltered", Unfiltered, "unfiltered")

urlpatterns = [
    path("admin/", site.urls),
    path("api/settings/", SettingsOfApi.as_view()),
    path("api/", include(router.urls)),
    path("show/<int:doc_id>/", show),
    path("show-async/<int:doc_id>/", show_async),
    path("settings/", settings),
    path("detail/<int:pk>/", Detail.as_view()),
    path("create/", Create.as_view()),
    path("detail-async/<int:pk>/", DetailAsync.as_view()),
    path("class-settings/", Settings.as_view()),
    path("documents/", Documents.as_view()),
    path("page/", page),
]
