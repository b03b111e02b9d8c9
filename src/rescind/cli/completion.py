"""Completion of what is typed in a shell: Click's script, and the place where the shell looks for it."""

from __future__ import annotations

import os
from pathlib import Path

from click.shell_completion import get_completion_class

from rescind.cli import output
from rescind.errors import InvalidArgument

SHELLS = ("bash", "fish", "zsh")
ZSH_FOLDER = ".zfunc"


def show() -> None:
    """Print the script for this shell."""
    print(script(_shell()))


def install() -> None:
    """Write the script to where this shell looks for it, and say where that is."""
    shell = _shell()
    file = place(shell)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{script(shell)}\n", "utf-8")
    if shell == "zsh":
        _let_zsh_look(Path.home() / ".zshrc")
    output.say(f"{file}: completion for {shell}; it works in a new shell")


def script(shell: str) -> str:
    """What the shell runs to complete `rescind`."""
    from rescind.cli.commands import COMPLETION, application

    kind = get_completion_class(shell)
    assert kind is not None
    return kind(application(), {}, "rescind", COMPLETION).source().strip()


def place(shell: str) -> Path:
    """The file of the user's own completions for `rescind`."""
    home = Path.home()
    if shell == "fish":
        settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return settings / "fish" / "completions" / "rescind.fish"
    if shell == "zsh":
        return home / ZSH_FOLDER / "_rescind"
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "bash-completion" / "completions" / "rescind"


def _let_zsh_look(file: Path) -> None:
    before = file.read_text("utf-8") if file.exists() else ""
    if ZSH_FOLDER not in before:
        with file.open("a", encoding="utf-8") as written:
            written.write(f"\nfpath+=~/{ZSH_FOLDER}; autoload -Uz compinit; compinit\n")


def _shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        hint = f"set SHELL to one of {', '.join(SHELLS)}"
        raise InvalidArgument(what="shell", value=name, hint=hint)
    return name
