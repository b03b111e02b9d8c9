"""The enforcement record: which replicas held an organization at a revocation, and what each did.

Pure values, and the compact text in which the store keeps them. Knows nothing of leases.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from rescind.model.enums import EnforcementOutcome
from rescind.model.times import microseconds, moment

MOST_REPLICAS: Final = 50
"""Kept of one change; those that were waited out and the slowest come first."""
MOST_NAME_LENGTH: Final = 120
_VERSION: Final = 1


class ReplicaOutcome(StrEnum):
    """Why a replica could answer from no older state any more."""

    CURRENT = "current"
    """It answered from no older state when enforcement began."""
    ACKNOWLEDGED = "acknowledged"
    """It acknowledged the change."""
    RELEASED = "released"
    """It gave up the organization or its lease, or another revoking process had waited it out; or, of the
    revoking process, it could not follow the change and answers nothing from its cache until it can.
    """
    WAITED_OUT = "waited_out"
    """It did not acknowledge, and its lease expired."""


class EnforcementStatus(StrEnum):
    """What the log knows of a change's enforcement."""

    NOTHING_REVOKED = "nothing_revoked"
    OPEN = "open"
    """A process may still answer from an older state."""
    NOT_RECORDED = "not_recorded"
    """It is enforced, and by which replicas was not recorded."""
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class EnforcedReplica:
    """A replica that held the organization, and when it could answer from no older state any more.

    `replica` is the id of one incarnation of one process, empty on SQLite. `milliseconds` count from when
    enforcement began, right after the commit. `is_own` marks the process that made the change.
    """

    replica: str
    name: str
    outcome: ReplicaOutcome
    milliseconds: float
    is_own: bool = False

    @property
    def host(self) -> str:
        """The host part of the name."""
        return self.name.rpartition(":")[0] or self.name

    @property
    def process(self) -> int | None:
        """The process id on that host; None if the name has none."""
        text = self.name.rpartition(":")[2]
        return int(text) if text.isascii() and text.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Enforcement:
    """How long it took until no replica could allow what was revoked, and what each replica did.

    `replicas` are those that held the organization when enforcement began. In the log they are at most
    MOST_REPLICAS, and `others` says how many more there were. If the replicas could not be read, they are
    unknown, `are_replicas_known` is false, and `seconds` has waited for all of their leases to expire. It
    `is_deferred` if the caller asked for it by `enforce()`, some time after the commit.
    """

    seconds: float
    replicas: tuple[EnforcedReplica, ...] = ()
    others: int = 0
    are_replicas_known: bool = True
    began_at: datetime | None = None
    is_deferred: bool = False

    @property
    def waited_out(self) -> tuple[str, ...]:
        """The names of replicas that did not acknowledge."""
        return tuple(
            each.name for each in self.replicas if each.outcome is ReplicaOutcome.WAITED_OUT
        )

    @property
    def outcome(self) -> EnforcementOutcome:
        """How it ended."""
        if not self.are_replicas_known or self.waited_out:
            return EnforcementOutcome.WAITED_OUT
        is_alone = not self.others and all(each.is_own for each in self.replicas)
        return EnforcementOutcome.ALONE if is_alone else EnforcementOutcome.ACKNOWLEDGED


def plain_name(name: str) -> str:
    """A replica's name with nothing in it that a terminal or a log would obey, and of a bounded length.

    A long name loses its middle, so that the process id at its end stays.
    """
    if len(name) > MOST_NAME_LENGTH:
        name = f"{name[: MOST_NAME_LENGTH - 22]}…{name[-20:]}"
    return name if name.isprintable() else "".join(c if c.isprintable() else "?" for c in name)


class _Kept(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A record as the store keeps it: version, began at, microseconds, known, others, replicas."""

    version: int
    began_at: int | None
    took: int
    are_known: bool
    others: int
    replicas: list[tuple[str, str, ReplicaOutcome, int, bool]]
    is_deferred: bool = False


_decoder: Final = msgspec.json.Decoder(_Kept)


def encode_enforcement(done: Enforcement) -> str:
    """The record as text for the store, of bounded length."""
    kept = done.replicas
    if len(kept) > MOST_REPLICAS:
        kept = tuple(sorted(kept, key=_by_weight)[:MOST_REPLICAS])
    record = _Kept(
        _VERSION,
        None if done.began_at is None else microseconds(done.began_at),
        round(done.seconds * 1e6),
        done.are_replicas_known,
        done.others + len(done.replicas) - len(kept),
        [
            (
                plain_name(each.replica),
                plain_name(each.name),
                each.outcome,
                round(each.milliseconds * 1e3),
                each.is_own,
            )
            for each in kept
        ],
        done.is_deferred,
    )
    return msgspec.json.encode(record).decode()


def _by_weight(each: EnforcedReplica) -> tuple[bool, bool, float]:
    return not each.is_own, each.outcome is not ReplicaOutcome.WAITED_OUT, -each.milliseconds


def decode_enforcement(text: str | None) -> Enforcement | None:
    """The record of a text from the store; None if there is none, or it cannot be read."""
    if text is None:
        return None
    try:
        kept = _decoder.decode(text)
        if kept.version != _VERSION:
            return None
        began_at = None if kept.began_at is None else moment(kept.began_at)
    except (msgspec.MsgspecError, OverflowError):
        return None
    return Enforcement(
        kept.took / 1e6,
        tuple(
            EnforcedReplica(plain_name(replica), plain_name(name), outcome, took / 1e3, is_own)
            for replica, name, outcome, took, is_own in kept.replicas
        ),
        kept.others,
        kept.are_known,
        began_at,
        kept.is_deferred,
    )
