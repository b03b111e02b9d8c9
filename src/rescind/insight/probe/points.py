"""What a probe asks: this process by each of its decision points, and services by their URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rescind.authority import Authority
from rescind.decision_log import unlogged
from rescind.errors import TargetFailed, extra
from rescind.model import Assurance, DecisionPoint, Question
from rescind.tracing import current_spans


class Point(Protocol):
    """Something that decides. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """How results name it; no two points of a probe share one."""

    @property
    def kind(self) -> str:
        """How metrics name it, where names must not be many: one of `labels.PROBE_POINTS`."""

    @property
    def is_remote(self) -> bool:
        """Whether it reads another machine's clock."""

    def allows(self, question: Question) -> bool:
        """Whether the question is allowed. Raises if there is no answer."""


class AuthorityPoint:
    """An authority of this process, asked by `check`, by `check_many`, or by a list."""

    is_remote = False

    def __init__(
        self,
        name: str,
        authority: Authority,
        *,
        assurance: Assurance = "standard",
        by: str = "check",
        kind: DecisionPoint,
    ) -> None:
        """`kind` is what is expected to decide."""
        self.name, self._authority, self.kind = name, authority, kind.value
        self._assurance: Assurance = assurance
        self._ask = {"check": self._check, "batch": self._batch, "list": self._list}[by]

    def allows(self, question: Question) -> bool:
        """Whether the authority allows it. Raises a RescindError if it cannot tell."""
        with unlogged():
            return self._ask(question)

    def _check(self, question: Question) -> bool:
        organization, *asked = question
        return self._authority.check(
            *asked, organization=organization, assurance=self._assurance
        ).allowed

    def _batch(self, question: Question) -> bool:
        organization, subject, permission, resource = question
        decisions = self._authority.check_many(
            [(subject, permission, resource)],
            organization=organization,
            assurance=self._assurance,
        )
        return decisions[0].allowed

    def _list(self, question: Question) -> bool:
        organization, subject, permission, resource = question
        page = self._authority.permissions_of(subject, resource, organization=organization)
        return permission in page.items


class HttpPoint:
    """A service of Rescind, asked by `POST /v1/check` over a connection that is kept."""

    is_remote = True
    kind = "service"

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 5.0,
    ) -> None:
        with extra("client"):
            import httpx
        self._unanswered = httpx.HTTPError, httpx.InvalidURL
        self.name = url
        self._spans = current_spans()
        authorization = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(
            base_url=url, headers={**authorization, **(headers or {})}, timeout=timeout_seconds
        )

    def allows(self, question: Question) -> bool:
        """Whether the service allows it. Raises TargetFailed if it does not answer with a decision."""
        try:
            response = self._client.post(
                "/v1/check", json=question._asdict(), headers=self._spans.headers()
            )
        except self._unanswered as error:
            raise self._failed(str(error) or type(error).__name__) from error
        if not response.is_success:
            raise self._failed(f"it answered {response.status_code}")
        try:
            allowed = response.json()["allowed"]
        except (ValueError, KeyError, TypeError):
            allowed = None
        if not isinstance(allowed, bool):
            raise self._failed("its answer is not a decision")
        return allowed

    def _failed(self, why: str) -> TargetFailed:
        hint = "give the base URL of a service, and a key with the scope check"
        return TargetFailed(url=self.name, why=why, hint=hint)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def points_of(replica: Authority, authority: Authority) -> list[Point]:
    """Every decision point of this process: a replica that answers from memory, and one that has none."""
    index, effective, live = DecisionPoint.INDEX, DecisionPoint.EFFECTIVE, DecisionPoint.LIVE
    return [
        AuthorityPoint("memory", replica, kind=index),
        AuthorityPoint("memory, batch", replica, by="batch", kind=index),
        AuthorityPoint("memory, list", replica, by="list", kind=index),
        AuthorityPoint("database", authority, kind=effective),
        AuthorityPoint("database, live", authority, assurance="live", kind=live),
    ]
