"""Which locks a statement of a migration takes on PostgreSQL, and what it does to a table under them.

From the statement's text, so that nothing is run on the database. A test runs every statement of every
migration on a server and compares. The locks are those of
https://www.postgresql.org/docs/current/explicit-locking.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

STRENGTH: Final = (
    *("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE"),
    *("SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"),
)
"""Weakest first."""
BLOCKED: Final = {
    "ROW EXCLUSIVE": "nobody waits, except for the same rows",
    "SHARE UPDATE EXCLUSIVE": "nobody waits, except other maintenance",
    "SHARE": "writers wait, readers do not",
    "SHARE ROW EXCLUSIVE": "writers wait, readers do not",
    "ACCESS EXCLUSIVE": "writers and readers wait",
}
"""What a lock means to everybody else until the migration commits."""
_ANY: Final = "ACCESS EXCLUSIVE"
_NAME: Final = r'(?:"?\w+"?\.)?"?(\w+)"?'
_REFERENCES: Final = re.compile(rf"\bREFERENCES {_NAME}")
_QUOTED_TEXT: Final = re.compile(r"'(?:[^']|'')*'")
_COMMENT: Final = re.compile(r"--[^\n]*")
_VOLATILE: Final = re.compile(
    r"\b(GENERATED|random|gen_random_uuid|clock_timestamp|nextval)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Locks:
    """What one statement takes from others until the migration has committed."""

    modes: dict[str, str]
    """The strongest lock on each table that was there before, in PostgreSQL's words."""
    rewrites: tuple[str, ...] = ()
    """Tables whose rows are all written anew."""
    scans: tuple[str, ...] = ()
    """Tables whose rows are all read."""
    is_certain: bool = True
    """False for code, which may lock what it likes."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A kind of clause: the lock on the table that it names first, and what it does to its rows."""

    pattern: re.Pattern[str]
    mode: str | None
    rewrites: bool = False
    scans: bool = False
    locks_referenced: bool = False


def _rule(
    pattern: str,
    mode: str | None,
    *,
    rewrites: bool = False,
    scans: bool = False,
    refers: bool = False,
) -> _Rule:
    return _Rule(re.compile(pattern, re.I), mode, rewrites, scans, refers)


_STATEMENTS: Final = (
    _rule(r"CREATE TABLE\b", None, refers=True),
    _rule(rf"CREATE (?:UNIQUE )?INDEX \w+ ON {_NAME}", "SHARE", scans=True),
    _rule(rf"CREATE TRIGGER \w+ .*? ON {_NAME}", "SHARE ROW EXCLUSIVE"),
    _rule(rf"DROP TRIGGER (?:IF EXISTS )?\w+ ON {_NAME}", _ANY),
    _rule(rf"DROP (?:TABLE|VIEW|INDEX) (?:IF EXISTS )?{_NAME}", _ANY),
    _rule(rf"ALTER VIEW (?:IF EXISTS )?{_NAME}", _ANY),
    _rule(rf"TRUNCATE (?:TABLE )?{_NAME}", _ANY),
    _rule(rf"INSERT INTO {_NAME}", "ROW EXCLUSIVE"),
    _rule(rf"(?:UPDATE|DELETE FROM) {_NAME}", "ROW EXCLUSIVE", scans=True),
    _rule(rf"ANALYZE {_NAME}", "SHARE UPDATE EXCLUSIVE"),
    _rule(r"CREATE (?:OR REPLACE )?(?:FUNCTION|VIEW)\b", None),
    _rule(r"(?:ALTER|DROP) FUNCTION\b", None),
    _rule(r"GRANT\b|CREATE SCHEMA\b", None),
)
_CLAUSES: Final = (
    _rule(r"ADD COLUMN\b.*\b(?:CHECK|UNIQUE|PRIMARY KEY)\b", _ANY, scans=True, refers=True),
    _rule(r"ADD COLUMN\b", _ANY, refers=True),
    _rule(r"ALTER COLUMN \S+ (?:SET DATA )?TYPE\b", _ANY, rewrites=True),
    _rule(r"ALTER COLUMN \S+ SET NOT NULL", _ANY, scans=True),
    _rule(r"ALTER COLUMN \S+ SET \(", "SHARE UPDATE EXCLUSIVE"),
    _rule(r"ALTER COLUMN \S+ SET STATISTICS", "SHARE UPDATE EXCLUSIVE"),
    _rule(r"ADD (?:CONSTRAINT \S+ )?FOREIGN KEY", "SHARE ROW EXCLUSIVE", scans=True, refers=True),
    _rule(r"ADD (?:CONSTRAINT \S+ )?(?:CHECK|UNIQUE|PRIMARY KEY)", _ANY, scans=True),
    _rule(r"", _ANY),
)
_ALTER_TABLE: Final = re.compile(rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_NAME}\s+", re.I)


