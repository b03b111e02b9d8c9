"""`GET /v1/log/head` and `/v1/log/verify`: the proof of the log, for keys that may read it."""

from __future__ import annotations

from typing import Any

import pytest

from rescind.http.routes import log_proof
from tests.http.serving import Served

ACME = {"organization": "acme"}


def get(served: Served, path: str, key: str | None = None, **query: Any) -> Any:
    with served.client(key or served.admin) as client:
        return client.get(path, params=query)


def test_the_head_fits_until_something_is_altered(shared: Served) -> None:
    (head,) = get(shared, "/v1/log/head", **ACME).json()["heads"]
    assert (head["organization"], head["revision"], len(head["digest"])) == ("acme", 1, 64)
    kept = {name: head[name] for name in ("number", "revision", "digest")}
    (found,) = get(shared, "/v1/log/verify", **ACME, **kept).json()["logs"]
    assert (found["fits"], found["rows"], found["heads"], found["fault"]) == (True, 1, 1, None)
    (other,) = get(shared, "/v1/log/verify", **ACME, **{**kept, "digest": "00" * 32}).json()["logs"]
    assert (other["fits"], other["fault"]["kind"]) == (False, "head_differs")


def post(served: Served, heads: Any, key: str | None = None, **body: Any) -> Any:
    with served.client(key or served.admin) as client:
        return client.post("/v1/log/verify", json={"heads": heads, **body})


def test_any_number_of_kept_heads_is_compared(shared: Served) -> None:
    """As the head was printed, with what others' heads there are in the file."""
    (head,) = get(shared, "/v1/log/head", **ACME).json()["heads"]
    other = {**head, "organization": "other", "number": 99}
    wrong = {**head, "digest": "00" * 32}
    unnamed = {name: head[name] for name in ("number", "revision", "digest")}
    key = shared.key("read", organization="acme")
    for heads in ([head], [other, head], [unnamed], [head, unnamed]):
        (found,) = post(shared, heads, key).json()["logs"]
        assert (found["fits"], found["heads"]) == (True, 1)
    (found,) = post(shared, [wrong], **ACME).json()["logs"]
    assert found["fault"]["kind"] == "head_differs"
    ahead = {**head, "revision": 9}
    (found,) = post(shared, [head, ahead], **ACME).json()["logs"]
    assert (found["fault"]["kind"], found["fault"]["revision"]) == ("head_missing", 9)
    for heads in (
        [],
        [other],
        [head, wrong],
        [{**head, "number": -1}],
        [{**head, "digest": "x"}],
        7,
    ):
        assert post(shared, heads, **ACME).status_code == 400
    assert post(shared, [head], key, organization="other").status_code == 404


def test_a_bound_key_sees_its_own(shared: Served) -> None:
    key = shared.key("read", organization="acme")
    (head,) = get(shared, "/v1/log/head", key).json()["heads"]
    assert head["organization"] == "acme"
    for path in ("/v1/log/head", "/v1/log/verify"):
        assert get(shared, path, key, organization="other").status_code == 404
        assert get(shared, path, shared.key("check")).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"number": 1},
        {"number": -1, "revision": 1, "digest": "00"},
        {"number": 1, "revision": 1, "digest": "x"},
    ],
)
def test_part_of_a_head_is_refused(shared: Served, query: dict[str, Any]) -> None:
    assert get(shared, "/v1/log/verify", **ACME, **query).status_code == 400


def test_a_long_log_is_left_to_the_command(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_proof, "MOST_VERIFIED", 0)
    answer = get(shared, "/v1/log/verify", **ACME)
    assert answer.status_code == 400
    assert "rescind log verify" in answer.text
