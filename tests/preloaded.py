"""What forked processes would load: the program, and what it loads at first use."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil

import sqlalchemy.dialects.postgresql.psycopg  # by the names of engines
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401

import rescind
import rescind.cli
from rescind.cli.commands import every_command
from rescind.store.queries import queries

OTHERS = (
    "rescind.integrations",
    "rescind.store.migrations.env",
    "rescind.store.migrations.versions",
)
"""What applications load, and what Alembic does."""

for module in pkgutil.walk_packages(rescind.__path__, "rescind."):
    if not module.name.startswith(OTHERS):
        importlib.import_module(module.name)
every_command()
queries("sqlite")
queries("postgres")
with open(os.devnull, "w", encoding="utf-8") as null, contextlib.redirect_stdout(null):
    rescind.cli.run(["sql", "--list"])  # Click loads parts of its own at the first command
gc.collect()
gc.freeze()  # the forks share it
