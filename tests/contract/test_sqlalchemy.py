"""Statements of SQLAlchemy that return only the rows that a subject may use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import sqlalchemy
from sqlalchemy import (
    Engine,
    ForeignKey,
    Select,
    String,
    bindparam,
    cast,
    column,
    create_engine,
    delete,
    event,
    exists,
    func,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import CompileError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    contains_eager,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
    with_loader_criteria,
)

from rescind import Authority, changes
from rescind.errors import InvalidArgument, MalformedId, UnsupportedConnection
from rescind.integrations.sqlalchemy import Access, allowed, authorized
from rescind.store.migrations import migrate
from tests.conftest import Make
from tests.contract.test_list_page import DOCUMENTS, USERS, filled, steps, visited
from tests.contract.world import WORLD

ACME: Final = Access(organization="acme")


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owner"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    docs: Mapped[list[Doc]] = relationship(back_populates="owner", order_by="Doc.id")


class Tag(Base):
    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[int] = mapped_column(ForeignKey("document.id"))
    word: Mapped[str]


class Doc(Base):
    """Named as it is in `test_list_page`."""

    __tablename__ = "document"
    id: Mapped[int] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(unique=True)
    updated: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(default="doc")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))
    owner: Mapped[Owner | None] = relationship(back_populates="docs")
    tags: Mapped[list[Tag]] = relationship(order_by=Tag.id)
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "doc"}  # noqa: RUF012


class Contract(Doc):
    """A kind of document with a table of its own beside the first."""

    __tablename__ = "contract"
    id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    party: Mapped[str]
    __mapper_args__ = {"polymorphic_identity": "contract"}  # noqa: RUF012


def engine_of(database: str, **options: Any) -> Engine:
    return create_engine(database.replace("postgresql:", "postgresql+psycopg:"), **options)


@pytest.fixture
def engine_on(database: str, facts_of_world: None) -> Iterator[Engine]:
    """Ada may `read` all, `write` doc:1 and folder:a; cyd may read doc:2 only."""
    engine = engine_of(database)
    fill(engine)
    yield engine
    engine.dispose()


def fill(engine: Engine) -> None:
    """Make the tables and their rows."""
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([Owner(id=1, name="ann"), Owner(id=2, name="bob")])
        session.flush()
        for number, name in enumerate(("doc:1", "doc:2", "folder:a", "doc:404"), 1):
            session.add(Doc(id=number, resource=name, updated=-number, owner_id=1 + number % 2))
        session.flush()
        session.add_all(
            Tag(id=10 * number + each, document=number, word="ab"[each])
            for number in (1, 2, 3, 4)
            for each in (0, 1)
        )


@pytest.fixture
def session(engine_on: Engine) -> Iterator[Session]:
    with Session(engine_on) as opened:
        yield opened


def visible(statement: Any, user: str = "cyd", permission: str = "read", **options: Any) -> Any:
    options.setdefault("on", Doc.resource)
    return ACME.authorized(statement, f"user:{user}", permission, **options)


# --- which rows --------------------------------------------------------------------------------


def test_rows_are_those_that_a_check_allows(session: Session, database: str) -> None:
    """For everybody and every permission, as `authorized`, as `allowed` and as a column."""
    with Authority.open(database, organization="acme") as authority:
        for user in ("ada", "bob", "cyd", "nobody"):
            for permission in ("read", "write", "none"):
                wanted = [
                    doc.resource
                    for doc in session.scalars(select(Doc).order_by(Doc.id))
                    if authority.check(f"user:{user}", permission, doc.resource).allowed
                ]
                listed = visible(select(Doc.resource, Doc.id), user, permission).order_by(Doc.id)
                assert list(session.scalars(listed)) == wanted, (user, permission)
                may = ACME.allowed(f"user:{user}", permission, on=Doc.resource)
                assert (
                    list(session.scalars(select(Doc.resource).where(may).order_by(Doc.id)))
                    == wanted
                )
                flags = session.execute(select(Doc.resource, may)).all()
                assert {name for name, is_allowed in flags if is_allowed} == set(wanted)
                assert {is_allowed for _, is_allowed in flags} <= {True, False}
    assert list(session.scalars(visible(select(Doc.resource)))) == [
        "doc:2"
    ]  # so it was no empty test


def test_the_organization_itself_is_a_place(session: Session, database: str) -> None:
    """Who holds a role on it may use all that is known to Rescind, and nothing else."""
    everything = [
        changes.AddMembership(subject="user:boss"),
        changes.DefineRole(role="boss", permissions=("read",)),
        changes.Assign(role="boss", to="user:boss"),
    ]
    with Authority.open(database, organization="acme") as authority:
        authority.apply(everything)
    assert set(session.scalars(visible(select(Doc.id), "boss"))) == {1, 2, 3}
    may = ACME.allowed("user:boss", "read", on=Doc.resource)
    assert set(session.scalars(select(Doc.id).where(may))) == {1, 2, 3}
    assert session.scalar(
        select(ACME.allowed("user:boss", "read", on=Doc.resource)).where(Doc.id == 4)
    ) in (False, 0)


def test_a_revocation_holds_for_the_next_statement(session: Session, database: str) -> None:
    """The same statement object, and the same session with the row in its identity map."""
    statement = visible(select(Doc), "ada", "write").order_by(Doc.id)
    assert [doc.id for doc in session.scalars(statement)] == [1, 3]
    session.rollback()
    with Authority.open(database, organization="acme") as authority:
        authority.apply(
            [changes.Unassign(role="writer", to="group:eng", on="folder:a")], route="background"
        )
        assert authority.pending()
    assert session.scalars(statement).all() == []
    assert (
        session.scalar(
            select(func.count()).where(ACME.allowed("user:ada", "write", on=Doc.resource))
        )
        == 0
    )


# --- it composes --------------------------------------------------------------------------------


def ids(rows: Any) -> list[int]:
    return [row if isinstance(row, int) else row.id for row in rows]


SHAPES: Final[dict[str, Callable[[Any], Select[Any]]]] = {
    "whole": lambda v: v(select(Doc)),
    "conditions before": lambda v: v(select(Doc).where(Doc.id > 0).order_by(Doc.id)),
    "conditions after": lambda v: v(select(Doc)).where(Doc.id > 0).order_by(Doc.updated),
    "columns": lambda v: v(select(Doc.id)),
    "distinct": lambda v: v(select(Doc.id).distinct()),
    "group": lambda v: v(select(Doc.id).group_by(Doc.id).having(func.count() == 1)),
    "core table": lambda v: v(select(Doc.__table__), on=Doc.__table__.c.resource),
    "join by relationship": lambda v: v(select(Doc).join(Doc.owner)),
    "join after": lambda v: v(select(Doc)).join(Doc.owner).where(Owner.name == "ann"),
    "join to it": lambda v: v(select(Doc.id).select_from(Owner).join(Owner.docs)),
    "join to the entity": lambda v: v(select(Doc.id).select_from(Owner).join(Doc, Owner.docs)),
    "join to the entity on columns": lambda v: v(
        select(Doc.id).select_from(Owner).join(Doc, Doc.owner_id == Owner.id)
    ),
    "join to the table": lambda v: v(
        select(Doc.__table__.c.id).select_from(Owner.__table__).join(Doc.__table__)
    ),
    "join written out": lambda v: v(
        select(Doc.id).select_from(sqlalchemy.join(Owner, Doc, Doc.owner_id == Owner.id))
    ),
    "join through it": lambda v: v(
        select(Doc.id).select_from(Owner).join(Owner.docs).join(Doc.tags).where(Tag.word == "a")
    ),
    "join by commas": lambda v: v(select(Doc.id, Owner.name).where(Doc.owner_id == Owner.id)),
    "only in a condition": lambda v: v(
        select(Tag.document).where(Tag.document == Doc.id, Tag.word == "a")
    ),
    "exists": lambda v: v(select(Doc).where(exists().where(Tag.document == Doc.id))),
    "correlated": lambda v: v(
        select(Doc).where(select(func.count()).where(Tag.document == Doc.id).scalar_subquery() == 2)
    ),
    "subquery": lambda v: select(v(select(Doc.id)).subquery().c.id),
    "cte": lambda v: select(v(select(Doc.id)).cte("reach").c.id),
    "in": lambda v: select(Doc.id).where(Doc.id.in_(v(select(Doc.id)))),
    "joined": lambda v: v(select(Doc).options(joinedload(Doc.owner), joinedload(Doc.tags))).limit(
        9
    ),
    "selectin": lambda v: v(select(Doc).options(selectinload(Doc.tags))).limit(9),
    "subqueryload": lambda v: (
        v(select(Doc).options(subqueryload(Doc.tags))).order_by(Doc.id).limit(9)
    ),
    "expression": lambda v: v(select(Doc), on="doc:" + sqlalchemy.cast(Doc.id, sqlalchemy.String)),
    "constant": lambda v: v(
        select(Doc), on=literal_column("'doc:'") + sqlalchemy.cast(Doc.id, sqlalchemy.String)
    ),
    "twice": lambda v: ACME.authorized(
        v(select(Doc).join(Doc.owner)), "user:cyd", "read", on=Doc.resource
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_statement_composes(shape: str, session: Session) -> None:
    """cyd gets doc:2 and no other row, whatever stands around it. (Control: without, there are others.)"""
    if shape == "twice":
        with pytest.raises(InvalidArgument):
            SHAPES[shape](visible)
        return
    found = session.scalars(SHAPES[shape](visible)).unique().all()
    assert ids(found) == [2]
    for doc in found:
        if isinstance(doc, Doc):
            assert [tag.id for tag in doc.tags] == [20, 21]
    everything = session.scalars(SHAPES[shape](lambda statement, **_: statement)).unique().all()
    assert len(everything) > 1 or shape == "join after"


ALIAS: Final = aliased(Doc, name="d")
ANONYMOUS: Final = aliased(Doc)
OF_ALIASES: Final[dict[str, Callable[[Any], Select[Any]]]] = {
    "alias": lambda v: v(select(ALIAS), on=ALIAS.resource).order_by(ALIAS.id),
    "anonymous": lambda v: v(select(ANONYMOUS.id), on=ANONYMOUS.resource).limit(9),
    "joined": lambda v: v(
        select(ANONYMOUS).options(joinedload(ANONYMOUS.tags)), on=ANONYMOUS.resource
    ).limit(9),
    "of a join": lambda v: v(
        select(ANONYMOUS.id).select_from(Owner).join(Owner.docs.of_type(ANONYMOUS)),
        on=ANONYMOUS.resource,
    ),
    "beside itself": lambda v: v(
        select(ANONYMOUS.id).join(Doc, Doc.id == ANONYMOUS.id), on=ANONYMOUS.resource
    ),
    "within": lambda v: select(
        aliased(Doc, v(select(ANONYMOUS), on=ANONYMOUS.resource).subquery())
    ),
}


@pytest.mark.parametrize("shape", OF_ALIASES)
def test_an_alias_is_restricted_and_not_its_table(shape: str, session: Session) -> None:
    assert ids(session.scalars(OF_ALIASES[shape](visible)).unique()) == [2]


def test_an_outer_join_has_nothing_in_place_of_what_is_hidden(session: Session) -> None:
    """The other rows of the statement stay."""
    statement = visible(select(Owner.id, Doc.id).outerjoin(Owner.docs))
    assert sorted(session.execute(statement).all(), key=str) == [(1, 2), (2, None)]


def test_an_inherited_table_is_restricted_by_a_column_of_the_first(session: Session) -> None:
    session.add(Contract(id=5, resource="folder:b", updated=0, party="them"))
    session.flush()
    assert ids(session.scalars(visible(select(Contract), "ada", on=Contract.resource))) == [5]
    assert session.scalars(visible(select(Contract), "cyd", on=Contract.resource)).all() == []
    assert ids(session.scalars(visible(select(Doc).where(Doc.kind == "contract"), "ada"))) == [5]


def test_counts_and_pages_are_of_the_permitted(session: Session) -> None:
    listed = visible(select(Doc), "ada")
    assert session.scalar(select(func.count()).select_from(listed.subquery())) == 3
    assert session.scalar(listed.with_only_columns(func.count(Doc.id))) == 3
    pages = [listed.order_by(Doc.updated).limit(2).offset(start) for start in (0, 2, 4)]
    assert [ids(session.scalars(page)) for page in pages] == [[3, 2], [1], []]
    both = listed.with_only_columns(Doc.id).union_all(visible(select(Doc.id)))
    assert sorted(session.scalars(both)) == [1, 2, 2, 3]
    pairs = select(Doc.id, ALIAS.id).where(Doc.id != ALIAS.id)
    both_restricted = visible(visible(pairs, "ada"), on=ALIAS.resource)
    assert sorted(session.execute(both_restricted).all()) == [(1, 2), (3, 2)]


@pytest.mark.parametrize("strategy", ["auto", "fetch", False])
def test_a_change_reaches_only_permitted_rows(session: Session, strategy: Any) -> None:
    """Of the rows that its own conditions name. (Control: without, it reaches them all.)"""
    options = {"synchronize_session": strategy}
    docs = session.scalars(select(Doc).order_by(Doc.id)).all()
    changed = session.execute(
        visible(update(Doc).where(Doc.id < 4).values(updated=7)), execution_options=options
    )
    assert changed.rowcount == 1  # type: ignore[attr-defined]
    assert [doc.updated for doc in docs] == [-1, 7 if strategy else -2, -3, -4]
    session.execute(delete(Tag))
    gone = session.execute(visible(delete(Doc), "ada", "write"), execution_options=options)
    assert gone.rowcount == 2  # type: ignore[attr-defined]
    assert list(session.scalars(select(Doc.id).order_by(Doc.id))) == [2, 4]
    session.rollback()
    assert ids(session.scalars(select(Doc).order_by(Doc.id))) == [1, 2, 3, 4]
    session.execute(delete(Tag))
    assert session.execute(delete(Doc)).rowcount == 4  # type: ignore[attr-defined]


def test_a_restricted_change_is_rolled_back(session: Session) -> None:
    """As the first of a transaction too: sqlite3 begins none before a statement that begins WITH."""
    session.execute(visible(update(Doc).values(updated=7)))
    session.rollback()
    assert session.scalar(select(Doc.updated).where(Doc.id == 2)) == -2


# --- what other ways to a row there are ----------------------------------------------------------------


def test_a_relationship_is_not_restricted_by_itself(session: Session) -> None:
    """It is by `with_loader_criteria` or `and_`; what is loaded already stays loaded."""
    owner = select(Owner).where(Owner.id == 1)
    may = ACME.allowed("user:cyd", "read", on=Doc.resource)
    criteria = with_loader_criteria(Doc, may, include_aliases=True)
    for load in (selectinload, joinedload, subqueryload):
        restricted = owner.options(load(Owner.docs), criteria)
        assert ids(session.scalars(restricted).unique().one().docs) == [2]
        session.expunge_all()
        restricted = owner.options(load(Owner.docs.and_(may)))
        assert ids(session.scalars(restricted).unique().one().docs) == [2]
        session.expunge_all()
    lazily = session.scalars(owner.options(criteria)).one()
    assert ids(lazily.docs) == [2]
    session.expunge_all()
    held = session.scalars(owner).one()
    assert ids(held.docs) == [2, 4]
    again = session.scalars(owner.options(selectinload(Owner.docs), criteria)).one()
    assert again is held
    assert ids(again.docs) == [2, 4]
    anew = owner.options(selectinload(Owner.docs), criteria).execution_options(
        populate_existing=True
    )
    assert ids(session.scalars(anew).one().docs) == [2]


def test_a_collection_is_filled_from_what_is_permitted(session: Session) -> None:
    """`contains_eager` takes it from the statement's own join."""
    statement = visible(select(Owner).join(Owner.docs)).options(contains_eager(Owner.docs))
    (owner,) = session.scalars(statement).unique()
    assert ids(owner.docs) == [2]


