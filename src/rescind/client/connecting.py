"""The address, the API key and the connections of a client, as it is given them; and a try as httpx takes it.

The key is in no representation and in no error.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import metadata
from typing import Any, Final, TypeAlias

import httpx

from rescind.client.calls import JSON, Request
from rescind.client.policy import Failure
from rescind.errors import InvalidArgument, StoreUnavailable

Key: TypeAlias = str | Callable[[], str]
MOST_BYTES: Final = 16_777_216
MOST_CONNECTIONS: Final = 100
KEEPALIVE_SECONDS: Final = 4.0
"""Less than the 5 seconds after which the service closes an idle connection."""
_KEY: Final = re.compile(r"[!-~]{1,1000}")
_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


class TooLarge(Exception):
    """An answer is larger than the limit."""


class TooLate(Exception):
    """The time of a try is over."""


class Encoded(Exception):
    """An answer is compressed, though that was not asked for."""


class Target:
    """Where requests go, and with which key."""

    def __init__(self, url: str, key: Key, most_bytes: int) -> None:
        self.base = _base(url)
        if not callable(key):
            _require_key(key)
        self._key = key
        self.most_bytes = most_bytes
        self.agent = f"rescind-python/{_version()}"

    def __repr__(self) -> str:
        return f"<Target {self.base}>"

    def url(self, request: Request) -> str:
        """The whole address of a request."""
        return self.base + request.target

    def headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        """All headers of a request. Raises InvalidArgument where the key that was fetched is none."""
        key = self._key() if callable(self._key) else self._key
        _require_key(key)
        fields = {
            "Accept": f"{JSON}, application/problem+json",
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {key}",
            "User-Agent": self.agent,
            **dict(request.headers),
        }
        if request.body is not None:
            fields["Content-Type"] = JSON
        return [(name.encode(), value.encode()) for name, value in fields.items()]


def required(most_bytes: object, most_connections: object) -> None:
    """Raise InvalidArgument for limits that are none."""
    for name, value in (("most_bytes", most_bytes), ("most_connections", most_connections)):
        if type(value) is not int or value < 1:
            hint = "use a whole number of at least 1"
            raise InvalidArgument(what=name, value=repr(value)[:60], hint=hint)


def require_context(given: object) -> None:
    """Raise InvalidArgument for what is neither an SSLContext nor None."""
    if given is not None and not isinstance(given, ssl.SSLContext):
        raise InvalidArgument(what="ssl_context", value=repr(given)[:60], hint="pass an SSLContext")


def context_of(given: ssl.SSLContext | None, target: Target) -> ssl.SSLContext:
    """The TLS settings: those of the caller, or ones that verify the service by the usual authorities.

    Reading these takes some 20 ms, which an address without TLS is spared: it trusts nobody.
    """
    if given is not None:
        return given
    if target.base.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.create_ssl_context()


def lower(headers: httpx.Headers) -> Mapping[str, str]:
    """Headers by their names in small letters."""
    return {name.lower(): value for name, value in headers.items()}


def require_plain(headers: httpx.Headers) -> None:
    """Raise Encoded for an answer in a coding that was not asked for: it might be small and unpack large."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Encoded


def failure_of(error: BaseException, most_bytes: int) -> Failure:
    """What went wrong with a try, in words without the request: that has the key."""
    if isinstance(error, TooLarge):
        hint = "ask for less, or raise `most_bytes`"
        return Failure(f"its answer has more than {most_bytes:,} bytes; {hint}", is_final=True)
    if isinstance(error, Encoded):
        return Failure("its answer is compressed, though that was not asked for", is_final=True)
    if isinstance(error, TooLate | TimeoutError):
        return Failure("it did not answer in time", is_late=True)
    is_sent = not isinstance(error, _NOT_SENT)
    if isinstance(error, httpx.TimeoutException):
        did = "answer" if is_sent else "take the connection"
        return Failure(f"it did not {did} in time", is_sent=is_sent, is_late=is_sent)
    is_refused = _is_of(error, ssl.SSLCertVerificationError)
    why = re.sub(r"\s+", " ", str(error)).strip() or type(error).__name__
    what = "the connection broke" if is_sent else "there is no connection"
    return Failure(f"{what}: {why[:200]}", is_sent=is_sent, is_final=is_refused)


def closed() -> StoreUnavailable:
    """What a call on a closed client raises."""
    return StoreUnavailable(hint="the client was closed")


def timeout_of(seconds: float, connect_seconds: float) -> httpx.Timeout:
    """The limits of one try, as httpx has them."""
    return httpx.Timeout(seconds, connect=min(seconds, connect_seconds))


def limits_of(most_connections: int) -> httpx.Limits:
    """How many connections there are, and how long idle ones are kept."""
    return httpx.Limits(
        max_connections=most_connections,
        max_keepalive_connections=most_connections,
        keepalive_expiry=KEEPALIVE_SECONDS,
    )


def _base(url: object) -> str:
    """The service's address, with a path perhaps, without a slash at its end, and without the `/v1` that
    every request adds.
    """
    hint = "give an address such as https://rescind.example.com"
    if not isinstance(url, str):
        raise InvalidArgument(what="url", value=type(url).__name__, hint=hint)
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        raise InvalidArgument(what="url", hint=hint) from None
    if parsed.userinfo:
        raise InvalidArgument(what="url", hint="leave out the user: the API key is `key`")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidArgument(what="url", value=repr(url)[:200], hint=hint)
    if parsed.query or parsed.fragment or "?" in url or "#" in url:
        raise InvalidArgument(what="url", value=repr(url)[:200], hint=hint)
    return str(parsed).rstrip("/").removesuffix("/v1").rstrip("/")


def _require_key(key: Any) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        hint = "give it as it was shown: printable ASCII without blanks"
        raise InvalidArgument(what="key", hint=hint)


def _is_of(error: BaseException | None, kind: type[BaseException]) -> bool:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, kind):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


@lru_cache(1)
def _version() -> str:
    try:
        return metadata.version("rescind")
    except metadata.PackageNotFoundError:
        return "0"
