"""A Django project for tests. Django is set up once in a process, so whoever needs it calls `setup`."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings

ALIASES: Final = {"sqlite": "default", "postgres": "server"}
RESCIND: Final[dict[str, Any]] = {
    "ORGANIZATION": "acme",
    "PERMISSIONS": {"shelf.view_document": "doc:read", "shelf.change_document": "doc:write"},
}
BACKEND: Final = "rescind.integrations.django.backend.RescindModelBackend"


class Current:
    """The router: all models are in the database of the test."""

    alias = "default"

    def db_for_read(self, model: Any, **_: Any) -> str:
        return Current.alias

    def db_for_write(self, model: Any, **_: Any) -> str:
        return Current.alias

    def allow_relation(self, *_: Any, **__: Any) -> bool:
        return True


def setup() -> None:
    """Set Django up, if nobody has."""
    if settings.configured:
        return
    apps = ("admin", "auth", "contenttypes", "messages", "sessions")
    settings.configure(
        SECRET_KEY="of tests",
        USE_TZ=True,
        ALLOWED_HOSTS=["testserver"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere"},
            "server": {"ENGINE": "django.db.backends.postgresql", "NAME": "nowhere"},
        },
        DATABASE_ROUTERS=["tests.django_app.Current"],
        INSTALLED_APPS=[
            *(f"django.contrib.{app}" for app in apps),
            "rest_framework",
            "rescind.integrations.django",
            "tests.django_app.shelf",
        ],
        MIGRATION_MODULES=dict.fromkeys((*apps, "shelf")),
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        ROOT_URLCONF="tests.django_app.urls",
        AUTHENTICATION_BACKENDS=[BACKEND],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [
                "rest_framework.authentication.SessionAuthentication"
            ],
        },
        RESCIND=RESCIND,
    )
    import django

    django.setup()
