"""The reference of the Python API, from the docstrings of every public name.

A page for each public module. `__all__` says what is public; a name without a docstring is an error.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from types import ModuleType
from typing import Any, ForwardRef

MODULES = (
    "rescind",
    "rescind.aio",
    "rescind.changes",
    "rescind.errors",
    "rescind.client",
    "rescind.testing",
    "rescind.decision_log",
)
"""The integrations come on top."""
_NOT_SHOWN = ("mend", "note_affected", "weight")
"""A deprecated name, and what changes have for Rescind itself."""
_PLAIN = (str, int, float, bool, bytes, tuple, frozenset, list, dict, type(None))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the reference: for Sphinx, with objects that are indexed, and as plain Markdown."""

    source: str
    twin: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A public name or a member of one: its kind in Sphinx's Python domain, signature and text."""

    kind: str
    name: str
    signature: str
    text: str
    members: tuple[Entry, ...] = ()
    is_async: bool = False


def modules() -> list[str]:
    """The public modules: those above, and each integration that lists its names."""
    package = import_module("rescind.integrations")
    found = [f"{package.__name__}.{each.name}" for each in pkgutil.iter_modules(package.__path__)]
    return [*MODULES, *(name for name in found if _lists_names(name))]


def pages() -> dict[str, Page]:
    """Each module's page, by its file on the site."""
    return {f"reference/api/{name.replace('.', '-')}.md": _page(name) for name in modules()}


def _lists_names(name: str) -> bool:
    return hasattr(_imported(name), "__all__")


def _imported(name: str) -> ModuleType:
    if name.endswith(".django"):
        from django import setup
        from django.conf import settings

        if not settings.configured:
            apps = ["django.contrib.auth", "django.contrib.contenttypes", name]
            database = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
            settings.configure(
                INSTALLED_APPS=apps, DATABASES=database, RESCIND={"ORGANIZATION": "acme"}
            )
            setup()
    return import_module(name)


def _page(name: str) -> Page:
    module = _imported(name)
    entries = [_entry(name, public, getattr(module, public)) for public in sorted(module.__all__)]
    lead = f"# `{name}`\n\n{_text(module)}\n"
    source = [lead, f"\n```{{py:module}} {name}\n```\n"]
    twin = [lead]
    for entry in entries:
        heading = f"\n## {entry.name}\n\n"
        source.append(heading + _directive(entry))
        twin.append(heading + _plain(entry))
    return Page("".join(source), "".join(twin))


def _directive(entry: Entry) -> str:
    inside = "\n\n".join([entry.text, *(_directive(member) for member in entry.members)])
    # A fence must be longer than those within it.
    fence = "`" * (
        3 + max((len(found) for found in re.findall(r"^`{3,}", inside, re.M)), default=0)
    )
    option = ":async:\n" if entry.is_async else ""
    head = f"{fence}{{py:{entry.kind}}} {entry.name}{entry.signature}\n{option}"
    return f"{head}\n{inside}\n{fence}\n"


def _plain(entry: Entry) -> str:
    parts = [f"`{entry.name}{entry.signature}`", entry.text]
    for member in entry.members:
        waits = "await " if member.is_async else ""
        parts += [f"### `{waits}{entry.name}.{member.name}{member.signature}`", member.text]
    return "\n\n".join(part for part in parts if part) + "\n"


def _entry(module: str, name: str, value: Any) -> Entry:
    if isinstance(value, type):
        kind = "exception" if issubclass(value, BaseException) else "class"
        members = (*_values(value), *_methods(value))
        text = _text(value) or _constant_text(module, name) or _made_of(value)
        if not text and not issubclass(value, BaseException):
            raise ValueError(f"{module}.{name} has no docstring")
        signature = "" if issubclass(value, BaseException | Enum) else _signature(value)
        return Entry(kind, name, signature, _with_facts(value, text), members)
    if inspect.isroutine(value):
        text = _text(value)
        if not text:
            raise ValueError(f"{module}.{name} has no docstring")
        return Entry("function", name, _signature(value), text)
    shown = repr(value)
    is_short = isinstance(value, _PLAIN) and len(shown) <= 80 and " at 0x" not in shown
    text = _constant_text(module, name)
    return Entry("data", name, f" = {shown}" if is_short and name != "__version__" else "", text)


def _made_of(value: type) -> str:
    """What a manager of Django is that was made from a queryset, which has the docstring."""
    queryset = getattr(value, "_queryset_class", None)
    return f"A manager with the methods of `{queryset.__name__}`." if queryset else ""