def test_the_identity_map_gives_no_row_that_the_database_did_not(session: Session) -> None:
    """All documents are in it; those that may not be seen are there by `get`, and not by the statement."""
    everything = session.scalars(select(Doc)).all()
    assert len(everything) == 4
    assert ids(session.scalars(visible(select(Doc)))) == [2]
    assert session.get(Doc, 1) is not None
    assert session.scalar(visible(select(Doc).where(Doc.id == 1))) is None


# --- it fails closed -------------------------------------------------------------------------------


def test_without_the_clause_a_statement_fails(session: Session) -> None:
    """Should a version of SQLAlchemy leave it out, no row is shown. (Control: it is what is left out.)"""
    statement = visible(select(Doc.id))
    assert session.scalars(statement).all() == [2]
    assert statement.whereclause is not None
    statement = select(Doc.id).where(statement.whereclause)
    with pytest.raises(DBAPIError, match="rescind_permitted"):
        session.scalars(statement).all()


ADDED: Final[dict[str, Callable[[Select[Any]], Any]]] = {
    "from": lambda s: s.select_from(Doc),
    "from the table": lambda s: s.select_from(Doc.__table__),
    "columns": lambda s: s.with_only_columns(Doc.id, Doc.kind),
    "a condition": lambda s: s.where(Doc.id.in_(select(Doc.id))),
    "a label": lambda s: s.add_columns(Doc.resource.label("rescind_permitted")),
    "no condition": lambda s: s.with_only_columns(Doc.id, maintain_column_froms=True),
    "joined again": lambda s: s.select_from(Owner).join(Owner.docs),
    "joined to itself": lambda s: s.join(Doc, Doc.id > 0),
}


