"""Rescind's tables in a project's database: made and upgraded by `migrate`, watched by `check`."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections, models
from django.db.migrations.exceptions import IrreversibleError
from django.test import override_settings

from rescind import Authority
from rescind.errors import SchemaTooNew
from rescind.integrations.django import authority, close, resource, resources
from rescind.integrations.django import migrations as migrations_of_django
from rescind.integrations.django.apps import bring_in_step
from rescind.integrations.django.opened import database_url
from rescind.integrations.django.options import options
from rescind.store.queries import named
from rescind.store.schema import VERSIONS
from tests.conftest import Admin, as_url, with_database
from tests.django_app import ALIASES, BACKEND, RESCIND, Current
from tests.django_app.conftest import use

Empty = tuple[str, str]


@pytest.fixture
def empty(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Empty]:
    """An empty database of the project: its alias and its URL."""
    alias = ALIASES[engine]
    if engine == "sqlite":
        url = str(tmp_path / "empty.db")
    else:
        server = request.getfixturevalue("postgres_server")
        admin: Admin = request.getfixturevalue("postgres_admin")
        name = f"rescind_django_{id(tmp_path)}"
        admin.execute(f"CREATE DATABASE {name}")
        url = as_url(with_database(server, name))
    use(alias, url)
    Current.alias = alias
    with override_settings(RESCIND={**RESCIND, "DATABASE": alias}):
        yield alias, url
        close()
        connections[alias].close()
    Current.alias = "default"
    if engine == "postgres":
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def migrate(alias: str, *names: str) -> None:
    call_command("migrate", *names, database=alias, run_syncdb=not names, verbosity=0)


def run(url: str, statement: str) -> None:
    engine: Any = "postgres" if url.startswith("postgres") else "sqlite"
    connect: Callable[[str], Any] = psycopg.connect if engine == "postgres" else sqlite3.connect
    with closing(connect(url)) as connection, connection:
        connection.execute(named(statement, engine))


def told(alias: str | None = None) -> set[str]:
    """The ids of what `manage.py check` says of Rescind."""
    found = checks.run_checks(databases=None if alias is None else [alias])
    return {each.id for each in found if each.id and each.id.startswith("rescind.")}


def test_migrate_makes_the_tables_and_the_organization(empty: Empty) -> None:
    """Once: it can be repeated. Before, `check` says what to do."""
    alias, url = empty
    assert told(alias) == {"rescind.W004"}
    migrate(alias)
    assert told(alias) == set()
    assert authority().list_groups().items == ()
    migrate(alias)
    with Authority.open(url, organization="acme") as other:
        assert len(list(other.log())) == 1


def test_a_part_of_the_migrations_may_be_run_first(empty: Empty) -> None:
    """Those of another app, or none: whatever `migrate` runs, Rescind's tables are there afterwards."""
    alias, _ = empty
    bring_in_step(using=alias)
    assert told(alias) == set()
    assert authority().list_groups().items == ()
    migrate(alias)


def test_an_older_database_of_rescind_is_upgraded(empty: Empty) -> None:
    """Also one that `rescind migrate` made and filled. It stays as it is where the project has none of it."""
    from rescind.changes import AddMembership, CreateOrganization
    from rescind.store.migrations import migrate as migrate_alone

    alias, url = empty
    migrate_alone(url)
    with Authority.open(url, organization="acme") as before:
        before.apply([CreateOrganization(name="Acme"), AddMembership(subject="user:old")])
    run(url, "DROP VIEW rescind.effective_permission")
    migrate(alias)
    assert [each.subject for each in authority().list_memberships().items] == ["user:old"]
    assert authority().check("user:old", "x").reason.value == "unknown_permission"
    with connections[alias].cursor() as cursor:
        view = named("SELECT count(*) FROM rescind.effective_permission", _engine(alias))
        cursor.execute(view)


def _engine(alias: str) -> Any:
    return "postgres" if alias == "server" else "sqlite"


def test_a_schema_that_is_behind_or_ahead_is_told(empty: Empty) -> None:
    alias, url = empty
    migrate(alias)
    close()
    run(url, f"UPDATE rescind.schema_version SET version_num = '{VERSIONS[-2]}'")
    assert told(alias) == {"rescind.W004"}
    run(url, "UPDATE rescind.schema_version SET version_num = '9999'")
    assert told(alias) == set()  # it says that this code may use it
    run(url, "UPDATE rescind.installation SET usable_from = '9999'")
    assert told(alias) == {"rescind.E002"}
    with pytest.raises(SchemaTooNew):
        migrate(alias)


def test_the_tables_are_never_dropped_by_a_migration(empty: Empty) -> None:
    alias, _ = empty
    migrate(alias)
    with pytest.raises(IrreversibleError):
        migrate(alias, "rescind", "zero")
    assert authority().list_groups().items == ()


def test_each_version_has_a_migration_of_django() -> None:
    """The last one is that of this code, so that `showmigrations` and `runserver` tell of it."""
    folder = Path(migrations_of_django.__path__[0])
    versions = [
        re.findall(r'UpgradeSchema\("(\d+)"\)', path.read_text())
        for path in sorted(folder.glob("0*.py"))
    ]
    since = VERSIONS.index(versions[0][0])
    assert [version for (version,) in versions] == list(VERSIONS[since:])


