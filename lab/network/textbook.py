"""The textbook way to give a group's roles to a member, with an ORM: fetch, compare, write, row by row.

Four tables, each with the keys that its queries need. A change is one transaction: the membership is
written, the roles that the group has are fetched, then the rows that the user has from it; what differs is
written. `one_by_one` sends each row by itself, as code does that flushes in a loop. The other kind leaves
all rows to one statement, which SQLAlchemy and the driver send together: the textbook at its best.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import (
    Engine,
    ForeignKey,
    UniqueConstraint,
    create_engine,
    delete,
    event,
    insert,
    select,
    tuple_,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

USER = 1
"""Joins and leaves the groups."""


class Base(DeclarativeBase):
    """The tables of the textbook."""


class Group(Base):
    __tablename__ = "textbook_group"
    id: Mapped[int] = mapped_column(primary_key=True)


class Assignment(Base):
    __tablename__ = "textbook_assignment"
    __table_args__ = (UniqueConstraint("group_id", "role_id", "resource_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("textbook_group.id"))
    role_id: Mapped[int]
    resource_id: Mapped[int]


class Membership(Base):
    __tablename__ = "textbook_membership"
    group_id: Mapped[int] = mapped_column(ForeignKey("textbook_group.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)


class Effective(Base):
    """A role that a user has on a resource, and the group that it comes from."""

    __tablename__ = "textbook_effective"
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    group_id: Mapped[int] = mapped_column(ForeignKey("textbook_group.id"), primary_key=True)
    role_id: Mapped[int] = mapped_column(primary_key=True)
    resource_id: Mapped[int] = mapped_column(primary_key=True)


def engine_of(url: str) -> Engine:
    """SQLAlchemy's engine for a URL of a topology."""
    if url.startswith("postgresql://"):
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    if "://" in url:
        return create_engine(url)
    engine = create_engine(f"sqlite:///{url}")

    @event.listens_for(engine, "connect")
    def durable(connection: object, _: object) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]

    return engine


def make(url: str, sizes: Sequence[int]) -> None:
    """The tables, and for each size a group of that number with as many assignments."""
    engine = engine_of(url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(Group), [{"id": size} for size in sizes])
        for size in sizes:
            rows = [{"group_id": size, "role_id": 1, "resource_id": n} for n in range(size)]
            connection.execute(insert(Assignment), rows)
    engine.dispose()


def add_member(session: Session, group_id: int, user_id: int, *, one_by_one: bool) -> int:
    """Make the user a member, with all that the group gives. Returns the number of rows written."""
    session.add(Membership(group_id=group_id, user_id=user_id))
    wanted = session.scalars(select(Assignment).where(Assignment.group_id == group_id)).all()
    has = {(row.role_id, row.resource_id) for row in _rows(session, group_id, user_id)}
    missing = [one for one in wanted if (one.role_id, one.resource_id) not in has]
    for one in missing:
        session.add(
            Effective(
                user_id=user_id,
                group_id=group_id,
                role_id=one.role_id,
                resource_id=one.resource_id,
            )
        )
        if one_by_one:
            session.flush()
    session.commit()
    return len(missing)


def remove_member(session: Session, group_id: int, user_id: int, *, one_by_one: bool) -> int:
    """Take the membership away, with all that only this group gave. Returns the number of rows deleted."""
    membership = session.get(Membership, (group_id, user_id))
    if membership is not None:
        session.delete(membership)
    wanted: set[tuple[int, int]] = set()  # no longer a member, so nothing of what it has is right
    rows = _rows(session, group_id, user_id)
    surplus = [row for row in rows if (row.role_id, row.resource_id) not in wanted]
    if one_by_one:
        for row in surplus:
            session.delete(row)
            session.flush()
    elif surplus:
        keys = [(row.role_id, row.resource_id) for row in surplus]
        session.execute(
            delete(Effective).where(
                Effective.user_id == user_id,
                Effective.group_id == group_id,
                tuple_(Effective.role_id, Effective.resource_id).in_(keys),
            ),
            execution_options={"synchronize_session": False},
        )
    session.commit()
    return len(surplus)


def _rows(session: Session, group_id: int, user_id: int) -> Sequence[Effective]:
    found = select(Effective).where(Effective.user_id == user_id, Effective.group_id == group_id)
    return session.scalars(found).all()


@contextmanager
def toggling(url: str, size: int, *, one_by_one: bool) -> Iterator[Callable[[], object]]:
    """An action that adds and removes the user in turn, over a connection that is kept."""
    engine = engine_of(url)
    turn = itertools.cycle((add_member, remove_member))

    def change() -> None:
        with Session(engine) as session:
            next(turn)(session, size, USER, one_by_one=one_by_one)

    engine.connect().close()  # the connection is there before the first change
    try:
        yield change
    finally:
        engine.dispose()


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Counts the statements that all engines of the block send, as the driver has them; for tests."""
    seen = [0]

    def count(*_: object) -> None:
        seen[0] += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield lambda: seen[0]
    finally:
        event.remove(Engine, "before_cursor_execute", count)
