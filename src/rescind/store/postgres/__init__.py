"""The production engine: PostgreSQL 15 and later, a change as one pipeline.

A change's statements go out together, `BEGIN` to `COMMIT`, and the answers are read once: one network
round trip whatever the fan-out, and no lock held while a packet travels. Guards raise in the server, so
that nothing after them runs.
"""

from rescind.errors import extra

with extra("postgres"):
    from rescind.store.postgres.address import address, location
    from rescind.store.postgres.connection import CONNECT_SECONDS, configure
    from rescind.store.postgres.listener import PostgresListener
    from rescind.store.postgres.store import PostgresStore
    from rescind.store.postgres.transaction import PostgresTransaction

__all__ = [
    "CONNECT_SECONDS",
    "PostgresListener",
    "PostgresStore",
    "PostgresTransaction",
    "address",
    "configure",
    "location",
]
