"""Run the scenario of WorkOS's Node SDK: needs node and npm. `python -m tests.http.workos.node`"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rescind import Authority, changes
from rescind.http.keys import Keys
from rescind.http.server.service import Service
from rescind.model import ENVIRONMENT
from rescind.store.migrations import migrate
from tests.http.serving import serving

SDK = "@workos-inc/node@8"


def main() -> int:
    """The exit status of node, on a fresh service and a fresh installation of the SDK."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, SDK],
            check=True,
        )
        database = str(Path(folder) / "rescind.db")
        migrate(database)
        with Authority.open(database) as authority:
            authority.apply([changes.DefineResourceType(type="project")], organization=ENVIRONMENT)
            with serving(Service(authority, Keys(authority.store))) as served:
                named = {"SDK": folder, "RESCIND_URL": served.url, "RESCIND_KEY": served.admin}
                scenario = Path(__file__).with_name("scenario.mjs")
                return subprocess.run(["node", scenario], env={**os.environ, **named}).returncode


if __name__ == "__main__":
    sys.exit(main())