def _with_facts(value: type, text: str) -> str:
    """What a class says, and of an error its code and whether to try again."""
    code = value.__dict__.get("code")
    if not (issubclass(value, BaseException) and isinstance(code, str)):
        return text
    again = "Try again later." if getattr(value, "retry", False) else "Trying again does not help."
    return f"{text}\n\nCode: `{code}`. {again}"


def _values(value: type) -> Iterator[Entry]:
    """The members of an enum; what has a text of its own among the fields of other classes."""
    if issubclass(value, Enum):
        for member in value:
            yield Entry("attribute", member.name, f" = {member.value!r}", "")
        return
    for name, (annotation, text) in _fields(value).items():
        if text and not name.startswith("_"):
            yield Entry("attribute", name, f": {annotation}", text)


def _fields(value: type) -> dict[str, tuple[str, str]]:
    """Annotations of the class's own body, each with the string that stands below it."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(value)))
    except (OSError, TypeError):
        return {}
    body = tree.body[0].body if tree.body and isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = below.value.value if _is_text(below) else ""  # type: ignore[union-attr]
            found[node.target.id] = (ast.unparse(node.annotation), inspect.cleandoc(str(text)))
    return found


def _is_text(node: ast.stmt | None) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _methods(value: type) -> Iterator[Entry]:
    """Public methods and properties that Rescind defines, in this class or, unless an error, a base."""
    names = value.__dict__ if issubclass(value, BaseException) else dir(value)
    for name in sorted(names):
        if (
            name.startswith("_")
            or name in _NOT_SHOWN
            or not any(_is_ours(base, name) for base in value.__mro__)
        ):
            continue
        member = inspect.getattr_static(value, name)
        if isinstance(member, property):
            if text := _text(member):
                yield Entry("property", name, "", text)
        elif isinstance(member, classmethod | staticmethod):
            kind = "classmethod" if isinstance(member, classmethod) else "staticmethod"
            yield Entry(kind, name, _signature(getattr(value, name)), _text(getattr(value, name)))
        elif inspect.isroutine(member) and (text := _text(getattr(value, name))):
            is_async = inspect.iscoroutinefunction(member)
            yield Entry("method", name, _signature(member, skip=1), text, is_async=is_async)


def _is_ours(base: type, name: str) -> bool:
    return name in base.__dict__ and base.__module__.partition(".")[0] == "rescind"


def _text(value: Any) -> str:
    """An object's own docstring as Markdown."""
    text = value.__doc__ or ""
    if isinstance(value, type) and text == (getattr(value.__base__, "__doc__", None) or None):
        text = ""
    return _as_markdown(inspect.cleandoc(text))


def _as_markdown(text: str) -> str:
    """Indented code after a line of its own becomes a fenced block."""
    block = re.compile(r"(?:(?<=\n\n)|\A)((?: {4,}[^\n]*\n?|\n(?= {4}))+)")
    return block.sub(lambda m: f"```python\n{textwrap.dedent(m[1]).strip()}\n```\n", text).strip()


def _constant_text(module: str, name: str) -> str:
    """The string below a constant's assignment, where it is made."""
    for each in (module, *_homes(module, name)):
        body = ast.parse(inspect.getsource(import_module(each))).body
        for node, below in zip(body, [*body[1:], None], strict=True):
            if name in _assigned(node) and _is_text(below):
                return inspect.cleandoc(below.value.value)  # type: ignore[union-attr]
    return ""


def _homes(module: str, name: str) -> Iterator[str]:
    """The modules that a name is imported from, one after another."""
    tree = ast.parse(inspect.getsource(import_module(module)))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(each.name == name for each in node.names):
            home = node.module or ""
            if home.startswith("rescind") and not node.level:
                yield home
                yield from _homes(home, name)


def _assigned(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


class _Written(str):
    """A type or a value as it is written, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _signature(value: Any, skip: int = 0) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return "(…)"
    parameters = [
        parameter.replace(
            annotation=_annotation(parameter.annotation), default=_default(parameter.default)
        )
        for parameter in list(signature.parameters.values())[skip:]
    ]
    returned = _annotation(signature.return_annotation)
    if isinstance(value, type):
        returned = inspect.Signature.empty
    return str(signature.replace(parameters=parameters, return_annotation=returned))


def _annotation(found: Any) -> Any:
    if found is inspect.Signature.empty:
        return found
    if isinstance(found, ForwardRef):
        found = found.__forward_arg__
    text = found if isinstance(found, str) else inspect.formatannotation(found)
    return _Written(
        re.sub(r"\b(?:rescind(?:\.\w+)*|datetime|collections\.abc|typing)\.(?=\w)", "", text)
    )


def _default(found: Any) -> Any:
    if found is inspect.Parameter.empty:
        return found
    shown = repr(found)
    return _Written("…" if shown.startswith("<") or " at 0x" in shown else shown)
