"""The decision log: a selected decision is a whole line, or is counted as dropped; nobody waits for it."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescind.decision_log import DecisionLog, DecisionRecorder, last_used, request_context
from rescind.decision_log import files as rotated
from rescind.decision_log.context import CONTEXT, DecisionContext
from rescind.decision_log.entries import Asked
from rescind.decision_log.files import RotatedFile
from rescind.decision_log.lines import DecisionLine, DroppedLine, Line, StartLine, encoded
from rescind.errors import DecisionUnavailable, InvalidArgument, StoreUnavailable
from rescind.instruments import Instruments
from rescind.model import Decision, DecisionPoint, Question, Reason, moment
from rescind.settings import Settings

ALLOWED = Decision(allowed=True, reason=Reason.ALLOWED, point=DecisionPoint.INDEX, revision=None)
DENIED = Decision(allowed=False, reason=Reason.NO_ROLE, point=DecisionPoint.LIVE, revision=None)
CRITICAL = Decision(
    allowed=False, reason=Reason.NO_ROLE, point=DecisionPoint.LIVE, revision=None, is_critical=True
)
ASKED = ("acme", "user:ada", "read", "doc:1")
START = StartLine(timestamp=moment(0), decisions=("all",), sample=0.0, host="h", process=1)


def no_chain(question: Question, now: int) -> Decision:
    """These tests have no database."""
    raise StoreUnavailable(why=f"{question} {now}")


@contextmanager
def recorded(
    selected: str = "all", **options: Any
) -> Iterator[tuple[DecisionRecorder, list[Mapping[str, Any]], Instruments]]:
    """A log into a list: what is in it is complete after the block."""
    lines: list[Mapping[str, Any]] = []
    instruments = Instruments(Settings())
    chance = options.pop("chance", None)
    more = {} if chance is None else {"chance": chance}
    log = DecisionLog(selected, **{"to": lines.append, **options})
    recorder = DecisionRecorder(log, no_chain, instruments, **more)
    try:
        yield recorder, lines, instruments
    finally:
        recorder.close()


def of_decisions(lines: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [line for line in lines if "event" not in line]


def counted(instruments: Instruments) -> tuple[float, float]:
    """What the metrics say: written and dropped."""
    (row,) = instruments.read()
    families = instruments.decision_log_written, instruments.decision_log_dropped
    written, dropped = (row[family.first] for family in families)
    return written, dropped


# --- what is logged -------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", [ALLOWED, DENIED, CRITICAL])
@pytest.mark.parametrize("selected", ["", "critical", "denied", "critical denied", "all"])
@pytest.mark.parametrize("chance", [0.3, 0.5])
def test_what_is_selected(selected: str, decision: Decision, chance: float) -> None:
    """Any selection that fits suffices; of the others a share."""
    is_selected = (
        "all" in selected
        or ("denied" in selected and not decision.allowed)
        or ("critical" in selected and decision.is_critical)
        or chance < 0.4
    )
    with recorded(selected, sample=0.4, chance=lambda: chance) as (recorder, lines, _):
        recorder.note(ASKED, decision)
    assert len(of_decisions(lines)) == is_selected


@pytest.mark.parametrize("selected", ["critical", "denied", "all"])
def test_a_decision_that_failed_is_a_line(selected: str) -> None:
    """Whatever is selected: nobody knows what it would have been. It says no answer."""
    with recorded(selected) as (recorder, lines, _):
        recorder.note_failure(Asked(*ASKED), StoreUnavailable(why="x"))
    (line,) = of_decisions(lines)
    assert line["allowed"] is None
    assert line["error"] == "store_unavailable"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"decisions": "some"},
        {"decisions": "all", "sample": 1.5},
        {"decisions": "all", "files": 0},
        {"decisions": "all", "file": "x", "to": print},
        {"decisions": "all", "to": "x"},
        {"sample": "0.1"},
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    """Nothing is ignored in silence."""
    with pytest.raises(InvalidArgument):
        DecisionLog(**options)


def test_a_request_is_told() -> None:
    """Its ids, also of a whole `traceparent`; the ids of another request are not taken for its own."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with recorded() as (recorder, lines, _):
        with request_context(request_id="r1", trace_id=f"00-{trace}-00f067aa0ba902b7-01"):
            recorder.note(ASKED, ALLOWED)
        with request_context(request_id="r2", trace_id="0" * 32, key_id="key_1"):
            recorder.note(ASKED, ALLOWED)
        recorder.note(ASKED, ALLOWED)
    ids = ("request_id", "trace_id", "key_id")
    assert [[line.get(name) for name in ids] for line in of_decisions(lines)] == [
        ["r1", trace, None],
        ["r2", None, "key_1"],
        [None, None, None],
    ]


