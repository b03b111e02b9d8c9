"""What an installation without extras has, and what is said where one is missing."""

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rescind
from rescind import Authority, changes, model, transfer
from rescind.errors import EXTRAS, ExtraMissing, RescindError, extra

ROOT = Path(__file__).parents[2]
OPTIONAL = sorted({module for modules in EXTRAS.values() for module in modules})
NEEDS = {
    "rescind.cli.main": "cli",
    "rescind.client": "client",
    "rescind.http.app": "server",
    "rescind.insight.metrics.collector": "metrics",
    "rescind.insight.metrics.exposition": "metrics",
    "rescind.insight.probe.target": "client",
    "rescind.integrations.fastapi": "fastapi",
    "rescind.integrations.flask": "flask",
    "rescind.integrations.litestar": "litestar",
    "rescind.integrations.sqlalchemy": "sqlalchemy",
    "rescind.store.migrations": "migrate",
    "rescind.store.postgres": "postgres",
}
"""Modules that need an extra."""
MISSING = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""
WITHOUT_EXTRAS = """
import contextlib, importlib, io, json
said = {}

def ask(what, call):
    try:
        call()
    except Exception as error:
        said[what] = [type(error).__name__, getattr(error, "facts", {}).get("extra"), str(error)]

from rescind import Authority
from rescind.changes import AddMembership, CreateOrganization
from rescind.errors import SchemaMissing
with Authority.open(sys.argv[1], organization="acme", create=True) as authority:
    authority.apply([CreateOrganization(), AddMembership(subject="user:ada")])
    authority.explain("user:ada", "doc:read")
    authority.list_memberships()
    authority.permissions_of("user:ada")
    list(authority.log())
for name in NEEDS:
    if name != "rescind.cli.main":
        ask(name, lambda: importlib.import_module(name))
ask("url", lambda: Authority.open("postgresql://localhost/none"))
ask("yaml", lambda: importlib.import_module("rescind.testing").facts("permissions: [a:b]"))
open(sys.argv[2], "w").close()
ask("old", lambda: Authority.open(sys.argv[2]))
import rescind_start
with contextlib.redirect_stderr(io.StringIO()) as stderr:
    try:
        rescind_start.main()
    except SystemExit as stop:
        said["rescind"] = [stop.code, stderr.getvalue()]
print(json.dumps(said))
"""


INSTALLATIONS = {
    "cli": {"cli", "migrate"},
    "server": {"server", "cli", "migrate", "client", "metrics"},
}
"""What people install, and the extras that they have then."""
BROUGHT = {"server": {"yaml"}}
"""What an extra's own packages bring beside it: Litestar needs PyYAML."""
EVERY_PART = """
import contextlib, importlib, io, json, pkgutil, rescind
from rescind.errors import ExtraMissing
said = {}
for found in pkgutil.walk_packages(rescind.__path__, "rescind.", onerror=lambda name: None):
    try:
        if not found.name.startswith(BEHIND):
            importlib.import_module(found.name)
    except ExtraMissing:
        pass
    except ImportError as error:
        said[found.name] = repr(error)
import rescind_start
for options in ([], ["--check"], ["--dry-run"]):
    sys.argv[1:] = ["migrate", "-d", DATABASE, *options]
    with contextlib.redirect_stderr(io.StringIO()) as stderr, contextlib.redirect_stdout(io.StringIO()):
        try:
            rescind_start.main()
        except SystemExit as stop:
            if stop.code:
                said[" ".join(["migrate", *options])] = stderr.getvalue()
print(json.dumps(said))
"""


