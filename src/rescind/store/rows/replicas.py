"""Replicas and their leases, on PostgreSQL."""

from __future__ import annotations

from typing import NamedTuple

from rescind.store.rows.query import Query


class ServerRow(NamedTuple):
    """The server that answered."""

    server: str


class ReplicaRow(NamedTuple):
    """A replica whose row was deleted."""

    replica: str


class ReleasedRow(NamedTuple):
    """The revision that a replica had acknowledged of what it holds no more."""

    revision: int


class AcknowledgedRow(NamedTuple):
    """An acknowledgement, of which listeners were told."""

    told: object


class LeaseRow(NamedTuple):
    """A replica that holds an organization: the length of its lease in microseconds, how often it renewed it,
    and the revision that it acknowledged.
    """

    replica: str
    name: str
    ttl: int
    beat: int
    acknowledged: int


REGISTER_REPLICA = Query("register_replica", ServerRow)
RENEW_LEASE = Query("renew_lease", ServerRow)
FORGET_REPLICA = Query("forget_replica", ReplicaRow)
FORGET_SILENT_REPLICA = Query("forget_silent_replica", ReplicaRow)
HOLD_ORGANIZATION = Query("hold_organization", ServerRow)
RELEASE_ORGANIZATION = Query("release_organization", ReleasedRow)
ACKNOWLEDGE = Query("acknowledge", AcknowledgedRow)
LIST_LEASES = Query("list_leases", LeaseRow)