# --- nobody waits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "control"])
def test_what_is_decided_after_the_answer_is_no_line(is_guarded: bool) -> None:
    """The request was answered with an error; its thread decides, or fails, later, and tells nobody."""
    with recorded("all") as (recorder, lines, _):
        context = DecisionContext("request-1")
        token = CONTEXT.set(context)
        recorder.note_answered(context, "decision_unavailable")
        context.is_answered = is_guarded
        recorder.note(ASKED, ALLOWED)
        recorder.note_failure(Asked(*ASKED), DecisionUnavailable())
        CONTEXT.reset(token)
    told = [line.get("error") for line in of_decisions(lines)]
    assert told[0] == "decision_unavailable"
    assert (len(told) == 1) == is_guarded


@pytest.mark.parametrize("room", [5, 1_000])
def test_a_full_queue_drops_and_counts(room: int) -> None:
    """While the receiver hangs, decisions go on. What had no room is counted, and told in the log."""
    hangs, goes_on = threading.Event(), threading.Event()
    seen: list[Mapping[str, Any]] = []

    def receive(line: Mapping[str, Any]) -> None:
        hangs.set()
        goes_on.wait(30)
        seen.append(line)

    with recorded(to=receive, most_queued=room, close_seconds=30.0) as (recorder, _, instruments):
        recorder.note(ASKED, ALLOWED)
        assert hangs.wait(30)
        for _ in range(100):
            recorder.note(ASKED, ALLOWED)
        goes_on.set()
    written, dropped = counted(instruments)
    assert written + dropped == 101
    assert written == len(of_decisions(seen))
    assert (dropped > 0) == (room == 5)
    told = [line["dropped"] for line in seen if line.get("event") == "dropped"]
    assert sum(told) == dropped


def test_close_does_not_wait_for_ever() -> None:
    """A receiver that hangs keeps the process from nothing; what is queued is counted as dropped."""
    goes_on, hangs = threading.Event(), threading.Event()

    def receive(_: Mapping[str, Any]) -> None:
        hangs.set()
        goes_on.wait(30)

    with recorded(to=receive, close_seconds=0.01) as (recorder, _, instruments):
        recorder.note(ASKED, ALLOWED)
        assert hangs.wait(30)
        for _ in range(10):
            recorder.note(ASKED, ALLOWED)
    assert counted(instruments)[1] >= 10
    recorder.note(ASKED, ALLOWED)
    assert counted(instruments)[1] >= 11
    goes_on.set()


