"""Builds the documentation site from the Markdown pages and the docstrings: `make docs`."""
