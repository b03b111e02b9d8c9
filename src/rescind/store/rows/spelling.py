"""Ids that look alike, and ids that are not in their canonical spelling."""

from __future__ import annotations

from typing import NamedTuple

from rescind.store.rows.query import Query


class LookAlikeRow(NamedTuple):
    """An id that was asked about, and another that looks like it."""

    asked: str
    look_alike: str


class AlikeRow(NamedTuple):
    """An id, and what it folds to, which others fold to as well."""

    folded: str
    name: str


class UncanonicalRow(NamedTuple):
    """An id that may not be in its canonical spelling; `kind` is memberships or groups."""

    kind: str
    name: str


LIST_MEMBERSHIP_LOOK_ALIKES = Query("list_membership_look_alikes", LookAlikeRow)
LIST_GROUP_LOOK_ALIKES = Query("list_group_look_alikes", LookAlikeRow)
LIST_MEMBERSHIPS_ALIKE = Query("list_memberships_alike", AlikeRow)
LIST_GROUPS_ALIKE = Query("list_groups_alike", AlikeRow)
LIST_UNCANONICAL = Query("list_uncanonical", UncanonicalRow)
