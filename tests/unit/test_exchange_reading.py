"""Reading input: what is wrong is named by file, line and column, before anything is applied."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rescind import changes
from rescind.errors import BadInput
from rescind.exchange import Format, parse, read
from rescind.exchange.readers import MAX_LINE_BYTES

Case = tuple[str, bytes, str, str]

BAD: list[Case] = [
    ("a.ndjson", b'{"change": "create_group"}\n', "a.ndjson:1", "group"),
    ("a.ndjson", b'\n{"change": "create_group", "group": 7}\n', "a.ndjson:2", "str"),
    ("a.ndjson", b'{"change": "no_such"}\n', "a.ndjson:1", "no_such"),
    ("a.ndjson", b'{"change": "create_group", "group": "a", "x": 1}\n', "a.ndjson:1", "x"),
    ("a.ndjson", b"{not json\n", "a.ndjson:1", "not JSON"),
    ("a.ndjson", b'{"change": "create_group", "group": "a"}\n[1]\n', "a.ndjson:2", "object"),
    (
        "a.ndjson",
        b'{"organization": 7, "change": "create_group", "group": "a"}\n',
        "a.ndjson:1:organization",
        "text",
    ),
    ("a.ndjson", b'{"change": "create_group", "group": " a"}\n', "a.ndjson:1", "space"),
    (
        "a.ndjson",
        b'{"change": "create_group", "group": "a", "group": "b"}\n',
        "a.ndjson:1",
        "the key 'group' is twice",
    ),
    (
        "a.ndjson",
        b'{"organization": "*", "change": "create_group", "group": "a"}\n',
        "a.ndjson:1",
        "all",
    ),
    ("a.ndjson", b'{"change": "add_membership", "subject": "robot:a"}\n', "a.ndjson:1", "robot"),
    ("a.ndjson", b"{" + b"[" * 100_000 + b"\n", "a.ndjson:1", "not JSON"),
    ("m.csv", b"subject,nmae\nada,x\n", "m.csv:1:nmae", "unknown column"),
    ("m.csv", b"subject,subject\nada,x\n", "m.csv:1:subject", "twice"),
    ("m.csv", b"group,role\neng,x\n", "m.csv:1:group", "unknown column"),
    ("m.csv", b"group,expires_at\neng,\n", "m.csv:1:subject", "missing"),
    ("m.csv", b"group,subject\neng,ada\neng,user:ada\n", "m.csv:3:group", "repeats line 2"),
    ("m.csv", b"group,subject\neng,\n", "m.csv:2:subject", "empty"),
    ("m.csv", b"group,subject\neng,ada,x\n", "m.csv:2", "3 columns"),
    ("m.csv", b"group,subject,expires_at\neng,ada,soon\n", "m.csv:2:expires_at", "not a time"),
    ("m.csv", b"group,subject,expires_at\neng,ada,2030-01-01\n", "m.csv:2:expires_at", "offset"),
    ("m.csv", b"role,holder,resource\nr,ada,document\n", "m.csv:2:resource", "type:id"),
    ("m.csv", b'subject,name\nada,"x"y\n', "m.csv:2", "not CSV"),
    ("p.txt", b"ada read\nada read write\n", "p.txt:2", "3 words"),
    ("p.txt", b"", "p.txt:1", "nothing in it"),
    ("p.txt", b"what is this\n", "p.txt:1", "not recognized"),
    ("p.txt", b"ada read\nb\xff read\n", "p.txt:2", "byte 2 of the line is not UTF-8"),
    ("p.txt", b"ada read\n" + b"x" * (MAX_LINE_BYTES + 1), "p.txt:2", "longer than 1 MiB"),
]


def written(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("name", "content", "place", "why"), BAD, ids=[f"{c[2]} {c[3]}" for c in BAD]
)
def test_bad_input_is_named(
    tmp_path: Path, name: str, content: bytes, place: str, why: str, packed: bool
) -> None:
    """BadInput says where and why, whether the file is plain or gzip."""
    path = written(tmp_path, name, gzip.compress(content) if packed else content)
    with pytest.raises(BadInput) as caught:
        parse(read(path))
    assert str(caught.value.facts["at"]) == str(tmp_path / place)
    assert why in str(caught.value.facts["why"])


def test_truncated_gzip(tmp_path: Path) -> None:
    """Gzip data that breaks off is refused with the line that it breaks off in."""
    whole = gzip.compress(b"".join(b"user-%d read\n" % n for n in range(20_000)))
    for cut in (len(whole) // 2, len(whole) - 4):
        path = written(tmp_path, "p.txt.gz", whole[:cut])
        with pytest.raises(BadInput, match="breaks off"):
            read(path)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    with pytest.raises(BadInput, match="broken"):
        read(written(tmp_path, "p.txt.gz", bytes(flipped)))


def test_gzip_equals_plain(tmp_path: Path) -> None:
    """Gzip is known by its first bytes, whatever the name, and reads as the same input."""
    content = b"\xef\xbb\xbfgroup,subject\r\neng,ada\r\n"
    plain = read(written(tmp_path, "plain.csv", content))
    packed = read(written(tmp_path, "packed.csv", gzip.compress(content)))
    assert (plain.lines, plain.digest) == (packed.lines, packed.digest)
    assert [type(i.change) for i in parse(plain)] == [type(i.change) for i in parse(packed)]


def test_members_are_coalesced(tmp_path: Path) -> None:
    """The members of a group become one change for each expiry; all are made before."""
    text = b"group,subject,expires_at\neng,ada,\neng,bob,\nops,ada,2030-01-01T00:00:00Z\n"
    found = [item.change for item in parse(read(written(tmp_path, "m.csv", text)))]
    lists = [change for change in found if isinstance(change, changes.AddMembers)]
    assert [(each.group, each.members) for each in lists] == [
        ("eng", ("user:ada", "user:bob")),
        ("ops", ("user:ada",)),
    ]
    made = [type(change) for change in found[:4]]
    assert sorted(t.__name__ for t in made) == ["AddMembership"] * 2 + ["CreateGroup"] * 2


def test_quoted_fields_keep_their_line(tmp_path: Path) -> None:
    """A quoted field may hold a comma and a line end; the place is where the row begins."""
    text = b'subject,name\nada,"Ada,\nL"\nbob,x\nbob,y\n'
    with pytest.raises(BadInput) as caught:
        parse(read(written(tmp_path, "m.csv", text)))
    assert str(caught.value.facts["at"]).endswith("m.csv:5:subject")


def test_pairs_make_equal_sets_one_group(tmp_path: Path) -> None:
    """Users with equal permissions share a group and a role, whatever the order of the lines."""
    one = parse(read(written(tmp_path, "a", b"a x\na y\nb y\nb x\nc x\n")))
    other = parse(read(written(tmp_path, "b", b"c x\nb x\nb y\na y\na x\n")))
    assert [i.change for i in one] == [i.change for i in other]
    lists = [i.change for i in one if isinstance(i.change, changes.AddMembers)]
    assert [(each.group, each.members) for each in lists] == [
        ("set-0001", ("user:a", "user:b")),
        ("set-0002", ("user:c",)),
    ]


def test_format_can_be_named(tmp_path: Path) -> None:
    """A format that is named is not guessed."""
    path = written(tmp_path, "m.csv", b"subject\nada\n")
    assert parse(read(path), Format.MEMBERSHIPS)
    with pytest.raises(BadInput, match=r"missing|unknown"):
        parse(read(path), Format.ASSIGNMENTS)
