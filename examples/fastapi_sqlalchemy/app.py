"""Documents of teams: FastAPI, SQLAlchemy and Rescind in one database, PostgreSQL or SQLite.

Your own tables say what a document is. Who may see it is Rescind's.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from rescind import Authority, changes
from rescind.changes import Change
from rescind.errors import OrganizationExists, RescindError
from rescind.integrations import sqlalchemy as rescind_sqlalchemy
from rescind.integrations.fastapi import Access, from_path

ORGANIZATION = "example"
MODEL: list[Change] = [
    changes.CreateOrganization(),
    *(
        changes.DefinePermission(permission=name)
        for name in ("doc:read", "doc:write", "doc:share", "team:manage")
    ),
    changes.DefineRole(role="viewer", permissions=("doc:read",)),
    changes.DefineRole(
        role="manager", permissions=("doc:read", "doc:write", "doc:share", "team:manage")
    ),
    changes.DefineResourceType(type="team"),
    changes.DefineResourceType(type="doc", parents=("team",)),
]
"""What may be done here. Recorded once: the batch is refused where the organization exists."""


class Base(DeclarativeBase):
    pass


class Doc(Base):
    __tablename__ = "document"
    id: Mapped[int] = mapped_column(primary_key=True)
    resource: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str]
    updated: Mapped[int] = mapped_column(index=True)


class Team(Base):
    """Its key decides who made a team: Rescind takes a group that is there already for done."""

    __tablename__ = "team"
    name: Mapped[str] = mapped_column(primary_key=True)


class Named(BaseModel):
    name: str


class Titled(BaseModel):
    title: str


class Seen(BaseModel):
    id: int
    title: str
    updated: int


def current_subject(x_user: Annotated[str | None, Header()] = None) -> str | None:
    """Your own login goes here. The example trusts a header."""
    return None if x_user is None else f"user:{x_user}"


Subject = Annotated[str | None, Depends(current_subject)]


def make_app(url: str) -> FastAPI:
    """The application on the database at the URL: `postgresql://…`, or `sqlite:///file.db`."""
    authority = Authority.open(url, organization=ORGANIZATION, create=url.startswith("sqlite"))
    with suppress(OrganizationExists):
        authority.apply(MODEL, actor="setup")
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    Base.metadata.create_all(engine)
    sessions = sessionmaker(engine)
    access = Access(authority, subject=current_subject)
    mine = rescind_sqlalchemy.Access(organization=ORGANIZATION)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        authority.close()
        engine.dispose()

    app = FastAPI(title="Documents of teams", lifespan=lifespan, docs_url="/help")
    access.install(app)
    app.state.authority, app.state.engine = authority, engine

    def session() -> Iterator[Session]:
        with sessions() as opened:
            yield opened

    Database = Annotated[Session, Depends(session)]  # noqa: N806 - a type
    manages = Depends(access.require("team:manage", resource=from_path("team", type="team")))
    writes = Depends(access.require("doc:write", resource=from_path("team", type="team")))
    reads = Depends(access.require("doc:read", resource=from_path("doc", type="doc")))
    shares = Depends(access.require("doc:share", resource=from_path("doc", type="doc")))

    def change(subject: str | None, *made: Change) -> None:
        """Record changes. A revocation holds in every process when this returns."""
        try:
            authority.apply(made, actor=subject or "unknown")
        except RescindError as error:
            raise HTTPException(409, str(error)) from error

    @app.post("/users", status_code=201)
    def sign_up(user: Named) -> None:
        change(f"user:{user.name}", changes.AddMembership(subject=f"user:{user.name}"))

    @app.post("/teams", status_code=201)
    def create_team(team: Named, subject: Subject, database: Database) -> None:
        if subject is None:
            raise HTTPException(401)
        made = [
            changes.CreateResource(resource=f"team:{team.name}"),
            changes.CreateGroup(group=team.name),
            changes.Assign(role="viewer", to=f"group:{team.name}", on=f"team:{team.name}"),
            changes.Assign(role="manager", to=subject, on=f"team:{team.name}"),
        ]
        try:
            database.add(Team(name=team.name))
            database.flush()
            receipt = authority.apply(made, actor=subject, within=database)
            database.commit()
        except (IntegrityError, RescindError) as error:
            raise HTTPException(409, "There is such a team, or it cannot be.") from error
        receipt.enforce()

    @app.put("/teams/{team}/members/{user}", status_code=204, dependencies=[manages])
    def add_member(team: str, user: str, subject: Subject) -> None:
        change(subject, changes.AddMembers(group=team, members=(f"user:{user}",)))

    @app.delete("/teams/{team}/members/{user}", status_code=204, dependencies=[manages])
    def remove_member(team: str, user: str, subject: Subject) -> None:
        change(subject, changes.RemoveMembers(group=team, members=(f"user:{user}",)))

    @app.post("/teams/{team}/docs", status_code=201, dependencies=[writes])
    def create_doc(team: str, doc: Titled, subject: Subject, database: Database) -> int:
        """The row and its resource are one transaction: neither is there without the other."""
        newest = select(func.coalesce(func.max(Doc.updated), 0) + 1).scalar_subquery()
        row = Doc(title=doc.title, updated=newest)
        database.add(row)
        database.flush()
        row.resource = f"doc:{row.id}"
        database.flush()
        receipt = authority.apply(
            [changes.CreateResource(resource=row.resource, parent=f"team:{team}")],
            actor=subject or "unknown",
            within=database,
        )
        number = row.id
        database.commit()
        receipt.enforce()
        return number

    @app.put("/docs/{doc}/readers/{user}", status_code=204, dependencies=[shares])
    def share(doc: int, user: str, subject: Subject) -> None:
        change(subject, changes.Assign(role="viewer", to=f"user:{user}", on=f"doc:{doc}"))

    @app.delete("/docs/{doc}/readers/{user}", status_code=204, dependencies=[shares])
    def unshare(doc: int, user: str, subject: Subject) -> None:
        change(subject, changes.Unassign(role="viewer", to=f"user:{user}", on=f"doc:{doc}"))

    @app.get("/docs/{doc}", dependencies=[reads])
    def read_doc(doc: int, database: Database) -> Seen:
        row = database.get(Doc, doc)
        if row is None:
            raise HTTPException(404)
        return Seen(id=row.id, title=row.title, updated=row.updated)

    @app.get("/docs")
    def list_docs(subject: Subject, database: Database, before: int = 2**31 - 1) -> list[Seen]:
        """A page of what may be read, newest first, by one query. `before` is the last page's `updated`."""
        if subject is None:
            raise HTTPException(401)
        docs = mine.authorized(select(Doc), subject, "doc:read", on=Doc.resource)
        page = docs.where(Doc.updated < before).order_by(Doc.updated.desc()).limit(20)
        return [
            Seen(id=row.id, title=row.title, updated=row.updated) for row in database.scalars(page)
        ]

    return app


def create() -> FastAPI:
    """For `uvicorn --factory`: the database is DATABASE_URL, or a file here."""
    return make_app(os.environ.get("DATABASE_URL", "sqlite:///example.db"))