def test_a_database_of_another_alias_is_left_alone(empty: Empty, tmp_path: Path) -> None:
    if empty[0] == "default":
        return
    use("default", str(tmp_path / "other.db"))
    migrate("default")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    connections["default"].close()
    assert not [name for name in names if name.startswith("rescind_")]


def url_of(engine: str, **named_: Any) -> str:
    alias = ALIASES[engine]
    connection = connections[alias]
    before = dict(connection.settings_dict)
    connection.settings_dict.update(named_)
    try:
        with override_settings(RESCIND={**RESCIND, "DATABASE": alias, "SCHEMA": "access"}):
            return database_url(options())
    finally:
        connection.settings_dict.update(before)


@pytest.mark.parametrize("name", [":memory:", "file:memorydb_default?mode=memory&cache=shared", ""])
def test_a_database_in_memory_is_refused(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"TEST.*test\.sqlite3"):
        url_of("sqlite", NAME=name)


def test_a_server_is_named_as_django_names_it() -> None:
    """Whatever characters a password has, and with the options that the driver knows."""
    url = url_of(
        "postgres",
        NAME="my db",
        USER="ada@x",
        PASSWORD="p:/@?#&%",
        HOST="/run/pg",
        PORT=5433,
        OPTIONS={"sslmode": "require", "pool": True, "options": "-c search_path=a,b"},
    )
    path = url.replace("&schema=access", "").replace("schema=access", "")
    parts = psycopg.conninfo.conninfo_to_dict(path)
    assert url != path
    assert parts == {
        "dbname": "my db",
        "user": "ada@x",
        "password": "p:/@?#&%",
        "host": "/run/pg",
        "port": "5433",
        "sslmode": "require",
        "options": "-c search_path=a,b",
    }


def test_what_could_allow_beside_rescind_is_told(tmp_path: Path) -> None:
    use("default", str(tmp_path / "some.db"))
    assert told() == set()
    model = "django.contrib.auth.backends.ModelBackend"
    for backends, expected in (
        ([model], {"rescind.W001"}),
        ([model, BACKEND], {"rescind.W002"}),
        (["django.contrib.auth.backends.BaseBackend", BACKEND], set()),
    ):
        with override_settings(AUTHENTICATION_BACKENDS=backends):
            assert told() == expected
    with override_settings(RESCIND={**RESCIND, "SUPERUSERS": "ask"}):
        assert told() == {"rescind.W003"}
    with override_settings(RESCIND={}):
        assert told() == {"rescind.E001"}
    use("default", ":memory:")
    assert told() == {"rescind.E001"}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_forked_process_asks_for_itself(engine: str, project: Any) -> None:
    """With the authority that was opened before the fork: neither process ends the other's."""
    import os

    from tests.django_app.people import person

    ada = person("ada")
    assert ada.has_perm("doc:read", "doc:1")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if ada.has_perm("doc:read", "doc:1") else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ada.has_perm("doc:read", "doc:1")
    assert not ada.has_perm("doc:read", "doc:2")


def test_two_models_are_never_the_same_resources() -> None:
    """Their objects have the same numbers: who may use one could use the other. A child is its parent."""
    from tests.django_app.shelf.models import Folder, Plain, Report

    class Base(models.Model):
        class Meta:
            app_label, abstract = "shelf", True

    for model in (Plain, Folder):
        with pytest.raises(ImproperlyConfigured, match="has it already"):
            resource("doc")(model)
    with pytest.raises(ImproperlyConfigured, match="abstract"):
        resource("base")(Base)
    try:
        resource("doc")(Report)
    finally:
        resources.MODELS.pop(Report)


@pytest.mark.parametrize(
    ("keys", "told_"),
    [
        ({"id_field": "title"}, "not unique"),
        ({"id_field": "nowhere"}, "nowhere"),
        ({"parent": "nowhere"}, "nowhere"),
        ({"parent": "title"}, "no registered model"),
        ({"organization": "nowhere__slug"}, "nowhere"),
    ],
)
def test_a_registration_that_cannot_be_is_told(
    keys: dict[str, str], told_: str, tmp_path: Path
) -> None:
    from tests.django_app.shelf.models import Plain

    use("default", str(tmp_path / "some.db"))
    named_ = {"id_field": "pk", "parent": None, "organization": None, **keys}
    registration = resources.Registration(Plain, "plain", is_synced=True, **named_)
    resources.MODELS[Plain] = registration
    try:
        found = [each for each in checks.run_checks() if each.id == "rescind.E003"]
    finally:
        resources.MODELS.pop(Plain)
    assert len(found) == 1
    assert told_ in found[0].msg


def test_models_in_another_database_are_told(tmp_path: Path) -> None:
    use("default", str(tmp_path / "some.db"))
    Current.alias = "server"
    try:
        assert told() == {"rescind.W005"}
    finally:
        Current.alias = "default"
