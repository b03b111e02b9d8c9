"""How replay finds what hangs on a fact."""


class Links:
    """Filled in with replay."""