def run(program: str, *arguments: str) -> str:
    """What a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_library_works_alone_and_each_other_part_names_its_extra(tmp_path: Path) -> None:
    """Without any extra SQLite is there whole; everything else says in one line what to install."""
    program = f"OPTIONAL, NEEDS = {OPTIONAL!r}, {NEEDS!r}\n{MISSING}{WITHOUT_EXTRAS}"
    said = json.loads(run(program, str(tmp_path / "a.db"), str(tmp_path / "empty.db")))
    code, complaint = said.pop("rescind")
    assert code == 2
    assert complaint.startswith("rescind: An extra of Rescind is not installed: extra cli,")
    assert complaint.endswith('Run `pip install "rescind[cli]"`.\n')
    assert complaint.count("\n") == 1
    kind, _, text = said.pop("old")
    assert kind == "SchemaMissing"
    assert "rescind migrate" in text
    needs = {**NEEDS, "url": "postgres", "yaml": "testing"}
    del needs["rescind.cli.main"]
    assert {what: found[:2] for what, found in said.items()} == {
        what: ["ExtraMissing", name] for what, name in needs.items()
    }
    for what, (_, name, text) in said.items():
        assert f'pip install "rescind[{name}]"' in text, what
        assert "\n" not in text


@pytest.mark.parametrize("installed", INSTALLATIONS.values(), ids=INSTALLATIONS)
def test_every_part_is_there_or_names_its_extra(installed: set[str], tmp_path: Path) -> None:
    """Whichever extras are installed: a module is loaded, or says which extra it needs. The migrations of a
    SQLite file need no driver of PostgreSQL.
    """
    database = tmp_path / "a.db"
    Authority.open(str(database), create=True).close()
    has = {module for name in installed for module in (*EXTRAS[name], *BROUGHT.get(name, ()))}
    behind = [
        "rescind.integrations.django",
        "rescind.store.migrations.env",
    ]  # Django and Alembic load them
    if "server" not in installed:
        behind.append("rescind.http")  # `rescind.http.app` names the extra
    names = (sorted(set(OPTIONAL) - has), str(database), tuple(behind))
    program = f"OPTIONAL, DATABASE, BEHIND = {names!r}\n{MISSING}{EVERY_PART}"
    assert json.loads(run(program)) == {}


def test_a_part_of_an_extra_is_not_enough() -> None:
    """Flask brings Click, and not the rest of the command: it says in one line what to install."""
    optional = sorted({*OPTIONAL} - {"click"})
    program = f"OPTIONAL = {optional!r}\n{MISSING}import rescind_start\nsys.argv[1:] = ['--help']\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}rescind_start.main()"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert 'Run `pip install "rescind[cli]"`' in done.stderr


def test_a_fault_within_an_extra_is_not_called_a_missing_extra() -> None:
    """A module that the extra does not bring is a fault of the installation, and keeps its own error."""
    with pytest.raises(ModuleNotFoundError) as caught, extra("postgres"):
        import no_such_module  # type: ignore[import-not-found] # noqa: F401
    assert not isinstance(caught.value, RescindError)


def test_a_missing_extra_is_an_import_error() -> None:
    """Code that does without an optional part catches ImportError, and `name` is the module's."""
    with pytest.raises(ImportError) as caught, extra("postgres"):
        raise ModuleNotFoundError(name="psycopg.sql")
    assert isinstance(caught.value, ExtraMissing)
    assert caught.value.name == "psycopg"


def test_each_extra_is_in_the_package_and_in_its_reference() -> None:
    """pyproject.toml, `EXTRAS` and the page of dependencies have the same extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].keys() - {"tracing"}
    page = (ROOT / "docs/reference/dependencies.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page.partition("| dependency |")[0], re.M)
    assert {name for row in rows for name in re.findall(r"\w+", row)} == extras
    assert EXTRAS.keys() == extras - {"all"}
    assert project["dependencies"] == ["msgspec>=0.19"]


def test_every_dependency_has_its_reason() -> None:
    """Each package that an extra names is in the list of reasons."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    page = (ROOT / "docs/reference/dependencies.md").read_text("utf-8").lower()
    reasons = page.partition("| dependency |")[2]
    for needs in project["optional-dependencies"].values():
        for need in needs:
            name = re.split(r"[>=\[]", need)[0]
            assert name == "rescind" or name.replace("psycopg", "psycopg 3") in reasons, name


@pytest.mark.parametrize("package", [rescind, changes, model, transfer], ids=lambda p: p.__name__)
def test_deferred_names_are_those_that_type_checkers_see(package: object) -> None:
    """Each public name is loaded from the module that it is imported from for type checkers."""
    source = Path(str(package.__file__)).read_text("utf-8")  # type: ignore[attr-defined]
    block = source.partition("if TYPE_CHECKING:\n")[2].partition("\n__all__")[0]
    found = re.findall(r"from ([\w.]+) import (?:\(([^)]*)\)|(.*))", block)
    imported = {home: set(re.findall(r"\w+", many or one)) for home, many, one in found}
    homes = ast.literal_eval(source.partition("\n_HOMES = ")[2].partition("\n\nif not")[0])
    assert {home: set(names.split()) for home, names in homes.items()} == imported
    public = set(package.__all__) - {"__version__"}  # type: ignore[attr-defined]
    assert public == set().union(*imported.values())
    assert all(getattr(package, name) is not None for name in public)
    assert public <= set(dir(package))


def test_no_module_has_a_deferred_name() -> None:
    """Whoever imports such a module would have it in the place of the name, and so would all others then."""
    found = 0
    for path in sorted((ROOT / "src/rescind").rglob("__init__.py")):
        if "deferred(__name__" in path.read_text("utf-8"):
            found += 1
            package = importlib.import_module(".".join(path.relative_to(ROOT / "src").parts[:-1]))
            names = {name for home in vars(package)["_HOMES"].values() for name in home.split()}
            assert names.isdisjoint(each.name for each in pkgutil.iter_modules(package.__path__))
    assert found > 10
