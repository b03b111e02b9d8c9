"""Every error that Rescind raises. The docstring is the message, the keywords are the facts.

`code` is stable and safe to match on. `retry` says whether the same call may succeed later as it
stands. `mend` says what the caller can do; a fact of that name says it for one case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class RescindError(Exception):
    """Something in Rescind went wrong."""

    code: ClassVar[str] = "error"
    retry: ClassVar[bool] = False
    mend: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        message = (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")
        facts = dict(self.facts)
        mend = str(facts.pop("mend", self.mend)).rstrip(".")
        if facts:
            message += ": " + ", ".join(_told(facts)).rstrip(".")
        return f"{message}. {mend[:1].upper()}{mend[1:]}." if mend else f"{message}."


def _told(facts: dict[str, object]) -> Iterator[str]:
    """Each fact after its name; `what` is the name of `value`, and `why` needs none."""
    if "what" in facts:
        yield f"{facts.pop('what')} {_shown(facts.pop('value', ''))}".rstrip()
    for name, value in facts.items():
        yield _shown(value) if name == "why" else f"{name} {_shown(value)}"


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "…"


# --- what the caller asked for is not well formed -------------------------------------------------


class MalformedId(RescindError):
    """An id is malformed."""

    code = "malformed_id"


class InvalidChange(RescindError):
    """A change is not well formed."""

    code = "invalid_change"


class InvalidArgument(RescindError):
    """An argument is not well formed."""

    code = "invalid_argument"


class InvalidCursor(RescindError):
    """The cursor does not belong to this question."""

    code = "invalid_cursor"
    mend = "Ask again without a cursor to start from the first page."


class InvalidToken(RescindError):
    """The revision token was not issued for this organization."""

    code = "invalid_token"
    mend = "Pass the token of a receipt or decision of the same organization, or none."


# --- something named does not exist ---------------------------------------------------------------


class OrganizationNotFound(RescindError):
    """The organization does not exist."""

    code = "organization_not_found"
    mend = "Create it first, or correct the name."


class MembershipNotFound(RescindError):
    """The subject has no membership in the organization."""

    code = "membership_not_found"
    mend = "Add the membership first, or correct the subject."


class GroupNotFound(RescindError):
    """The group does not exist."""

    code = "group_not_found"
    mend = "Create it first, or correct the name."


class PermissionNotFound(RescindError):
    """The permission is not defined."""

    code = "permission_not_found"
    mend = "Define it first, or correct the name."


class RoleNotFound(RescindError):
    """The role is not defined."""

    code = "role_not_found"
    mend = "Define it first, or correct the name."


class ResourceTypeNotFound(RescindError):
    """The resource type is not defined."""

    code = "resource_type_not_found"
    mend = "Define it first, or correct the name."


class ResourceNotFound(RescindError):
    """The resource does not exist."""

    code = "resource_not_found"
    mend = "Create it first, or correct the name."


# --- the change contradicts the facts -------------------------------------------------------------


class OrganizationExists(RescindError):
    """An organization of this name exists already, and differs."""

    code = "organization_exists"
    mend = "Rename it instead."


class GroupExists(RescindError):
    """A group of this name exists already, and differs."""

    code = "group_exists"
    mend = "Rename it instead."


class MembershipExists(RescindError):
    """The subject has a membership already, and it differs."""

    code = "membership_exists"
    mend = "Remove it first, or leave out the display name."


class PermissionExists(RescindError):
    """A permission of this name is defined already, and differs."""

    code = "permission_exists"
    mend = "Edit it instead."


class RoleExists(RescindError):
    """A role of this name is defined already, and differs."""

    code = "role_exists"
    mend = "Edit it instead."


class ResourceTypeExists(RescindError):
    """A resource type of this name is defined already, and differs."""

    code = "resource_type_exists"
    mend = "Delete it first, or leave it as it is."


class ResourceExists(RescindError):
    """The resource exists already, under another parent."""

    code = "resource_exists"
    mend = "Move it instead."


class OrganizationInUse(RescindError):
    """The organization is not empty."""

    code = "organization_in_use"
    mend = "Ask with cascade to delete all of it."


class GroupInUse(RescindError):
    """The group is still in use."""

    code = "group_in_use"
    mend = "Ask with cascade to delete those as well."


class PermissionInUse(RescindError):
    """Roles still contain the permission."""

    code = "permission_in_use"
    mend = "Ask with cascade to take it out of them."


class RoleInUse(RescindError):
    """The role is still assigned, or is a default role."""

    code = "role_in_use"
    mend = "Ask with cascade to delete those assignments as well."


class ResourceTypeInUse(RescindError):
    """Resources of the type still exist."""

    code = "resource_type_in_use"
    mend = "Delete them first."


class ResourceInUse(RescindError):
    """The resource still has resources below it, or assignments on it."""

    code = "resource_in_use"
    mend = "Ask with cascade to delete those as well."


class NestingCycle(RescindError):
    """The nesting would make a group contain itself."""

    code = "nesting_cycle"
    mend = "Take one of the nestings on the way out first."


class ResourceCycle(RescindError):
    """The move would put a resource below itself."""

    code = "resource_cycle"
    mend = "Choose a parent outside the subtree."


class ParentTypeRefused(RescindError):
    """A resource of this type may not stand below that parent."""

    code = "parent_type_refused"
    mend = "Choose a parent of an allowed type."


class KeyReused(RescindError):
    """The idempotency key was used for another change."""

    code = "idempotency_key_reused"
    mend = "Use a new key for a new change."


# --- the store ------------------------------------------------------------------------------------


class StoreError(RescindError):
    """The store failed."""

    code = "store_failed"


class StoreUnavailable(StoreError):
    """The store cannot be reached."""

    code = "store_unavailable"
    retry = True


class DecisionUnavailable(StoreUnavailable):
    """There is neither a lease to answer under nor a database to ask, so there is no decision."""

    code = "decision_unavailable"
    mend = "Deny, and ask again when the database can be reached."


class StoreBusy(StoreError):
    """The store is locked by another process."""

    code = "store_busy"
    retry = True
    mend = "Try again when the other process has finished."


class StoreReadOnly(StoreError):
    """The store is read-only."""

    code = "store_read_only"
    mend = "Give this user write access to the database and its folder."


class StoreConflict(StoreError):
    """Another transaction was in the way."""

    code = "store_conflict"
    retry = True


class SchemaMissing(StoreError):
    """The database has no Rescind schema."""

    code = "schema_missing"
    mend = "Run `rescind migrate` on it."


class SchemaTooOld(StoreError):
    """The database's schema is older than this Rescind."""

    code = "schema_too_old"
    mend = "Run `rescind migrate` on it."


