"""The resources that a subject reaches with a permission, in the order of their numbers."""

from __future__ import annotations

from rescind.decision.lists.source import Asked, Found, Source, Steps
from rescind.decision.lists.streams import Kind, Merge, Stream
from rescind.decision.lists.walk import few, walk


def resources(source: Source, asked: Asked) -> Steps[Found]:
    """A page of the resources on which the check passes.

    If the check passes on the organization, these are all resources. Else the smallest of these is searched:
    the resources of the type, the resources that are reached, the children of the resources that have any,
    or all resources.
    """
    if source.is_allowed_everywhere():
        yield
        return (yield from _all(source, asked, is_sure=True))
    if not source.holders():
        return Found({}, None)
    reached = source.below()
    yield
    if reached is not None:
        return few(reached, asked, source.resources)
    known = source.resources_of_kind(asked.kind) if asked.kind else None
    if known is not None:
        ahead = [number for number in known if number > asked.after]
        yield
        return few(source.resources_allowed(ahead), asked, source.resources)
    parents = source.parents()
    yield
    if parents is None:
        return (yield from _all(source, asked, is_sure=False))
    children = [Stream(Kind.CHILDREN, parent) for parent in source.resources_allowed(parents)]
    yield
    places = [Stream(Kind.PLACES, holder) for holder in source.holders()]
    merge = Merge(source.read, [*children, *places], asked.after, asked.limit + 1, source.at_once)
    return (yield from walk(merge, asked, source.resources, source.resources_allowed))


def _all(source: Source, asked: Asked, *, is_sure: bool) -> Steps[Found]:
    stream = Stream(Kind.RESOURCES, is_sure=is_sure)
    merge = Merge(source.read, [stream], asked.after, asked.limit + 1, source.at_once)
    return (yield from walk(merge, asked, source.resources, source.resources_allowed))
