"""An application's Alembic leaves what is Rescind's alone."""

from __future__ import annotations

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from rescind import Authority, changes
from rescind.autogenerate import include_object
from rescind.store.migrations import migrate
from tests.conftest import ENGINES
from tests.contract.test_migrations import Make, empty_database, opened, run
from tests.contract.world import WORLD

__all__ = ["empty_database"]
pytestmark = pytest.mark.usefixtures("compared_once")
NAMES = ("organization", "membership", "role", "permission", "group_member", "effective_role")


def theirs() -> sqlalchemy.MetaData:
    """An application's tables, with names like ours."""
    metadata = sqlalchemy.MetaData()
    for name in NAMES:
        sqlalchemy.Table(
            name, metadata, sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True)
        )
    return metadata


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
def test_an_application_with_tables_like_ours(
    engine: str, is_first: bool, empty_database: Make
) -> None:
    """In either order: nothing is to be dropped, both keep their rows and versions, and a revocation in the
    application's transaction holds. (Control: without the filter Rescind's tables are to be dropped.)
    """
    database, metadata = empty_database(engine), theirs()
    if not is_first:
        migrate(database)
    with opened(database) as connection:
        metadata.create_all(connection)
    run(database, "CREATE TABLE alembic_version (version_num TEXT)")
    run(database, "INSERT INTO alembic_version VALUES ('0005')", "INSERT INTO role VALUES (7)")
    migrate(database)
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
        with opened(database) as connection:
            receipt = authority.apply(
                [changes.RemoveMembers(group="staff", members=("user:bob",))], within=connection
            )
            connection.execute(sqlalchemy.text("INSERT INTO role VALUES (8)"))
        receipt.enforce()
        assert not authority.check("user:bob", "read")
    assert run(database, "SELECT id FROM role ORDER BY id") == [(7,), (8,)]
    assert run(database, "SELECT version_num FROM alembic_version") == [("0005",)]
    options = {"include_schemas": engine == "postgres"}
    with opened(database) as connection:
        for kept, include in ((True, include_object), (False, None)):
            context = MigrationContext.configure(
                connection, opts={**options, "include_object": include}
            )
            found = compare_metadata(context, metadata)
            assert (found == []) == kept
