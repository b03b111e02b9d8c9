"""The files of `rescind monitoring export`, by their paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from rescind import __version__
from rescind.errors import InvalidArgument
from rescind.insight.monitoring.dashboard import dashboard
from rescind.insight.targets import Target, targets_of
from rescind.model import Direction
from rescind.settings import Settings

_PLACEHOLDER: Final = re.compile(r"@\{(\w+)\}")
_JOB: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")
_URL: Final = re.compile(r"[!#$%&()*+,./0-9:;=?@A-Z_a-z~-]{1,2000}")
"""Without blanks, quotes, backslashes, braces and angle brackets, which would need escapes in YAML."""
_TEMPLATES: Final = files("rescind.insight.monitoring") / "templates"


@dataclass(frozen=True, slots=True)
class Options:
    """What the files depend on. Raises InvalidArgument."""

    settings: Settings = field(default_factory=Settings)
    job: str = "rescind"
    """The scrape job of Prometheus that has the processes of one deployment."""
    runbooks: str = "runbooks/"
    """What stands before a runbook's file name in an alert: a URL, or the folder in the export."""

    def __post_init__(self) -> None:
        if not _JOB.fullmatch(self.job):
            hint = "use letters, digits and _ . : / -, at most 200"
            raise InvalidArgument(what="--job", value=self.job, hint=hint)
        if self.runbooks != "runbooks/" and not _is_url(self.runbooks):
            hint = "use http://… or https://…, without blanks and quotes"
            raise InvalidArgument(what="--runbooks", value=self.runbooks, hint=hint)


def monitoring_files(options: Options) -> dict[PurePosixPath, str]:
    """The text of every file. Raises InvalidArgument if a target has no error budget."""
    common = _common(options)
    found = {"README.md": _rendered("README.md", common)}
    for name in ("service", "probe", "audit"):
        template = f"prometheus/{name}.rules.yml"
        found[f"prometheus/rescind-{name}.rules.yml"] = _rendered(template, common)
    for name in ("sloth", "openslo"):
        found[f"slo/{name}.yml"] = _rendered(f"slo/{name}.head.yml", common)
    for direction, target in targets_of(options.settings).items():
        values = common | _of_target(direction, target)
        rules = f"prometheus/rescind-{values['changes']}.rules.yml"
        found[rules] = _rendered("prometheus/target.rules.yml", values)
        for name in ("sloth", "openslo"):
            found[f"slo/{name}.yml"] += _rendered(f"slo/{name}.target.yml", values)
    found["grafana/rescind.json"] = dashboard(_rendered("grafana/dashboard.toml", common))
    for name in runbook_names():
        found[f"runbooks/{name}.md"] = _rendered(f"runbooks/{name}.md", common)
    return {PurePosixPath(path): found[path] for path in sorted(found)}


def runbook_names() -> list[str]:
    """The alerts that have a page, which is every alert."""
    pages = (_TEMPLATES / "runbooks").iterdir()
    return sorted(page.name.removesuffix(".md") for page in pages if page.name.endswith(".md"))


def unreachable_alerts(settings: Settings) -> list[Direction]:
    """The targets so low that the fastest burn rate cannot be reached, even if every change is late."""
    return [
        direction
        for direction, target in targets_of(settings).items()
        if FASTEST_BURN * (1 - target.share) >= 1
    ]


FASTEST_BURN: Final = 14.4
_NAMES: Final = {
    Direction.REVOKES: ("revocation", "enforced"),
    Direction.GRANTS: ("grant", "settled"),
}
_HISTOGRAMS: Final = {
    Direction.REVOKES: ("rescind_enforcement_duration_seconds", ()),
    Direction.GRANTS: ("rescind_settlement_duration_seconds", ('direction="grants"',)),
}
"""The histogram that each target is measured with, and the labels of its series."""


def _common(options: Options) -> dict[str, str]:
    values = {
        "header": f"Written by `rescind monitoring export`, rescind {__version__}.",
        "job": options.job,
        "runbooks": options.runbooks if options.runbooks.endswith("/") else f"{options.runbooks}/",
        "lease_seconds": f"{options.settings.lease_seconds:g}",
    }
    for direction, target in targets_of(options.settings).items():
        prefix = _NAMES[direction][0]
        for name, value in _of_target(direction, target).items():
            values[f"{prefix}_{name}"] = value
    return values


def _of_target(direction: Direction, target: Target) -> dict[str, str]:
    singular, done = _NAMES[direction]
    metric, labels = _HISTOGRAMS[direction]
    le = f'le="{float(target.seconds)!r}"'
    budget = 1 - target.share
    if not (0 < target.share <= 1 and target.seconds > 0):
        hint = "a share is above 0 and at most 1, seconds are above 0"
        raise InvalidArgument(what=f"{singular}_target", value=target, hint=hint)
    return {
        "changes": f"{singular}s",
        "Changes": f"{singular.title()}s",
        "done": done,
        "alert": f"Rescind{singular.title()}",
        "seconds": f"{target.seconds:g}",
        "share": _written_out(target.share),
        "percent": _written_out(100 * target.share),
        "budget": _written_out(budget),
        "budget_percent": _written_out(100 * budget),
        "within": _selector(f"{metric}_bucket", *labels, le),
        "all": _selector(f"{metric}_count", *labels),
        "within_job": _selector(f"{metric}_bucket", 'job="$job"', *labels, le),
        "all_job": _selector(f"{metric}_count", 'job="$job"', *labels),
    }


def _written_out(number: float) -> str:
    """Without an exponent, and without the digits that rounding adds."""
    return f"{number:.10f}".rstrip("0").rstrip(".")


def _selector(metric: str, *labels: str) -> str:
    return f"{metric}{{{','.join(labels)}}}" if labels else metric


def _rendered(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders `@{name}` replaced. Raises KeyError for one without a value."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], _text(template))


@cache
def _text(template: str) -> str:
    return (_TEMPLATES / template).read_text("utf-8")


def _is_url(text: str) -> bool:
    if not _URL.fullmatch(text):
        return False
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname)
