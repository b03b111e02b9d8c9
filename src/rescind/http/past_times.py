"""Which past state a request asks about, and whether its key may."""

from __future__ import annotations

from rescind.errors import OrganizationNotFound
from rescind.history.moments import at_of
from rescind.http.auth import Caller
from rescind.http.server.service import Service
from rescind.model import At, AtOf
from rescind.store.rows.past import FIND_PRESENT_ORGANIZATION


def past_time(
    service: Service, caller: Caller, organization: str | None, text: str | None
) -> At | None:
    """The state that `at` of a request means. With a bound key it is one of the key's own organization, not
    of others that had its name before.

    Raises ScopeMissing unless the key may read the log; OrganizationNotFound, InvalidArgument, a StoreError.
    """
    if text is None:
        return None
    caller.require("read")
    name, at = caller.organization_for(organization), at_of(text)
    if caller.organization is None:
        return at
    rows = service.authority.store.fetch(FIND_PRESENT_ORGANIZATION, {"organization": name})
    if not rows:
        raise OrganizationNotFound(organization=name)
    return AtOf(rows[0].organization, at)
