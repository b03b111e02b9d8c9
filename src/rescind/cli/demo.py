"""The demo."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
