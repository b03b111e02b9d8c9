"""Runs the example of Django in its own folder, and prints what it answers as JSON.

`python -m tests.examples.django_asked FOLDER`, with DATABASE_URL of an empty database. A hundred documents
are made by the example's own command, the others by bulk inserts.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Final

DOCUMENTS: Final = 100_000
_NUMBERS: Final = {
    "sqlite": "(WITH RECURSIVE c (n) AS (SELECT 101 UNION ALL SELECT n + 1 FROM c WHERE n < {n})"
    " SELECT n FROM c)",
    "postgresql": "(SELECT n FROM generate_series(101, {n}) AS s (n))",
}
_FILL: Final = (
    "INSERT INTO library_document (id, folder_id, title, updated) SELECT n,"
    " CASE WHEN n % 100 = 7 THEN 1 ELSE 2 END, 'Document ' || n, {updated} FROM {numbers} AS c",
    "INSERT INTO rescind.resource (organization, id, slug, parent) SELECT o.id, 100000 + n, 'doc:' || n, f.id"
    " FROM {numbers} AS c CROSS JOIN rescind.organization AS o"
    " JOIN rescind.resource AS f ON f.organization = o.id AND f.slug ="
    " CASE WHEN n % 100 = 7 THEN 'folder:1' ELSE 'folder:2' END WHERE o.slug = 'library'",
    "UPDATE rescind.organization SET last_number = 200001 + {n} WHERE slug = 'library'",
)
_UPDATED: Final = {
    "sqlite": "datetime('2027-01-01', '+' || ((n * 7919) % 200003) || ' seconds')",
    "postgresql": "timestamptz '2027-01-01 UTC' + make_interval(secs => (n * 7919) % 200003)",
}


def fill() -> None:
    from django.db import connection, transaction

    from rescind.store.queries import named

    vendor = connection.vendor
    numbers, engine = (
        _NUMBERS[vendor].format(n=DOCUMENTS),
        "sqlite" if vendor == "sqlite" else "postgres",
    )
    with transaction.atomic(), connection.cursor() as cursor:
        if vendor != "sqlite":
            cursor.execute("SET LOCAL session_replication_role = replica")
        for text in _FILL:
            statement = text.format(numbers=numbers, n=DOCUMENTS, updated=_UPDATED[vendor])
            cursor.execute(named(statement, engine).replace("%", "%%"), ())  # type: ignore[arg-type]


def ask() -> dict[str, Any]:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    found: dict[str, Any] = {}
    for name in ("ada", "grace", "eve"):
        client = Client()
        client.force_login(User.objects.get(username=name))
        with CaptureQueriesContext(connection) as sent:
            began = time.perf_counter()
            answer = client.get("/api/documents/")
            seconds = time.perf_counter() - began
        lists = [each["sql"] for each in sent if "library_document" in each["sql"]]
        page = [row["id"] for row in answer.json()["results"]]
        found[name] = {
            "page": page,
            "next": answer.json()["next"] is not None,
            "queries": len(lists),
            "milliseconds": round(seconds * 1000, 1),
            "html": client.get("/").content.decode().count("<li><a"),
            "document 7": client.get("/documents/7/").status_code,
            "document 8": client.get("/documents/8/").status_code,
            "login": Client().login(username=name, password="demo"),
        }
    ada, seen, url = Client(), [], "/api/documents/"
    ada.force_login(User.objects.get(username="ada"))
    while url:
        body = ada.get(url).json()
        seen += [row["id"] for row in body["results"]]
        url = body["next"]
    found["walked"] = {
        "rows": len(seen),
        "distinct": len(set(seen)),
        "right": all(n % 100 == 7 for n in seen),
    }
    User.objects.get(username="ada").groups.clear()
    found["removed"] = ada.get("/api/documents/").json()["results"]
    return found


def main(folder: str) -> None:
    os.chdir(folder)
    sys.path.insert(0, folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    import django
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # takes no time
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("check", fail_level="WARNING", databases=["default"])
    with open(os.devnull, "w", encoding="utf-8") as null:
        call_command("demo", documents=100, stdout=null)
    fill()
    print(json.dumps(ask()))


if __name__ == "__main__":
    main(sys.argv[1])
