"""What must be true before roles are looked at: which unknown name, or deactivation, a check reports first.

Owns the order alone. Does not know where the facts come from: the SQL reading, the cached index, lists and
explanations all ask here, so a question with several unknown names has one reason at every decision point.
"""

from __future__ import annotations

from rescind.model import Reason


def first_unmet(
    *,
    membership: bool,
    active: bool,
    permission: bool,
    resource: bool,
    organization: bool = True,
) -> Reason | None:
    """The reason of the first precondition that is not met; None where roles decide.

    Each argument says whether the thing exists; `active`, whether the membership is not deactivated. The
    order: organization, subject, deactivation, permission, resource.
    """
    if not organization:
        return Reason.UNKNOWN_ORGANIZATION
    if not membership:
        return Reason.UNKNOWN_SUBJECT
    if not active:
        return Reason.DEACTIVATED
    if not permission:
        return Reason.UNKNOWN_PERMISSION
    return None if resource else Reason.UNKNOWN_RESOURCE
