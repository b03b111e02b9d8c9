"""Another system, as a file describes it: how to grant, how to revoke, and how to check.

The file is TOML. `{round}` in any text stands for a word that is new in every round, `${NAME}` for the
environment variable NAME. `docs/howto/probe-another-system.md` shows whole files.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rescind.errors import InvalidArgument, TargetFailed, extra
from rescind.insight.probe.measurement import Asker, Limits, Measurement, measure

with extra("client"):
    import httpx

_PLACE: Final = re.compile(r"\{round\}|\$\{(\w+)\}")
HOLD_SECONDS: Final = 5.0
"""At most: caches and revisions of several seconds are usual."""
_ENOUGH: Final = 300
"""Characters of another system's answer that an error quotes."""


class Allowed(Struct, frozen=True, forbid_unknown_fields=True):
    """What an allowing answer looks like: a status, or the value of a field of its JSON, such as `a.b`."""

    status: tuple[int, ...] | UnsetType = UNSET
    field: str | UnsetType = UNSET
    equals: Any = True


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """A request, or a command. `expect` are statuses that mean it was done; else any from 200 to 299."""

    url: str | UnsetType = UNSET
    method: str = "POST"
    headers: dict[str, str] = {}
    json: Any = UNSET
    body: str | UnsetType = UNSET
    expect: tuple[int, ...] = ()
    command: tuple[str, ...] = ()


class CheckStep(Step, frozen=True, forbid_unknown_fields=True):
    """The request that asks. Without `allowed`, the field `allowed` of its JSON must be true."""

    allowed: Allowed = Allowed(field="allowed")


class AuthZen(Struct, frozen=True, forbid_unknown_fields=True):
    """A decision point of AuthZEN: its base URL, and what to ask at `/access/v1/evaluation`."""

    url: str
    subject: dict[str, Any]
    action: dict[str, Any]
    resource: dict[str, Any]
    headers: dict[str, str] = {}


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """A system to probe: `check` or `authzen` says how to ask it."""

    grant: Step
    revoke: Step
    check: CheckStep | UnsetType = UNSET
    authzen: AuthZen | UnsetType = UNSET
    name: str = "target"


