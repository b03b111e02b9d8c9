"""Plays steps on a product and on the oracle, and compares every answer."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg

from rescind import Authority, Decision, Difference, Receipt, changes, model
from rescind.errors import OrganizationNotFound, RescindError
from rescind.propagation.pace import Pace
from rescind.propagation.tombstones import purge
from rescind.propagation.work import Work
from rescind.sql import permitted
from rescind.store import open_store
from rescind.store.queries import Engine, named
from tests.independent.answers import Link, above, access, chains, reasons
from tests.independent.facts import ENVIRONMENT, ROOT, World
from tests.independent.model import Outcome, Refused, apply
from tests.independent.steps import (
    ORGANIZATIONS,
    PERMISSIONS,
    RESOURCES,
    SUBJECTS,
    Step,
    real_now,
)
from tests.jobs import due_jobs
from tests.probe import Probe
from tests.walked import walked

Question = tuple[str, str, str]
Access = set[tuple[str, str, str, str]]

ONLY_GIVES = (
    changes.CreateOrganization,
    changes.RenameOrganization,
    changes.AddMembership,
    changes.RenameMembership,
    changes.CreateGroup,
    changes.RenameGroup,
    changes.ChangeGroupId,
    changes.DefinePermission,
    changes.DefineRole,
    changes.DefineResourceType,
    changes.CreateResource,
    changes.ReactivateMembership,
    changes.NestGroup,
)
"""In organizations where all roles count, these can take nothing: no read would be needed to know it."""


class Disagreement(AssertionError):
    """The product and the oracle answer differently."""

    def __init__(self, question: object, product: object, oracle: object) -> None:
        super().__init__(f"{question}\n  product: {product}\n  oracle:  {oracle}")
        self.question = question


Failure = Disagreement | RescindError


class Play:
    """One database, and the oracle's facts beside it."""

    def __init__(self, database: str) -> None:
        self.database, self.world = database, World()
        self.at: int | None = None
        self.stats: Counter[str] = Counter()
        self.numbers: dict[tuple[int, str], int] = {}
        self.plain = self._open(is_indexed=False)
        self.indexed = self._open(is_indexed=True)
        self.reader = _reader(database)
        # A question in a batch is a statement of its own: on a server it costs several times as much.
        self.many = 14 if self.plain.store.engine == "sqlite" else 5

    def _open(self, *, is_indexed: bool) -> Authority:
        def clock() -> Any:
            return model.moment(self.at if self.at is not None else real_now())

        return Authority(open_store(self.database, probe=Probe()), clock=clock, index=is_indexed)

    def close(self) -> None:
        """Give up all connections."""
        self.reader.close()
        self.indexed.close()
        self.plain.close()

    def now(self) -> int:
        """The time that both are asked at."""
        return self.at if self.at is not None else real_now()

    # --- changes ------------------------------------------------------------------------------

    def play(self, step: Step) -> None:
        """Do the step and compare. Raises Disagreement."""
        self.at = step.at
        now = self.now()
        before = access(self.world, now)
        expected: Outcome | Refused
        try:
            expected = apply(self.world, step.organization, step.batch, now)
        except Refused as refused:
            expected = refused
        if step.previews:
            self._compare_preview(step, expected, now)
        token = self._apply(step, expected, before, now)
        if isinstance(expected, Outcome):
            self.world = expected.world
        self._work(step)
        after = access(self.world, now)
        self.stats["steps"] += 1
        self.stats["changes"] += len(step.batch)
        self._ask(step, after, before, token)

    def _apply(
        self, step: Step, expected: Outcome | Refused, before: Access, now: int
    ) -> str | None:
        authority = self.indexed if step.through_index else self.plain
        try:
            receipt = authority.apply(
                step.batch, organization=step.organization, route=step.route, detail=step.detail
            )
        except RescindError as error:
            codes = expected.codes if isinstance(expected, Refused) else None
            self.stats[f"refused {error.code}"] += 1
            if codes is None or error.code not in codes:
                raise Disagreement("refusal", repr(error), codes) from error
            return None
        if isinstance(expected, Refused):
            raise Disagreement("refusal", receipt, expected.codes)
        self._compare_receipt(step, receipt, expected, before, now)
        return receipt.token if receipt.changed and not step.through_index else None

    def _compare_receipt(
        self, step: Step, receipt: Receipt, expected: Outcome, before: Access, now: int
    ) -> None:
        after = access(expected.world, now)
        self.stats[f"route {receipt.route}"] += receipt.changed
        may_be = {expected.altered, expected.world != self.world}
        if receipt.changed not in may_be:
            raise Disagreement("changed", receipt, may_be)
        if before - after and receipt.direction is not model.Direction.REVOKES:
            raise Disagreement("direction", receipt, before - after)
        if receipt.direction is model.Direction.REVOKES and self._only_gives(step, receipt):
            raise Disagreement("direction", receipt, "grants")
        found = [(missing.what, missing.name) for missing in receipt.not_found]
        if len(set(found)) != len(found) or set(found) != set(expected.missing):
            raise Disagreement("not_found", found, expected.missing)
        if step.detail and receipt.difference is not None:
            self._compare_difference(receipt.difference, step.organization, expected.world, now)
        if step.detail and receipt.difference is None:
            raise Disagreement("detail", receipt, "a difference")

    def _only_gives(self, step: Step, receipt: Receipt) -> bool:
        if not receipt.changed:
            return True
        names = self.world.is_of(step.organization)
        orgs = [
            self.world.organizations[name] for name in names if name in self.world.organizations
        ]
        return all(org.mode == "multiple" for org in orgs) and all(
            isinstance(change, ONLY_GIVES)
            or (isinstance(change, changes.Assign | changes.AddMembers) and not change.expires_at)
            for change in step.batch
        )

    def _compare_preview(self, step: Step, expected: Outcome | Refused, now: int) -> None:
        try:
            found = self.plain.preview(step.batch, organization=step.organization)
        except RescindError as error:
            codes = expected.codes if isinstance(expected, Refused) else None
            if codes is None or error.code not in codes:
                raise Disagreement("preview's refusal", repr(error), codes) from error
            return
        if isinstance(expected, Refused):
            raise Disagreement("preview's refusal", found, expected.codes)
        self._compare_difference(found, step.organization, expected.world, now)

    def _compare_difference(self, found: Difference, name: str, after: World, now: int) -> None:
        """Each entry is a real gain or loss, and each gain or loss is at or below an entry."""
        if name == ENVIRONMENT:
            if found.is_complete or found.granted or found.revoked:
                raise Disagreement("difference of all organizations", found, "nothing, incomplete")
            return
        if not found.is_complete:
            raise Disagreement("is_complete", found, True)
        self.stats["differences"] += 1
        old, new = access(self.world, now), access(after, now)
        for shown, real, tree in (
            (found.granted, new - old, after),
            (found.revoked, old - new, self.world),
        ):
            triples = {(s, p, r) for _, s, p, r in real}
            covered = {
                (s, p, r)
                for o, s, p, r in real
                for place in above(tree.organizations[o], r)
                if (s, p, place) in shown
            }
            if not set(shown) <= triples or covered != triples:
                raise Disagreement("difference", found, (new - old, old - new))

    def must_have_asked(self) -> None:
        """Every decision point has answered; else the comparison would mean little."""
        for what in ("answered live", "answered effective", "answered index", "allowed True"):
            assert self.stats[what], self.stats

    # --- work ---------------------------------------------------------------------------------

    def _work(self, step: Step) -> None:
        for place, pairs in step.work:
            due = due_jobs(self.plain.store)
            if not due:
                break
            pace = Pace(self.plain.store.engine)
            pace.pairs = pairs
            Work(self.plain.store, due[place % len(due)]).step(pace)
            self.stats["chunks"] += 1
        if len(step.work) > 2:
            for work in self.plain.pending():
                self.plain.reconcile(work)
            purge(self.plain.store)

    # --- questions ----------------------------------------------------------------------------

    def _ask(self, step: Step, after: Access, before: Access, token: str | None) -> None:
        pick = random.Random(step.seed)
        name = step.organization
        if name == ENVIRONMENT:
            name = pick.choice(ORGANIZATIONS)
            if token is not None:  # a decision has the token of both revisions
                token = self.plain.check(SUBJECTS[0], PERMISSIONS[0], organization=name).token
        if name not in self.world.organizations:
            token = None
        moved = [key[1:] for key in sorted(before ^ after) if key[0] == name]
        questions = [
            (pick.choice(SUBJECTS), pick.choice(PERMISSIONS), pick.choice((ROOT, ROOT, *RESOURCES)))
            for _ in range(self.many)
        ]
        if pick.random() < 0.03:
            questions.append(("user:nobody", "nothing", "doc:none"))
        questions += pick.sample(moved, min(len(moved), self.many))
        self._ask_all(name, questions, after, token)
        one = pick.choice(moved or questions)
        is_cheap = self.plain.store.engine == "sqlite"
        is_for_lists = pick.random() < 0.5
        if is_cheap or not is_for_lists:
            self._ask_one(name, one, after, pick, token)
        if is_cheap or is_for_lists:
            self._ask_lists(name, one, after, pick)
        if step.at is None and pick.random() < 0.3:
            self._ask_view(name, after)
            self._ask_page(name, after, one)

    def _points(self, token: str | None) -> Iterator[tuple[str, Authority, dict[str, Any]]]:
        yield "standard", self.plain, {}
        yield "live", self.plain, {"assurance": "live"}
        # Who grants does not wait for other processes, unless the question has the token.
        is_behind = token is not None and self.plain.store.engine == "postgres"
        yield "memory", self.indexed, {"at_least": token} if is_behind else {}

    def _ask_all(
        self, name: str, questions: list[Question], after: Access, token: str | None
    ) -> None:
        if name in self.world.organizations:
            self.indexed.load(name)
        # Memory answers a batch whole or not at all, and never for a critical permission.
        plain = [question for question in questions if not self._is_critical(name, question)]
        for point, authority, options in self._points(token):
            asked = plain if point == "memory" else questions
            answers = authority.check_many(asked, organization=name, **options)
            for question, answer in zip(asked, answers, strict=True):
                self._compare(point, name, question, answer, after)

    def _is_critical(self, name: str, question: Question) -> bool:
        is_known = self.world.has_permission(name, question[1])
        return is_known and self.world.is_critical(name, question[1])

    def _compare(
        self, how: str, name: str, question: Question, answer: Decision, after: Access
    ) -> None:
        self.stats[f"answered {answer.point.value}"] += 1
        wanted = (name, *question) in after
        self.stats[f"allowed {answer.allowed}"] += 1
        obstacles = reasons(self.world, name, *question)
        reason = {"allowed"} if wanted else obstacles or {"no_role"}
        if answer.allowed != wanted or answer.reason.value not in reason:
            raise Disagreement((how, name, *question), answer, reason)
        is_live = how.startswith("live") or self._is_critical(name, question)
        if is_live and not obstacles and answer.point.value != "live":
            raise Disagreement((how, name, *question), answer, "decided live")

    def _ask_one(
        self, name: str, one: Question, after: Access, pick: random.Random, token: str | None
    ) -> None:
        for how, authority, options in self._points(token):
            answer = authority.check(*one, organization=name, **options)
            self._compare(f"{how}, alone", name, one, answer, after)
        options = {"assurance": pick.choice(("standard", "live"))}
        authority = pick.choice((self.plain, self.indexed)) if token is None else self.plain
        answer = authority.explain(*one, organization=name, **options)
        self._compare("explained", name, one, answer, after)
        assert answer.explanation is not None
        found = [
            Link(
                chain.groups,
                chain.role,
                chain.assigned_on,
                None if chain.expires_at is None else model.microseconds(chain.expires_at),
                chain.is_default_role,
            )
            for chain in answer.explanation.chains
            if (chain.subject, chain.permission, chain.resource) == one
        ]
        wanted = chains(self.world, name, *one, self.now())
        if len(found) != len(answer.explanation.chains) or sorted(map(repr, found)) != sorted(
            map(repr, wanted)
        ):
            raise Disagreement(("chains", options, name, *one), answer.explanation, wanted)
        if bool(answer.explanation.obstacles) == answer.allowed:
            raise Disagreement(("obstacles", options, name, *one), answer.explanation, "a reason")

    def _ask_lists(self, name: str, one: Question, after: Access, pick: random.Random) -> None:
        subject, permission, resource = one
        options: dict[str, Any] = {"assurance": pick.choice(("standard", "live"))}
        options["organization"] = name
        here = {key[1:] for key in after if key[0] == name}
        try:
            found = {
                "who_can": self._paged(self.plain.who_can, (permission, resource), options, pick),
                "permissions_of": self._paged(
                    self.plain.permissions_of, (subject, resource), options, pick
                ),
                "resources_of": self._paged(
                    self.plain.resources_of, (subject, permission), options, pick
                ),
            }
        except OrganizationNotFound as error:
            if name in self.world.organizations:
                raise Disagreement(("lists", name), error, "an organization") from error
            return
        wanted = {
            "who_can": sorted(s for s, p, r in here if (p, r) == (permission, resource)),
            "permissions_of": sorted(p for s, p, r in here if (s, r) == (subject, resource)),
            "resources_of": sorted(r for s, p, r in here if (s, p) == (subject, permission)),
        }
        if found != wanted or name not in self.world.organizations:
            raise Disagreement(("lists", options, *one), found, wanted)

    def _paged(
        self, ask: Any, names: tuple[str, str], options: dict[str, Any], pick: random.Random
    ) -> list[str]:
        """All items, sorted; of each page they come sorted."""
        limit = pick.choice((2, 100, 100, 100))
        items: list[str] = []
        cursor = None
        while True:
            page = ask(*names, limit=limit, cursor=cursor, **options)
            items += page.items
            if list(page.items) != sorted(page.items):
                raise Disagreement(("order", options, *names), page.items, sorted(page.items))
            cursor = page.next_cursor
            if cursor is None:
                return sorted(items)

    def _ask_view(self, name: str, after: Access) -> None:
        is_server = isinstance(self.reader, psycopg.Connection)
        mark, view = ("%s", "rescind.") if is_server else ("?", "rescind_")
        sql = (
            f"SELECT subject, permission, resource FROM {view}effective_permission"
            f" WHERE organization = {mark}"
        )
        found = sorted(map(tuple, self.reader.execute(sql, (name,)).fetchall()))  # type: ignore[call-overload]
        wanted = sorted(key[1:] for key in after if key[0] == name)
        self.stats["views"] += 1
        if found != wanted:
            raise Disagreement(("view", name), found, wanted)

    def _ask_page(self, name: str, after: Access, one: Question) -> None:
        """The rows of an application's own table: its resources looked up, and the table gone through."""
        subject, permission, _ = one
        engine: Engine = "postgres" if isinstance(self.reader, psycopg.Connection) else "sqlite"
        reader: Any = self.reader
        for statement in (
            "CREATE TEMPORARY TABLE IF NOT EXISTS document (resource TEXT PRIMARY KEY)",
            "DELETE FROM document",
            named("INSERT INTO document SELECT DISTINCT slug FROM rescind.resource", engine),
        ):
            reader.execute(statement)
        clause = permitted("document AS d", resource="d.resource", engine=engine)
        asked = {"organization": name, "subject": subject, "permission": permission}
        wanted = sorted(key[3] for key in after if key[:3] == (name, subject, permission))
        for text in (clause, walked(reader, clause)):
            rows = reader.execute(f"{text} SELECT resource FROM permitted", asked).fetchall()
            if sorted(slug for (slug,) in rows) != wanted:
                raise Disagreement(("page", asked), sorted(rows), wanted)


def _reader(database: str) -> Any:
    if database.startswith("sqlite:///"):
        return sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)
    return psycopg.connect(database, autocommit=True)


Fault = Callable[[Play], None]
"""Does something wrong to the product that is played."""


def failure_of(
    database: str, steps: list[Step], fault: Fault | None = None, *, is_whole: bool = False
) -> tuple[int, Failure] | None:
    """The first step at which the two differ, or the product fails, and how."""
    with closing(Play(database)) as play:
        if fault is not None:
            fault(play)
        for number, step in enumerate(steps):
            try:
                play.play(step)
            except (Disagreement, RescindError) as error:
                return number, error
        if is_whole:
            play.must_have_asked()
    return None


def kind_of_failure(error: Failure) -> str:
    """What failed, whoever it was about."""
    if isinstance(error, Disagreement) and isinstance(error.question, tuple):
        return str(error.question[0])
    return str(error.question) if isinstance(error, Disagreement) else type(error).__name__
