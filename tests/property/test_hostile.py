"""Whatever is given for whichever argument: an answer, or an error of ours that says what to mend."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescind import Authority, changes, errors
from rescind.changes import Change, Given
from rescind.errors import RescindError
from tests.conftest import ENGINES
from tests.contract.world import WORLD

TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "x" * 300,
    "x" * 20_000,
    "user:",
    ":",
    "*",
    "organization",
)
HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**40, float("nan"), float("inf"), 1e300]),
    st.binary(max_size=4),
    st.sampled_from(TEXTS),
    st.text(st.characters(codec=None), max_size=8),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=4,
    ),
    st.sampled_from([object(), Exception, {1, 2}, (), ("user:ada",), bytearray(b"x"), len]),
)
QUESTION = ("user:ada", "read", "doc:1")
VALID: dict[str, dict[str, Any]] = {
    "apply": {
        "changes": [changes.RenameGroup(group="eng", name="Engineering")],
        "actor": "user:root",
        "reason": "",
        "idempotency_key": None,
        "organization": "acme",
        "within": None,
        "detail": False,
        "route": "inline",
        "wait": "recorded",
        "if_revision": None,
        "only_at": None,
        "inline_most_pairs": 50_000,
        "force": False,
    },
    "preview": {
        "changes": [changes.DeactivateMembership(subject="ada")],
        "organization": "acme",
        "if_revision": None,
        "only_at": None,
        "force": False,
    },
    "enforce": {"receipt": None},
    "check": {
        "subject": "user:ada",
        "permission": "read",
        "resource": "doc:1",
        "organization": "acme",
        "at_least": None,
        "assurance": "standard",
        "explain": False,
        "within": None,
    },
    "check_many": {
        "questions": [QUESTION, QUESTION],
        "organization": "acme",
        "at_least": None,
        "assurance": "standard",
        "within": None,
    },
    "recall": {"questions": [QUESTION], "organization": "acme"},
    "explain": {
        "subject": "user:ada",
        "permission": "read",
        "resource": None,
        "organization": "acme",
        "at_least": None,
        "assurance": "standard",
        "within": None,
    },
    "permissions_of": {"subject": "user:ada", "resource": "doc:1", "organization": "acme"},
    "resources_of": {
        "subject": "user:ada",
        "permission": "read",
        "organization": "acme",
        "resource_type": "doc",
    },
    "who_can": {
        "permission": "read",
        "resource": "doc:1",
        "organization": "acme",
        "subject_kind": "user",
    },
    "pending": {"organization": "acme", "limit": 10},
    "reconcile": {"group": "eng", "organization": "acme"},
    "load": {"organization": "acme"},
    "park": {"work": None, "actor": "user:root", "request": None},
    "retry": {"work": None, "actor": "user:root", "request": None},
    "log": {"organization": "acme", "after": 0, "limit": 10},
    "workers": {"concurrency": 1},
    "log_page": {"organization": "acme", "after": 0, "limit": 10},
    "list_groups": {"of": "user:ada", "organization": "acme"},
    "list_members": {
        "group": "eng",
        "organization": "acme",
        "effective": False,
        "expired": False,
    },
    "list_memberships": {"organization": "acme", "subject_kind": "user", "active": True},
    "list_roles": {"organization": "acme"},
    "list_permissions": {"role": "reader", "organization": "acme"},
    "list_resources": {"parent": "folder:a", "organization": "acme", "resource_type": "doc"},
    "list_assignments": {
        "holder": "user:ada",
        "role": None,
        "resource": None,
        "organization": "acme",
        "effective": False,
        "expired": False,
    },
    "list_expiring": {"until": None, "organization": "acme"},
    "look_alikes": {"organization": "acme", "limit": 10},
    "unknown_names": {
        "subject": "user:ada",
        "permission": "read",
        "resource": "doc:1",
        "organization": "acme",
    },
    "similar_organizations": {"name": "acne"},
    "access_history": {
        "subject": "user:ada",
        "permission": "read",
        "resource": "doc:1",
        "since": None,
        "until": None,
        "after": None,
        "most_changes": 10,
        "life": 1,
        "organization": "acme",
    },
    "actions": {"organization": "acme", "after": 0, "limit": 10},
    "audit_replay": {"organization": "acme"},
    "prune_log": {"before": 2, "organization": "acme", "dry_run": True, "actor": "user:root"},
    "log_heads": {"organization": "acme"},
    "verify_log": {"organization": "acme", "heads": None},
    "start_review": {
        "review": "Q1",
        "actor": "user:root",
        "request": "",
        "organization": "acme",
        "subject": "user:ada",
        "group": "eng",
    },
    "list_reviews": {"life": None, "organization": "acme"},
    "find_review": {"review": "Q1", "life": None, "organization": "acme"},
    "count_review": {"review": "Q1", "life": None, "organization": "acme"},
    "review_lines": {
        "review": "Q1",
        "after": None,
        "used": None,
        "life": None,
        "organization": "acme",
    },
    "review_lines_of": {"review": "Q1", "lines": (), "organization": "acme"},
    "apply_review": {
        "review": "Q1",
        "decisions": [],
        "actor": "user:root",
        "request": "",
        "comment": "",
        "dry_run": True,
        "organization": "acme",
    },
    "verify_reviews": {
        "review": None,
        "decisions": None,
        "heads": None,
        "life": None,
        "organization": "acme",
    },
}
OF_A_LIST: dict[str, Any] = {"limit": 10, "cursor": None, "at_least": None, "assurance": "standard"}
for listed in ("permissions_of", "resources_of", "who_can"):
    VALID[listed] |= OF_A_LIST
for dated in ("check", "check_many", "explain", "permissions_of", "resources_of", "who_can"):
    VALID[dated] |= {"at": None}
WITHOUT_ARGUMENTS = {"close", "has_due_work", "together"}
NOT_VALUES = {"self", "progress", "on_progress", "options", "paging", "about", "only"}

CHANGES: list[type[Change]] = list(get_args(Change))
ARGUMENTS = [(method, name) for method, names in VALID.items() for name in names]
FIELDS = [(change, name) for change in CHANGES for name in change.__struct_fields__]


@pytest.fixture(scope="module", params=[*ENGINES, "sqlite, from memory"])
def acme(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Authority]:
    """One organization for all tests, on each engine, and one that is held in memory."""
    engine, _, memory = request.param.partition(", ")
    url = new_shared_database(engine)
    with Authority.open(url, organization="acme", index=bool(memory)) as opened:
        opened.apply(WORLD)
        if memory:
            opened.load()
        yield opened


def test_all_of_it_is_asked() -> None:
    """Each public method is here, with all its arguments."""
    public = {
        name: set(inspect.signature(method).parameters) - NOT_VALUES
        for name, method in inspect.getmembers(Authority, inspect.isfunction)
        if not name.startswith("_") and name not in WITHOUT_ARGUMENTS
    }
    assert {name: names <= VALID[name].keys() for name, names in public.items()} == dict.fromkeys(
        VALID, True
    )


def require_answer_or_error(call: Callable[[], Any]) -> None:
    """It returns, or raises an error of ours that is not the store's: nothing malformed got so far."""
    try:
        found = call()
        if inspect.isgenerator(found):
            list(found)
    except RescindError as error:
        assert not isinstance(error, errors.StoreError), error
        assert len(str(error)) < 1_500
        if isinstance(error, (errors.MalformedId, errors.InvalidArgument)):
            assert error.facts.get("what"), error
            assert error.facts.get("hint"), error


