"""pycasbin: its FastEnforcer, which looks rules up by resource and action, in memory.

Rules are appended to the model, as its adapters do: adding each by the API compares it with all.
Each permission of a role on a resource is a rule, also for every resource below it: the matcher then has to
follow groups alone. Its log is off. Callers in threads take turns: without, it gives wrong answers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from lab.check_worlds import CheckWorld, Question

MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
BY_RESOURCE_AND_ACTION = [1, 2]
Asked = tuple[str, str, str]


class Casbin:
    """In memory; nothing is kept."""

    needs_lock = True

    def __init__(self) -> None:
        from casbin import FastEnforcer
        from casbin.model import FastModel

        self._kinds: Any = (FastModel, FastEnforcer)
        self._enforcer: Any = None
        self._world: CheckWorld | None = None

    def load(self, world: CheckWorld) -> None:
        self._world = world
        model_kind, enforcer_kind = self._kinds
        model = model_kind(BY_RESOURCE_AND_ACTION)
        model.load_model_from_text(MODEL)
        self._enforcer = enforcer_kind(model, cache_key_order=BY_RESOURCE_AND_ACTION)
        _fill(self._enforcer.model.model, world)
        self._enforcer.build_role_links()
        for name in ("enforcer", "policy", "role"):
            logging.getLogger(f"casbin.{name}").setLevel(logging.CRITICAL)

    def open(self, world: CheckWorld) -> None:
        raise NotImplementedError

    def prepared(self, question: Question) -> Asked:
        subject, permission, resource = question
        return subject, resource, permission

    def ask(self, prepared: Asked) -> bool:
        return bool(self._enforcer.enforce(*prepared))

    def ask_all(self, prepared: Sequence[Asked]) -> list[bool]:
        return list(self._enforcer.batch_enforce(prepared))

    def set_member(self, user: int, group: int, is_member: bool) -> None:
        change = (
            self._enforcer.add_role_for_user if is_member else self._enforcer.delete_role_for_user
        )
        change(f"user:{user}", f"g{group}")

    def set_assigned(self, group: int, role: int, resource: int, is_assigned: bool) -> None:
        assert self._world is not None
        change = self._enforcer.add_policy if is_assigned else self._enforcer.remove_policy
        for permission in _permissions(self._world, role):
            change(f"g{group}", f"doc:{resource}", permission)

    def what_can(self, subject: str, permission: str) -> set[str]:
        rules = self._enforcer.get_implicit_permissions_for_user(subject)
        return {resource for _, resource, action in rules if action == permission}

    def who_can(self, permission: str, resource: str) -> set[str]:
        return set(self._enforcer.get_implicit_users_for_permission(resource, permission))

    def close(self) -> None:
        self._enforcer = None


def _fill(model: Any, world: CheckWorld) -> None:
    """Append the world's facts to the rules of a model."""
    places, rules = model["g"]["g"].policy, model["p"]["p"].policy
    for user in range(world.users):
        for group in world.groups_of(user):
            places.append([f"user:{user}", f"g{group}"])
    for group in range(world.group_count):
        if (above := world.above(group)) is not None:
            places.append([f"g{group}", f"g{above}"])
        for role, resource in world.assigned(group):
            for below in _below(world, resource):
                for permission in _permissions(world, role):
                    rules.append([f"g{group}", f"doc:{below}", permission])


def _permissions(world: CheckWorld, role: int) -> list[str]:
    return sorted({"read", world.permission_of(role)})


def _below(world: CheckWorld, resource: int) -> Iterator[int]:
    """A resource and all below it: each is the parent of the next, up to the next that stands at the top."""
    yield resource
    while (resource + 1) < world.resources and world.parent(resource + 1) == resource:
        resource += 1
        yield resource
