"""One command for each change, generated from its fields."""

from __future__ import annotations

import getpass
import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, get_args

import msgspec
from msgspec import UNSET, UnsetType

from rescind import changes
from rescind.changes import Change
from rescind.cli import output
from rescind.cli.change_fields import FIELDS
from rescind.cli.declared import Argument, Commands, Option
from rescind.cli.options import Target, shaped, with_target
from rescind.errors import InvalidArgument
from rescind.model import Route
from rescind.transfer import Format, parse, read
from rescind.transfer.dates import moment
from rescind.transfer.loading import by_organization

SHORT_NAMES = {
    "deactivate_membership": "deactivate",
    "reactivate_membership": "reactivate",
    "add_members": "add-member",
    "remove_members": "remove-member",
    "nest_group": "nest",
    "unnest_group": "unnest",
}
BY_FILE_ONLY = (changes.ReplaceAssignments,)
"""Changes whose fields do not fit on a command line; `apply` takes them."""
SINGULAR = {"permissions": "--permission", "parents": "--parent", "set": "--set"}
NONE = "-"

Actor = Annotated[
    str | None, Option(help="Who makes the change. Default: $USER.", show_default=False)
]
Reason = Annotated[str, Option(help="The reason, for the change log.")]
Key = Annotated[str | None, Option(help="Idempotency key: repeating the command has one effect.")]
RouteOption = Annotated[
    Route | None,
    Option("--route", help="How effective roles follow. Default: by estimated work."),
]
Force = Annotated[
    bool, Option("--force", help="Allow a required role to lose its last active holder.")
]
DryRun = Annotated[
    bool,
    Option("--dry-run", help="Show what the change would give and take, without doing it."),
]


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """Options of a change: actor, reason, idempotency key, route, dry run."""

    actor: str | None
    reason: str
    key: str | None
    dry_run: bool
    route: Route | None = None
    force: bool = False


def register(commands: Commands) -> None:
    """Add a command for every change, and `apply` for any list of them."""
    for change in get_args(Change):
        if change not in BY_FILE_ONLY:
            commands.add(command_name(change), change, "Changes", _command)
    commands.add("apply", apply, "Changes", with_target)


def command_name(change: type) -> str:
    """What the change is called on the command line."""
    tag = str(change.__struct_config__.tag)  # type: ignore[attr-defined]
    return SHORT_NAMES.get(tag, tag.replace("_", "-"))


def apply(
    target: Target,
    file: Annotated[
        str, Argument(help="A file of changes, one JSON object a line; - for stdin.")
    ] = "-",
    actor: Actor = None,
    reason: Reason = "",
    key: Key = None,
    route: RouteOption = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Apply a file of changes as one batch: all of them or none, one revision."""
    items = parse(read(file), Format.NDJSON)
    named = by_organization(items, target.organization)
    if len(named) > 1:
        hint = "one batch is for one organization; use `rescind import` for several"
        raise InvalidArgument(what="organization", value=", ".join(named), hint=hint)
    name = next(iter(named), target.organization)
    there = Target(target.database, name, target.as_json)
    options = ChangeOptions(actor, reason, key, dry_run, route, force)
    carry_out(there, [i.change for i in items], options)


def carry_out(target: Target, batch: Sequence[Change], options: ChangeOptions) -> None:
    """Apply a batch and print its receipt; with `dry_run`, print what it would give and take."""
    name = target.require_organization()
    with target.open() as authority:
        if options.dry_run:
            output.difference(
                {name: authority.preview(batch, force=options.force)}, as_json=target.as_json
            )
            return
        start = time.perf_counter()
        receipt = authority.apply(
            batch,
            actor=options.actor or user(),
            reason=options.reason,
            idempotency_key=options.key,
            route=options.route,
            force=options.force,
        )
        took_ms = (time.perf_counter() - start) * 1000
    output.receipt(receipt, took_ms, as_json=target.as_json)


def user() -> str:
    """Who runs this, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


# --- a command from a change ----------------------------------------------------------------------


def _command(change: type) -> Callable[..., None]:
    fields = msgspec.structs.fields(change)

    def run(
        target: Target,
        actor: Actor,
        reason: Reason,
        key: Key,
        route: RouteOption,
        force: Force,
        dry_run: DryRun,
        **given: object,
    ) -> None:
        values = {f.name: _value(f, given[f.name]) for f in fields}
        left_out = {f.name for f in fields if values[f.name] is None and not f.required}
        made = change(**{name: v for name, v in values.items() if name not in left_out})
        carry_out(target, [made], ChangeOptions(actor, reason, key, dry_run, route, force))

    keyword = inspect.Parameter.KEYWORD_ONLY
    common = {
        "actor": (Actor, None),
        "reason": (Reason, ""),
        "key": (Key, None),
        "route": (RouteOption, None),
        "force": (Force, False),
    }
    parameters = [
        inspect.Parameter("target", keyword, annotation=Target),
        *map(_parameter, fields),
        *(
            inspect.Parameter(name, keyword, default=default, annotation=kind)
            for name, (kind, default) in common.items()
        ),
        inspect.Parameter("dry_run", keyword, default=False, annotation=DryRun),
    ]
    return with_target(shaped(run, parameters, change.__doc__))


def _parameter(field: msgspec.structs.FieldInfo) -> inspect.Parameter:
    kind, default, declared = _declared(field)
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, declared],
    )


def _declared(field: msgspec.structs.FieldInfo) -> tuple[Any, Any, Any]:
    """The field's type, default and declaration."""
    option = SINGULAR.get(field.name, f"--{field.name.replace('_', '-')}")
    said, kinds = FIELDS[field.name], set(get_args(field.type)) or {field.type}
    is_list = getattr(field.type, "__origin__", None) is tuple or any(
        getattr(kind, "__origin__", None) is tuple for kind in kinds
    )
    if field.required:
        return _argument(kinds, is_list, FIELDS[field.name])
    if is_list:
        return list[str] | None, None, Option(option, help=said)
    if bool in kinds and UnsetType in kinds:
        return bool | None, None, Option(f"{option}/--not-{field.name}", help=said)
    if bool in kinds:
        return bool, False, Option(option, help=said)
    if int in kinds:
        default = None if field.default is UNSET else field.default
        return int | None, default, Option(option, help=said)
    if isinstance(field.default, Enum):
        return type(field.default), field.default, Option(option, help=said)
    return str | None, None, Option(option, help=said)


def _argument(kinds: set[Any], is_list: bool, said: str) -> tuple[Any, Any, Any]:
    if is_list:
        return list[str], ..., Argument(help=said)
    if type(None) in kinds:
        return str, ..., Argument(help=f"{said} {NONE} for none.")
    (kind,) = kinds
    return kind, ..., Argument(help=said)


def _value(field: msgspec.structs.FieldInfo, given: Any) -> Any:
    """A field's value, from the value that was typed; None leaves the field out."""
    kinds = set(get_args(field.type))
    if field.required and type(None) in kinds and given == NONE:
        return None
    if isinstance(given, list):
        return tuple(given) or None
    if datetime in kinds and given is not None:
        try:
            return moment(given)
        except ValueError as error:
            raise InvalidArgument(what=field.name, value=given, why=str(error)) from None
    return given
