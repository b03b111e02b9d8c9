"""What `Client` and `AsyncClient` share: everything but sending and waiting."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Final

import msgspec

from rescind.client.asking import Asking
from rescind.client.calls import Call, Lines
from rescind.client.connecting import Key, Target, TooLarge, required
from rescind.client.operations import Operations
from rescind.client.policy import Answer, Attempts, Failure, Policy, Retries, Timeouts
from rescind.client.tokens import Tokens
from rescind.model import require_flag


class Core:
    """What both clients have: what to send, where to, and what to do when that fails."""

    def __init__(
        self,
        url: str,
        key: Key,
        organization: str | None,
        read_your_writes: bool,
        timeouts: Timeouts | None,
        retries: Retries | None,
        most_bytes: int,
        most_connections: int,
    ) -> None:
        required(most_bytes, most_connections)
        self.target = Target(url, key, most_bytes)
        self.policy = Policy(timeouts or Timeouts(), retries or Retries(), self.target.base)
        self.asking = Asking(
            organization, Tokens(is_on=require_flag("read_your_writes", read_your_writes))
        )
        self.operations = Operations(self.asking)

    def shown(self, name: str) -> str:
        """A client as people see it."""
        organization = self.asking.organization
        return f"<{name} {self.target.base}{f' {organization}' if organization else ''}>"

    def deadline(self, call: Call[Any]) -> float:
        """When a call that begins now must have ended."""
        return time.monotonic() + self.policy.seconds(call)

    def begin(self, call: Call[Any], deadline: float) -> Attempts[Any]:
        """The attempts of a call."""
        return Attempts(call, self.policy, time.monotonic(), deadline)

    def begin_lines(self, lines: Lines[Any]) -> Attempts[Any]:
        """The attempts of a long answer, which begin anew with each part that comes."""
        call: Call[None] = Call(lines.open(lines.after), _nothing)
        return self.begin(call, self.deadline(call))


class WholeLines:
    """The whole lines of an answer that comes in parts."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._rest = most_bytes, b""

    def of(self, part: bytes) -> list[bytes]:
        """The lines that end in a part. Raises TooLarge for a line that does not end."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > self._most_bytes:
            raise TooLarge
        return lines

    def end(self) -> None:
        """Raises ValueError if the answer ended within a line."""
        if self._rest:
            raise ValueError("the answer ended within a line")


BROKEN: Final = (ValueError, msgspec.MsgspecError)
"""What a line that is none raises."""


def pause_of(attempts: Attempts[Any], outcome: Answer | Failure) -> float:
    """The time to wait before a long answer goes on. Raises the error that it ends with."""
    if isinstance(outcome, Answer) and outcome.status == 200:
        outcome = Failure("answered what cannot be read")
    pause = attempts.after(outcome, time.monotonic())
    return 0.0 if pause is None else pause


def _nothing(body: bytes) -> None:
    raise ValueError(f"{len(body)} bytes that nobody asked for")


def kind_of(operation: Callable[..., Any]) -> str:
    return str(operation.__annotations__["return"]).partition("[")[0]


def signed(call: Callable[..., Any], operation: Callable[..., Any]) -> Callable[..., Any]:
    """With the name, the docstring and the parameters of the operation."""
    update_wrapper(call, operation)
    told = str(operation.__annotations__["return"])
    kind, _, result = told.partition("[")
    result = result.removesuffix("]")
    if kind in ("Pages", "Lines"):
        result = f"Iterator[{result}]"
    signature = inspect.signature(operation).replace(return_annotation=result)
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call