class SchemaTooNew(StoreError):
    """The database's schema is newer than this Rescind."""

    code = "schema_too_new"
    mend = "Upgrade Rescind on this machine."


class OutcomeUnknown(StoreError):
    """The connection was lost while committing: the change may or may not be recorded."""

    code = "outcome_unknown"
    retry = True
    mend = "Repeat the call with the same idempotency key: it has one effect and tells the outcome."


class NotCommitted(StoreError):
    """The caller's transaction has not committed the change."""

    code = "not_committed"
    mend = "Commit your transaction first, then call receipt.enforce()."


class RevisionUnavailable(StoreError):
    """The store is behind the revision that was asked for."""

    code = "revision_unavailable"
    retry = True
    mend = "The database may have been restored from a backup; ask without at_least to accept that."


class GroupBusy(StoreError):
    """Another worker or a change has the group at this moment."""

    code = "group_busy"
    retry = True
    mend = "Try again shortly."


class PendingMoved(StoreError):
    """The pending work went on, or changed, in the meantime."""

    code = "pending_moved"
    retry = True
    mend = "Read it again."


class UnsupportedConnection(RescindError):
    """This kind of connection cannot carry a change."""

    code = "unsupported_connection"
    mend = "Pass a psycopg 3 or sqlite3 connection, or a SQLAlchemy or Django one on top of those."


# --- the service ----------------------------------------------------------------------------------


class InvalidRequest(RescindError):
    """The request is not well formed."""

    code = "invalid_request"


class Unauthenticated(RescindError):
    """The request carries no valid API key."""

    code = "unauthenticated"
    mend = "Send a key that is neither expired nor revoked, as `Authorization: Bearer KEY`."


class ScopeMissing(RescindError):
    """The API key does not have the scope that this needs."""

    code = "scope_missing"
    mend = "Use a key that has it."


class RouteNotFound(RescindError):
    """There is nothing at this address."""

    code = "route_not_found"
    mend = "The addresses are in /openapi.json."


class MethodNotAllowed(RescindError):
    """This address does not take the method."""

    code = "method_not_allowed"


class RevisionNotFound(RescindError):
    """The organization has no change of this number."""

    code = "revision_not_found"
    mend = "List its changes."


class ApiKeyNotFound(RescindError):
    """The API key does not exist, or was revoked."""

    code = "api_key_not_found"
    mend = "List the keys to find its id."


class HeadTooLarge(RescindError):
    """The request's head is larger than the limit."""

    code = "head_too_large"
    mend = "Send shorter headers and a shorter address."


class HeadTooSlow(RescindError):
    """The request's head did not arrive in time."""

    code = "head_too_slow"
    retry = True


class BodyTooLarge(RescindError):
    """The request's body is larger than the limit."""

    code = "body_too_large"
    mend = "Send less at a time."


class BodyTooSlow(RescindError):
    """The request's body did not arrive in time."""

    code = "body_too_slow"
    retry = True


class TooManyRequests(RescindError):
    """The API key makes more requests than the limit."""

    code = "too_many_requests"
    retry = True
    mend = "Wait as long as the header Retry-After says."


class PreconditionFailed(RescindError):
    """The organization is not at the revision that the change is for."""

    code = "precondition_failed"
    mend = "Read again what it rests on, and decide anew."


class NotSupported(RescindError):
    """This is not supported, on purpose."""

    code = "not_supported"


class InternalError(RescindError):
    """The service made a mistake, which is in its log under the request's id."""

    code = "internal_error"


# --- reading input --------------------------------------------------------------------------------


class BadInput(RescindError):
    """The input cannot be read."""

    code = "bad_input"


def _by_code(root: type[RescindError]) -> dict[str, type[RescindError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found.update(_by_code(child))
    return found


def refusal(code: str, facts: dict[str, object]) -> RescindError:
    """The error for a refusal that a guard in SQL returned."""
    return _by_code(RescindError)[code](**facts)