@pytest.mark.parametrize("added", ADDED)
def test_nothing_added_later_opens_it(added: str, session: Session) -> None:
    """The table a second time is an error of the database, or of SQLAlchemy; nothing else shows more."""
    statement = ADDED[added](visible(select(Doc.id)))
    if "joined" in added:
        with pytest.raises(SQLAlchemyError):
            session.scalars(statement).all()
    else:
        assert session.scalars(statement).all() == [2]


@pytest.mark.parametrize(
    ("statement", "options", "hint"),
    [
        (select(Owner), {}, "not in its FROM"),
        (select(Doc), {"on": ALIAS.resource}, "not in its FROM"),
        (select(Doc), {"on": "resource"}, "on=Doc.resource"),
        (select(Doc), {"on": literal_column("resource")}, "on=Doc.resource"),
        (select(Doc, Owner), {"on": Doc.resource + Owner.name}, "on=Doc.resource"),
        (select(Doc), {"on": select(Doc).subquery().c.resource}, "alias"),
        (select(Doc.id).union(select(Tag.id)), {}, "each part of a union"),
        (sqlalchemy.text("SELECT 1"), {}, "select()"),
        (select(Doc).with_for_update(), {}, "allowed"),
        (select(Owner).join(Owner.docs.of_type(Contract)), {}, "not in its FROM"),
    ],
)
def test_what_cannot_be_restricted_is_refused(statement: Any, options: Any, hint: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        visible(statement, **options)
    assert hint in str(refused.value)


@pytest.mark.parametrize(
    "names", [("group:a", "read"), ("user:", "read"), ("user:a", ""), (None, "read")]
)
def test_names_that_cannot_be_are_refused(names: Any) -> None:
    for ask in (
        lambda: authorized(select(Doc), *names, on=Doc.resource, organization="acme"),
        lambda: allowed(*names, on=Doc.resource, organization="acme"),
    ):
        with pytest.raises(MalformedId):
            ask()
    with pytest.raises(MalformedId):
        authorized(select(Doc), "user:a", "read", on=Doc.resource, organization="")


def test_another_database_has_no_statement() -> None:
    for statement in (
        visible(select(Doc)),
        select(ACME.allowed("user:a", "read", on=Doc.resource)),
    ):
        with pytest.raises(CompileError, match="SQLite and PostgreSQL"):
            statement.compile(dialect=mysql.dialect())
        assert "rescind.reach" in str(statement)


def test_a_table_in_a_schema_needs_an_alias(database: str, facts_of_world: None) -> None:
    """Its columns are written with the schema, which no other rows can have."""
    doc = sqlalchemy.Table(
        "document",
        sqlalchemy.MetaData(),
        sqlalchemy.Column("resource", sqlalchemy.String),
        schema="temp" if database.startswith("sqlite") else "app",
    )
    engine = engine_of(database)
    with engine.connect() as connection:
        if doc.schema == "app":
            connection.exec_driver_sql("CREATE SCHEMA app")
        doc.create(connection)
        connection.execute(doc.insert(), [{"resource": "doc:1"}, {"resource": "doc:2"}])
        with pytest.raises(CompileError, match="alias"):
            connection.execute(visible(select(doc), on=doc.c.resource))
        other = doc.alias()
        found = connection.execute(visible(select(other), on=other.c.resource)).all()
        assert found == [("doc:2",)]
        may = ACME.allowed("user:cyd", "read", on=doc.c.resource)
        assert connection.execute(select(doc).where(may)).all() == [("doc:2",)]
    engine.dispose()


@pytest.mark.parametrize(
    "name", ["r", "x", "up", "reach", "asked", "v", "order", 'ä"b', "rescind_row"]
)
def test_a_table_may_have_any_name(name: str, database: str, facts_of_world: None) -> None:
    """Also one that stands in the clause, with columns as Rescind's tables have them."""
    columns = [
        sqlalchemy.Column(each, sqlalchemy.String)
        for each in ("slug", "parent", "organization", "id")
    ]
    own = sqlalchemy.Table(name, sqlalchemy.MetaData(), *columns)
    engine = engine_of(database)
    with engine.connect() as connection:
        own.create(connection)
        connection.execute(
            own.insert(), [{"slug": each, "id": each} for each in ("doc:1", "doc:2", "doc:9")]
        )
        assert connection.scalars(visible(select(own.c.slug), on=own.c.slug)).all() == ["doc:2"]
        may = ACME.allowed("user:cyd", "read", on=own.c.slug)
        assert connection.scalars(select(own.c.slug).where(may)).all() == ["doc:2"]
        connection.rollback()
    engine.dispose()


def test_the_schema_may_have_another_name(new_database: Any, postgres_server: str) -> None:
    """Where the URL of Rescind's database names it."""
    database = new_database("postgres")
    named = f"{database}&schema=authz" if "?" in database else f"{database}?schema=authz"
    migrate(named)
    with Authority.open(named, organization="acme") as authority:
        authority.apply(WORLD)
    engine = engine_of(database)
    docs = table("document", column("resource"))
    access = Access(organization="acme", schema="authz")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE document (resource TEXT)")
        connection.exec_driver_sql("INSERT INTO document VALUES ('doc:1'), ('doc:2')")
        listed = access.authorized(select(docs), "user:cyd", "read", on=docs.c.resource)
        assert connection.execute(listed).all() == [("doc:2",)]
        may = access.allowed("user:cyd", "read", on=docs.c.resource)
        assert connection.execute(select(docs).where(may)).all() == [("doc:2",)]
        elsewhere = visible(select(docs), on=docs.c.resource)
        assert connection.execute(elsewhere).all() == []
    engine.dispose()


# --- it is made once ----------------------------------------------------------------------------------


def test_a_statement_is_compiled_once_for_all_values(session: Session) -> None:
    """And a constant in the resource is not taken for another statement's."""
    cache: dict[Any, Any] = {}
    options = {"compiled_cache": cache}
    asked = [("ada", "write", [1, 3]), ("cyd", "read", [2]), ("nobody", "read", [])]
    for user, permission, found in asked:
        statement = visible(select(Doc.id), user, permission).order_by(Doc.id)
        assert (
            session.connection().execute(statement, execution_options=options).scalars().all()
            == found
        )
    assert len(cache) == 1
    for prefix, found in (("doc:", [2]), ("folder:", []), ("doc:", [2])):
        on = prefix + sqlalchemy.cast(Doc.id, sqlalchemy.String)
        statement = visible(select(Doc.id), on=on)
        assert (
            session.connection().execute(statement, execution_options=options).scalars().all()
            == found
        )
    assert len(cache) == 2
    may = [
        select(Doc.id).where(ACME.allowed(f"user:{user}", "write", on=Doc.resource))
        for user in "ab"
    ]
    for statement in may:
        session.connection().execute(statement, execution_options=options)
    assert len(cache) == 3


def test_values_may_be_given_at_execution(session: Session) -> None:
    statement = authorized(
        select(Doc.id), bindparam("who"), bindparam("what"), on=Doc.resource, organization="acme"
    ).order_by(Doc.id)
    assert session.scalars(statement, {"who": "user:cyd", "what": "read"}).all() == [2]
    assert session.scalars(statement, {"who": "user:ada", "what": "write"}).all() == [1, 3]


def test_a_value_is_not_taken_for_the_place_of_another(session: Session) -> None:
    """Neither where parameters have each other's names, nor where values are written into the statement.
    (Control: written one after the other, the organization's parameter became the subject's.)
    """
    statement = authorized(
        select(Doc.id),
        bindparam("permission"),
        bindparam("organization"),
        on=Doc.resource,
        organization=bindparam("subject"),
    ).order_by(Doc.id)
    values = {"subject": "acme", "permission": "user:ada", "organization": "write"}
    assert session.scalars(statement, values).all() == [1, 3]
    for name in ("permission", "subject", "organization"):
        named = authorized(
            select(Doc.id), f"user:{name}", "write", on=Doc.resource, organization="acme"
        )
        written = named.compile(session.connection(), compile_kwargs={"literal_binds": True})
        assert f"'user:{name}'" in str(written)
        assert session.connection().exec_driver_sql(str(written)).all() == []


def test_a_list_is_one_statement(engine_on: Engine) -> None:
    """Nothing is asked before it, and nothing for each row."""
    sent: list[str] = []
    event.listen(engine_on, "before_cursor_execute", lambda *given: sent.append(given[2]))
    with Session(engine_on) as session:
        statement = visible(select(Doc), "ada").order_by(Doc.id)
        assert sent == []
        assert len(session.scalars(statement).all()) == 3
    assert len(sent) == 1


ASYNC = {
    "sqlite+aiosqlite": "sqlite",
    "postgresql+psycopg": "postgres",
    "postgresql+asyncpg": "postgres",
}


FOUND = {
    "page user:ada": [(1, 2), (2, 2)],
    "page user:cyd": [(2, 2)],
    "page user:nobody": [],
    "count user:ada": 3,
    "count user:cyd": 1,
    "count user:nobody": 0,
    "may user:ada": [(1, True), (2, False), (3, True), (4, False)],
    "may user:cyd": [(1, False), (2, False), (3, False), (4, False)],
    "may user:nobody": [(1, False), (2, False), (3, False), (4, False)],
    "joined user:ada": [1, 2],
    "joined user:cyd": [2],
    "joined user:nobody": [],
    "expression": [2],
    "streamed": [1, 2, 3],
    "updated": [1, 3],
    "deleted": 2,
}


@pytest.fixture(params=ASYNC)
def async_url(request: pytest.FixtureRequest, new_database: Make) -> str:
    """The URL of a database, for each driver of asynchronous sessions."""
    database = new_database(ASYNC[request.param], is_filled=True)
    engine = engine_of(database)
    fill(engine)
    engine.dispose()
    return f"{request.param}:{database.partition(':')[2]}"


async def shapes(session: AsyncSession) -> dict[str, Any]:
    """What statements of each shape find. Each is run often enough to be prepared, and planned once."""
    found: dict[str, Any] = {}
    user = bindparam("user", type_=String)
    listed = ACME.authorized(select(Doc), user, "read", on=Doc.resource)
    may = ACME.allowed(user, "write", on=Doc.resource)
    paged = listed.options(selectinload(Doc.tags)).order_by(Doc.id).limit(bindparam("most"))
    joined = listed.join(Doc.owner).where(Owner.name.in_(["ann", "bob"]), Doc.resource.like("d%"))
    other = aliased(Doc)
    older = visible(select(other), on="doc:" + cast(other.id, String)).where(other.updated < -1)
    edit = visible(update(Doc), "ada", "write").values(updated=7).returning(Doc.id)
    for _ in range(7):
        for asked in ("user:ada", "user:cyd", "user:nobody"):
            given = {"user": asked, "most": 2}
            page = (await session.scalars(paged, given)).all()
            found[f"page {asked}"] = [(doc.id, len(doc.tags)) for doc in page]
            count = select(func.count()).select_from(listed.subquery())
            found[f"count {asked}"] = await session.scalar(count, given)
            rows = await session.execute(select(Doc.id, may).order_by(Doc.id), given)
            found[f"may {asked}"] = [tuple(row) for row in rows]
            found[f"joined {asked}"] = sorted(ids(await session.scalars(joined, given)))
        found["expression"] = ids(await session.scalars(older))
    found["streamed"] = [
        doc.id
        async for doc in await session.stream_scalars(visible(select(Doc), "ada").order_by(Doc.id))
    ]
    found["updated"] = sorted(await session.scalars(edit))
    found["deleted"] = (
        await session.execute(
            visible(delete(Tag).where(Tag.document == 2), on="doc:" + cast(Tag.document, String))
        )
    ).rowcount
    await session.rollback()
    return found


def test_an_async_session_runs_the_same_statements(async_url: str) -> None:
    """With each driver: its parameters, its types, and statements that are prepared."""

    async def asked() -> dict[str, Any]:
        engine = create_async_engine(async_url)
        try:
            async with AsyncSession(engine) as session:
                return await shapes(session)
        finally:
            await engine.dispose()

    assert asyncio.run(asked()) == FOUND


@pytest.mark.filterwarnings("error")
def test_an_async_session_carries_no_change(async_url: str, new_database: Make) -> None:
    """The error says so, for the session and for the synchronous one within; nothing is left running."""
    database = new_database(ASYNC[async_url.partition(":")[0]])

    async def asked(authority: Authority) -> None:
        engine = create_async_engine(async_url)
        async with AsyncSession(engine) as session, engine.connect() as connection:
            for within in (session, connection):

                def apply(given: object) -> None:
                    authority.apply([changes.CreateOrganization()], within=given)

                with pytest.raises(UnsupportedConnection, match="asynchronous"):
                    apply(within)
                with pytest.raises(UnsupportedConnection, match="asynchronous"):
                    await within.run_sync(apply)
        await engine.dispose()

    with Authority.open(database, organization="acme") as authority:
        asyncio.run(asked(authority))


# --- what it costs -------------------------------------------------------------------------------------


class Large(DeclarativeBase):
    pass


class Big(Large):
    """The table of `test_list_page`."""

    __tablename__ = "document"
    id: Mapped[int] = mapped_column(primary_key=True)
    resource: Mapped[str]
    updated: Mapped[int]


class Heading(Large):
    """Joined to it, by the key that it has."""

    __tablename__ = "heading"
    id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    word: Mapped[str]


HEADINGS: Final = (
    "CREATE TABLE heading (id INTEGER PRIMARY KEY, word TEXT NOT NULL)",
    "INSERT INTO heading SELECT id, 'w' FROM document",
)
PAGES: Final[dict[str, Select[Any]]] = {
    "entity": select(Big),
    "condition": select(Big).where(Big.id > 0),
    "join": select(Big, Heading).join(Heading),
    "outer join": select(Big, Heading).outerjoin(Heading),
}
NEWEST: Final = Big.updated.desc()


def page_of(statement: Select[Any], user: str, dialect: Any) -> tuple[str, dict[str, Any]]:
    """The text of a page, and its parameters."""
    listed = ACME.authorized(statement, f"user:{user}", "read", on=Big.resource)
    compiled = listed.order_by(NEWEST).limit(20).compile(dialect=dialect)
    return str(compiled), compiled.params


@pytest.fixture(scope="module")
def server(new_shared_database: Callable[[str], str]) -> str:
    return filled(new_shared_database("postgres"), after=HEADINGS)


@pytest.fixture(scope="module")
def file(new_shared_database: Callable[[str], str]) -> str:
    return filled(new_shared_database("sqlite"), after=HEADINGS)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("shape", PAGES)
def test_a_page_visits_few_rows(server: str, shape: str, user: str) -> None:
    """PostgreSQL, of 20,000 documents: as the documented clause."""
    statement, values = page_of(PAGES[shape], user, psycopg.dialect())
    rows, read, _ = visited(server, statement, values)
    assert rows == USERS[user]
    assert read < 1_600


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("shape", PAGES)
def test_a_page_takes_few_steps(file: str, shape: str, user: str) -> None:
    """The same on SQLite, in hundreds of steps."""
    statement, values = page_of(PAGES[shape], user, sqlite.dialect(paramstyle="named"))
    rows, taken = steps(file, statement, values)
    assert rows == USERS[user]
    assert taken < (9_500 if "each given" in user else 1_300)


def test_control_a_condition_on_each_row_visits_all(server: str, file: str) -> None:
    """`allowed` is right, and no way to a list."""
    may = ACME.allowed("user:none", "read", on=Big.resource)
    compiled = (
        select(Big)
        .where(may)
        .order_by(NEWEST)
        .limit(20)
        .compile(dialect=sqlite.dialect(paramstyle="named"))
    )
    assert steps(file, str(compiled), compiled.params)[1] > DOCUMENTS * 10 / 100
