"""`rescind serve`: starts from nothing, says where and with what key, and ends in order."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from rescind import Authority
from rescind.cli.large_group import LEAST_ASSIGNMENTS
from rescind.errors import InvalidArgument
from rescind.http.server.configuration import Configuration, load, names, shown, variable
from tests.conftest import as_url, with_database
from tests.http.processes import started
from tests.unit.command_line import forked, one_error
from tests.unit.conftest import rescind  # noqa: F401

ADA = [
    {"change": "create_organization"},
    {"change": "define_permission", "permission": "read"},
    {"change": "define_role", "role": "reader", "permissions": ["read"]},
    {"change": "add_membership", "subject": "ada"},
    {"change": "create_group", "group": "eng"},
    {"change": "add_members", "group": "eng", "members": ["ada"]},
    {"change": "assign", "role": "reader", "to": "group:eng"},
]
ASKED = {"organization": "acme", "subject": "ada", "permission": "read"}
LEAVE = [{"change": "remove_members", "group": "eng", "members": ["ada"]}]


def change(client: httpx.Client, changes: list[dict[str, object]], **others: object) -> None:
    body = {"organization": "acme", "changes": changes, **others}
    client.post("/v1/changes", json=body).raise_for_status()


def allowed(client: httpx.Client) -> bool:
    return bool(client.post("/v1/check", json=ASKED).raise_for_status().json()["allowed"])


def test_from_nothing_to_an_orderly_end(tmp_path: Path) -> None:
    """In an empty folder: a database, a key that is shown once, a worker; and nothing secret in the log."""
    with started(tmp_path, RESCIND_LOG_LEVEL="debug") as server:
        assert (tmp_path / "rescind.db").is_file()
        key = server.key
        with server.client() as client:
            change(client, ADA)
            assert allowed(client)
            change(client, LEAVE, route="background")
            assert not allowed(client)
            while client.get("/v1/pending").json()["pending"]:
                pass  # the embedded worker settles it
            client.get("/v1/who-can", params={"permission": "sec-ret", "organization": "acme"})
        assert server.end() == 0
    text = "".join(server.log)
    assert key not in text
    assert key.split("_", 2)[2] not in text
    assert "sec-ret" not in text
    lines = [json.loads(line) for line in server.log]
    assert lines[-1]["message"] == "ended in order"
    checks = [line for line in lines if line.get("path") == "/v1/check"]
    assert {line["status"] for line in checks} == {200}
    assert all(line["request_id"] and line["key"] == key.split("_")[1] for line in checks)
    with started(tmp_path, "--no-worker") as again:
        assert again.printed == [f"serving on {again.url}"]
        with again.client(key) as client:
            assert not allowed(client)
            change(client, ADA[5:6], route="background")
            assert client.get("/v1/pending").json()["pending"]
        assert again.end(signal.SIGINT) == 0


def test_decisions_are_logged_where_it_is_set(tmp_path: Path) -> None:
    """In the file, with the request, also what is queued at the end. A file that cannot be is an error."""
    variables = {"RESCIND_DECISION_LOG_DECISIONS": "denied", "RESCIND_DECISION_LOG_FILE": "log"}
    with started(tmp_path, **variables) as server:
        with server.client() as client:
            change(client, ADA)
            assert allowed(client)
            change(client, LEAVE)
            assert not allowed(client)
        assert server.end() == 0
    _, line = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert (line["subject"], line["reason"], line["allowed"]) == ("user:ada", "no_role", False)
    assert line["request_id"]
    (tmp_path / "bad.toml").write_text('[decision_log]\ndecisions = ["all"]\nfile = "none/log"\n')
    result = forked(tmp_path, "serve", "--port", "0", "--config", "bad.toml")
    assert (result.returncode, "none/log" in result.stderr) == (2, True)


def test_requests_under_way_are_finished(tmp_path: Path) -> None:
    """One whose body is still coming when the signal is there is answered; then it ends."""
    with started(tmp_path) as server, server.client() as client:
        change(client, ADA)

        def lines() -> Iterator[bytes]:
            yield json.dumps({"change": "create_group", "group": "one"}).encode() + b"\n"
            server.process.send_signal(signal.SIGTERM)
            yield b"\n" * 100_000
            yield json.dumps({"change": "create_group", "group": "two"}).encode()

        headers = {"Content-Type": "application/x-ndjson"}
        query = {"organization": "acme"}
        answer = client.post("/v1/import", content=lines(), headers=headers, params=query)
        assert answer.raise_for_status().json()["changes"] == 2
        assert server.process.wait() == 0
    with Authority.open(str(tmp_path / "rescind.db")) as authority:
        assert len(list(authority.log(organization="acme"))) == 2


@pytest.mark.parametrize("numbers", [(signal.SIGINT,) * 2, (signal.SIGTERM, signal.SIGINT)])
def test_told_twice_it_ends_in_order(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    """As by a second Ctrl-C: no error is logged, and no traceback."""
    with started(tmp_path) as server:
        with server.client() as client:
            assert client.get("/livez").status_code == 200
        for number in numbers:
            server.process.send_signal(number)
        assert server.process.wait() == 0
    assert not [line for line in server.log if "Traceback" in line or '"error"' in line]


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a database without a schema."""
    name = f"rescind_serve_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield as_url(with_database(postgres_server, name))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_postgres_is_migrated_when_asked(tmp_path: Path, empty_postgres: str) -> None:
    """Else the error says how."""
    result = forked(tmp_path, "serve", "--port", "0", "-d", empty_postgres)
    assert result.returncode == 2
    assert "rescind migrate" in result.stderr
    with started(tmp_path, "-d", empty_postgres, "--migrate") as server, server.client() as client:
        change(client, ADA)
        assert allowed(client)


