"""Run ids as a person gives them: whole, or their beginning. Light to import."""

import re

from memory.errors import UnknownRun


def run_id(said: str) -> str:
    """Return the id, or the beginning of an id, as the database has it. Raises UnknownRun for what can be neither."""
    asked = said.lower()
    if re.fullmatch(r"[0-9a-z]{4,26}", asked) is None:
        raise UnknownRun(f"{said!r} is no run id (4 to 26 letters and digits); `runs` lists them.")
    return asked


def unknown(said: str) -> UnknownRun:
    """Return the error that says that no run goes by this id."""
    return UnknownRun(f"There is no run {said!r}; `runs` lists them.")
