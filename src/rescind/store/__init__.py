"""Where facts and effective roles are kept: one contract, two engines. Knows SQL, not meaning."""

from rescind.store.base import Change, Params, Rows, Store, Transaction, open_store

__all__ = ["Change", "Params", "Rows", "Store", "Transaction", "open_store"]
