"""Serving HTTP: connections, the fast path, admission, limits, time limits and logs."""
