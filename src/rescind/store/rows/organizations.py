"""Organizations: their numbers, plans and revisions."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import OrganizationId, OrganizationNumber
from rescind.store.rows.query import Query


class OrganizationRow(NamedTuple):
    """An organization by its number."""

    organization: OrganizationNumber


class PlanRow(NamedTuple):
    """What a change of an organization is planned with."""

    organization: OrganizationNumber | None
    """None where there is none of the name; then so are its mode and rule."""
    role_mode: str
    next_id: OrganizationNumber
    """The number of an organization that is made now."""
    has_required: bool
    id_rule: str


class RevisionRow(NamedTuple):
    """How far an organization and its environment have come. No number is ever used again."""

    incarnation: OrganizationNumber
    organization: int
    environment: int


class IdRuleRow(NamedTuple):
    """The rule by which an organization's ids are spelled."""

    id_rule: str


class OrganizationNameRow(NamedTuple):
    """An organization by its id."""

    organization: OrganizationId


PLAN = Query("plan", PlanRow)
FIND_LOG = Query("find_log", OrganizationRow)
FIND_ORGANIZATION = Query("find_organization", OrganizationRow)
HAS_FORMER = Query("has_former", OrganizationRow)
FIND_FORMER_KEY = Query("find_former_key", OrganizationRow)
FIND_LOGS_NAMED = Query("find_logs_named", OrganizationRow)
READ_REVISION = Query("read_revision", RevisionRow)
READ_ID_RULE = Query("read_id_rule", IdRuleRow)
