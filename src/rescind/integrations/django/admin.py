"""A page of the admin with what a user may, and why.

    admin.site.unregister(User)
    admin.site.register(User, UserAdmin)

Import this in an `admin.py`: it needs the models of users.
"""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.admin.utils import unquote
from django.contrib.auth import admin as auth_admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import path, reverse

from rescind.errors import MembershipNotFound, OrganizationNotFound, RescindError
from rescind.integrations.django import access
from rescind.integrations.django.naming import memberships_of, subject_of
from rescind.integrations.django.opened import authority

MOST: Final = 200
"""Of a list on the page."""


class QuestionForm(forms.Form):
    """Why may the user, or why not?"""

    permission = forms.CharField(max_length=255)
    resource = forms.CharField(max_length=255, required=False, help_text="Empty: the organization.")


class AccessAdminMixin:
    """Adds `…/<id>/access/` to the admin of a user model, for who may view the user. It changes nothing."""

    change_form_template = "rescind/user_change_form.html"
    admin_site: Any
    model: Any

    def get_urls(self) -> list[Any]:
        info = self.model._meta.app_label, self.model._meta.model_name
        view = self.admin_site.admin_view(self.access_view)
        own = path("<path:object_id>/access/", view, name="{}_{}_access".format(*info))
        base: Any = super()
        return [own, *base.get_urls()]

    def access_view(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        """The page. Raises Http404 and PermissionDenied as the admin's other pages."""
        user = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if user is None:
            raise Http404
        if not self.has_view_permission(request, user):  # type: ignore[attr-defined]
            raise PermissionDenied
        form = QuestionForm(request.GET if "permission" in request.GET else None)
        meta = self.model._meta
        names = memberships_of(user)
        organization = request.GET.get("organization") or next(iter(names), None)
        if organization not in names:
            organization = next(iter(names), None)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Access of {user}",
            "opts": meta,
            "original": user,
            "form": form,
            "organization": organization,
            "organizations": names,
            "preset": access.preset(user),
            "change_url": reverse(
                f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_change", args=[user.pk]
            ),
            **_facts(user, organization),
            "answer": _answer(user, organization, form),
        }
        return TemplateResponse(request, "rescind/access.html", context)


def _facts(user: Any, organization: str | None) -> dict[str, Any]:
    """What the organization has recorded of the user."""
    if organization is None:
        return {"error": "The user has a place in no organization."}
    subject, ask = subject_of(user), authority()
    try:
        groups = ask.list_groups(subject, organization=organization, limit=MOST)
        given = ask.list_assignments(subject, organization=organization, effective=True, limit=MOST)
    except (MembershipNotFound, OrganizationNotFound) as error:
        return {"subject": subject, "error": str(error)}
    return {
        "subject": subject,
        "groups": groups.items,
        "assignments": given.items,
        "has_more": groups.next_cursor is not None or given.next_cursor is not None,
        "permissions": sorted(access.permissions_of(subject, None, organization)),
    }


def _answer(user: Any, organization: str | None, form: QuestionForm) -> dict[str, Any] | None:
    if organization is None or not form.is_bound or not form.is_valid():
        return None
    permission, resource = form.cleaned_data["permission"], form.cleaned_data["resource"]
    try:
        decision = access.explain(user, permission, resource or None, organization=organization)
    except RescindError as error:
        return {"error": str(error)}
    explanation = decision.explanation
    return {
        "is_allowed": decision.allowed,
        "reason": decision.reason.value,
        "chains": [str(each) for each in explanation.chains] if explanation else [],
        "obstacles": explanation.obstacles if explanation else (),
        "is_complete": explanation is None or explanation.is_complete,
    }


class UserAdmin(AccessAdminMixin, auth_admin.UserAdmin):
    """Django's admin of users, with the page of a user's access."""


__all__ = ["AccessAdminMixin", "UserAdmin"]
