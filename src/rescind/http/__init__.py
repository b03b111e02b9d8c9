"""The service: HTTP on top of `Authority`. Decides nothing about access itself."""
