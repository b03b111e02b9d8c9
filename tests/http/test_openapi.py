"""The OpenAPI document: whatever it allows, and much that it does not, is answered as it says."""

from __future__ import annotations

import os
import re

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from rescind.http.app import OURS
from tests.http.serving import Served

CONFORMANCE = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def test_no_operation_answers_5xx(shared: Served) -> None:
    """With a key that may do everything; 422 neither, since bad input is 400. Status, type and shape of what
    is answered are in the document.
    """
    document = schemathesis.openapi.from_url(f"{shared.url}/openapi.json")
    tried = 0
    for found in document.get_all_operations():
        operation = found.ok()
        if (
            operation.method.upper() != "DELETE"
        ):  # it might revoke the key that all of this is asked with
            tried += try_out(operation.as_strategy(), shared.admin)
    assert tried > 20


def try_out(cases: st.SearchStrategy[schemathesis.Case], key: str) -> int:
    """Send what the operation's schema allows; 1."""

    @settings(
        max_examples=int(os.environ.get("RESCIND_EXAMPLES", "4")),
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def send(case: schemathesis.Case) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {key}"})
        is_refused = answer.status_code == 501  # what is not supported on purpose
        assert answer.status_code < 500 or is_refused, (case.operation.label, answer.text)
        assert answer.status_code != 422
        case.validate_response(answer, checks=CONFORMANCE)

    send()
    return 1


def test_every_route_of_ours_is_in_the_document(shared: Served) -> None:
    """With its method and a description."""
    found = httpx.get(f"{shared.url}/openapi.json").json()
    operations = {
        (path, method): operation
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    }
    hidden = {
        path for route in OURS for path in route.paths if not route.resolve_include_in_schema()
    }
    assert hidden == {"/metrics"}  # it has a format of its own
    for route in OURS:
        for path in route.paths - hidden:
            shown = path.replace(":int", "").replace(":str", "")
            for method in route.http_methods - {"OPTIONS"}:
                assert operations[(shown, method.lower())].get("description"), path


def test_every_address_names_its_methods(onlooker: httpx.Client) -> None:
    """In `Allow`, to OPTIONS and where another is refused, as the document has them."""
    for path, methods in onlooker.get("/openapi.json").json()["paths"].items():
        place = re.sub(r"{(number)}|{\w+}", lambda each: "1" if each[1] else "x", path)
        known = {method.upper() for method in methods} | {"OPTIONS"}
        known |= {"HEAD"} if "GET" in known else set()
        for method in ("OPTIONS", "TRACE", "PROPFIND"):
            answer = onlooker.request(method, place)
            assert answer.status_code == (204 if method == "OPTIONS" else 405), path
            assert set(answer.headers["Allow"].split(", ")) == known, path


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("x-gzip", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("br, gzip; q=0.000", False),
        ("gzippy", False),
    ],
)
def test_the_document_is_compressed_for_those_that_take_it(
    shared: Served, accepted: str, is_compressed: bool
) -> None:
    """What is refused with the weight 0 is not sent."""
    answer = httpx.get(f"{shared.url}/openapi.json", headers={"Accept-Encoding": accepted})
    assert (answer.headers.get("Content-Encoding") == "gzip") == is_compressed
    assert answer.json()["paths"]


def test_operations_have_names_of_their_own(shared: Served) -> None:
    """So that clients can be made from it."""
    found = httpx.get(f"{shared.url}/openapi.json").json()
    names = [
        each["operationId"] for methods in found["paths"].values() for each in methods.values()
    ]
    assert len(names) == len(set(names))


def test_the_document_has_an_order(shared: Served) -> None:
    """It is the same in every process: paths are sorted, and parameters of a path are in its order."""
    found = httpx.get(f"{shared.url}/openapi.json").json()["paths"]
    assert list(found) == sorted(found)
    several = 0
    for path, methods in found.items():
        for operation in methods.values():
            parameters = operation.get("parameters", [])
            names = [each["name"] for each in parameters if each["in"] == "path"]
            assert names == re.findall(r"{(\w+)}", path)
            several += len(names) > 1
    assert several
