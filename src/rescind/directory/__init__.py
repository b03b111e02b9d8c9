"""The WorkOS-shaped directory: units of work, directory entries, public ids, objects and events.

Knows nothing of HTTP: a caller is a `Principal`, a refusal is a `DirectoryError`. Changes and decisions go
through `Authority`; what the directory keeps itself is in `directory.sql` and `events.sql`.
"""
