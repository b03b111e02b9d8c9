"""One organization's facts in memory, built for the check.

`index` answers. `build` makes an index from the store; `follow` brings it to a later state by the change log.
This room does not know leases, nor how long an index is valid.
"""

from rescind.index.index import Index

__all__ = ["Index"]
