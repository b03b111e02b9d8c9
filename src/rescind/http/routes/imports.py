"""Imports: a stream of changes, one JSON object a line, applied batch by batch as they arrive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from rescind.changes import Change, from_object
from rescind.errors import (
    BadInput,
    BodyTooLarge,
    BodyTooSlow,
    InvalidChange,
    InvalidRequest,
    RequestTimedOut,
    RescindError,
    Unauthenticated,
)
from rescind.http import problems
from rescind.http.answers import LookAlikeResponse
from rescind.http.auth import requires
from rescind.http.json_bodies import require_shallow, require_single_keys
from rescind.http.keys import Credential
from rescind.http.routes.changes import Behalf, Key
from rescind.http.routes.lists import Organization
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from rescind.transfer import BATCH_SIZE, Item, Summary
from rescind.transfer.importer import Batch, BatchBuilder, Importer
from rescind.transfer.loading import MOST_SHOWN
from rescind.transfer.parts import Applied
from rescind.transfer.readers import MAX_LINE_BYTES
from rescind.transfer.refusals import refused

MOST_BYTES: Final = 1 << 40
"""What the framework lets through; the limit is the service's."""
NDJSON: Final = "application/x-ndjson"
BATCH_BYTES: Final = MAX_LINE_BYTES
"""Of the lines of a batch; so no change of the log is larger than two of the longest lines."""
_decoder = msgspec.json.Decoder()


class LeftOutResponse(Struct):
    """What an import left out of a line, since somebody took it after the import had begun."""

    at: str
    what: str
    why: str


class ImportResponse(Struct):
    """What an import did. `revisions` has the last token of each organization; `not_found` counts what was
    to be taken away and did not exist; `left_out` counts what was not given, with the first of it;
    `look_alikes` counts ids that others look like, with some `examples`.
    """

    changes: int = 0
    batches: int = 0
    granting: int = 0
    revoking: int = 0
    not_found: int = 0
    left_out: int = 0
    left_out_first: list[LeftOutResponse] = msgspec.field(default_factory=list)
    look_alikes: int = 0
    examples: list[LookAlikeResponse] = msgspec.field(default_factory=list)
    revisions: dict[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, summary: Summary, left_out: int, revisions: dict[str, str]) -> ImportResponse:
        """The response for what an import did; `left_out` counts what the summary shows the first of."""
        return cls(
            changes=summary.changes,
            batches=summary.batches,
            granting=summary.granting,
            revoking=summary.revoking,
            not_found=summary.not_found,
            left_out=left_out,
            left_out_first=[
                LeftOutResponse(left.at, left.what, left.why) for left in summary.left_out
            ],
            look_alikes=summary.look_alikes,
            examples=[LookAlikeResponse.of(example) for example in summary.examples],
            revisions=revisions,
        )


