"""The API, the pages and the admin."""

from django.contrib import admin
from django.urls import include, path
from library import views
from rest_framework.routers import SimpleRouter

router = SimpleRouter()
router.register("documents", views.DocumentViewSet)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("api/", include(router.urls)),
    path("", views.DocumentList.as_view(), name="documents"),
    path("documents/<int:doc_id>/", views.show, name="document"),
]