def read_target(path: str | os.PathLike[str]) -> Target:
    """The target that a file describes. Raises InvalidArgument saying what is wrong with it."""
    try:
        target = msgspec.convert(tomllib.loads(Path(path).read_text("utf-8")), Target)
    except OSError as error:
        raise InvalidArgument(
            what="target", value=str(path), why=error.strerror, hint="name a file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        hint = "see docs/howto/probe-another-system.md"
        raise InvalidArgument(what="target", value=str(path), why=str(error), hint=hint) from None
    if (target.check is UNSET) == (target.authzen is UNSET):
        raise _wrong("target", "describe either [check] or [authzen]")
    for what, step in (("grant", target.grant), ("revoke", target.revoke)):
        if (step.url is UNSET) == (not step.command):
            raise _wrong(what, "give it either a url or a command")
    described = (target.grant, target.revoke, target.check, target.authzen)
    urls = [each.url for each in described if each is not UNSET and each.url is not UNSET]
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise InvalidArgument(what="url", value=url, hint="begin it with http:// or https://")
    if target.check is not UNSET and (target.check.url is UNSET or target.check.command):
        raise _wrong("check", "give it a url: a command for each check would measure the command")
    return target


def _wrong(what: str, hint: str) -> InvalidArgument:
    return InvalidArgument(what=what, hint=hint)


class TargetProbe:
    """Grants, asks and revokes as the file says. Close it when done."""

    def __init__(
        self,
        target: Target,
        *,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._target, self._limits = (
            target,
            limits or Limits(timeout_seconds=60.0, hold_seconds=HOLD_SECONDS),
        )
        self._client = httpx.Client(transport=transport, timeout=timeout_seconds)

    def round(self) -> Measurement:
        """Grant and revoke once. Raises TargetFailed if the system refuses, or access was there before.

        Whatever happens in between, it is asked to revoke.
        """
        word = secrets.token_hex(4)
        point = TargetPoint(self._client, self._target, word)
        if point.allows():
            raise TargetFailed(
                why="it allowed before anything was granted",
                hint="use {round} in the subject's id, so that each round has a new one",
            )
        revoke = self._doing("revoke", self._target.revoke, word)
        try:
            return measure(
                self._target.name,
                word,
                [Asker(self._target.name, point.allows, is_remote=True)],
                self._doing("grant", self._target.grant, word),
                revoke,
                limits=self._limits,
            )
        except BaseException:
            with contextlib.suppress(TargetFailed):  # the first failure is the one to report
                revoke()
            raise

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _doing(self, what: str, step: Step, word: str) -> Callable[[], None]:
        """The step, ready to be done: its texts are filled in before the clock runs."""
        if step.command:
            command = [_filled(each, word) for each in step.command]
            return lambda: _run(what, command)
        request = _request(self._client, step, word)

        def send() -> None:
            response = _sent(self._client, request, what)
            is_done = response.status_code in step.expect if step.expect else response.is_success
            if not is_done:
                answer = f"{response.status_code} {response.text[:_ENOUGH]}"
                raise TargetFailed(step=what, why=f"it answered {answer}")

        return send


class TargetPoint:
    """The system, asked as the file says."""

    def __init__(self, client: httpx.Client, target: Target, word: str) -> None:
        self._client = client
        if target.authzen is not UNSET:
            asked, self._allowed = _evaluation(target.authzen), Allowed(field="decision")
        else:
            assert target.check is not UNSET
            asked, self._allowed = target.check, target.check.allowed
        self._request = _request(client, asked, word)

    def allows(self) -> bool:
        """Whether it allows. Raises TargetFailed if its answer is not a decision."""
        response = _sent(self._client, self._request, "check")
        allowed = self._allowed
        if allowed.status is not UNSET:
            return response.status_code in allowed.status
        if not response.is_success:
            raise TargetFailed(step="check", why=f"it answered {response.status_code}")
        assert allowed.field is not UNSET
        try:
            value = response.json()
            for name in allowed.field.split("."):
                value = value[name]
        except (ValueError, KeyError, TypeError):
            raise TargetFailed(
                step="check", why=f"its answer has no {allowed.field}: {response.text[:_ENOUGH]}"
            ) from None
        return bool(value == allowed.equals)


def _evaluation(point: AuthZen) -> Step:
    asked = {"subject": point.subject, "action": point.action, "resource": point.resource}
    url = point.url.rstrip("/") + "/access/v1/evaluation"
    return Step(url=url, headers=point.headers, json=asked)


def _request(client: httpx.Client, step: Step, word: str) -> httpx.Request:
    assert step.url is not UNSET
    try:
        return client.build_request(
            step.method,
            _filled(step.url, word),
            headers=_filled(step.headers, word),
            json=None if step.json is UNSET else _filled(step.json, word),
            content=None if step.body is UNSET else _filled(step.body, word),
        )
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise InvalidArgument(what="url", value=step.url, why=str(error)) from None


def _sent(client: httpx.Client, request: httpx.Request, what: str) -> httpx.Response:
    try:
        return client.send(request)
    except httpx.HTTPError as error:
        raise TargetFailed(step=what, why=str(error) or type(error).__name__) from error


def _run(what: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user's own
    except OSError as error:
        raise TargetFailed(step=what, why=f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        why = f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[:_ENOUGH]}"
        raise TargetFailed(step=what, why=why)


def _filled(value: Any, word: str) -> Any:
    """The value with its places filled in, at every depth."""
    if isinstance(value, str):
        return _PLACE.sub(lambda match: word if match[1] is None else _variable(match[1]), value)
    if isinstance(value, dict):
        return {_filled(name, word): _filled(each, word) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(each, word) for each in value]
    return value


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if value is None or not value.strip():
        hint = "set it" if value is None else "it is empty: give it a value"
        raise InvalidArgument(what="environment variable", value=name, hint=hint)
    return value
