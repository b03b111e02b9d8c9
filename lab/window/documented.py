"""Windows that others document for a removal, as data: nothing here was measured.

Read in November 2026. A bound is what the source says, in seconds; without one there is none in it.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True)
class Documented:
    """What a system's own documentation, or its staff, says. `typical` and `most` in seconds."""

    name: str
    what: str
    says: str
    source: str
    typical: float | None = None
    most: float | None = None
    label: str = ""
    """In a plot, where a number would say more than the source does."""


DOCUMENTED = (
    Documented(
        "pg_rebac",
        "revocation, its permission projected into PostgreSQL",
        "in force at commit (G2); a release note tells of a hole in it in 0.1 and 0.2",
        "its guarantees.md and CHANGELOG",
        0.0,
        0.0,
    ),
    Documented(
        "Oso Cloud",
        "fact removed, edge nodes",
        "median in the low hundreds of ms, at worst 1 s",
        "https://www.osohq.com/docs/concepts/consistency",
        0.2,
        1.0,
        "hundreds of ms, at worst 1 s",
    ),
    Documented(
        "AWS Verified Permissions",
        "policy changed",
        "a few seconds",
        "https://sdk.amazonaws.com/kotlin/api/1.0.65/verifiedpermissions/",
        3.0,
        None,
        "a few seconds",
    ),
    Documented(
        "SpiceDB, default reads",
        "relationship deleted",
        "5 s of quantization, and 10 % of staleness beside it: 5.5 s by our reading",
        "https://authzed.com/docs/spicedb/concepts/read-after-write",
        None,
        5.5,
    ),
    Documented(
        "OpenFGA, caches on",
        "tuple deleted",
        "10 s for each cache; caches are off by default, and then it is at once",
        "https://openfga.dev/docs/interacting/consistency",
        None,
        10.0,
    ),
    Documented(
        "Auth0 FGA",
        "tuple deleted, default consistency",
        "two caches of 10 s: up to 20 s",
        "https://docs.fga.dev/writing-data/consistency-modes.md",
        None,
        20.0,
    ),
    Documented(
        "Auth0 FGA Permissions Index",
        "effective permission removed",
        "no bound; each index has a freshness timestamp",
        "https://docs.fga.dev/whats-new.md",
    ),
    Documented(
        "WorkOS, group role",
        "role taken off a group",
        "asynchronous, a brief delay; no bound",
        "https://workos.com/docs/authkit/group-role-assignments",
    ),
    Documented(
        "WorkOS, session token",
        "role in a token",
        "5 min by default (staff, 2024)",
        "https://github.com/workos/authkit-nextjs/issues/19",
        None,
        5 * MINUTE,
    ),
    Documented(
        "Google IAM, policy",
        "role taken off",
        "typically 2 min, potentially 7 min or more",
        "https://cloud.google.com/iam/docs/access-change-propagation",
        2 * MINUTE,
        7 * MINUTE,
        "2 min, potentially 7 min or more",
    ),
    Documented(
        "Azure RBAC",
        "role assignment removed",
        "up to 10 min",
        "https://learn.microsoft.com/azure/role-based-access-control/troubleshooting",
        None,
        10 * MINUTE,
    ),
    Documented(
        "Entra, critical events",
        "user disabled, continuous access evaluation",
        "up to 15 min",
        "https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation",
        None,
        15 * MINUTE,
    ),
    Documented(
        "Google groups",
        "member removed from a group that has a role",
        "minutes, potentially hours; additions are faster than removals",
        "https://cloud.google.com/iam/docs/access-change-propagation",
        3 * MINUTE,
        None,
        "minutes, potentially hours",
    ),
    Documented(
        "Entra, group membership",
        "member removed, continuous access evaluation",
        "up to 1 day; 2 h with an optimization",
        "https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation",
        2 * HOUR,
        DAY,
        "2 h to 1 d",
    ),
    Documented(
        "AWS IAM",
        "policy changed",
        "eventually; no bound, and not for critical paths",
        "AWS IAM user guide, Troubleshoot IAM",
    ),
)


def table() -> str:
    """All of them as a table of a page."""
    lines = ["| system | what | its documentation says | source |", "| --- | --- | --- | --- |"]
    for one in DOCUMENTED:
        source = f"<{one.source}>" if "://" in one.source else one.source
        lines.append(f"| {one.name} | {one.what} | {one.says} | {source} |")
    return "\n".join(lines)
