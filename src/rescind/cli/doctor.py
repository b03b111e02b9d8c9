"""`rescind doctor`: what deserves attention although nothing is broken."""

from __future__ import annotations

from typing import Annotated

import click

from rescind.cli import output
from rescind.cli.declared import Commands, Option
from rescind.cli.options import Target, with_target
from rescind.model import ENVIRONMENT
from rescind.store.rows.facts import LIST_ORGANIZATIONS

FOUND = 1
PAGE = 500

All = Annotated[bool, Option("--all", help="Every organization, even if one is named.")]


def register(commands: Commands) -> None:
    """Add the command of this module."""
    commands.add("doctor", doctor, "Questions", with_target)


def doctor(target: Target, all: All = False) -> None:
    """List ids that look alike: of people, groups, roles and permissions.

    Exits with 0 if there are none, 1 if there are some. Without an organization, reads all.
    """
    with target.open() as authority:
        if target.organization is not None and not all:
            names = [target.organization]
        else:
            names, after = [], ""
            while page := authority.store.fetch(
                LIST_ORGANIZATIONS, {"after": after, "limit": PAGE}
            ):
                names += [row.organization for row in page if row.organization != ENVIRONMENT]
                after = page[-1].organization
        found = [each for name in names for each in authority.look_alikes(organization=name)]
    if target.as_json:
        for each in found:
            output.say_json(each)
    elif not found:
        output.say(f"no ids look alike in {output.counted(len(names), 'organization')}")
    for each in [] if target.as_json else found:
        output.say(f"{each.what}s of {each.organization} that look alike:")
        for name in each.names:
            output.say(f"  {output.distinct(name)}")
    if found:
        raise click.exceptions.Exit(FOUND)
