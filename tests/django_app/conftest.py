"""A project on a database of its own for each test, on each engine in turn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.conftest import COPYING, Admin, as_url, with_database
from tests.django_app import ALIASES, RESCIND, Current, setup

setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import override_settings  # noqa: E402

from rescind import changes  # noqa: E402
from rescind.integrations.django import apply, close  # noqa: E402
from tests.django_app.people import make_world  # noqa: E402

ROLES: Final = [
    changes.DefinePermission(permission="doc:read"),
    changes.DefinePermission(permission="doc:write"),
    changes.DefineRole(role="viewer", permissions=("doc:read",)),
    changes.DefineRole(role="editor", permissions=("doc:read", "doc:write")),
]


def use(alias: str, database: str) -> None:
    """Let the alias mean the database at a URL."""
    connection = connections[alias]
    connection.close()
    if alias == "default":
        connection.settings_dict["NAME"] = database.removeprefix("sqlite:///")
    else:
        parts = psycopg.conninfo.conninfo_to_dict(database)
        named = {
            "NAME": "dbname",
            "USER": "user",
            "PASSWORD": "password",
            "HOST": "host",
            "PORT": "port",
        }
        for key, name in named.items():
            connection.settings_dict[key] = parts.get(name) or ""


def migrated(alias: str, database: str) -> None:
    """Make the tables of the project, and give the organization its roles and the world's people."""
    use(alias, database)
    Current.alias = alias
    with override_settings(RESCIND={**RESCIND, "DATABASE": alias}):
        call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
        apply(ROLES)
        make_world()
        close()
    connections[alias].close()


@pytest.fixture(scope="session")
def sqlite_project(sqlite_template: Path) -> Path:
    """A file with the project's tables that tests copy."""
    path = sqlite_template.with_name("project.db")
    shutil.copy(sqlite_template, path)
    migrated("default", str(path))
    return path


@pytest.fixture(scope="session")
def postgres_project(
    postgres_server: str, postgres_admin: Admin, postgres_template: str
) -> Iterator[str]:
    """The name of such a database."""
    name = f"{postgres_template}_django"
    postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} {COPYING}")
    migrated("server", as_url(with_database(postgres_server, name)))
    yield name
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


Configure = Callable[..., None]


@pytest.fixture
def project(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[Configure]:
    """The project with the world in it. Called, it changes keys of RESCIND."""
    alias = ALIASES[engine]
    template = request.getfixturevalue(f"{engine}_project")
    if engine == "sqlite":
        database = str(tmp_path / "project.db")
        shutil.copy(template, database)
    else:
        admin, server = (
            request.getfixturevalue("postgres_admin"),
            request.getfixturevalue("postgres_server"),
        )
        name = f"{template}_copy"
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} {COPYING}")
        database = as_url(with_database(server, name))
    use(alias, database)
    Current.alias = alias
    overridden: list[Any] = []

    def configure(**keys: Any) -> None:
        context = override_settings(RESCIND={**RESCIND, "DATABASE": alias, **keys})
        context.enable()
        overridden.append(context)

    configure()
    yield configure
    close()
    connections[alias].close()
    while overridden:
        overridden.pop().disable()
    Current.alias = "default"
    if engine == "postgres":
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
