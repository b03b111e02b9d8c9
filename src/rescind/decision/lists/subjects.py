"""Who has a permission on a resource, in the order of memberships' numbers."""

from __future__ import annotations

from rescind.decision.lists.source import Asked, Found, Scope, Source, Steps
from rescind.decision.lists.streams import Kind, Merge, Stream
from rescind.decision.lists.walk import few, walk

ORGANIZATION = 0


def subjects(source: Source, asked: Asked) -> Steps[Found]:
    """A page of the active subjects that pass the check.

    Merges the members of groups that have a role with the permission and the memberships that have one
    directly. In a single-role organization, roles on the organization only make candidates.
    """
    if asked.kind and (known := source.subjects_of_kind(asked.kind)) is not None:
        ahead = [number for number in known if number > asked.after]
        yield
        return few(source.subjects_allowed(ahead), asked, source.subjects)
    streams = yield from _streams(source)
    merge = Merge(source.read, streams, asked.after, asked.limit + 1, source.at_once)
    return (yield from walk(merge, asked, source.subjects, source.subjects_allowed))


def _streams(source: Source) -> Steps[list[Stream]]:
    """Streams that together have every subject of the list."""
    line = source.line()
    yield
    if not source.is_single:
        sure = source.scope(line)
        yield
        return _everybody() if sure.groups is None else _of(sure, is_sure=True)
    if source.default_is_given:
        return _everybody()
    wide = source.scope([ORGANIZATION])
    yield
    scoped = source.scope([place for place in line if place != ORGANIZATION])
    yield
    if wide.groups is None or scoped.groups is None:
        return _everybody()
    return _of(wide, is_sure=False) + _of(scoped, is_sure=True)


def _everybody() -> list[Stream]:
    return [Stream(Kind.MEMBERSHIPS, is_sure=False)]


def _of(scope: Scope, *, is_sure: bool) -> list[Stream]:
    members = [Stream(Kind.MEMBERS, group) for group in scope.groups or ()]
    return [stream._replace(is_sure=is_sure) for stream in (*members, *scope.streams)]
