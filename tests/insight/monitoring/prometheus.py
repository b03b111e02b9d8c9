"""Debian's Prometheus, which tests of rules and of the dashboard need."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

PATIENCE_SECONDS = 60.0
INTERVAL = "250ms"


def require(program: str) -> str:
    """The path of `prometheus` or `promtool`. Without it the test is skipped, and says what it needs."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is missing: apt-get install --no-install-recommends prometheus")
    return path


class Prometheus:
    """A server of its own on loopback, with its API."""

    def __init__(self, url: str, log: list[str]) -> None:
        self._server = httpx.Client(base_url=url, timeout=30)
        self.log = log
        self.wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        """It listens before it has its storage, and answers with 503 until then."""
        return self._server.get("/-/ready").status_code == 200

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query. Raises AssertionError saying why if it is refused."""
        answer = self._server.post("/api/v1/query", data={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        return list(answer["data"]["result"])

    def rules(self) -> list[dict[str, Any]]:
        """Every rule with its health and its last error."""
        groups = self._server.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def wait_until(self, holds: Callable[[], object]) -> None:
        """Raises AssertionError with the log if it does not come."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < end, "".join(self.log[-50:])
            time.sleep(0.1)

    def close(self) -> None:
        self._server.close()


@contextmanager
def scraping(
    folder: Path, targets: Sequence[str], rules: Sequence[Path], **job: Any
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes these addresses as the job `rescind`, for the length of the block."""
    config = {
        "global": {
            "scrape_interval": INTERVAL,
            "scrape_timeout": INTERVAL,
            "evaluation_interval": INTERVAL,
        },
        "rule_files": list(map(str, rules)),
        "scrape_configs": [
            {"job_name": "rescind", "static_configs": [{"targets": list(targets)}], **job}
        ],
    }
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    command = [
        require("prometheus"),
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    log: list[str] = []
    try:
        url = _url(process.stderr, log)
        reader = threading.Thread(target=log.extend, args=(process.stderr,))
        reader.start()
        server = Prometheus(url, log)
        try:
            yield server
        finally:
            server.close()
            process.terminate()
            reader.join()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def _url(lines: Iterator[str], log: list[str]) -> str:
    for line in lines:
        log.append(line)
        if found := re.search(r'msg="Listening on" address=(\S+)', line):
            return f"http://{found[1]}"
    raise AssertionError("".join(log))