@post(
    "/v1/import",
    status_code=200,
    guards=[requires("write")],
    request_max_body_size=MOST_BYTES,
)
async def import_changes(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    reason: FromQuery[str] = "",
    key: Key = None,
    behalf: Behalf = None,
) -> ImportResponse:
    """Apply lines in their order, in batches that are a transaction each.

    A line may name its `organization`. Where a line is refused, its batch is not applied and those before
    are: send it all again with the same key, corrected from there on. What others take after the first batch
    is not given again by later ones. The API key must be good for each batch anew.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != NDJSON:
        raise InvalidRequest(what="content type", value=repr(kind), hint=f"send {NDJSON}")
    credential: Credential = request.scope["state"]["credential"]
    run = Run(service, credential, organization, reason=reason, key=key, behalf=behalf)
    number = 0
    async for line in _lines(request, service.limits, run):
        number += 1
        if line.strip():
            await run.take(number, line)
    await run.end()
    return run.response()


class Run:
    """One import under way: reads lines, applies batches, and counts what was done."""

    def __init__(
        self,
        service: Service,
        credential: Credential,
        organization: str | None,
        *,
        reason: str,
        key: str | None,
        behalf: str | None,
    ) -> None:
        self._service, self._credential, self._organization = service, credential, organization
        self._caller = credential.caller
        self._key = key
        self._seconds = service.limits.import_seconds
        self.deadline = time.monotonic() + self._seconds
        """When the import must have ended, by the monotonic clock."""
        self._builder = BatchBuilder(BATCH_SIZE, BATCH_BYTES)
        self._importer = Importer(
            service.authority,
            run=None if key is None else f"{key}/",
            actor=self._caller.actor(behalf),
            reason=reason,
        )
        self.done = Summary()
        self._left_out = 0
        self._revisions: dict[str, str] = {}

    async def take(self, number: int, line: bytes) -> None:
        """Add a line's change; apply the batch before it first, if it begins a new one."""
        try:
            require_shallow(line, self._service.limits.depth)
            name, change = self._read(line)
        except RescindError as error:
            raise self._placed(error, f"line {number}") from None
        full = self._builder.add(name, Item(change, f"line {number}"), len(line))
        if full is not None:
            await self._flush(full)

    async def end(self) -> None:
        """Apply what is left. Raises as each batch does."""
        self.require_time()
        if (rest := self._builder.rest()) is not None:
            await self._flush(rest)

    async def _flush(self, batch: Batch) -> None:
        """Apply a batch. Raises RequestTimedOut from the deadline on, and Unauthenticated once the key is no
        longer good.
        """
        self.require_time()
        key = None if self._key is None else f"{self._key}/{self.done.batches}"
        try:
            applied = await asyncio.get_running_loop().run_in_executor(
                None, self._apply, batch, key
            )
        except Unauthenticated:
            raise Unauthenticated(batches_done_before=self.done.batches) from None
        except _Refused as refused:
            raise self._placed(refused.error, refused.place) from refused.error
        self._count(applied)

    def _count(self, applied: Applied) -> None:
        """Count a batch, and keep only the first of what was left out: an import may be long."""
        self.done.add(applied)
        self._left_out += len(applied.left_out)
        del self.done.left_out[MOST_SHOWN:]
        if applied.receipt is not None:
            self._revisions[applied.receipt.organization] = applied.receipt.token

    def response(self) -> ImportResponse:
        """What was done so far."""
        return ImportResponse.of(self.done, self._left_out, self._revisions)

    def require_time(self) -> None:
        """Raises RequestTimedOut from the deadline on."""
        if time.monotonic() >= self.deadline:
            raise self.timed_out()

    def timed_out(self) -> RequestTimedOut:
        """What an import that takes too long ends with."""
        done = self.done.batches
        return RequestTimedOut(limit=f"{self._seconds:g} s", batches_done_before=done)

    def _apply(self, batch: Batch, key: str | None) -> Applied:
        self._credential.recognize()
        try:
            applied = self._importer.apply(batch, key)
        except RescindError as error:
            raise _Refused(error, self._place(error, batch)) from error
        if applied.receipt is not None:
            self._service.applied(applied.receipt, [item.change for item in batch.items])
        return applied

    def _place(self, error: RescindError, batch: Batch) -> str:
        batches = self._importer.begun(batch.organization)
        item = None if error.retry or batches is None else refused(error, batches)
        return f"{batch.items[0].place} or after it" if item is None else item.place

    def _read(self, line: bytes) -> tuple[str, Change]:
        try:
            value = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidChange(why=f"not JSON: {error}") from None
        require_single_keys(line)
        if not isinstance(value, dict):
            raise InvalidChange(why='a change is a JSON object, such as {"change": …}')
        named = value.pop("organization", self._organization)
        if named is not None and not isinstance(named, str):
            raise InvalidChange(why="organization: it is not text")
        return self._caller.organization_for(named), from_object(value)

    def _placed(self, error: RescindError, place: str) -> RescindError:
        """The refusal with its place, and what was done before; a failure as it is."""
        if error.retry:
            return error
        facts = {"at": place, "batches_done_before": self.done.batches, "refused_as": error.code}
        told = problems.detail_of(error, hints=self._caller.has("read"))
        return BadInput(why=told.rstrip("."), **facts)


class _Refused(Exception):
    """A batch that is not applied, and where the line is that is to blame."""

    def __init__(self, error: RescindError, place: str) -> None:
        self.error, self.place = error, place
        super().__init__(place)


async def _lines(request: Request[Any, Any, Any], limits: Limits, run: Run) -> AsyncIterator[bytes]:
    """Lines without their ends, as they arrive; within the limits of time and size."""
    rest, size = b"", 0
    chunks = request.stream()
    while True:
        run.require_time()
        left = run.deadline - time.monotonic()
        try:
            async with asyncio.timeout(min(limits.body_seconds, left)):
                chunk = await anext(chunks, None)
        except TimeoutError:
            if left <= limits.body_seconds:
                raise run.timed_out() from None
            raise BodyTooSlow(limit=f"{limits.body_seconds:g} s") from None
        if chunk is None:
            break
        size += len(chunk)
        if size > limits.import_bytes:
            raise BodyTooLarge(limit=f"{limits.import_bytes} bytes")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > MAX_LINE_BYTES:
            raise BadInput(why=f"a line is longer than {MAX_LINE_BYTES} bytes")
    yield rest


ROUTES = [import_changes]
STREAMED: Final = ("/v1/import",)
"""Routes that read their body piece by piece."""
