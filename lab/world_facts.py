"""The wide world of any size, and many organizations, written by bulk inserts.

Effective roles are not written: a check out of memory does not read them. What is defined is defined by
changes; the facts that are many are the rows that such changes leave.
"""

from __future__ import annotations

from typing import Any, Final

from lab.check_worlds import CHECK_WORLDS, CheckWorld
from lab.databases import bare
from rescind import Authority, changes
from rescind.store.queries import Engine, named

WIDE: Final = CHECK_WORLDS["wide"]
FIRST: Final = 100
"""The id of the first membership. Those below are left to what is defined."""

_NUMBERS: Final = {
    "sqlite": "n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {count})",
    "postgres": "n (n) AS (SELECT generate_series(0, {count} - 1))",
}
_PLACES: Final = {
    "sqlite": "p (p) AS (SELECT 0 UNION ALL SELECT p + 1 FROM p WHERE p + 1 < {places})",
    "postgres": "p (p) AS (SELECT generate_series(0, {places} - 1))",
}
_MEMBERSHIPS: Final = (
    "INSERT INTO rescind.membership (organization, id, subject, active, created_at)"
    " WITH RECURSIVE {numbers} SELECT {o}, {first} + n, 'user:' || n, TRUE, 0 FROM n"
)
_GROUPS: Final = (
    'INSERT INTO rescind."group" (organization, id, slug, search_name)'
    " WITH RECURSIVE {numbers} SELECT {o}, -({group_0} + n), 'g' || n, 'g' || n FROM n"
)
_NESTINGS: Final = (
    "INSERT INTO rescind.recorded_nesting (organization, child, parent)"
    " WITH RECURSIVE {numbers} SELECT {o}, -({group_0} + n), -({group_0} + {above}) FROM n WHERE {above} >= 0"
)
_RESOURCES: Final = (
    "INSERT INTO rescind.resource (organization, id, slug, parent) WITH RECURSIVE {numbers}"
    " SELECT {o}, {resource_0} + n, 'doc:' || n,"
    " CASE WHEN n % {depth} = 0 THEN 0 ELSE {resource_0} + n - 1 END FROM n"
)
_MEMBERS: Final = (
    'INSERT INTO rescind.group_member (organization, membership, "group") WITH RECURSIVE {numbers}, {some}'
    " SELECT {o}, {first} + n, -({group_0} + (n * 7 + p * {stride}) % {leaves})"
    " FROM n CROSS JOIN p"
)
_ASSIGNMENTS: Final = (
    "INSERT INTO rescind.assignment (organization, id, holder, role, resource, made)"
    " WITH RECURSIVE {numbers}, {some}"
    " SELECT {o}, {assignment_0} + n * {places} + p, -({group_0} + n), {role_0} + (n + p) % {roles},"
    " {resource_0} + (n * {places} + p) % {resources}, 1 FROM n CROSS JOIN p"
)


def wide(memberships: int) -> CheckWorld:
    """The wide world with so many users, and the rest in proportion."""
    return WIDE.scaled(memberships / WIDE.users)


def write(engine: Engine, url: str, world: CheckWorld) -> None:
    """Write its facts; the same that `world.record` writes, without effective roles and without a log."""
    with Authority.open(url, organization="lab") as authority:
        authority.apply([changes.CreateOrganization(), changes.DefineResourceType(type="doc")])
        for role in range(world.roles):
            permissions = tuple(sorted({"read", world.permission_of(role)}))
            authority.apply(
                [
                    *(changes.DefinePermission(permission=name) for name in permissions),
                    changes.DefineRole(role=f"r{role}", permissions=permissions),
                ]
            )
    with bare(engine, url) as connection:

        def ask(text: str) -> Any:
            return connection.execute(named(text, engine))

        ((organization,),) = ask(
            "SELECT id FROM rescind.organization WHERE slug = 'lab'"
        ).fetchall()
        roles = [int(row[0]) for row in ask("SELECT id FROM rescind.role ORDER BY id").fetchall()]
        assert roles == list(range(roles[0], roles[0] + world.roles))
        ask("BEGIN")
        for statement in _statements(engine, world, int(organization), roles[0]):
            ask(statement)
        ask("COMMIT")
        if engine == "postgres":  # as autovacuum does; SQLite has the schema's statistics
            ask("ANALYZE")


