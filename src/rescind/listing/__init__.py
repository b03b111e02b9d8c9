"""Lists of recorded facts: groups, members, roles, resources, assignments, and what expires.

They show what is on record, page by page. What follows from it for access is in `decision`.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.listing import assignments as assignments
    from rescind.listing import look_alikes as look_alikes
    from rescind.listing import members as members
    from rescind.listing import names as names
    from rescind.listing import reading as reading
    from rescind.listing import roles as roles
    from rescind.listing.lists import Listings
    from rescind.listing.names import UNKNOWN, Similar, UnknownName
    from rescind.listing.reading import Listed, Paging, of_holder, prefix, require_holder

__all__ = [
    "UNKNOWN",
    "Listed",
    "Listings",
    "Paging",
    "Similar",
    "UnknownName",
    "of_holder",
    "prefix",
    "require_holder",
]

_HOMES = {
    "rescind.listing.lists": "Listings",
    "rescind.listing.names": "UNKNOWN Similar UnknownName",
    "rescind.listing.reading": "Listed Paging of_holder prefix require_holder",
}
_MODULES = ("assignments", "look_alikes", "members", "names", "reading", "roles")

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES, *_MODULES)
