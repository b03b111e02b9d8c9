"""`rescind monitoring export`: the same files each time, and nothing lost that was there."""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from pathlib import Path, PurePosixPath

import pytest
import yaml

from rescind.cli import run
from rescind.errors import InvalidArgument
from rescind.insight.monitoring import Options, monitoring_files, unreachable_alerts, write_files
from rescind.model import Direction
from rescind.settings import Settings
from tests.docs.pages import ROOT, anchors, links

FILES = {PurePosixPath("a.yml"): "one\n", PurePosixPath("sub/b.md"): "two\n"}


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def alerts() -> list[dict[str, str]]:
    """The annotations of each alert with its name."""
    return [
        rule["annotations"] | {"alert": rule["alert"], "severity": rule["labels"]["severity"]}
        for path, text in monitoring_files(Options()).items()
        if path.parts[0] == "prometheus"
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def test_export_writes_everything_and_the_same_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second export finds all as it would write it, and changes no file."""
    folder = tmp_path / "new" / "monitoring"
    assert run(["monitoring", "export", str(folder)]) == 0
    written = content(folder)
    assert {path.partition("/")[0] for path in written} == {
        "README.md", "grafana", "prometheus", "runbooks", "slo"
    }  # fmt: skip
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    capsys.readouterr()
    assert run(["monitoring", "export", str(folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] == []
    assert sorted(said["unchanged"]) == sorted(written)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


def test_no_placeholder_is_left() -> None:
    """And no line ends in blanks, whatever the options are."""
    options = Options(Settings(grant_target_seconds=2.5), "eu/prod", "https://wiki.example/r")
    for text in monitoring_files(options).values():
        assert not re.search(r"@\{|[ \t]+$", text, re.MULTILINE)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_other_files_are_kept(tmp_path: Path) -> None:
    """Whatever else is in the folder stays, with --force too."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "mine.yml").write_text("mine")
    (tmp_path / "sub/mine.md").write_text("mine too")
    for force in (False, True):
        write_files(tmp_path, FILES, force=force)
        assert content(tmp_path) == {
            "a.yml": b"one\n",
            "sub/b.md": b"two\n",
            "mine.yml": b"mine",
            "sub/mine.md": b"mine too",
        }


def test_a_file_of_ones_own_is_not_replaced(tmp_path: Path) -> None:
    """The error names the files and says how to go on; nothing is written. With force they are replaced."""
    (tmp_path / "a.yml").write_text("mine")
    with pytest.raises(InvalidArgument, match=r"a\.yml.*force=True"):
        write_files(tmp_path, FILES, force=False)
    assert content(tmp_path) == {"a.yml": b"mine"}
    assert write_files(tmp_path, FILES, force=True).written == tuple(FILES)
    assert content(tmp_path) == {"a.yml": b"one\n", "sub/b.md": b"two\n"}


def test_the_command_says_it_as_it_is_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line, and `--force`."""
    (tmp_path / "README.md").write_text("mine")
    assert run(["monitoring", "export", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "README.md" in line
    assert "--force" in line
    assert content(tmp_path) == {"README.md": b"mine"}


@pytest.mark.parametrize("name", ["file", "file/below", "link", "fifo"])
def test_a_file_in_place_of_the_folder(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written, and the error names it."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    assert run(["monitoring", "export", str(tmp_path / name), "--force"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert name in line
    assert "Not a directory" in line
    assert content(tmp_path) == {"file": b"mine"}


def test_what_is_no_file_is_not_followed(tmp_path: Path) -> None:
    """A link is replaced, not what it leads to; a pipe is not read; a folder is never replaced."""
    target, folder = tmp_path / "target", tmp_path / "export"
    target.write_text("one\n")
    folder.mkdir()
    (folder / "a.yml").symlink_to(target)
    (folder / "sub").mkdir()
    os.mkfifo(folder / "sub/b.md")
    with pytest.raises(InvalidArgument):
        write_files(folder, FILES, force=False)
    target.write_text("mine")
    write_files(folder, FILES, force=True)
    assert target.read_text() == "mine"
    assert stat.S_ISREG((folder / "a.yml").lstat().st_mode)
    assert stat.S_ISREG((folder / "sub/b.md").lstat().st_mode)
    (folder / "a.yml").unlink()
    (folder / "a.yml").mkdir()
    with pytest.raises(IsADirectoryError, match=r"a\.yml"):
        write_files(folder, FILES, force=True)


@pytest.mark.parametrize("failing", [1, 2])
def test_a_full_disk_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """Whichever file cannot be written: what was there is still there, whole, and nothing is left over."""
    (tmp_path / "a.yml").write_text("mine")
    opened, real = [], Path.open

    def fail(path: Path, *arguments: object, **options: object) -> object:
        opened.extend([path] if "x" in arguments else [])
        if len(opened) == failing:
            raise OSError(28, "No space left on device", str(path))
        return real(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(OSError, match="No space left") as raised:
        write_files(tmp_path, FILES, force=True)
    assert raised.value.filename == str(tmp_path / list(FILES)[failing - 1])
    monkeypatch.undo()
    assert content(tmp_path) == {"a.yml": b"mine"}


def test_two_exports_at_once(tmp_path: Path) -> None:
    """Each file is whole, whichever was later."""
    each = [{path: f"{text}{number}" for path, text in FILES.items()} for number in range(4)]
    threads = [
        threading.Thread(target=write_files, args=(tmp_path, one), kwargs={"force": True})
        for one in each
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, data in content(tmp_path).items():
        assert data.decode() in {one[PurePosixPath(name)] for one in each}
    assert len(content(tmp_path)) == 2


@pytest.mark.parametrize("job", ["", 'a"b', "a\nb", "a{b}", "ü", "x" * 201, "$(x)"])
def test_jobs_that_would_break_a_rule(job: str) -> None:
    """What would need an escape in PromQL or YAML is refused."""
    with pytest.raises(InvalidArgument, match="--job"):
        Options(job=job)


@pytest.mark.parametrize(
    "url",
    ["", "wiki", "ftp://wiki/", "https://", "https://wiki/a b", 'https://wiki/"', "https://w/{{x}}",
     "https://wiki/\n", "javascript://x/", "https://wiki/'", "https://wiki/\\", "https://w/" + "x" * 2_000],
)  # fmt: skip
def test_urls_that_would_break_a_rule(url: str) -> None:
    """Only web addresses that need no escape."""
    with pytest.raises(InvalidArgument, match="--runbooks"):
        Options(runbooks=url)


def test_every_runbook_link_resolves() -> None:
    """Of each alert, to the page of its name; and no page is without an alert."""
    found = monitoring_files(Options())
    pages = {str(path) for path in found if path.parts[0] == "runbooks"}
    assert {alert["runbook_url"] for alert in alerts()} == pages
    for alert in alerts():
        page = found[PurePosixPath(alert["runbook_url"])]
        assert page.startswith(f"# {alert['alert']}\n\nSeverity: {alert['severity']}") or (
            alert["alert"].endswith("BudgetBurn") and alert["severity"] == "ticket"
        )
        for heading in ("What it means", "What to look at", "What to do"):
            assert f"\n## {heading}\n" in page
    url = "https://wiki.example/rescind"
    for runbooks in (url, f"{url}/"):
        texts = monitoring_files(Options(runbooks=runbooks)).values()
        links_there = {each for text in texts for each in re.findall(r"runbook_url: (.+)", text)}
        assert links_there == {f"{url}/{PurePosixPath(page).name}" for page in pages}


def test_links_of_runbooks_resolve(tmp_path: Path) -> None:
    """Within the export, from one page to another."""
    write_files(tmp_path, monitoring_files(Options()), force=False)
    for page in tmp_path.rglob("*.md"):
        for link in links(page):
            target, _, anchor = link.partition("#")
            assert (page.parent / target).is_file(), f"{page.name}: {link}"
            assert not anchor or anchor in anchors(page.parent / target)


def test_runbooks_of_the_documentation_are_those_of_the_export() -> None:
    """`docs/howto/runbooks` has what an export with the settings' own targets writes."""
    exported = {
        path.name: text
        for path, text in monitoring_files(Options()).items()
        if path.parts[0] == "runbooks"
    }
    folder = ROOT / "docs/howto/runbooks"
    assert {page.name: page.read_text("utf-8") for page in folder.glob("*.md")} == exported


def test_alerts_are_listed_in_the_documentation() -> None:
    """Each with its severity and a link to its page."""
    text = (ROOT / "docs/howto/monitor.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| ([a-z, ]+) \|", text, re.MULTILINE)
    severities: dict[str, set[str]] = {}
    for alert in alerts():
        severities.setdefault(alert["alert"], set()).add(alert["severity"])
    assert sorted(rows) == sorted(
        (name, name, ", ".join(sorted(known))) for name, known in severities.items()
    )


def test_targets_that_no_burn_rate_reaches() -> None:
    """If so many may be late that even all do not burn 14.4 times the budget, the command warns."""
    assert unreachable_alerts(Settings()) == []
    assert unreachable_alerts(Settings(grant_target_share=0.93)) == [Direction.GRANTS]


@pytest.mark.parametrize(("share", "seconds"), [(0.0, 1.0), (1.5, 1.0), (0.5, 0.0)])
def test_targets_that_are_none(share: float, seconds: float) -> None:
    """A share of nothing or of more than all, and no time at all."""
    settings = Settings(grant_target_share=share, grant_target_seconds=seconds)
    with pytest.raises(InvalidArgument, match="grant_target"):
        monitoring_files(Options(settings))


def test_numbers_are_written_out() -> None:
    """However small the budget is: no exponents and no digits that come from rounding."""
    settings = Settings(revocation_target_share=0.999999, revocation_target_seconds=1)
    text = "".join(monitoring_files(Options(settings)).values())
    assert "14.4 * 0.000001\n" in text
    assert "99.9999 %" in text
    assert 'le="1.0"' in text
    assert not re.search(r"\d{9}", text)