def locks_of(sql: str, made: set[str], index_tables: dict[str, str]) -> Locks:
    """The locks of a statement, or of several that semicolons part.

    `made` are the tables that the same migrations have made so far; nobody else sees them, so their locks are
    left out. `index_tables` are the tables of indexes. Both grow with the statement.
    """
    plain = " ".join(_COMMENT.sub("", sql).split())
    if re.match(r"DO \$", plain):
        return Locks({}, is_certain=False)
    if re.match(r"CREATE (OR REPLACE )?FUNCTION", plain, re.I):
        return Locks({})
    found = _Found(made, index_tables)
    for part in _parts(_QUOTED_TEXT.sub("''", plain), ";"):
        found.take(part)
    return found.locks()


class _Found:
    """What was found of a statement so far."""

    def __init__(self, made: set[str], index_tables: dict[str, str]) -> None:
        self._made, self._index_tables = made, index_tables
        self._modes: dict[str, str] = {}
        self._rewrites: dict[str, None] = {}
        self._scans: dict[str, None] = {}
        self._is_certain = True

    def take(self, sql: str) -> None:
        """Look at one statement."""
        if (listed := re.match(r"(?:ANALYZE|TRUNCATE(?: TABLE)?) (.*)", sql, re.I)) and "," in sql:
            for name in listed[1].split(","):
                self.take(f"{sql.split()[0]} {name.strip()}")
            return
        if altered := _ALTER_TABLE.match(sql):
            for clause in _parts(sql[altered.end() :], ","):
                rule = next(rule for rule in _CLAUSES if rule.pattern.match(clause))
                self._note(rule, altered[1], clause)
                if re.match(r"DROP CONSTRAINT \w+_fkey", clause, re.I):
                    self._is_certain = False  # the table that it refers to is locked as well
                if clause.startswith("ADD COLUMN") and _VOLATILE.search(clause):
                    self._rewrites[altered[1]] = None
            if renamed := re.search(r"RENAME TO (\w+)", sql, re.I):
                self._index_tables |= {
                    i: renamed[1] for i, t in self._index_tables.items() if t == altered[1]
                }
                if altered[1] in self._made:
                    self._made.add(renamed[1])
            return
        for rule in _STATEMENTS:
            if matched := rule.pattern.match(sql):
                groups = matched.groups()
                table = groups[-1] if groups else ""
                if created := re.match(rf"CREATE (?:UNIQUE )?INDEX (\w+) ON {_NAME}", sql, re.I):
                    self._index_tables[created[1]] = created[2]
                if re.match("DROP INDEX", sql, re.I):
                    table = self._index_tables.get(table, table)
                self._note(rule, table, sql)
                if created := re.match(
                    rf"CREATE (?:TABLE|(?:OR REPLACE )?VIEW) {_NAME}", sql, re.I
                ):
                    self._made.add(created[1])
                return
        self._is_certain = False

    def _note(self, rule: _Rule, table: str, sql: str) -> None:
        if rule.mode is not None and table not in self._made:
            self._lock(table, rule.mode)
            if rule.rewrites:
                self._rewrites[table] = None
            if rule.scans:
                self._scans[table] = None
        if rule.locks_referenced:
            for referenced in _REFERENCES.findall(sql):
                if referenced not in self._made and not _makes(sql, referenced):
                    self._lock(referenced, "SHARE ROW EXCLUSIVE")

    def _lock(self, table: str, mode: str) -> None:
        before = self._modes.get(table, STRENGTH[0])
        self._modes[table] = max(before, mode, key=STRENGTH.index)

    def locks(self) -> Locks:
        return Locks(self._modes, tuple(self._rewrites), tuple(self._scans), self._is_certain)


def _makes(sql: str, table: str) -> bool:
    """Whether it makes that table: one that refers to itself."""
    created = re.match(rf"CREATE TABLE {_NAME}", sql, re.I)
    return created is not None and created[1] == table


def _parts(sql: str, separator: str) -> list[str]:
    """What the separator parts, outside parentheses."""
    parts, depth = [""], 0
    for sign in sql:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]
