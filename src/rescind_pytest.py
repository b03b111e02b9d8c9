"""The pytest plugin: the fixture `rescind` is an authority on a new SQLite file of the test's own.

pytest loads this by itself where Rescind is installed. It is no part of the package, which is loaded only
when a test asks for the fixture.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rescind.authority import Authority

ORGANIZATION = "acme"
MARKER = "rescind(facts=None, organization='acme'): what the fixture `rescind` has, as YAML"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def rescind_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a file with an organization and its facts, once for all tests that ask for the same."""
    folder = tmp_path_factory.mktemp("rescind")

    @cache
    def made(organization: str, facts: str | Path | None) -> Path:
        from rescind import Authority
        from rescind.changes import CreateOrganization
        from rescind.testing.facts import facts as read

        changes = [CreateOrganization(), *(() if facts is None else read(facts))]
        path = folder / f"{made.cache_info().misses}.db"
        with Authority.open(path, organization=organization, create=True) as authority:
            authority.apply(changes, actor="pytest")
        return path

    return made


@pytest.fixture
def rescind(
    request: pytest.FixtureRequest, rescind_file: Callable[..., Path], tmp_path: Path
) -> Iterator[Authority]:
    """An authority with an organization, and with the facts of the marker `rescind`, if the test has it.

    A file that the marker names is looked for beside the test.
    """
    from rescind import Authority

    organization, facts = _options(request)
    path = tmp_path / "rescind.db"
    shutil.copyfile(rescind_file(organization, facts), path)
    with Authority.open(path, organization=organization) as authority:
        yield authority


def _options(request: pytest.FixtureRequest) -> tuple[str, str | Path | None]:
    """The organization and the facts that the nearest marker says."""
    marker = request.node.get_closest_marker("rescind")
    named = {} if marker is None else dict(marker.kwargs)
    if marker is not None and (marker.args or named.keys() - {"facts", "organization"}):
        raise pytest.UsageError(f"use @pytest.mark.{MARKER.partition(':')[0]}")
    found = named.get("facts")
    if isinstance(found, str) and "\n" not in found and found.endswith((".yaml", ".yml")):
        found = request.path.parent / found
    return named.get("organization", ORGANIZATION), found