@pytest.mark.filterwarnings("ignore:use if_revision:DeprecationWarning")
@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(argument=st.sampled_from(ARGUMENTS), value=HOSTILE)
def test_an_argument(acme: Authority, argument: tuple[str, str], value: Any) -> None:
    """Any value for any argument of any method, the others being well formed."""
    method, name = argument
    arguments = {**VALID[method], name: value}
    require_answer_or_error(lambda: getattr(acme, method)(**arguments))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(question=st.tuples(HOSTILE, HOSTILE, HOSTILE) | HOSTILE, live=st.booleans())
def test_a_question_of_several(acme: Authority, question: Any, live: bool) -> None:
    """Any value for a question among others."""
    assurance: Any = "live" if live else "standard"
    require_answer_or_error(lambda: acme.check_many([QUESTION, question], assurance=assurance))


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    field=st.sampled_from(FIELDS),
    value=HOSTILE | st.builds(lambda item: (item,), HOSTILE),
    others=st.sampled_from(["eng", "user:ada", "doc:1", "reader"]),
)
def test_a_field_of_a_change(
    acme: Authority, field: tuple[type[Change], str], value: Any, others: str
) -> None:
    """Any value for any field of any change."""
    change, name = field
    needed = [f.name for f in inspect.signature(change).parameters.values() if f.default is f.empty]
    made = change(**{**dict.fromkeys(needed, others), name: value})
    require_answer_or_error(lambda: acme.preview([made]))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(role=HOSTILE, on=HOSTILE, expires_at=HOSTILE)
def test_a_given_assignment(acme: Authority, role: Any, on: Any, expires_at: Any) -> None:
    """Any values in a list of assignments."""
    listed = changes.ReplaceAssignments(
        to="user:ada", assignments=(Given(role=role, on=on, expires_at=expires_at),)
    )
    require_answer_or_error(lambda: acme.preview([listed]))


@settings(max_examples=300, deadline=None)
@given(value=HOSTILE)
def test_where_the_database_is(value: Any) -> None:
    """Any value for a database or an organization when an authority is opened."""
    for arguments in ({"database": value}, {"database": "nowhere.db", "organization": value}):
        with pytest.raises(RescindError) as raised:
            Authority.open(**arguments)
        assert raised.value.facts


@settings(max_examples=300, deadline=None)
@given(value=HOSTILE)
def test_json_of_a_change(value: Any) -> None:
    """Any value where a change is read."""
    for read in (changes.from_object, changes.list_from_json):
        require_answer_or_error(lambda read=read: read(value))  # type: ignore[misc]


class Permission(StrEnum):
    """What users of the library like to write."""

    PURGE = "read"


def test_names_of_an_enumeration_are_texts(acme: Authority) -> None:
    """A text is taken by its value, whatever its type is called: the drivers would look at the type."""
    for subject, permission in (("user:ada", Permission.PURGE), ("user:ada", "read")):
        assert acme.check(subject, permission, assurance="live")
        assert acme.check(subject, permission)
    reason = Permission.PURGE
    acme.apply([changes.RenameGroup(group="idle", name="Idle")], reason=reason, actor=reason)
    assert list(acme.log())[-1].reason == "read"
