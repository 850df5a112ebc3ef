"""Names that memory gives and takes: ids of runs as a person says them, and the database's file. Light to import."""

import re

from memory.errors import UnknownRun

DATABASE_FILE = "mora.db"
"""Of the SQLite database in a home where no other is named."""


def run_id(said: str) -> str:
    """Return the id, or the beginning of an id, as the database has it. Raises UnknownRun for what can be neither."""
    asked = said.lower()
    if re.fullmatch(r"[0-9a-z]{4,26}", asked) is None:
        raise UnknownRun("run-id-malformed", f"{said!r} is not a run id (4 to 26 letters and digits).", run=said)
    return asked


def unknown_run(said: str) -> UnknownRun:
    """Return the error that says that no run goes by this id."""
    return UnknownRun("run-unknown", f"There is no run {said!r}.", run=said)
