"""Notes decisions: which are selected, and into the queue. Never waits, and never makes a decision fail."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import Token
from datetime import datetime
from typing import Any

from rescind.decision_log.chains import Explain
from rescind.decision_log.context import CONTEXT, UNLOGGED, DecisionContext
from rescind.decision_log.entries import UNKNOWN_NAME, Asked, bounded
from rescind.decision_log.options import DecisionLog
from rescind.decision_log.writer import DecisionWriter
from rescind.errors import InvalidArgument
from rescind.instruments import Instruments
from rescind.model import Decision, microseconds


class DecisionRecorder:
    """Notes the decisions of one authority. Safe to use from many threads. A forked child has its own queue.

    `explain` finds the chain of a critical decision. `nanoseconds` is the time since 1970.
    """

    def __init__(
        self,
        options: DecisionLog,
        explain: Explain,
        instruments: Instruments,
        *,
        nanoseconds: Callable[[], int] = time.time_ns,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Raises InvalidArgument where the file cannot be opened."""
        self.options = options
        selected = options.selected
        self._is_whole, self._share = options.is_whole, options.sample
        self._has_denied, self._has_critical = "denied" in selected, "critical" in selected
        self._context = CONTEXT.get
        self._time, self._chance, self._spans = nanoseconds, chance, instruments.spans
        self.writer = DecisionWriter(options, explain, instruments)

    def close(self) -> None:
        """Write what is queued, for `close_seconds` at most. What is noted later is dropped and counted."""
        self.writer.close()

    # --- decisions --------------------------------------------------------------------------------

    def note(self, asked: tuple[Any, ...], decision: Decision) -> None:
        """A decision was made; `asked` has the fields of `Asked`, at least the first four."""
        if not self._is_whole and not self._selects(decision):
            return
        context, spans = self._context(), self._spans
        trace_id = spans.trace_id() if spans.is_on else None
        entry = self._time(), asked, decision, None, context, trace_id
        if context is not None:
            self._put(entry, context)
            return
        writer = self.writer  # as `_queue`: a call costs as much as the rest
        if len(writer.queue) >= writer.room:
            writer.note_dropped(1)
            return
        writer.queue.append(entry)
        if writer.is_idle:
            writer.wake()

    def note_many(
        self, organization: Any, questions: Sequence[Any], decisions: Sequence[Decision], *rest: Any
    ) -> None:
        """Decisions on (subject, permission, resource) were made; `rest` are the other fields of `Asked`."""
        try:
            for (subject, permission, resource), decision in zip(questions, decisions, strict=True):
                self.note((organization, subject, permission, resource, *rest), decision)
        except (TypeError, ValueError):  # the caller's questions can be read only once
            self.writer.note_dropped(len(decisions))

    def note_failure(self, asked: Asked, error: BaseException) -> None:
        """A decision failed. Every selection has it, since nobody knows the answer; a sample its share."""
        if self._selects_failure():
            self._put_failed(asked, getattr(error, "code", "internal"))

    def note_unknown_name(self, asked: Asked) -> None:
        """A question was denied that cannot be asked, since something in it can be the name of nothing."""
        if self._is_whole or self._has_denied or self._chance() < self._share:
            self._put_failed(asked, UNKNOWN_NAME)

    def noted(self, decide: Callable[[], Decision], asked: Asked) -> Decision:
        """What `decide` returns, or raises, noted."""
        try:
            decision = decide()
        except Exception as error:
            self.note_failure(asked, error)
            raise
        self.note(asked, decision)
        return decision

    def noted_many(
        self, decide: Callable[[], list[Decision]], questions: Any, asked: Asked
    ) -> list[Decision]:
        """The same for many questions; `asked` has what they have in common."""
        try:
            decisions = decide()
        except Exception as error:
            for subject, permission, resource in _triples(questions):
                one = asked._replace(subject=subject, permission=permission, resource=resource)
                self.note_failure(one, error)
            raise
        self.note_many(asked.organization, questions, decisions, *asked[4:])
        return decisions

    # --- requests ---------------------------------------------------------------------------------

    def held(
        self, request_id: str, traceparent: bytes | None, key_id: str
    ) -> AbstractContextManager[None]:
        """In the `with` block, decisions are held back. They are noted at its end, unless it raises."""
        return _Held(self, DecisionContext(request_id, traceparent, key_id, held=[]))

    def note_answered(self, context: DecisionContext, code: str | None) -> None:
        """A request was answered: with an error, if there is a code. That is noted if nothing else was."""
        context.is_answered = True
        if code is not None and not context.is_noted and self._selects_failure():
            trace_id = self._spans.trace_id() if self._spans.is_on else None
            asked = Asked(None, None, None, None)
            self._queue((self._time(), asked, None, code, context, trace_id))

    def note_held(self, entries: list[Any]) -> None:
        """Queue decisions that were held back."""
        for entry in entries:
            self._queue(entry)

    # --- within -----------------------------------------------------------------------------------

    def _selects(self, decision: Decision) -> bool:
        return (
            (self._has_denied and not decision.allowed)
            or (self._has_critical and decision.is_critical)
            or (self._share > 0.0 and self._chance() < self._share)
        )

    def _selects_failure(self) -> bool:
        return (
            self._is_whole or self._has_denied or self._has_critical or self._chance() < self._share
        )

    def _put_failed(self, asked: Asked, code: str) -> None:
        context = CONTEXT.get()
        trace_id = self._spans.trace_id() if self._spans.is_on else None
        self._put((self._time(), bounded(asked), None, code, context, trace_id), context)

    def _put(self, entry: tuple[Any, ...], context: DecisionContext | None) -> None:
        if context is None:
            self._queue(entry)
        elif context is not UNLOGGED and not context.is_answered:
            context.is_noted = True
            if context.held is None:
                self._queue(entry)
            else:
                context.held.append(entry)

    def _queue(self, entry: tuple[Any, ...]) -> None:
        writer = self.writer
        if len(writer.queue) >= writer.room:
            writer.note_dropped(1)
            return
        writer.queue.append(entry)
        if writer.is_idle:
            writer.wake()


def recorder_of(
    options: DecisionLog | None,
    explain: Explain,
    instruments: Instruments,
    clock: Callable[[], datetime] | None,
    if_refused: Callable[[], None],
) -> DecisionRecorder | None:
    """The decision log, if there is to be one. Calls `if_refused` where its file cannot be opened."""
    if options is None:
        return None
    try:
        if clock is None:
            return DecisionRecorder(options, explain, instruments)
        return DecisionRecorder(
            options, explain, instruments, nanoseconds=lambda: microseconds(clock()) * 1_000
        )
    except InvalidArgument:
        if_refused()
        raise


class _Held:
    """A class, since it is around each request of the fast path."""

    __slots__ = ("_context", "_recorder", "_token")
    _token: Token[DecisionContext | None]

    def __init__(self, recorder: DecisionRecorder, context: DecisionContext) -> None:
        self._recorder, self._context = recorder, context

    def __enter__(self) -> None:
        self._token = CONTEXT.set(self._context)

    def __exit__(self, kind: object, *_: object) -> None:
        CONTEXT.reset(self._token)
        held = self._context.held
        if kind is None and held:
            outer = CONTEXT.get()
            if outer is not None:
                outer.is_noted = True
            self._recorder.note_held(held)


def _triples(questions: Any) -> list[tuple[Any, Any, Any]]:
    """The questions of a batch that failed. One without a question where they are no triples."""
    try:
        return [(subject, permission, resource) for subject, permission, resource in questions]
    except (TypeError, ValueError):
        return [(None, None, None)]
