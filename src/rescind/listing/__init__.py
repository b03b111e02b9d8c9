"""Lists of recorded facts: groups, members, roles, resources, assignments, and what expires.

They show what is on record, page by page. What follows from it for access is in `decision`.
"""

from rescind.listing.lists import Listings
from rescind.listing.names import UNKNOWN, Similar, UnknownName

__all__ = ["UNKNOWN", "Listings", "Similar", "UnknownName"]
