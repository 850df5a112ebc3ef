"""The planner's words, as Markdown files beside this one."""

import hashlib
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def read_prompt(name: str) -> str:
    """The text of `<name>.md`."""
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


@cache
def prompts_digest() -> str:
    """sha256 over the names and texts of all prompts, 64 hex digits: stored with a run, so that a change shows."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*.md")):
        digest.update(f"{path.name}\0{read_prompt(path.stem)}\0".encode())
    return digest.hexdigest()
