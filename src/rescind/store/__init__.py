"""Where facts and effective roles are kept: one contract, two engines. Knows SQL, not meaning."""

from rescind.store.contract import (
    Change,
    Listener,
    Params,
    Rows,
    Snapshot,
    Store,
    Transaction,
)
from rescind.store.open import open_store
from rescind.store.probe import StoreProbe

__all__ = [
    "Change",
    "Listener",
    "Params",
    "Rows",
    "Snapshot",
    "Store",
    "StoreProbe",
    "Transaction",
    "open_store",
]
