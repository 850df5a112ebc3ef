"""Reads the person's lines: from a terminal, with history and multi-line input, or from a pipe."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from rich.console import Console

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

HISTORY = "chat_history"


class Person(Protocol):
    """A source of lines."""

    def says(self, prompt: str) -> str | None:
        """Return the next line; None when the person leaves. Raises KeyboardInterrupt for Ctrl-C."""


class Piped:
    """Lines of a pipe or a file, echoed as they are read; a trailing backslash joins the next line."""

    def __init__(self, console: Console, lines: TextIO | None = None) -> None:
        self.console = console
        self.lines = sys.stdin if lines is None else lines

    def says(self, prompt: str) -> str | None:
        """Return the next line that is not blank."""
        while line := self.lines.readline():
            while line.rstrip("\n").endswith("\\"):
                line = line.rstrip("\n").removesuffix("\\").rstrip() + " " + self.lines.readline().lstrip()
            if line.strip():
                self.console.print(f"{prompt}{line.strip()}", markup=False, highlight=False, soft_wrap=True)
                return line.strip()
        return None


class Typed:
    """A terminal: its history is a file in the home that only the user can read; Alt-Enter or a trailing backslash
    starts a new line."""

    def __init__(self, home: Path) -> None:
        self._session = _session(home)

    def says(self, prompt: str) -> str | None:
        """Return what is typed up to Enter; None for Ctrl-D."""
        try:
            line = self._session.prompt(prompt)
        except EOFError:
            return None
        return line.replace("\\\n", "\n").strip()


def _session(home: Path) -> "PromptSession[str]":
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.key_binding.key_processor import KeyPressEvent

    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("enter")
    def _enter(event: KeyPressEvent) -> None:
        if event.current_buffer.document.current_line_before_cursor.endswith("\\"):
            event.current_buffer.insert_text("\n")
        else:
            event.current_buffer.validate_and_handle()

    history = home / HISTORY
    home.mkdir(parents=True, exist_ok=True)
    history.touch(0o600)
    history.chmod(0o600)
    return PromptSession(history=FileHistory(str(history)), key_bindings=keys, multiline=True)


def person_at(console: Console, home: Path) -> Person:
    """Return the source of lines for standard input: a terminal or a pipe."""
    return Typed(home) if sys.stdin.isatty() and console.is_terminal else Piped(console)
