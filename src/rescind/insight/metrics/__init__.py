"""Metrics: what is measured, the figures of a process and of its database, and how they are exposed."""
