"""Reading files: what they take of memory, however they are compressed."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from rescind import transfer as exchange
from rescind.errors import BadInput
from rescind.transfer import encodings


@pytest.fixture
def small(tmp_path: Path) -> str:
    """A file of one kilobyte that has 200,000 short lines."""
    file = tmp_path / "members.gz"
    file.write_bytes(gzip.compress(b"ab\n" * 200_000))
    return str(file)


def test_short_lines_take_what_the_file_has(small: str) -> None:
    """Not what each costs as an object. Control: as objects they take many times that."""
    tracemalloc.start()
    try:
        source = exchange.read(small)
        read = tracemalloc.get_traced_memory()[1]
        objects = tuple(source.lines)
        whole = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(objects) == 200_000
    assert read < 4 * 600_000
    assert whole > 4 * read


def test_lines_can_be_gone_through_again(tmp_path: Path) -> None:
    """With or without an end of the last one, and with a byte order mark."""
    file = tmp_path / "lines"
    file.write_bytes("\ufeffa\r\n\nb é\n".encode())
    source = exchange.read(str(file))
    assert list(source.lines) == list(source.lines) == ["a", "", "b é"]
    file.write_bytes(b"a\nb")
    assert list(exchange.read(str(file)).lines) == ["a", "b"]


def test_what_expands_without_end_is_refused(small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before all of it is there. Control: below the bound it is read."""
    assert sum(1 for _ in exchange.read(small).lines) == 200_000
    monkeypatch.setattr(encodings, "FREE_BYTES", 0)
    with pytest.raises(BadInput, match="times larger"):
        exchange.read(small)


def test_what_is_compressed_as_lists_are_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of people is far from the bound."""
    monkeypatch.setattr(encodings, "FREE_BYTES", 0)
    file = tmp_path / "people.gz"
    lines = b"group,subject\n" + b"".join(b"eng,user:%d\n" % n for n in range(50_000))
    file.write_bytes(gzip.compress(lines))
    assert sum(1 for _ in exchange.read(str(file)).lines) == 50_001


def test_all_that_is_malformed_is_named(tmp_path: Path) -> None:
    """Changes are checked many at a time, also twice the same; each that is wrong is told with its line."""
    lines = [f'{{"change": "add_membership", "subject": "user:{n % 700}"}}' for n in range(1_200)]
    wrong = {3: "robot:1", 499: "user:", 500: "user:a ", 1_199: "user:\\u200b"}
    for number, subject in wrong.items():
        lines[number] = f'{{"change": "add_membership", "subject": "{subject}"}}'
    lines[700] = '{"change": "add_membership", "organization": "other", "subject": "user:1"}'
    file = tmp_path / "changes.ndjson"
    file.write_text("\n".join(lines))
    with pytest.raises(BadInput) as raised:
        exchange.parse(exchange.read(str(file)))
    places = [problem.facts["at"] for problem in raised.value.problems]
    assert places == [f"{file}:{number + 1}" for number in wrong]
    for number in wrong:
        lines[number] = lines[0]
    file.write_text("\n".join(lines))
    assert len(exchange.parse(exchange.read(str(file)))) == 1_200