def test_a_stderr_that_nobody_reads(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is said of what is dropped: a message to the same full pipe would keep the process from
    ending.
    """
    unread, written = os.pipe()
    os.set_blocking(written, False)
    with suppress(BlockingIOError):
        while True:
            os.write(written, b" " * 4_096)
    os.set_blocking(written, True)
    with os.fdopen(written, "w") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        with recorded(to=None, close_seconds=0.01) as (recorder, _, instruments):
            for _ in range(10):
                recorder.note(ASKED, ALLOWED)
        said = caplog.messages.copy()
        thread = recorder.writer.thread
        assert thread is not None
        assert thread.is_alive()
        os.close(unread)
        thread.join(30)
    assert counted(instruments) == (0, 10)
    assert said == []


@pytest.mark.parametrize("error", [KeyError, SystemExit, asyncio.CancelledError])
def test_a_receiver_that_raises_loses_that_line_alone(error: type[BaseException]) -> None:
    """The decision is made all the same, and later lines are written."""
    seen: list[str] = []

    def receive(line: Mapping[str, Any]) -> None:
        if line.get("subject") == "user:2":
            raise error("user:2")
        seen.append(line.get("subject") or line["event"])

    with recorded(to=receive) as (recorder, _, instruments):
        for number in range(5):
            recorder.note(("acme", f"user:{number}", "read", None), ALLOWED)
    assert seen == ["started", "user:0", "user:1", "user:3", "user:4", "dropped"]
    assert counted(instruments) == (4, 1)


def test_a_receiver_that_asks_is_not_logged() -> None:
    """Else each line would make another one."""
    seen: list[Mapping[str, Any]] = []

    def receive(line: Mapping[str, Any]) -> None:
        seen.append(line)
        recorder.note(ASKED, DENIED)

    with recorded(to=receive) as (recorder, _, _):
        recorder.note(ASKED, ALLOWED)
    assert len(of_decisions(seen)) == 1


def test_a_child_writes_its_own_decisions_alone(tmp_path: Path) -> None:
    """What the parent had queued is in the log once. The child has a thread and a descriptor of its own."""
    file = tmp_path / "log"
    instruments = Instruments(Settings())
    recorder = DecisionRecorder(DecisionLog("all", file=file), no_chain, instruments)
    recorder.writer.is_idle = False  # so that no thread takes it from the queue before the fork
    recorder.note(("acme", "user:parent", "read", None), ALLOWED)
    child = os.fork()
    if not child:
        recorder.note(("acme", "user:child", "read", None), ALLOWED)
        recorder.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    recorder.writer.is_idle = True
    recorder.note(("acme", "user:parent", "write", None), ALLOWED)
    recorder.close()
    subjects = [
        line.get("subject")
        for line in map(json.loads, file.read_text().splitlines())
        if "event" not in line
    ]
    assert sorted(subjects) == ["user:child", "user:parent", "user:parent"]


# --- lines ----------------------------------------------------------------------------------------

HOSTILE = st.text(min_size=1) | st.sampled_from(
    [
        "a\nb",
        "a\r\n{}",
        "\x1b[31m",
        "\u2028",
        "<script>",
        '"',
        "\\",
        "\udc80",
        "x" * 10_000,
        "\x7f",
        "\x00",
    ]
)


@settings(deadline=None, max_examples=40)
@given(st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE))
def test_a_hostile_name_stays_on_its_line(names: tuple[str, str, str, str]) -> None:
    """One line of plain ASCII that a terminal and a page take for text, and that has the name in it."""
    text = encoded([DecisionLine(moment(0), *names, True, "allowed", "index", None)])
    assert text.count(b"\n") == 1
    assert text.endswith(b"\n")
    assert set(text[:-1]) <= set(range(0x20, 0x7F)) - set(b"<>&")
    read = json.loads(text)
    for name, field in zip(
        names, ("organization", "subject", "permission", "resource"), strict=True
    ):
        assert read[field] == name.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize("value", [None, 7, b"x", object(), "x" * 10_000, "\udc80" * 400])
def test_a_question_that_was_refused_is_bounded(value: Any) -> None:
    """Anything may be asked. A line shows the beginning of it, or its type, and calls nothing of it."""
    with recorded() as (recorder, lines, _):
        recorder.note_failure(Asked(value, value, value, value, at_least=value), StoreUnavailable())
    (line,) = of_decisions(lines)
    assert len(json.dumps(line)) < 20_000


# --- the file -------------------------------------------------------------------------------------


def line_about(number: int) -> Line:
    return DecisionLine(
        moment(number), "acme", f"user:{number}", "read", "doc:1", True, "allowed", "index", None
    )


def subjects_in(folder: Path) -> list[str]:
    """The subjects of all lines of all files; each line is whole."""
    texts = [text for file in folder.iterdir() for text in file.read_bytes().splitlines()]
    return [line["subject"] for line in map(json.loads, texts) if "subject" in line]


def alternating(folder: Path, most_bytes: int, files: int, lines: int) -> list[str]:
    """Two writers of one file, as of two processes, in turns."""
    both = [RotatedFile(folder / "log", most_bytes, files, lambda: START) for _ in range(2)]
    for number in range(lines):
        assert both[number % 2].write([line_about(number)]).lines == 1
    for each in both:
        each.close()
    return subjects_in(folder)


@pytest.mark.parametrize("most_bytes", [600, 5_000, 10**9])
def test_several_writers_tear_and_lose_nothing(tmp_path: Path, most_bytes: int) -> None:
    """Whoever rotates, each line is in one of the files, whole, and the files are their owner's alone."""
    assert sorted(alternating(tmp_path, most_bytes, 200, 100)) == sorted(
        f"user:{n}" for n in range(100)
    )
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_the_control_without_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writers with positions of their own write over each other."""
    monkeypatch.setattr(rotated, "FLAGS", os.O_RDWR | os.O_CREAT)
    with pytest.raises((AssertionError, ValueError)):
        assert len(alternating(tmp_path, 10**9, 2, 100)) == 100


def test_old_files_are_deleted(tmp_path: Path) -> None:
    """There are never more than `files`, none much larger than `most_bytes`; the newest lines stay."""
    found = alternating(tmp_path, 1_000, 3, 100)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert max(file.stat().st_size for file in tmp_path.iterdir()) < 1_500
    assert "user:99" in found
    assert "user:0" not in found


def test_a_file_that_cannot_be_rotated_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder of somebody else's: nothing is lost."""

    def replace(*_: Any) -> None:
        raise PermissionError(13, "no")

    with monkeypatch.context() as patched:
        patched.setattr(rotated.os, "replace", replace)
        assert len(alternating(tmp_path, 300, 3, 20)) == 20
    assert [file.name for file in tmp_path.iterdir()] == ["log"]


def test_a_mode_that_was_set_stays(tmp_path: Path) -> None:
    """So that a collector that may read the file may read its successor."""
    file = RotatedFile(tmp_path / "log", 200, 3, lambda: START)
    file.write([line_about(1)])
    (tmp_path / "log").chmod(0o640)
    file.write([line_about(2)])
    file.close()
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o640}


