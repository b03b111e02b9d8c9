"""Subjects as an organization spells them, where its rule for ids folds case and composition."""

from __future__ import annotations

from rescind.model import IdRule, OrganizationId, Question, SubjectId, canonical_subject
from rescind.store import Store
from rescind.store.rows.organizations import READ_ID_RULE


def respelled(store: Store, question: Question, *, within: object = None) -> Question | None:
    """The question with its subject as the organization spells it, or None if the spelling is the same.

    Only unknown subjects need this: known ones are stored in canonical spelling.
    """
    spelled = with_canonical_subject(question)
    if spelled == question or not folds_ids(store, question.organization, within=within):
        return None
    return spelled


def folds_ids(store: Store, organization: OrganizationId, *, within: object = None) -> bool:
    """Whether an organization treats spellings that differ by case or composition as one id."""
    rows = store.fetch(READ_ID_RULE, {"organization": organization}, within=within)
    return bool(rows) and rows[0].id_rule == IdRule.CASEFOLD


def with_canonical_subject(question: Question) -> Question:
    """The question with its subject in canonical spelling."""
    return question._replace(subject=SubjectId(canonical_subject(question.subject)))
