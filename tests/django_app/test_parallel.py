"""`manage.py test --parallel` copies the test database, with Rescind's tables, for each of its processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.conftest import Admin, with_database

SETTINGS: Final = """
SECRET_KEY = "of tests"
USE_TZ = True
DATABASES = {"default": %s}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rescind.integrations.django",
    "box",
]
MIGRATION_MODULES = {"auth": None, "contenttypes": None}
AUTHENTICATION_BACKENDS = ["rescind.integrations.django.backend.RescindModelBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RESCIND = {"ORGANIZATION": "acme"}
"""
MODELS: Final = """
from django.db import models
from rescind.integrations.django import resource

@resource("box")
class Box(models.Model):
    pass
"""
TESTS: Final = """
from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase, TransactionTestCase
from box.models import Box
from rescind.integrations.django import assign_perm, remove_perm

def ask(case):
    assert connection.settings_dict["NAME"].removesuffix(".sqlite3")[-1] in "12"  # a copy
    ada, box = User.objects.create_user("ada"), Box.objects.create()
    case.assertFalse(ada.has_perm("box:open", box))
    assign_perm("box:open", ada, box)
    case.assertTrue(ada.has_perm("box:open", box))
    remove_perm("box:open", ada, box)
    case.assertFalse(ada.has_perm("box:open", box))

class First(TestCase):
    def test_one(self):
        ask(self)
    def test_two(self):
        ask(self)

class Second(TestCase):
    def test_one(self):
        ask(self)

class Third(TransactionTestCase):
    def test_one(self):
        ask(self)
    def test_two(self):
        ask(self)
"""


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """What the small project has as DATABASES["default"]."""
    if engine == "sqlite":
        name, test = str(tmp_path / "own.sqlite3"), str(tmp_path / "test.sqlite3")
        yield repr({"ENGINE": "django.db.backends.sqlite3", "NAME": name, "TEST": {"NAME": test}})
        return
    admin: Admin = request.getfixturevalue("postgres_admin")
    name = f"rescind_box_{os.getpid()}"
    admin.execute(f"CREATE DATABASE {name}")
    url = with_database(request.getfixturevalue("postgres_server"), name)
    parts = psycopg.conninfo.conninfo_to_dict(url)
    keys = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    named = {keys[part]: value for part, value in parts.items() if part in keys}
    yield repr({"ENGINE": "django.db.backends.postgresql", **named})
    for each in (name, f"test_{name}", f"test_{name}_1", f"test_{name}_2"):
        admin.execute(f"DROP DATABASE IF EXISTS {each} WITH (FORCE)")


def test_tests_of_a_project_run_in_parallel(database: str, tmp_path: Path) -> None:
    """Each process has the tables, the organization, and facts of its own."""
    (tmp_path / "box").mkdir()
    (tmp_path / "settings.py").write_text(SETTINGS % database)
    for name, text in (("__init__", ""), ("models", MODELS), ("tests", TESTS)):
        (tmp_path / "box" / f"{name}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "django", "test", "--parallel", "2", "--settings", "settings"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    assert "Found 5 test(s)" in done.stdout