def test_processes_share_the_address(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    """One that dies is replaced; all end in order."""
    database = new_database("postgres")
    with started(tmp_path, "-d", database, "--processes", "2") as server:
        key = server.key
        with server.client() as client:
            change(client, ADA)
        children = _children(server.process.pid)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        while len(_children(server.process.pid)) < 2 or children[0] in _children(
            server.process.pid
        ):
            pass
        for _ in range(20):
            with server.client(key) as client:
                assert allowed(client)
        assert server.end() == 0
    assert _children(server.process.pid) == []


TOLD_EARLY = """
import os, signal, sys
from rescind.http.server import supervising
run = lambda: os.kill(os.getpid(), signal.SIGTERM)  # before it has handlers of its own
if sys.argv[1] == "inherited":
    supervising.forget_handlers = lambda: None
with supervising.on_signals(lambda *_: None):
    _, status = os.waitpid(supervising.fork(run), 0)
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize(("handlers", "ended"), [("forgotten", -signal.SIGTERM), ("inherited", 0)])
def test_a_process_that_is_told_before_it_serves(handlers: str, ended: int) -> None:
    """It ends by what it was told. (Control: with the parent's handlers it takes no notice.)"""
    command = [sys.executable, "-c", TOLD_EARLY, handlers]
    assert int(subprocess.run(command, capture_output=True, check=True).stdout) == ended


def _children(pid: int) -> list[int]:
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def test_a_taken_address_is_one_line(tmp_path: Path) -> None:
    """On the error stream, with nothing made of the key."""
    with started(tmp_path) as server:
        port = server.url.rpartition(":")[2]
        result = forked(tmp_path, "serve", "--port", port)
        assert (result.returncode, result.stdout) == (2, "")
        assert "in use" in result.stderr


# --- configuration --------------------------------------------------------------------------------


def test_the_later_wins(tmp_path: Path) -> None:
    """The file, the environment, the command line; each value says where it is from."""
    file = tmp_path / "rescind.toml"
    file.write_text('host = "::1"\nport = 1\nworkers = 3\n[limits]\ndepth = 9\n')
    environment = {"RESCIND_PORT": "2", "RESCIND_SETTINGS_POLL_SECONDS": "0.25"}
    made, named = load(str(file), environment, {"workers": 0, "database": None})
    assert (made.host, made.port, made.workers) == ("::1", 2, 0)
    assert (made.limits.depth, made.settings.poll_seconds) == (9, 0.25)
    origins = {each.name: each.origin for each in named}
    assert origins["port"] == "environment"
    assert origins["workers"] == "command line"
    assert origins["host"] == str(file)
    assert origins["database"] == "default"
    assert set(origins) == set(names())


@pytest.mark.parametrize(
    "text",
    [
        "port = 'x'",
        "unknown = 1",
        "[limits]\nnone = 1",
        "[limits]\ndepth = 1",
        "=",
        "limits = 1",
        "port = -1",
        "processes = 2",
        "log_level = 'loud'",
        "migrate = 7",
        "[probe]\nevery_seconds = -1",
        "[decision_log]\ndecisions = ['some']",
        "[decision_log]\nsample = 2",
        "[decision_log]\nfile = 'unused'",
        "[decision_log]\nfiles = 3",
        "[decision_log]\ndecisions = ['all']\nfiles = 3",
        "[settings]\naudit_pause_seconds = -1",
    ],
)
def test_a_bad_configuration_is_named(tmp_path: Path, text: str) -> None:
    """With the setting, before anything is started."""
    file = tmp_path / "rescind.toml"
    file.write_text(text)
    with pytest.raises(InvalidArgument):
        load(str(file), {}, {})


@pytest.mark.parametrize(
    "name", ["RESCIND_LIMITS_DEPHT", "RESCIND_SETTINGS_", "RESCIND_LIMITS_X_Y"]
)
def test_an_unknown_variable_of_a_part_is_named(name: str) -> None:
    """As an unknown key of the file is; one that is empty, or of no part, may be there."""
    with pytest.raises(InvalidArgument, match=name):
        load(None, {name: "1"}, {})
    made, _ = load(None, {name: "", "RESCIND_SERVICE_HOST": "10.0.0.1"}, {})
    assert made == Configuration()


def test_services_to_probe_are_separated_by_blanks(tmp_path: Path) -> None:
    """In the environment; the file has a list. The key for them is not shown."""
    variables = {"RESCIND_PROBE_URLS": "http://a:1 http://b:2", "RESCIND_PROBE_KEY": "rsk_hidden"}
    made, named = load(None, variables, {})
    assert made.probe.urls == ("http://a:1", "http://b:2")
    assert "rsk_hidden" not in str([shown(each) for each in named])
    file = tmp_path / "rescind.toml"
    file.write_text('[probe]\nurls = ["http://a:1"]\nevery_seconds = 30\n')
    made, _ = load(str(file), {}, {})
    assert (made.probe.urls, made.probe.every_seconds) == (("http://a:1",), 30.0)


def test_variables_have_names_of_their_own() -> None:
    """One for each setting."""
    assert len({variable(name) for name in names()}) == len(names())
    assert load(None, {}, {})[0] == Configuration()


def test_config_shows_no_password(tmp_path: Path) -> None:
    """Nor the user."""
    url = "postgresql://someone:hidden@db.example/rescind"
    for arguments in (("config",), ("config", "--json")):
        result = forked(tmp_path, "-d", url, *arguments)
        assert result.returncode == 0, result.stderr
        assert "rescind on db.example" in result.stdout
        assert "hidden" not in result.stdout


# --- keys -----------------------------------------------------------------------------------------


def test_keys_by_the_command_line(rescind: Callable[..., tuple[int, str, str]]) -> None:  # noqa: F811
    """Made for an organization, listed without the secret, rotated, revoked."""
    assert rescind("init")[0] == 0
    code, out, _ = rescind("keys", "create", "ci", "--scope", "check", "--days", "3", "--json")
    made = json.loads(out)
    assert (code, made["organization"], made["scopes"]) == (0, "acme", ["check"])
    assert made["secret"] not in rescind("keys", "list", "--json")[1]
    code, out, _ = rescind("keys", "rotate", made["id"], "--grace", "60")
    assert code == 0
    assert f"rsk_{made['id']}_" in out
    assert rescind("keys", "revoke", made["id"])[0] == 0
    assert "revoked" in rescind("keys")[1]
    one_error(rescind("keys", "revoke", made["id"]))
    one_error(rescind("keys", "create", "x", "--scope", "all"))
    one_error(rescind("keys", "create"))
    one_error(rescind("keys", "create", "x", "--scope", "read", "--days", "1e300"))


def test_the_demo_ends_in_a_service_that_can_be_asked(tmp_path: Path) -> None:
    """The three lines that it prints work: allowed, revoked, denied."""
    command = ("demo", "--serve", "--assignments", str(LEAST_ASSIGNMENTS))
    with started(tmp_path, command=command, RESCIND_PORT="0") as server:
        lines = [server.read_line() for _ in range(3)]
        answers = []
        for line in lines:
            _, url, _, authorization, _, _, _, body = shlex.split(line)
            name, value = authorization.split(": ")
            answer = httpx.post(url, headers={name: value}, json=json.loads(body), timeout=30)
            answers.append(answer.raise_for_status().json())
        assert [answers[0]["allowed"], answers[1]["changed"], answers[2]["allowed"]] == [
            True,
            True,
            False,
        ]
        assert server.end(signal.SIGINT) == 0
