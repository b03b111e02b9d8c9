"""Where facts and effective roles are kept: one contract, two engines. Knows SQL, not meaning."""

from rescind.store.base import (
    Change,
    Listener,
    Params,
    Rows,
    Snapshot,
    Store,
    Transaction,
    open_store,
)

__all__ = [
    "Change",
    "Listener",
    "Params",
    "Rows",
    "Snapshot",
    "Store",
    "Transaction",
    "open_store",
]