def _statements(engine: Engine, world: CheckWorld, organization: int, role_0: int) -> list[str]:
    leaves, mids, tops = world.groups
    group_0 = FIRST + world.users
    resource_0 = group_0 + world.group_count
    assignment_0 = resource_0 + world.resources
    last = assignment_0 + world.group_count * world.assignments_a_group
    above_leaf = f"{leaves} + n % {mids}" if mids else "-1"
    above_mid = f"{leaves + mids} + n % {tops}" if tops else "-1"
    numbers = {
        "o": organization,
        "first": FIRST,
        "group_0": group_0,
        "resource_0": resource_0,
        "assignment_0": assignment_0,
        "role_0": role_0,
        "roles": world.roles,
        "resources": world.resources,
        "depth": world.depth,
        "leaves": leaves,
        "stride": world.stride,
        "above": f"(CASE WHEN n < {leaves} THEN {above_leaf} WHEN n < {leaves + mids} THEN {above_mid}"
        " ELSE -1 END)",
    }

    def filled(text: str, count: int, places: int = 0) -> str:
        parts = {
            "numbers": _NUMBERS[engine].format(count=count),
            "some": _PLACES[engine].format(places=places),
        }
        return text.format(**numbers, **parts, places=places)

    return [
        filled(_MEMBERSHIPS, world.users),
        filled(_GROUPS, world.group_count),
        filled(_NESTINGS, world.group_count),
        filled(_RESOURCES, world.resources),
        filled(_MEMBERS, world.users, world.groups_a_user),
        filled(_ASSIGNMENTS, world.group_count, world.assignments_a_group),
        f"UPDATE rescind.organization SET last_number = {last} WHERE id = {organization}",
    ]


def write_memberships(engine: Engine, url: str, organization: str, count: int) -> None:
    """Write memberships `user:0` and so on into an organization that has none of them, without a log."""
    with bare(engine, url) as connection:

        def ask(text: str) -> Any:
            return connection.execute(named(text, engine))

        of_it = f"FROM rescind.organization WHERE slug = '{organization}'"
        ((number, last),) = ask(f"SELECT id, last_number {of_it}").fetchall()
        numbers = _NUMBERS[engine].format(count=count)
        ask("BEGIN")
        ask(_MEMBERSHIPS.format(numbers=numbers, o=number, first=last + 1))
        ask(f"UPDATE rescind.organization SET last_number = {last + count} WHERE id = {number}")
        ask("COMMIT")


# --- many organizations ---------------------------------------------------------------------------

_OF_COPIES: Final = {
    **dict.fromkeys(("slug", "name", "search_name"), "'org-' || n"),
    "deleted_as": "NULL",
}
_COPIED: Final = (
    "resource",
    "resource_type",
    "membership",
    '"group"',
    "group_member",
    "assignment",
    "effective_role",
    "change",
)


def write_organizations(engine: Engine, url: str, count: int) -> None:
    """`org-0` is made by changes: two members of a group that has a role; the others are copies of its rows.
    The role is defined for all.
    """
    with Authority.open(url, organization="org-0") as authority:
        authority.apply(
            [
                changes.DefinePermission(permission="read"),
                changes.DefineRole(role="reader", permissions=("read",)),
            ],
            organization="*",
        )
        authority.apply(
            [
                changes.CreateOrganization(),
                changes.DefineResourceType(type="doc"),
                changes.CreateResource(resource="doc:0"),
                *(changes.AddMembership(subject=f"user:{n}") for n in range(2)),
                changes.CreateGroup(group="all"),
                changes.Assign(role="reader", to="group:all", on="doc:0"),
                changes.AddMembers(group="all", members=("user:0", "user:1")),
            ]
        )
    with bare(engine, url) as connection:

        def ask(text: str) -> Any:
            return connection.execute(named(text, engine))

        ((model,),) = ask("SELECT id FROM rescind.organization WHERE slug = 'org-0'").fetchall()
        numbers = _NUMBERS[engine].format(count=count)

        def copy(table: str, key: str) -> None:
            found = ask(f"SELECT * FROM rescind.{table} WHERE {key} = -1")
            columns = [column[0] for column in found.description]
            values = {
                key: f"{model} + n",
                **(_OF_COPIES if table == "organization" else {}),
            }
            names = ", ".join(f'"{column}"' for column in columns)
            taken = ", ".join(values.get(column, f't."{column}"') for column in columns)
            ask(
                f"INSERT INTO rescind.{table} ({names}) WITH RECURSIVE {numbers}"
                f" SELECT {taken} FROM n CROSS JOIN rescind.{table} AS t WHERE t.{key} = {model} AND n > 0"
            )

        ask("BEGIN")
        copy("organization", "id")
        for table in _COPIED:
            copy(table, "organization")
        ask("COMMIT")
        if engine == "postgres":  # as autovacuum does; SQLite has the schema's statistics
            ask("ANALYZE")
