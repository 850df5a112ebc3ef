"""The planner's prompts, as Markdown files in this folder."""

import hashlib
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def read_prompt(name: str) -> str:
    """Return the text of `<name>.md`. name: relative to this folder, without the suffix."""
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


@cache
def prompts_digest() -> str:
    """Return the sha256 of the names and texts of the prompts in this folder, 64 hex digits; stored with every run."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*.md")):
        digest.update(f"{path.name}\0{read_prompt(path.stem)}\0".encode())
    return digest.hexdigest()
