"""A role that owns nothing: `migrate` grants it what an application needs, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument, StoreReadOnly
from rescind.store.migrations import migrate
from tests.conftest import Make
from tests.contract.test_own_schema import in_schema, run
from tests.contract.world import WORLD

LISTED = (
    "SELECT c.relname, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type) FROM pg_class AS c"
    " CROSS JOIN aclexplode(c.relacl) AS a JOIN pg_roles AS r ON r.oid = a.grantee"
    " WHERE r.rolname = %s GROUP BY c.relname"
)


@pytest.fixture
def role(new_database: Make) -> Iterator[tuple[str, str, str]]:
    """A database, a new role in quotes, and the database's URL for that role."""
    database = new_database("postgres")
    name = f"App {abs(hash(database))}"
    run(database, f'CREATE ROLE "{name}" LOGIN')
    yield database, name, re.sub(r"//\w+@", f"//{name.replace(' ', '%20')}@", database)
    run(database, f'DROP OWNED BY "{name}"', f'DROP ROLE "{name}"')


def test_what_a_role_is_granted(role: tuple[str, str, str]) -> None:
    """It changes and checks, in whatever schema; it owns nothing, and cannot touch what only migrations
    write, nor other tables there. (Control: without the grants it may not even look.)
    """
    (database, name, mine), schema = role, "authz"
    theirs = in_schema(database, schema)
    migrate(theirs)
    run(database, f"CREATE TABLE {schema}.application_table (x integer)")
    with pytest.raises(Exception, match="permission denied"):
        Authority.open(in_schema(mine, schema))
    migrate(theirs, grant_to=[name])
    migrate(theirs, grant_to=[name])
    with Authority.open(in_schema(mine, schema), organization="acme", index=True) as authority:
        authority.apply(WORLD)
        assert authority.load()
        assert authority.check("user:ada", "write", "doc:1")
        authority.apply([changes.RemoveMembers(group="eng", members=("user:ada",))])
        assert not authority.check("user:ada", "write", "doc:1")
    with psycopg.connect(database) as connection:
        granted = dict(connection.execute(LISTED, (name,)).fetchall())
        owned = connection.execute(
            "SELECT count(*) FROM pg_class JOIN pg_roles AS r ON r.oid = relowner WHERE r.rolname = %s",
            (name,),
        ).fetchone()
    assert owned == (0,)
    assert "application_table" not in granted
    for table in ("schema_version", "directory_secret", "installation"):
        assert granted.pop(table) == "SELECT"
    views = {view: granted.pop(view) for view in ("nesting", "effective_permission")}
    assert set(views.values()) == {"SELECT"}
    assert set(granted.values()) == {"DELETE INSERT SELECT UPDATE"}
    for statement in (
        f"UPDATE {schema}.directory_secret SET secret = ''",
        f"TRUNCATE {schema}.membership",
        f"CREATE TABLE {schema}.mine (x integer)",
        f"SELECT * FROM {schema}.application_table",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(mine) as other:
            other.execute(statement.encode())
    with pytest.raises(StoreReadOnly, match="CREATE SCHEMA"):
        migrate(in_schema(mine, "other"))


def test_grants_name_roles_that_exist(new_database: Make) -> None:
    """A role that is missing is named, and nothing is migrated; SQLite has none."""
    database = new_database("postgres")
    with pytest.raises(InvalidArgument, match="CREATE ROLE") as caught:
        migrate(in_schema(database, "fresh"), grant_to=["nobody-of-that-name"])
    assert "nobody-of-that-name" in str(caught.value)
    with pytest.raises(Exception, match="schema"):
        Authority.open(in_schema(database, "fresh"))
    with pytest.raises(InvalidArgument, match="no roles"):
        migrate(new_database("sqlite"), grant_to=["app"])
