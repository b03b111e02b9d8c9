"""Spans of OpenTelemetry: below each other, and below the trace that a request names; none without an SDK."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from rescind import Authority
from rescind.changes import AddMembers, RemoveMembers
from rescind.errors import GroupNotFound
from rescind.http.keys import Keys
from rescind.http.server.service import Service
from rescind.instruments import Instruments
from rescind.settings import Settings
from rescind.store import open_store
from rescind.tracing import NO_SPANS, OpenTelemetrySpans, current_spans
from tests.contract.world import WORLD
from tests.http.serving import serving

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
def spans(exporter: InMemorySpanExporter) -> OpenTelemetrySpans:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return OpenTelemetrySpans(provider.get_tracer("test"))


@pytest.fixture
def traced(
    new_database: Callable[[str], str], spans: OpenTelemetrySpans, exporter: InMemorySpanExporter
) -> Iterator[Authority]:
    store, settings = open_store(new_database("sqlite")), Settings()
    instruments = Instruments(settings, spans=spans)
    with Authority(store, organization="acme", instruments=instruments) as authority:
        authority.apply(WORLD)
        exporter.clear()
        yield authority


def tree(found: tuple[ReadableSpan, ...]) -> dict[str, str | None]:
    """For each span's name, that of the span above it."""
    names = {span.context.span_id: span.name for span in found if span.context is not None}
    return {
        span.name: None if span.parent is None else names.get(span.parent.span_id, "elsewhere")
        for span in found
    }


def test_enforcement_is_below_its_change(traced: Authority, exporter: InMemorySpanExporter) -> None:
    """A chunk and a check in SQL stand alone; a refusal ends a change as failed, with its code."""
    traced.apply([RemoveMembers(group="eng", members=("user:ada",))])
    assert tree(exporter.get_finished_spans()) == {
        "rescind.change": None,
        "rescind.enforce": "rescind.change",
    }
    change = exporter.get_finished_spans()[-1]
    assert change.attributes is not None
    assert change.attributes["rescind.kind"] == "remove_members"
    assert change.attributes["rescind.direction"] == "revokes"
    exporter.clear()

    traced.apply([AddMembers(group="eng", members=("user:cyd",))], route="background")
    with traced.workers():
        while traced.has_due_work():
            pass
    traced.check("user:ada", "read")
    found = tree(exporter.get_finished_spans())
    assert found == {"rescind.change": None, "rescind.chunk": None, "rescind.sql_check": None}
    exporter.clear()

    with pytest.raises(GroupNotFound):
        traced.apply([AddMembers(group="none", members=("user:ada",))])
    (refused,) = exporter.get_finished_spans()
    assert (refused.status.is_ok, refused.status.description) == (False, "group_not_found")


@pytest.mark.parametrize("step", ["on_start", "on_end"])
def test_a_fault_of_the_sdk_breaks_nothing(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A change is done and a check is answered; a refusal stays what it is."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left")

    processor, provider = SpanProcessor(), TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(processor, step, fail)
    provider.add_span_processor(processor)
    instruments = Instruments(Settings(), spans=OpenTelemetrySpans(provider.get_tracer("test")))
    store = open_store(new_database("sqlite"))
    with Authority(store, organization="acme", instruments=instruments) as authority:
        assert authority.apply(WORLD).changed
        assert authority.check("user:ada", "read")
        assert authority.apply([RemoveMembers(group="eng", members=("user:ada",))]).changed
        with pytest.raises(GroupNotFound):
            authority.apply([AddMembers(group="none", members=("user:ada",))])


def test_a_request_is_below_the_trace_that_it_names(
    traced: Authority, exporter: InMemorySpanExporter, spans: OpenTelemetrySpans
) -> None:
    """W3C trace context comes in by HTTP, goes on into threads, and out to whom is asked."""
    with serving(Service(traced, Keys(traced.store))) as served, served.client() as client:
        exporter.clear()
        asked = {"organization": "acme", "subject": "user:ada", "permission": "read"}
        answers = [
            client.post(path, json=body, headers={"traceparent": TRACEPARENT})
            for path, body in (
                ("/v1/check", asked),
                ("/v1/changes", {"organization": "acme", "changes": [CREATE]}),
            )
        ]
    assert [answer.status_code for answer in answers] == [200, 200]
    found = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in found if span.context} == {TRACE}
    assert tree(found) == {
        "rescind.sql_check": "rescind.request",
        "rescind.change": "rescind.request",
        "rescind.request": "elsewhere",
    }
    statuses = [
        span.attributes["rescind.status"] for span in found if span.attributes and span.kind.value
    ]
    assert statuses == [200, 200]
    with spans.request("GET", {b"traceparent": TRACEPARENT.encode()}):
        assert spans.headers()["traceparent"].split("-")[1] == TRACE


CREATE = {"change": "create_group", "group": "new"}


def test_a_hostile_traceparent_begins_a_trace_of_its_own(
    spans: OpenTelemetrySpans, exporter: InMemorySpanExporter
) -> None:
    """It is no error, and none of it is kept."""
    exporter.clear()
    for given in (b"", b"00-x", b"\xff" * 4_096, TRACEPARENT.encode() + b"-extra"):
        with spans.request("GET", {b"traceparent": given, b"tracestate": b"=,\x00"}):
            pass
    found = exporter.get_finished_spans()
    assert [span.parent for span in found] == [None] * 4


WITHOUT = """
import sys
from rescind.tracing import current_spans, NO_SPANS
assert current_spans() is NO_SPANS
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
import opentelemetry.trace
assert current_spans() is NO_SPANS
from opentelemetry.sdk.trace import TracerProvider
opentelemetry.trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
assert current_spans().is_on
print("done")
"""


def test_without_an_sdk_there_are_no_spans(tmp_path: Path) -> None:
    """Nothing is imported for them; an SDK that is set up is seen."""
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=tmp_path
    )
    assert ran.stdout == "done\n", ran.stderr


def test_no_span_is_one_object_for_all() -> None:
    """So that it costs a call, and no memory."""
    assert NO_SPANS.span("change", kind="assign") is NO_SPANS
    assert NO_SPANS.request("GET", {}) is NO_SPANS
    assert NO_SPANS.headers() == {}
    assert current_spans() is NO_SPANS
    assert httpx.Headers(NO_SPANS.headers()) == httpx.Headers()
