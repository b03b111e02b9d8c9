"""Spans of OpenTelemetry, where the application has set up an SDK; else nothing, at no cost.

Whether there is an SDK is looked at once, when an authority or a worker is made: set it up before that. Only
`opentelemetry-api` is needed, and nothing of it is imported unless the application did.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol

from rescind.errors import RescindError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

NAME: Final = "rescind"
Value = str | int | float | bool


class Span(Protocol):
    """A span that is under way."""

    def note(self, **attributes: Value) -> None:
        """Add attributes, `rescind.` before their names."""


class Spans(Protocol):
    """Makes spans."""

    is_on: bool

    def span(self, name: str, **attributes: Value) -> AbstractContextManager[Span]:
        """A span for the length of a block, below the one that is under way. An error ends it as failed."""

    def request(self, method: str, headers: Mapping[bytes, bytes]) -> AbstractContextManager[Span]:
        """The span of an HTTP request, below the one that the request's `traceparent` names."""

    def headers(self) -> dict[str, str]:
        """What an outgoing request carries, so that the other side's spans are below this one's."""

    def trace_id(self) -> str | None:
        """The W3C trace id of the span that is under way, if there is one."""


class _Nothing:
    """No span, and what makes none."""

    is_on = False

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""

    def note(self, **attributes: Value) -> None:
        """There is nothing to add to."""

    def span(self, name: str, **attributes: Value) -> _Nothing:  # noqa: ARG002
        return self

    def request(self, method: str, headers: Mapping[bytes, bytes]) -> _Nothing:  # noqa: ARG002
        return self

    def headers(self) -> dict[str, str]:
        return {}

    def trace_id(self) -> str | None:
        return None


NO_SPANS: Final[Spans] = _Nothing()


class OpenTelemetrySpans:
    """Makes spans with a tracer. The caller's or the SDK's context carries them, also into threads."""

    is_on = True

    def __init__(self, tracer: Tracer) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer, self._propagator = tracer, TraceContextTextMapPropagator()

    def span(self, name: str, **attributes: Value) -> AbstractContextManager[Span]:
        return _Open(self._started(f"{NAME}.{name}"), attributes)

    def request(self, method: str, headers: Mapping[bytes, bytes]) -> AbstractContextManager[Span]:
        from opentelemetry.trace import SpanKind

        carrier = {
            name: headers[name.encode()].decode("latin-1")
            for name in ("traceparent", "tracestate")
            if name.encode() in headers
        }
        context = self._propagator.extract(carrier)
        started = self._started(f"{NAME}.request", context=context, kind=SpanKind.SERVER)
        return _Open(started, {"method": method})

    def headers(self) -> dict[str, str]:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier

    def trace_id(self) -> str | None:
        from opentelemetry.trace import format_trace_id, get_current_span

        context = get_current_span().get_span_context()
        return format_trace_id(context.trace_id) if context.is_valid else None

    def _started(self, name: str, **options: Any) -> AbstractContextManager[Any]:
        return self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False, **options
        )


class _Open:
    """A span for the length of a block. A fault of the SDK is logged, and the block goes on."""

    def __init__(
        self, started: AbstractContextManager[Any], attributes: Mapping[str, Value]
    ) -> None:
        self._started, self._attributes = started, attributes
        self._span: Any = None

    def __enter__(self) -> _Open:
        with _tolerated():
            self._span = self._started.__enter__()
        self.note(**self._attributes)
        return self

    def note(self, **attributes: Value) -> None:
        if self._span is None:
            return
        with _tolerated():
            for name, value in attributes.items():
                self._span.set_attribute(f"{NAME}.{name}", value)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._span is None:
            return
        if error is not None:
            from opentelemetry.trace import Status, StatusCode

            code = error.code if isinstance(error, RescindError) else type(error).__name__
            with _tolerated():
                self._span.set_status(Status(StatusCode.ERROR, code))
        with _tolerated():
            self._started.__exit__(kind, error, trace)


@contextmanager
def _tolerated() -> Iterator[None]:
    """Log a fault of the SDK. A change that is committed must not seem to have failed by it."""
    try:
        yield
    except Exception as error:
        import logging

        logging.getLogger(__name__).warning("a span is lost: %r", error)


def current_spans() -> Spans:
    """The spans of the SDK that is set up; NO_SPANS if there is none."""
    if "opentelemetry.trace" not in sys.modules:
        return NO_SPANS
    from opentelemetry import trace

    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return NO_SPANS
    return OpenTelemetrySpans(provider.get_tracer(NAME))
