"""How many of a thing there are, in words."""


def counted(number: int, what: str) -> str:
    """So many of them, with the plural's `s` where it is not one."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
