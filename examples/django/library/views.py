"""A list page, a document, and the same as an API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.generic import ListView
from rest_framework import serializers, viewsets
from rest_framework.pagination import CursorPagination

from library.models import Document
from rescind.integrations.django import PermissionListMixin, permission_required
from rescind.integrations.django.rest_framework import AuthorizedFilter, RescindPermission


class DocumentList(PermissionListMixin, ListView):
    """The newest documents that the user may read."""

    model = Document
    permission_required = "doc:read"
    template_name = "library/documents.html"

    def get_queryset(self):
        return super().get_queryset().select_related("folder")[:20]


@permission_required("doc:read", (Document, "pk", "doc_id"))
def show(request: HttpRequest, doc_id: int) -> HttpResponse:
    return render(request, "library/document.html", {"doc": get_object_or_404(Document, pk=doc_id)})


class DocumentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Document
        fields = ("id", "title", "folder", "updated")


class NewestFirst(CursorPagination):
    ordering = ("-updated", "-id")
    page_size = 20


class DocumentViewSet(viewsets.ModelViewSet):
    queryset = Document.objects.select_related("folder")
    serializer_class = DocumentSerializer
    permission_classes = (RescindPermission,)
    filter_backends = (AuthorizedFilter,)
    pagination_class = NewestFirst
    rescind_permissions = {
        "list": "doc:read",
        "retrieve": "doc:read",
        "create": "doc:write",
        "update": "doc:write",
        "destroy": "doc:write",
    }
