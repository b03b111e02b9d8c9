"""Assertions about access, whose failure says why."""

from __future__ import annotations

from rescind.authority import Authority
from rescind.model import Decision


def assert_allowed(
    authority: Authority,
    subject: str,
    permission: str,
    resource: str | None = None,
    *,
    organization: str | None = None,
) -> None:
    """Fail unless the subject may. The failure prints what is missing.

    Both `Authority.check` and `Authority.explain` are asked, and must agree.
    """
    __tracebackhide__ = True
    decided, explained = _asked(authority, subject, permission, resource, organization)
    if not decided or not explained:
        raise AssertionError(
            _told(f"{_question(subject, permission, resource)} is denied", explained)
        )


def assert_denied(
    authority: Authority,
    subject: str,
    permission: str,
    resource: str | None = None,
    *,
    organization: str | None = None,
) -> None:
    """Fail if the subject may. The failure prints each chain that allows it.

    A name that does not exist is denied as well. So that a mistyped name cannot make this pass, a name that
    the organization does not have fails, too.
    """
    __tracebackhide__ = True
    decided, explained = _asked(authority, subject, permission, resource, organization)
    question = _question(subject, permission, resource)
    if decided or explained:
        raise AssertionError(_told(f"{question} is allowed", explained))
    unknown = authority.unknown_names(
        permission=permission, resource=resource, organization=organization
    )
    if unknown:
        names = "; ".join(str(name) for name in unknown)
        raise AssertionError(f"{question} is denied, but not by the facts: {names}")


def _asked(
    authority: Authority,
    subject: str,
    permission: str,
    resource: str | None,
    organization: str | None,
) -> tuple[Decision, Decision]:
    decided = authority.check(subject, permission, resource, organization=organization)
    explained = authority.explain(subject, permission, resource, organization=organization)
    return decided, explained


def _question(subject: str, permission: str, resource: str | None) -> str:
    return f"{subject} {permission}" + (f" on {resource}" if resource else "")


def _told(sentence: str, decision: Decision) -> str:
    lines = [f"{sentence} ({decision.reason.value})"]
    if (explanation := decision.explanation) is not None:
        lines += [f"  {chain}" for chain in explanation.chains]
        lines += [f"  {obstacle}" for obstacle in explanation.obstacles]
        if not explanation.is_complete:
            lines.append("  … and more")
    return "\n".join(lines)
