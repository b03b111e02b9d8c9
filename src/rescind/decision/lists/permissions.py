"""The permissions that a subject has on a resource, in the order of their numbers."""

from __future__ import annotations

from rescind.decision.lists.source import Asked, Found, Source, Steps
from rescind.decision.lists.streams import Kind, Merge, Stream
from rescind.decision.lists.walk import walk


def permissions(source: Source, asked: Asked) -> Steps[Found]:
    """A page of the permissions in the roles that the subject has on the resource."""
    streams = [Stream(Kind.CONTENTS, role) for role in source.roles_held()]
    yield
    merge = Merge(source.read, streams, asked.after, asked.limit + 1, source.at_once)
    return (yield from walk(merge, asked, source.permissions, set))