def test_a_file_that_others_rename_is_opened_anew(tmp_path: Path) -> None:
    """As logrotate does."""
    file = RotatedFile(tmp_path / "log", 10**9, 3, lambda: START)
    file.write([line_about(1)])
    (tmp_path / "log").rename(tmp_path / "elsewhere")
    file.write([line_about(2)])
    file.close()
    assert b"user:2" in (tmp_path / "log").read_bytes()


@pytest.mark.parametrize("fits", [0, 10, 250, 400])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: int) -> None:
    """A line that is cut does not spoil the next one, and whole lines are not written twice."""
    log = tmp_path / "log"
    file = RotatedFile(log, 10**9, 3, lambda: START)
    file.write([line_about(0)])
    with monkeypatch.context() as patched:
        write = os.write
        patched.setattr(rotated.os, "write", lambda to, data: write(to, data[:fits]))
        lines = [line_about(number) for number in range(1, 4)]
        done = file.write(lines)
        assert done.error is not None
    assert file.write(lines[done.lines :]).error is None
    file.close()
    found = last_used([log])
    assert {use.subject for use in found.uses} == {f"user:{number}" for number in range(4)}
    assert found.damaged <= 1


def test_no_file_can_be_made(tmp_path: Path) -> None:
    """It is said at once, not when the first decision is lost."""
    for path in (tmp_path, tmp_path / "none" / "log"):
        with pytest.raises(InvalidArgument):
            RotatedFile(path, 1, 1, lambda: START)


# --- reading --------------------------------------------------------------------------------------


def written(file: Path, lines: list[Line], change: Callable[[bytes], bytes] = bytes) -> Path:
    file.write_bytes(change(encoded([START, *lines])))
    return file


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 10**9), st.booleans(), st.booleans()),
        max_size=30,
    )
)
def test_last_used_is_the_last_time_that_it_was_allowed(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[int, int, bool, bool]]
) -> None:
    """In whatever order files and lines are, and whether or not they are compressed."""
    folder = tmp_path_factory.mktemp("log")
    lines: list[Line] = [
        DecisionLine(moment(at), "acme", f"user:{n}", "read", "r", ok, "", "", None, explain=shown)
        for n, at, ok, shown in made
    ]
    half = len(lines) // 2
    files = [
        written(folder / "log.1", lines[:half]),
        written(folder / "log", lines[half:], gzip.compress),
    ]
    found = last_used(files)
    expected: dict[str, int] = {}
    for n, at, ok, shown in made:
        if ok and not shown:
            expected[f"user:{n}"] = max(at, expected.get(f"user:{n}", 0))
    assert {use.subject: at for use, at in found.uses.items()} == {
        subject: moment(at) for subject, at in expected.items()
    }
    assert found.is_whole
    assert last_used(files, organization="other").uses == {}


def test_what_files_cannot_tell(tmp_path: Path) -> None:
    """A cut line, a gap, a file whose beginning is missing, and a selection: `is_whole` is false."""
    one = [line_about(1)]
    assert last_used([written(tmp_path / "whole", one)]).is_whole
    cut = last_used([written(tmp_path / "cut", one, lambda text: text[:-5])])
    assert (cut.damaged, cut.is_whole) == (1, False)
    short = written(tmp_path / "short", one, lambda text: gzip.compress(text)[:-9])
    assert last_used([short]).damaged >= 1
    gap = last_used([written(tmp_path / "gap", [DroppedLine(moment(1), 7)])])
    assert (gap.dropped, gap.is_whole) == (7, False)
    headless = written(tmp_path / "headless", one, lambda text: text.partition(b"\n")[2])
    assert not last_used([headless]).is_whole
    (tmp_path / "critical").write_bytes(
        encoded(
            [
                StartLine(
                    timestamp=moment(0), decisions=("critical",), sample=0.0, host="h", process=1
                )
            ]
        )
    )
    assert not last_used([tmp_path / "critical"]).is_whole
    assert not last_used([]).is_whole
