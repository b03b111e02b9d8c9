"""One organization's facts in memory, built for the check: `index` answers, the rest keeps it right.

`whole` builds it anew from the store; `tail` brings it to a later state by what the change log names. Knows
nothing of leases, and not how long it may be answered from.
"""

from rescind.index.index import Index

__all__ = ["Index"]
