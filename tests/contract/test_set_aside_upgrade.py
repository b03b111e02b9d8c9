"""The upgrade of what single-role organizations have set aside: roles in place of assignments."""

from __future__ import annotations

import pytest

from rescind import Authority
from rescind.store.migrations import migrate
from tests.conftest import ENGINES
from tests.contract.test_migrations import Make, empty_database, made_at, run

__all__ = ["empty_database"]
pytestmark = pytest.mark.usefixtures("compared_once")

RELEASED = "0009"
VIEW = """
    CREATE VIEW effective_permission AS
    SELECT o.slug AS organization, m.subject, p.slug AS permission, r.slug AS resource
    FROM organization AS o JOIN membership AS m ON m.organization = o.id
    JOIN permission AS p ON p.organization IN (0, o.id) JOIN resource AS r ON r.organization = o.id
    WHERE m.active
      AND NOT EXISTS (SELECT 1 FROM role_reset AS x WHERE x.membership = m.id AND x.assignment = 0)
"""
FILL = (
    VIEW,
    "CREATE VIEW of_a_user AS SELECT subject, resource FROM effective_permission WHERE permission = 'read'",
    "UPDATE organization SET role_mode = 'single' WHERE id = 1",
    'INSERT INTO group_member (organization, membership, "group") VALUES (1, 2, -3)',
    "INSERT INTO effective_role (organization, membership, assignment) VALUES (1, 2, -6)",
    # Bob's role of the group is set aside already; Ada's is too, but she has it from elsewhere as well.
    "INSERT INTO role_reset (organization, membership, assignment) VALUES (1, 1, -6)",
    "INSERT INTO assignment (organization, id, holder, role, resource, made) VALUES (1, -15, 1, 1, 0, 5)",
    "INSERT INTO effective_role (organization, membership, assignment) VALUES (1, 1, -15)",
)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_set_aside_stays_so(engine: str, empty_database: Make) -> None:
    """A role that counted from one source goes on counting; a user's view on the view answers as before."""
    database = empty_database(engine)
    made_at(database, RELEASED)
    run(database, *FILL)
    migrate(database)
    assert run(database, "SELECT organization, membership, role FROM rescind.role_reset") == [
        (1, 2, 1)
    ]
    assert run(database, "SELECT * FROM of_a_user WHERE resource = 'organization'") == [
        ("user:ada", "organization")
    ]
    with Authority.open(database, organization="acme") as authority:
        assert authority.check("user:ada", "read")
        assert not authority.check("user:bob", "read")
