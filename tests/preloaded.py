"""What forked processes would load: the command line, the server, and what both load at first use."""

from __future__ import annotations

import contextlib
import gc
import os

import rescind.cli
import rescind.http.app
import rescind.http.server.serving
import rescind.store.migrations
from rescind.cli.commands import every_command

every_command()
with open(os.devnull, "w", encoding="utf-8") as null, contextlib.redirect_stdout(null):
    rescind.cli.run(["sql", "--list"])  # Click loads parts of its own at the first command
gc.collect()
gc.freeze()  # the forks share it
